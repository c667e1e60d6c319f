//! Asks a service of delegated routing who provides a key, beside the belly.
//!
//! Every source and what comes of all of them is counted: found, none, or failed by class (`outcomes`). How a service is asked is in the
//! crate `delegated`.

mod keeping;
mod outcomes;

use std::{fmt, sync::Arc};

use delegated::{RoutingFailure, RoutingService, RoutingServiceConfig};
use http::{HttpClient, HttpUrl};
use kad::delegated::RoutingAnswer;

use self::outcomes::Meters;
pub use self::{
    keeping::keep_found,
    outcomes::{DelegatedCounts, FindFailure, FindSource, OutcomeCounts},
};

kad::named! {
    /// When a service is asked beside the belly.
    pub enum FindStrategy {
        /// At once.
        Parallel = "parallel",
        /// When the belly has answered, whatever that is.
        BellyFirst = "belly_first",
        /// When the belly has nobody.
        OnMiss = "on_miss",
    }
}

/// Whom to ask beside the belly, and when.
#[derive(Debug, Clone)]
pub struct DelegatedConfig {
    /// Whom, and within which bounds.
    pub service: RoutingServiceConfig,
    /// When it is asked beside the belly.
    pub strategy: FindStrategy,
}

impl DelegatedConfig {
    /// This service with the defaults, when the belly has nobody.
    pub fn new(base: HttpUrl) -> Self {
        Self { service: RoutingServiceConfig::new(base), strategy: FindStrategy::OnMiss }
    }
}

/// What came of asking beside the belly.
#[derive(Debug)]
pub struct FoundBeside<T> {
    /// What the belly said.
    pub belly: Result<Option<T>, FindFailure>,
    /// What the service said; `None` if it was not asked.
    pub delegated: Option<Result<RoutingAnswer, FindFailure>>,
}

/// A service that is asked beside the belly. Cheap to clone.
#[derive(Clone)]
pub struct Delegated {
    service: RoutingService,
    strategy: FindStrategy,
    meters: Arc<Meters>,
}

impl Delegated {
    /// Asks by this client. Nothing is asked yet.
    pub fn new(client: HttpClient, config: DelegatedConfig) -> Self {
        let service = RoutingService::new(client, config.service);
        Self { service, strategy: config.strategy, meters: Arc::default() }
    }

    /// Who provides a key: nobody is an answer, too. It ends within the time that is set.
    pub async fn find(&self, key: &[u8]) -> Result<RoutingAnswer, FindFailure> {
        let found = self.found(key).await;
        self.meters.note(FindSource::Delegated, &found, RoutingAnswer::has_somebody);
        found
    }

    async fn found(&self, key: &[u8]) -> Result<RoutingAnswer, FindFailure> {
        let reply = self.service.ask(key).await.map_err(|RoutingFailure { class, .. }| class)?;
        // Whoever was named until it broke off is found.
        match reply.broken_off {
            Some(class) if !reply.is_well() => Err(class.into()),
            _ => Ok(reply.answer),
        }
    }

    /// Asks when the strategy says so beside `belly`, which tells whom the belly has. It ends when all that was asked has answered, and
    /// what came of each and of all is counted.
    pub async fn find_beside<T>(
        &self,
        key: &[u8],
        belly: impl Future<Output = Result<Option<T>, FindFailure>>,
    ) -> FoundBeside<T> {
        let (belly, delegated) = match self.strategy {
            FindStrategy::Parallel => {
                let (belly, delegated) = tokio::join!(belly, self.find(key));
                (belly, Some(delegated))
            }
            FindStrategy::BellyFirst => (belly.await, Some(self.find(key).await)),
            FindStrategy::OnMiss => match belly.await {
                Ok(Some(found)) => (Ok(Some(found)), None),
                belly => (belly, Some(self.find(key).await)),
            },
        };
        self.meters.note(FindSource::Belly, &belly, Option::is_some);
        self.meters.note_combination(&belly, delegated.as_ref());
        FoundBeside { belly, delegated }
    }

    /// When it is asked beside the belly.
    pub fn strategy(&self) -> FindStrategy {
        self.strategy
    }

    /// What came of everything that was asked so far.
    pub fn counts(&self) -> DelegatedCounts {
        DelegatedCounts { outcomes: self.meters.counts(), service: self.service.counts() }
    }
}

impl fmt::Debug for Delegated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegated").field("base", &self.service.config().base).finish_non_exhaustive()
    }
}
