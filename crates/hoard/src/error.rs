//! Why a study cannot be made, or cannot go on.

use thiserror::Error;

use crate::BadPlan;

/// Why a study cannot be made, or cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HoardError {
    /// Nobody can go by its plan.
    #[error("the plan cannot be gone by: {0}")]
    Plan(#[from] BadPlan),
    /// A publisher cannot join the network.
    #[error("the publisher of arm {arm} cannot join: {error}")]
    Join {
        /// The arm, by its name.
        arm: String,
        /// What the network says.
        error: String,
    },
    /// An observer cannot join the network.
    #[error("observer {number} cannot join: {error}")]
    JoinObserver {
        /// Which of them, from 0.
        number: usize,
        /// What the network says.
        error: String,
    },
    /// A publisher found nobody in the network: nothing would be published.
    #[error(
        "the publisher of arm {arm} knows nobody in the network: is one of the peers to begin with there?"
    )]
    KnowsNobody {
        /// The arm, by its name.
        arm: String,
    },
    /// An observer found nobody in the network: nothing would be seen.
    #[error("observer {0} knows nobody in the network: is one of the peers to begin with there?")]
    SeesNobody(usize),
    /// No identity could be made.
    #[error("no identity could be made for number {0}")]
    NoKeypair(u16),
}
