//! Who measures a set of fleets, where several schedulers would: whoever holds a lease of each of them.
//!
//! Leases are in the register, one a fleet. Whoever has fleets in common with another one waits while that one holds them, and takes over when
//! its leases have run out. A register that is away gives nobody a lease: who leads goes on.

use std::{mem, time::Duration};

use crawl::Clock;
use store::{LeaseOutcome, Register};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long the register may take to say something of leases.
const ANSWER_TIME: Duration = Duration::from_secs(3);

/// How long until somebody who had no answer asks again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// How long whoever takes over waits before its first round: until then a former holder has heard of it, since it asks again within
/// [`ASK_AGAIN`] and waits for [`ANSWER_TIME`].
const SETTLING: Duration = Duration::from_secs(10);

/// How many times a lease is renewed before it would run out.
const RENEWALS: u32 = 3;

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// Nobody that is known, or somebody else, by name.
    Others(Option<String>),
    /// We do, for the so manieth time.
    Ours(u64),
}

/// What came of asking for all leases.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Leases {
    /// All are ours, with these fencing numbers.
    Held(Vec<u64>),
    /// One is somebody else's.
    HeldBy(String),
    /// The register did not say.
    Unknown,
}

/// What follows from what the register says. Pure.
#[derive(Debug)]
struct Leading {
    /// How long a lease lasts.
    lease: Duration,
    /// The fencing numbers of our leases, and from when on we lead; `None` without them.
    held: Option<(Vec<u64>, Instant)>,
    terms: u64,
}

impl Leading {
    /// What is to be done now: who leads, and after how long to ask again.
    fn told(&mut self, leases: Leases, now: Instant) -> (Lead, Duration) {
        match leases {
            Leases::Unknown => {}
            Leases::HeldBy(other) => {
                self.held = None;
                return (Lead::Others(Some(other)), ASK_AGAIN.min(self.lease / RENEWALS));
            }
            Leases::Held(fences) => self.hold(fences, now),
        }
        let Some((_, from)) = self.held else { return (Lead::Others(None), ASK_AGAIN) };
        if now < from {
            // Not yet: whoever led before may not have heard of it.
            return (Lead::Others(None), ASK_AGAIN.min(from - now));
        }
        (Lead::Ours(self.terms), self.lease / RENEWALS)
    }

    fn hold(&mut self, fences: Vec<u64>, now: Instant) {
        if let Some((held, _)) = &mut self.held {
            let is_ours = |(held, fence): (&u64, &u64)| fence.saturating_sub(*held) <= 1;
            // A number that is one more is ours, which had run out: with somebody in between there would be two.
            if held.iter().zip(&fences).all(is_ours) {
                *held = fences;
                return;
            }
        }
        self.terms += 1;
        let is_first = fences.iter().all(|&fence| fence <= 1);
        self.held = Some((fences, if is_first { now } else { now + SETTLING }));
    }
}

/// The leases of a scheduler.
#[derive(Debug)]
pub(super) struct FleetLeases {
    pub(super) register: Register,
    /// Sorted: whoever wants several takes them in the same order.
    pub(super) fleets: Vec<String>,
    /// Who holds them: a name that no other process has.
    pub(super) holder: String,
    pub(super) time: Duration,
    pub(super) clock: Clock,
}

impl FleetLeases {
    /// Has `lead` say who leads until `over` is cancelled, and gives back what is held then.
    pub(super) async fn keep(self, lead: watch::Sender<Lead>, over: CancellationToken) {
        let mut leading = Leading { lease: self.time, held: None, terms: 0 };
        loop {
            let Some(leases) = over.run_until_cancelled(self.ask(leading.held.is_some())).await else {
                break;
            };
            let is_unknown = leases == Leases::Unknown;
            let (now_leads, wait) = leading.told(leases, Instant::now());
            lead.send_if_modified(|lead| mem::replace(lead, now_leads.clone()) != now_leads);
            let wait = if is_unknown { ASK_AGAIN } else { wait };
            if over.run_until_cancelled(sleep(wait)).await.is_none() {
                break;
            }
        }
        // Whoever waits need not wait until they run out.
        if leading.held.is_some() {
            self.give_back().await;
        }
    }

    async fn ask(&self, are_held: bool) -> Leases {
        let mut fences = Vec::with_capacity(self.fleets.len());
        for name in self.names() {
            let now = self.clock.at(Instant::now());
            let asked = self.register.lease(&name, &self.holder, now.after(self.time), now);
            match timeout(ANSWER_TIME, asked).await {
                Ok(Ok(LeaseOutcome::Held { fence })) => fences.push(fence),
                Ok(Ok(LeaseOutcome::HeldBy { holder: other, .. })) => {
                    if are_held || !fences.is_empty() {
                        self.give_back().await;
                    }
                    return Leases::HeldBy(other);
                }
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the register says nothing of leases");
                    return Leases::Unknown;
                }
                Err(_) => return Leases::Unknown,
            }
        }
        Leases::Held(fences)
    }

    async fn give_back(&self) {
        for name in self.names() {
            // What cannot be given back runs out.
            drop(timeout(ANSWER_TIME, self.register.release(&name, &self.holder)).await);
        }
    }

    fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.fleets.iter().map(|fleet| format!("perf/fleet/{fleet}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(60);

    fn leading() -> (Leading, Instant) {
        (Leading { lease: LEASE, held: None, terms: 0 }, Instant::now())
    }

    #[test]
    fn the_first_leads_at_once_and_whoever_takes_over_waits_until_the_former_has_heard_of_it() {
        let (mut first, now) = leading();
        assert_eq!(first.told(Leases::Held(vec![1, 1]), now), (Lead::Ours(1), LEASE / 3));
        let (mut other, now) = leading();
        assert_eq!(other.told(Leases::HeldBy("x".into()), now).0, Lead::Others(Some("x".into())));
        assert_eq!(other.told(Leases::Held(vec![2, 1]), now), (Lead::Others(None), ASK_AGAIN));
        assert_eq!(other.told(Leases::Held(vec![2, 1]), now + SETTLING).0, Lead::Ours(1));
        assert!(SETTLING > ASK_AGAIN + ANSWER_TIME + ANSWER_TIME);
    }

    #[test]
    fn a_register_that_is_away_leaves_the_lead_where_it_is() {
        let (mut leading, now) = leading();
        assert_eq!(leading.told(Leases::Unknown, now).0, Lead::Others(None));
        leading.told(Leases::Held(vec![1]), now);
        let later = now + Duration::from_secs(600);
        assert_eq!(leading.told(Leases::Unknown, later).0, Lead::Ours(1));
        // Its own lease had run out, and nobody else had it meanwhile.
        assert_eq!(leading.told(Leases::Held(vec![2]), later).0, Lead::Ours(1));
    }

    #[test]
    fn who_was_away_while_another_led_does_not_go_on() {
        let (mut leading, now) = leading();
        leading.told(Leases::Held(vec![1]), now);
        assert_eq!(leading.told(Leases::HeldBy("x".into()), now).0, Lead::Others(Some("x".into())));
        let (mut leading, now) = (Leading { lease: LEASE, held: None, terms: 0 }, now);
        leading.told(Leases::Held(vec![1]), now);
        // 2 was somebody else's, who is gone by now.
        assert_eq!(leading.told(Leases::Held(vec![3]), now).0, Lead::Others(None));
        assert_eq!(leading.told(Leases::Held(vec![3]), now + SETTLING).0, Lead::Ours(2));
    }
}
