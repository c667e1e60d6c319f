//! When enough of those who were all asked at once have done what they were asked for (`execOnMany`).

use std::time::Duration;

use crate::named;

/// The rules of a fan-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FanOutRules {
    /// How many percent of all must have succeeded before a lull ends it, rounded down.
    pub wait_percent: usize,
    /// How long a lull is: a time without a further success, counted from the success that reached the share.
    pub lull: Duration,
    /// How long all of it may take.
    pub patience: Duration,
    /// How many of those that stand ready when there are enough are given their record nevertheless: giving them up comes too late.
    pub stragglers: usize,
}

/// How long after there are enough somebody may still be a straggler.
pub const RECALL: Duration = Duration::from_millis(1);

impl FanOutRules {
    /// Those of go-libp2p-kad-dht: 30 % (`waitFrac`), half a second, and 5 s (`timeoutPerOp`).
    ///
    /// Its puts run beside each other, so giving them up is a race: over connections that were open, 100 publications sent their record to
    /// 15.2 of 20 on average, 12 at the least, where 10 would have been enough (`peers/README.md` says how that is measured; Parsec's, of
    /// the version before, 15.0). Here the five are a number, so that it is the same on every machine.
    pub const fn go() -> Self {
        Self {
            wait_percent: 30,
            lull: Duration::from_millis(500),
            patience: Duration::from_secs(5),
            stragglers: 5,
        }
    }
}

named! {
    /// Why a fan-out is over.
    pub enum FanOutEnd {
        /// Everybody has succeeded or failed.
        All = "all",
        /// Twice the successes and the failures make up all: the rest is given up.
        Enough = "enough",
        /// The share had succeeded, and nobody else did in a lull: the rest is given up.
        Lull = "lull",
        /// Its time was over: the rest is given up.
        TimedOut = "timed_out",
    }
}

/// A fan-out. Times count from its beginning.
#[derive(Debug, Clone)]
pub struct FanOut {
    rules: FanOutRules,
    asked: usize,
    successes: usize,
    failures: usize,
    /// When a lull would be over, and how many successes there were when it began; `None` before the share has succeeded.
    lull: Option<(Duration, usize)>,
    end: Option<FanOutEnd>,
    /// When there were enough.
    ended_at: Duration,
    stragglers: usize,
}

impl FanOut {
    /// One to so many. To nobody it is over at once.
    pub fn new(asked: usize, rules: FanOutRules) -> Self {
        let end = (asked == 0).then_some(FanOutEnd::All);
        let ended_at = Duration::ZERO;
        Self { rules, asked, successes: 0, failures: 0, lull: None, end, ended_at, stragglers: 0 }
    }

    /// One of them has succeeded.
    pub fn succeeded(&mut self, now: Duration) {
        self.look_before(now);
        if self.end.is_some() {
            return;
        }
        self.successes += 1;
        if self.lull.is_none() && self.successes >= self.awaited() {
            self.lull = Some((now + self.rules.lull, self.successes));
        }
        self.settle();
        // Go looks at this after a success alone: failures that come later do not end it.
        if self.end.is_none() && 2 * self.successes + self.failures >= self.asked {
            self.end = Some(FanOutEnd::Enough);
            self.ended_at = now;
        }
    }

    /// One of them stands ready to be sent its record: whether it is sent. If so that is a success, unless it is a
    /// [straggler](FanOutRules::stragglers).
    pub fn is_sent(&mut self, now: Duration) -> bool {
        self.look_before(now);
        match self.end {
            None => {
                self.succeeded(now);
                true
            }
            Some(FanOutEnd::Enough) if now <= self.ended_at + RECALL => {
                self.stragglers += 1;
                self.stragglers <= self.rules.stragglers
            }
            Some(_) => false,
        }
    }

    /// One of them has failed.
    pub fn failed(&mut self, now: Duration) {
        self.look_before(now);
        if self.end.is_none() {
            self.failures += 1;
            self.settle();
        }
    }

    /// Time has passed: a lull, or all of its time, may be over.
    pub fn look(&mut self, now: Duration) {
        self.look_before(now);
        if self.end.is_none() && self.until() <= now {
            self.pass();
        }
    }

    /// When it is to be [looked at](Self::look) at the latest.
    pub fn until(&self) -> Duration {
        let lull = self.lull.map_or(self.rules.patience, |(at, _)| at);
        lull.min(self.rules.patience)
    }

    /// Why it is over; `None` while it goes on.
    pub const fn end(&self) -> Option<FanOutEnd> {
        self.end
    }

    /// How many have succeeded before it was over.
    pub const fn successes(&self) -> usize {
        self.successes
    }

    /// How many successes end it in a lull: 6 of 20.
    const fn awaited(&self) -> usize {
        self.asked * self.rules.wait_percent / 100
    }

    fn settle(&mut self) {
        if self.successes + self.failures >= self.asked {
            self.end = Some(FanOutEnd::All);
        }
    }

    /// What is over before this moment is over, whatever happens at it.
    fn look_before(&mut self, now: Duration) {
        while self.end.is_none() && self.until() < now {
            self.pass();
        }
    }

