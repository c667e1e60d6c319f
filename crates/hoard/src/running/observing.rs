//! The observers of a study: several identities, over which keys are spread evenly.

use std::{sync::Arc, time::Duration};

use crawl::Clock;
use dht::NodeConfig;
use kad::fabric::Fabric;
use schema::HoardLookup;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    AgentBook, HoardError, HoardPlan, InFlight, LookupSet, Observer, ObserverConfig, ProviderDialTerms,
    publishing::{dialler_keypair, observer_keypair},
};

/// How long an observer may take to fill its table. What it knows by then is what it begins with.
const FILL_TIME: Duration = Duration::from_secs(60);

/// What observers go by.
pub(super) struct Observing<'a> {
    pub(super) node: &'a NodeConfig,
    pub(super) plan: &'a HoardPlan,
    pub(super) clock: Clock,
    pub(super) agents: &'a Arc<AgentBook>,
}

impl Observing<'_> {
    /// Has all of them join, and waits until they know the network; an error if one knows nobody.
    pub(super) async fn join<F: Fabric>(
        &self,
        fabric: &F,
        cancel: &CancellationToken,
    ) -> Result<(Vec<Observer<F::Member>>, Arc<InFlight>), HoardError> {
        let (in_flight, mut joining) = (Arc::new(InFlight::default()), JoinSet::new());
        for number in 0..self.plan.observing.observers {
            let keypair = observer_keypair(self.plan.seed, number);
            let keypair = keypair.ok_or(HoardError::NoKeypair(u16::try_from(number).unwrap_or(u16::MAX)))?;
            let node = NodeConfig {
                keypair,
                listen: Vec::new(),
                seed: self.plan.seed.wrapping_add(number as u64),
                ..self.node.clone()
            };
            let config =
                ObserverConfig { providers: self.dials_of(number)?, ..self.config(node, &in_flight) };
            let (fabric, cancel) = (fabric.clone(), cancel.clone());
            joining.spawn(async move {
                let observer = Observer::join(&fabric, config).await;
                let observer = observer
                    .map_err(|error| HoardError::JoinObserver { number, error: error.to_string() })?;
                let filled = timeout(FILL_TIME, observer.node().refreshed(1));
                cancel.run_until_cancelled(filled).await;
                if observer.node().table_size() == 0 && !cancel.is_cancelled() {
                    observer.leave().await;
                    return Err(HoardError::SeesNobody(number));
                }
                Ok((number, observer))
            });
        }
        let joined: Result<Vec<_>, _> = joining.join_all().await.into_iter().collect();
        let mut joined = joined?;
        joined.sort_by_key(|(number, _)| *number);
        Ok((joined.into_iter().map(|(_, observer)| observer).collect(), in_flight))
    }

    /// How an observer dials providers; `None` if it does not.
    fn dials_of(&self, number: usize) -> Result<Option<ProviderDialTerms>, HoardError> {
        let observing = &self.plan.observing;
        if observing.providers == 0 {
            return Ok(None);
        }
        let keypair = dialler_keypair(self.plan.seed, number);
        let keypair = keypair.ok_or(HoardError::NoKeypair(u16::try_from(number).unwrap_or(u16::MAX)))?;
        let (most, asks_for_blocks) = (observing.providers, observing.asks_for_blocks);
        Ok(Some(ProviderDialTerms { keypair, most, asks_for_blocks }))
    }

    fn config(&self, node: NodeConfig, in_flight: &Arc<InFlight>) -> ObserverConfig {
        let HoardPlan { lookups, observing, .. } = self.plan;
        let mut config = ObserverConfig::new(node, self.clock);
        config.sights.dial = observing.dial;
        config.sights.answer = observing.answer;
        config.sights.attempts = observing.attempts;
        config.sights.again_after = observing.attempt_gap;
        config.sights.at_once = observing.dials;
        config.walks.lookups = asked_for(lookups);
        config.walks.count = lookups.count.map_or(config.walks.count, usize::from);
        config.walks.deadline = lookups.patience;
        config.round = observing.deadline;
        config.filters = Arc::new(self.plan.filters.clone());
        config.agents = Arc::clone(self.agents);
        config.in_flight = Arc::clone(in_flight);
        config
    }
}

fn asked_for(lookups: &LookupSet) -> Vec<HoardLookup> {
    let all = [
        (HoardLookup::Closest, lookups.closest),
        (HoardLookup::First, lookups.first),
        (HoardLookup::Count, lookups.count.is_some()),
        (HoardLookup::Exhaustive, lookups.exhaustive),
    ];
    all.into_iter().filter(|(_, is_asked_for)| *is_asked_for).map(|(lookup, _)| lookup).collect()
}
