//! One walk for a key that nothing cut short, as all changes see it.

use std::time::Duration;

use kad::PeerId;

/// A walk for a key that asked everybody it had to. Times count from its start.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrievalWalk {
    /// The number of its key: walks of one key are alike, those of different keys are independent.
    pub key: u32,
    /// Who provides it.
    pub provider: PeerId,
    /// How old its record was when the walk began; `None` where nobody knows.
    pub age: Option<Duration>,
    /// How long it took.
    pub took: Duration,
    /// When each request was decided on.
    pub asked: Vec<Duration>,
    /// The answers in the order in which they came.
    pub answers: Vec<WalkAnswer>,
    /// What a second walk, for the provider, costs; `None` where nobody knows.
    pub second: Option<SecondWalk>,
    /// Where the provider was.
    pub place: ProviderPlace,
}

/// One answer that names providers.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkAnswer {
    /// When it came.
    pub after: Duration,
    /// Whom it names, and whether with addresses.
    pub providers: Vec<(PeerId, bool)>,
}

/// What a second walk, for the provider itself, costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondWalk {
    /// How long it takes.
    pub took: Duration,
    /// How many requests it makes.
    pub requests: u32,
}

kad::named! {
    /// Where a provider is when it is looked for.
    pub enum ProviderPlace: serde {
        /// Nobody dialled it: it is taken to be where its record says, as if it had stayed.
        Assumed = "assumed",
        /// Where its record says.
        AsShared = "as_shared",
        /// It can be dialled, and elsewhere.
        Elsewhere = "elsewhere",
        /// Nobody can dial it.
        Nowhere = "nowhere",
    }
}

impl RetrievalWalk {
    /// How many requests had been decided on when the caller stopped the walk; all of them when it had none to stop.
    pub(super) fn requests_by(&self, settled: Duration) -> u32 {
        let is_whole = settled >= self.took;
        let asked = self.asked.iter().filter(|&&asked| is_whole || asked < settled).count();
        u32::try_from(asked).unwrap_or(u32::MAX)
    }
}
