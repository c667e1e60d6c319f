//! How a study stands: its rounds, how late they are, how long it still takes, and how its holders are.

use std::time::Duration;

use hoard::{HoardNow, content::AvailabilityRule};
use schema::RoundEnd;
use tokio::sync::watch;

use super::Tell;
use crate::render::text::{duration, fit, grouped};

/// How a study stands.
#[derive(Debug)]
pub(crate) struct HoardProgress(watch::Receiver<HoardNow>);

impl HoardProgress {
    /// Of this study.
    pub(crate) const fn new(now: watch::Receiver<HoardNow>) -> Self {
        Self(now)
    }
}

impl Tell for HoardProgress {
    fn line(&mut self, _elapsed: Duration, room: usize) -> String {
        fit(&line(&self.0.borrow()), room)
    }

    fn log_line(&mut self, elapsed: Duration) -> String {
        format!("after {}: {}", duration(elapsed.as_secs_f64().floor()), line(&self.0.borrow()))
    }
}

/// The most important first: what does not fit is cut off.
fn line(now: &HoardNow) -> String {
    if !now.is_ready {
        return "publishers and observers fill their tables".to_owned();
    }
    let of = |all: Option<u64>| all.map_or_else(String::new, |all| format!(" of {}", grouped(all)));
    let rounds = format!("round {}: {}{} done", now.round, grouped(now.rounds_over()), of(now.all_rounds));
    let missed = match now.rounds_of(RoundEnd::Missed) {
        0 => String::new(),
        missed => format!(", {} missed", grouped(missed)),
    };
    let seen = now.holders.count(|_, _| true);
    let dialled = now.dials_of(|_| true);
    let holders = if dialled > 0 {
        let reached = now.dials_of(|verdict| AvailabilityRule::Dialled.holds(verdict) == Some(true));
        format!("{} providers dialled, {} there", grouped(dialled), grouped(reached))
    } else if seen == 0 {
        "no holder seen yet".to_owned()
    } else {
        format!(
            "{} holders: {} there, {} keep, {} with addresses",
            grouped(seen),
            grouped(now.reached()),
            grouped(now.keeping()),
            grouped(now.with_addresses())
        )
    };
    let lag = format!("late by {}", duration(now.lag.p99.as_secs_f64()));
    let eta = now.eta.map_or_else(String::new, |left| format!(", {} left", duration(left.as_secs_f64())));
    let keys = format!("{}{} keys", grouped(now.keys), of(now.all_keys));
    format!("{rounds}{missed}{eta} │ {lag} │ {holders} │ {keys}")
}

#[cfg(test)]
mod tests {
    use kad::retrieval::RetrievalVerdict;

    use super::*;

    #[test]
    fn a_study_says_its_round_its_lag_and_how_long_it_takes() {
        assert_eq!(line(&HoardNow::default()), "publishers and observers fill their tables");
        let now = HoardNow {
            is_ready: true,
            keys: 100,
            all_keys: Some(100),
            all_rounds: Some(1600),
            round: 3,
            rounds: std::array::from_fn(|at| if at == 0 { 240 } else { 0 }),
            eta: Some(Duration::from_secs(2460)),
            ..HoardNow::default()
        };
        let text = line(&now);
        assert_eq!(
            text,
            "round 3: 240 of 1,600 done, 41 min 00 s left │ late by 0 s │ no holder seen yet │ 100 of 100 keys"
        );
    }

    #[test]
    fn a_study_of_content_says_what_came_of_its_dials() {
        let of = |verdict| RetrievalVerdict::ALL.iter().position(|known| *known == verdict);
        let mut now = HoardNow { is_ready: true, keys: 2, all_keys: Some(2), ..HoardNow::default() };
        for (verdict, count) in [(RetrievalVerdict::Unreachable, 3), (RetrievalVerdict::Retrievable, 40)] {
            now.provider_dials[of(verdict).unwrap()] = count;
        }
        assert!(line(&now).contains(" │ 43 providers dialled, 40 there │ "), "{}", line(&now));
    }

    #[test]
    fn on_eighty_columns_even_the_largest_study_says_its_round_how_long_and_how_late() {
        let now = HoardNow {
            is_ready: true,
            keys: 40_000,
            all_keys: Some(40_000),
            all_rounds: Some(2_880_000),
            round: 72,
            rounds: std::array::from_fn(|at| if at == 0 { 2_879_000 } else { 0 }),
            eta: Some(Duration::from_secs(36 * 3600)),
            lag: hoard::LagNow { p99: Duration::from_millis(4_300), ..Default::default() },
            ..HoardNow::default()
        };
        let (_, shown) = watch::channel(now);
        let text = HoardProgress::new(shown).line(Duration::ZERO, 80);
        assert!(text.chars().count() <= 80, "{text}");
        for said in ["round 72: 2,879,000 of 2,880,000 done", " left", "late by 4.3 s"] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
}
