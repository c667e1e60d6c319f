//! The life of one holder, from its sights.

use std::time::Duration;

use schema::{HolderAnswer, Whereabouts};

use super::{
    aspects::{LifeAspect, Lifespan, Spans},
    states::{HolderChange, HolderPresence, HolderRecord, Saying},
};

/// What a life needs of one sight of a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeSight {
    /// Of which round it is; the readings back are of round 0.
    pub round: u32,
    /// The actual time since publication began.
    pub after: Duration,
    /// What it said of the record.
    pub answer: HolderAnswer,
    /// Where it was.
    pub whereabouts: Whereabouts,
}

/// Something that changed between two sights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeChange {
    /// What.
    pub change: HolderChange,
    /// It was not yet so at that time since publication began; `None` where no sight before would have told.
    pub after: Option<Duration>,
    /// It was so at that time.
    pub by: Duration,
}

/// The life of one holder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HolderLife {
    /// What is known of the record.
    pub record: HolderRecord,
    /// What is known of where it is.
    pub presence: HolderPresence,
    /// Whether it was reached at another IP at any time.
    pub has_moved: bool,
    /// Whether it was reached again after it was not.
    pub has_returned: bool,
    /// How long it had the record from when it first said so; `None` if it never did.
    pub kept: Option<Lifespan>,
    /// How long it gave addresses, for as long as it had the record; `None` if it never did.
    pub addressed: Option<Lifespan>,
    /// How long it was reached until it first was not; `None` if it never was.
    pub reached: Option<Lifespan>,
}

impl HolderLife {
    /// From its sights, in the order of time. `sent` is when the record was sent since publication began; `None` if it was not.
    pub fn of(sent: Option<Duration>, sights: impl IntoIterator<Item = LifeSight>) -> Self {
        Self::follow(sent, sights, |_| ())
    }

    /// The changes of a life, in the order of time.
    pub fn changes(sent: Option<Duration>, sights: impl IntoIterator<Item = LifeSight>) -> Vec<LifeChange> {
        let mut changes = Vec::new();
        Self::follow(sent, sights, |change| changes.push(change));
        changes
    }

    /// How long one aspect of it lasted; `None` if it never was.
    pub const fn lifespan(&self, aspect: LifeAspect) -> Option<Lifespan> {
        match aspect {
            LifeAspect::Record => self.kept,
            LifeAspect::Addresses => self.addressed,
            LifeAspect::Reachability => self.reached,
        }
    }

    fn follow(
        sent: Option<Duration>,
        sights: impl IntoIterator<Item = LifeSight>,
        mut tell: impl FnMut(LifeChange),
    ) -> Self {
        let (mut record, mut presence) = match sent {
            Some(_) => (HolderRecord::Dialled, HolderPresence::Present),
            None => (HolderRecord::Chosen, HolderPresence::Unseen),
        };
        let (mut answered, mut dialled) = (None, sent);
        let (mut has_moved, mut has_returned) = (false, false);
        let mut spans = Spans::new(sent);
        for LifeSight { after: by, answer, whereabouts, .. } in sights {
            let saying = Saying::of(answer);
            let whereabouts = seen(whereabouts, answer);
            spans.see(by, saying, whereabouts);
            let (next, change) = record.then(saying);
            if let Some(change) = change {
                tell(LifeChange { change, after: answered, by });
            }
            record = next;
            let was_away = presence == HolderPresence::Unreachable;
            let (next, change) = presence.then(whereabouts);
            if let Some(change) = change {
                tell(LifeChange { change, after: dialled, by });
            }
            presence = next;
            has_moved |= presence == HolderPresence::Moved;
            has_returned |= was_away && presence != HolderPresence::Unreachable;
            answered = if saying == Saying::Silence { answered } else { Some(by) };
            dialled = if whereabouts == Whereabouts::Undialled { dialled } else { Some(by) };
        }
        let Spans { kept, addressed, reached, .. } = spans;
        Self { record, presence, has_moved, has_returned, kept, addressed, reached }
    }
}

/// Where it is: who answers over a connection that was there already is where it was.
const fn seen(whereabouts: Whereabouts, answer: HolderAnswer) -> Whereabouts {
    match whereabouts {
        Whereabouts::Undialled if !matches!(Saying::of(answer), Saying::Silence) => Whereabouts::SameAddress,
        other => other,
    }
}
