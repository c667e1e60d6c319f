//! How far looking addresses up is.

use std::time::Duration;

use tokio::sync::watch;

use super::Tell;
use crate::{
    enriching::EnrichNow,
    render::text::{duration, fit, grouped},
};

/// How it stands.
#[derive(Debug)]
pub(crate) struct EnrichProgress(watch::Receiver<EnrichNow>);

impl EnrichProgress {
    /// Of this one.
    pub(crate) const fn new(now: watch::Receiver<EnrichNow>) -> Self {
        Self(now)
    }
}

impl Tell for EnrichProgress {
    const DRAWN_AFTER: Duration = Duration::from_millis(500);

    fn line(&mut self, elapsed: Duration, room: usize) -> String {
        fit(&line(*self.0.borrow(), elapsed), room)
    }

    fn log_line(&mut self, elapsed: Duration) -> String {
        format!("after {}: {}", duration(elapsed.as_secs_f64().floor()), line(*self.0.borrow(), elapsed))
    }
}

fn line(EnrichNow { total, done }: EnrichNow, elapsed: Duration) -> String {
    let far = format!("{} of {} addresses looked up", grouped(done), grouped(total));
    if done == 0 || elapsed.is_zero() {
        return far;
    }
    let per_s = done as f64 / elapsed.as_secs_f64();
    let left = total.saturating_sub(done) as f64 / per_s;
    format!("{far} │ {per_s:.0}/s │ {} left", duration(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_how_fast_and_how_long() {
        let now = EnrichNow { total: 30_000, done: 10_000 };
        assert_eq!(
            line(now, Duration::from_secs(5)),
            "10,000 of 30,000 addresses looked up │ 2000/s │ 10 s left"
        );
        let begun = EnrichNow { total: 3, done: 0 };
        assert_eq!(line(begun, Duration::ZERO), "0 of 3 addresses looked up");
    }
}
