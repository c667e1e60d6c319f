//! Lives that are worked out by hand.

mod lists;
mod lives;
mod numbers;
mod page;

use std::time::Duration;

use schema::{HolderAnswer, Whereabouts};

use super::LifeSight;

/// A sight in a round, three minutes after the one before.
fn sight(round: u32, answer: HolderAnswer, whereabouts: Whereabouts) -> LifeSight {
    LifeSight { round, after: minutes(3 * u64::from(round)), answer, whereabouts }
}

/// Answers where it was chosen, from the reading back on, a round each.
fn answering(answers: &[HolderAnswer]) -> Vec<LifeSight> {
    let reached = |answer: HolderAnswer| match answer {
        HolderAnswer::Unreached => Whereabouts::Gone,
        HolderAnswer::Unasked => Whereabouts::Undialled,
        _ => Whereabouts::SameAddress,
    };
    (0..).zip(answers).map(|(round, answer)| sight(round, *answer, reached(*answer))).collect()
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
