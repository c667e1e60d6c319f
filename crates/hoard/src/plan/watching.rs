//! The plan of who watches what others provide.

use std::time::Duration;

use schema::PublisherEnd;

use super::{Arm, HoardPlan, KeySource, LookupSet, ObservingTerms, PublishPace, RoundTimes, StudyKeyBytes};
use crate::{RoundParts, content::ContentFrame};

/// What the arm of a study is called that publishes nothing.
const ARM: &str = "content";

/// How many providers of a key are dialled in a round. Kubo asks 10 of them for a block at a time (boxo, `bitswap/client`).
const PROVIDERS: usize = 20;

/// When a round is over: its lookup may take a minute, looking for providers without an address as long, and their dials 45 s.
const DEADLINE: Duration = Duration::from_secs(180);

/// How many rounds go on at once. Lookups and dials of as many are what an observer's machine is used for, not what is aimed at: rounds are
/// spread over the time between two of a key.
const AT_ONCE: usize = 64;

/// The first look at a key is as soon as a plan may have one.
const FIRST: Duration = Duration::from_secs(1);

impl HoardPlan {
    /// Looks at these keys right away and then every so often for so long, at who provides each, and dials those. Nothing is published, and
    /// nobody is asked apart. Keys have their turns spread evenly over the time from one look to the next.
    pub fn watching(
        keys: Vec<StudyKeyBytes>,
        frame: ContentFrame,
        (every, span): (Duration, Duration),
    ) -> Self {
        let gap = every / u32::try_from(keys.len().max(1)).unwrap_or(u32::MAX);
        Self {
            keys: KeySource::Foreign { keys },
            frame: Some(frame),
            arms: vec![Arm { name: ARM.to_owned(), end: PublisherEnd::Foreign, ..Arm::usual() }],
            pace: PublishPace { gap, ..PublishPace::default() },
            readings: Vec::new(),
            parts: RoundParts::Lookups,
            lookups: LookupSet { closest: false, first: false, exhaustive: true, ..LookupSet::default() },
            observing: ObservingTerms {
                providers: PROVIDERS,
                deadline: DEADLINE,
                at_once: AT_ONCE,
                ..ObservingTerms::default()
            },
            ..Self::of(0, RoundTimes::from_the_first(FIRST, (every, span)))
        }
    }
}
