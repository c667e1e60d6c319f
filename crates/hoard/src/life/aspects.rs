//! How long an aspect of a holder's life lasted, as far as sights say: between which two it ended.

use std::time::Duration;

use estimate::Bracketed;
use schema::Whereabouts;

use super::states::Saying;

kad::named! {
    /// What lasts.
    pub enum LifeAspect: serde {
        /// That a holder has the record, from when it first said so.
        Record = "record",
        /// That it gives addresses with it, for as long as it has the record.
        Addresses = "addresses",
        /// That it is reached, until it first is not.
        Reachability = "reachability",
    }
}

/// How long something lasted, by sights; times are since publication began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifespan {
    /// The last sight with it before the first without.
    pub after: Duration,
    /// The first sight without it; `None` if there was none.
    pub by: Option<Duration>,
    /// The last sight that would have told.
    pub until: Duration,
}

impl Lifespan {
    const fn from(after: Duration) -> Self {
        Self { after, by: None, until: after }
    }

    const fn lasts(&mut self, now: Duration) {
        if self.by.is_none() {
            self.after = now;
        }
        self.until = now;
    }

    const fn is_over(&mut self, now: Duration) {
        if self.by.is_none() {
            self.by = Some(now);
        }
        self.until = now;
    }

    /// As an observation, in seconds from a moment on, which is that long after publication began.
    pub fn since(&self, moment: Duration, cluster: u32) -> Bracketed {
        let seconds = |time: Duration| time.as_secs_f64() - moment.as_secs_f64();
        let (after, by) = (seconds(self.after), self.by.map(seconds));
        Bracketed { after, by, until: seconds(self.until), cluster }
    }
}

/// The lifespans of one holder, while its sights come.
#[derive(Debug)]
pub(super) struct Spans {
    pub(super) kept: Option<Lifespan>,
    pub(super) addressed: Option<Lifespan>,
    pub(super) reached: Option<Lifespan>,
}

impl Spans {
    /// Who was sent the record was reached then.
    pub(super) fn new(sent: Option<Duration>) -> Self {
        Self { kept: None, addressed: None, reached: sent.map(Lifespan::from) }
    }

    pub(super) fn see(&mut self, now: Duration, saying: Saying, whereabouts: Whereabouts) {
        match saying {
            Saying::With | Saying::Id => self.kept.get_or_insert(Lifespan::from(now)).lasts(now),
            Saying::Without => over(&mut self.kept, now),
            Saying::Silence => {}
        }
        match saying {
            Saying::With => self.addressed.get_or_insert(Lifespan::from(now)).lasts(now),
            Saying::Id => over(&mut self.addressed, now),
            // What became of the addresses of a record that is gone nobody can see.
            Saying::Without | Saying::Silence => {}
        }
        match whereabouts {
            Whereabouts::Undialled => {}
            reached if reached.is_reached() => self.reached.get_or_insert(Lifespan::from(now)).lasts(now),
            _ => over(&mut self.reached, now),
        }
    }
}

fn over(span: &mut Option<Lifespan>, now: Duration) {
    if let Some(span) = span {
        span.is_over(now);
    }
}