    /// The next moment at which something may be over has come.
    fn pass(&mut self) {
        let Self { rules, successes, lull, .. } = self;
        match lull {
            Some((at, before)) if *at <= rules.patience => {
                if *before < *successes {
                    (*at, *before) = (*at + rules.lull, *successes);
                } else {
                    self.end = Some(FanOutEnd::Lull);
                }
            }
            _ => self.end = Some(FanOutEnd::TimedOut),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn of(asked: usize) -> FanOut {
        FanOut::new(asked, FanOutRules::go())
    }

    #[test]
    fn half_of_twenty_end_it() {
        let mut fan = of(20);
        for n in 1..10 {
            fan.succeeded(ms(n));
            assert_eq!(fan.end(), None);
        }
        fan.succeeded(ms(10));
        assert_eq!((fan.end(), fan.successes()), (Some(FanOutEnd::Enough), 10));
        fan.succeeded(ms(11));
        assert_eq!(fan.successes(), 10, "what comes later does not count");
    }

    #[test]
    fn who_stands_ready_when_there_are_enough_is_a_straggler() {
        let mut fan = of(20);
        assert!((0..15).all(|_| fan.is_sent(ms(3))));
        assert!(!fan.is_sent(ms(3)));
        assert_eq!((fan.end(), fan.successes()), (Some(FanOutEnd::Enough), 10));
        let mut fan = of(20);
        assert!((0..12).all(|_| fan.is_sent(ms(3))));
        assert!(!fan.is_sent(ms(5)), "by then it is given up");
        let mut fan = of(20);
        fan.look(ms(5000));
        assert!(!fan.is_sent(ms(5000)));
    }

    #[test]
    fn failures_lower_what_is_enough_but_only_a_success_ends_it() {
        let mut fan = of(20);
        for n in 0..12 {
            fan.failed(ms(n));
        }
        for n in 0..3 {
            fan.succeeded(ms(20 + n));
            assert_eq!(fan.end(), None, "2 x {} + 12", n + 1);
        }
        fan.succeeded(ms(30));
        assert_eq!((fan.end(), fan.successes()), (Some(FanOutEnd::Enough), 4));
        let mut fan = of(20);
        (0..8).for_each(|n| fan.succeeded(ms(n)));
        (0..11).for_each(|n| fan.failed(ms(10 + n)));
        assert_eq!(fan.end(), None, "2 x 8 + 11 is more than 20, and nobody looks");
        fan.failed(ms(30));
        assert_eq!(fan.end(), Some(FanOutEnd::All));
    }

    #[test]
    fn after_six_of_twenty_a_lull_ends_it() {
        let mut fan = of(20);
        (0..5).for_each(|_| fan.succeeded(ms(100)));
        assert_eq!(fan.until(), ms(5000));
        fan.succeeded(ms(200));
        assert_eq!(fan.until(), ms(700));
        fan.succeeded(ms(650));
        fan.look(ms(700));
        assert_eq!((fan.end(), fan.until()), (None, ms(1200)), "one came: another lull");
        fan.look(ms(1199));
        assert_eq!(fan.end(), None);
        fan.look(ms(1200));
        assert_eq!((fan.end(), fan.successes()), (Some(FanOutEnd::Lull), 7));
    }

    #[test]
    fn who_looks_late_sees_what_was_over_before() {
        let mut fan = of(20);
        (0..6).for_each(|_| fan.succeeded(ms(0)));
        fan.succeeded(ms(501));
        assert_eq!((fan.end(), fan.successes()), (Some(FanOutEnd::Lull), 6));
        let mut fan = of(20);
        fan.failed(ms(5001));
        assert_eq!(fan.end(), Some(FanOutEnd::TimedOut));
        let mut fan = of(20);
        (0..6).for_each(|_| fan.succeeded(ms(4800)));
        fan.look(ms(6000));
        assert_eq!(fan.end(), Some(FanOutEnd::TimedOut), "the lull would be over after its time");
    }

    #[test]
    fn of_few_one_may_be_enough() {
        assert_eq!(of(0).end(), Some(FanOutEnd::All));
        let mut one = of(1);
        one.succeeded(ms(1));
        assert_eq!(one.end(), Some(FanOutEnd::All));
        let mut two = of(2);
        two.succeeded(ms(1));
        assert_eq!(two.end(), Some(FanOutEnd::Enough));
        let mut three = of(3);
        three.succeeded(ms(1));
        assert_eq!(
            (three.end(), three.until()),
            (None, ms(501)),
            "30 % of 3 is 0: the first begins the lull"
        );
    }

    #[test]
    fn nobody_in_time() {
        let mut fan = of(20);
        (0..5).for_each(|_| fan.succeeded(ms(10)));
        fan.look(ms(4999));
        assert_eq!(fan.end(), None);
        fan.look(ms(5000));
        assert_eq!(fan.end(), Some(FanOutEnd::TimedOut));
        assert!(FanOutEnd::ALL.iter().all(|&end| FanOutEnd::from_name(end.name()) == Some(end)));
    }
}
