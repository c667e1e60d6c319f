//! Asks a service of delegated routing (`/routing/v1`) who provides a key, beside whatever else is asked.
//!
//! A request has a time of its own, no more than so many are under way, and a service that fails again and again is left alone for a
//! while (`breaker`). Every source and what comes of all of them is counted: found, none, or failed by class (`outcomes`). What an
//! answer says is read in `kad`, and what is done with it is left to whoever asks.

mod breaker;
mod keeping;
mod outcomes;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HttpClient, HttpFailure, HttpFailureClass, HttpIncoming, HttpRequest, HttpUrl};
use kad::{
    delegated::{
        ACCEPTED_FORMS, BadRoutingAnswer, RoutingAnswer, RoutingAnswerForm, RoutingAnswerReader,
        providers_path,
    },
    policy::Addresses,
};
use store::belly::LatencyMeter;
use tokio::{sync::Semaphore, time::Instant};

use self::outcomes::Meters;
pub use self::{
    breaker::{Breaker, BreakerRules, BreakerTurn},
    keeping::keep_found,
    outcomes::{DelegatedCounts, FindFailure, FindSource, OutcomeCounts},
};

/// The longest answer that is read, in bytes: some thousands of providers with their addresses.
const MAX_ANSWER_BYTES: usize = 4 << 20;

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

/// Whom to ask, and within which bounds.
#[derive(Debug, Clone)]
pub struct DelegatedConfig {
    /// The service, below which `/routing/v1` is.
    pub base: HttpUrl,
    /// How long a request may take with its answer; hydra-booster's 1,000 ms by default.
    pub time: Duration,
    /// When it is asked beside the belly.
    pub strategy: FindStrategy,
    /// Requests at once; further ones are not made. 64 by default.
    pub max_in_flight: usize,
    /// Which addresses are of use.
    pub addresses: Addresses,
    /// When it is left alone.
    pub breaker: BreakerRules,
}

impl DelegatedConfig {
    /// This service with the defaults.
    pub fn new(base: HttpUrl) -> Self {
        Self {
            base,
            time: Duration::from_secs(1),
            strategy: FindStrategy::OnMiss,
            max_in_flight: 64,
            addresses: Addresses::Public,
            breaker: BreakerRules::default(),
        }
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

/// A service that is asked. Cheap to clone.
#[derive(Clone)]
pub struct Delegated(Arc<Shared>);

struct Shared {
    client: HttpClient,
    config: DelegatedConfig,
    places: Semaphore,
    breaker: Mutex<Breaker>,
    begun: Instant,
    meters: Meters,
    latency: LatencyMeter,
}

/// A request that the breaker let through; what came of it is said once, or it never ended.
struct Passage<'a> {
    shared: &'a Shared,
    turn: BreakerTurn,
    is_over: bool,
}

impl Delegated {
    /// Asks by this client. Nothing is asked yet.
    pub fn new(client: HttpClient, config: DelegatedConfig) -> Self {
        let places = Semaphore::new(config.max_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        let breaker = Mutex::new(Breaker::new(config.breaker));
        let (meters, latency) = (Meters::default(), LatencyMeter::default());
        Self(Arc::new(Shared { client, config, places, breaker, begun: Instant::now(), meters, latency }))
    }

    /// Who provides a key: nobody is an answer, too. It ends within the time that is set.
    pub async fn find(&self, key: &[u8]) -> Result<RoutingAnswer, FindFailure> {
        let found = self.0.find(key).await;
        self.0.meters.note(FindSource::Delegated, &found, RoutingAnswer::has_somebody);
        if let Ok(answer) = &found {
            self.0.meters.note_left_out(answer);
        }
        found
    }

    /// Asks when the strategy says so beside `belly`, which tells whom the belly has. It ends when all that was asked has answered, and
    /// what came of each and of all is counted.
    pub async fn find_beside<T>(
        &self,
        key: &[u8],
        belly: impl Future<Output = Result<Option<T>, FindFailure>>,
    ) -> FoundBeside<T> {
        let (belly, delegated) = match self.0.config.strategy {
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
        self.0.meters.note(FindSource::Belly, &belly, Option::is_some);
        self.0.meters.note_combination(&belly, delegated.as_ref());
        FoundBeside { belly, delegated }
    }

    /// When it is asked beside the belly.
    pub fn strategy(&self) -> FindStrategy {
        self.0.config.strategy
    }

    /// What came of everything that was asked so far.
    pub fn counts(&self) -> DelegatedCounts {
        let shared = &self.0;
        let in_flight = shared.config.max_in_flight.saturating_sub(shared.places.available_permits());
        let is_open = shared.breaker().is_open(shared.begun.elapsed());
        shared.meters.counts(in_flight, is_open, shared.latency.read())
    }
}

impl Shared {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn find(&self, key: &[u8]) -> Result<RoutingAnswer, FindFailure> {
        let path = providers_path(key).ok_or(FindFailure::Key)?;
        let _place = self.places.try_acquire().map_err(|_| FindFailure::Full)?;
        let passage = self.pass().ok_or(FindFailure::CircuitOpen)?;
        let begun = Instant::now();
        let answer = self.asked(&path).await;
        self.latency.note(begun.elapsed());
        passage.end(answer.is_ok());
        answer
    }

    fn pass(&self) -> Option<Passage<'_>> {
        let turn = self.breaker().admits(self.begun.elapsed())?;
        Some(Passage { shared: self, turn, is_over: false })
    }

    async fn asked(&self, path: &str) -> Result<RoutingAnswer, FindFailure> {
        let url = self.config.base.below(path).map_err(|_| FindFailure::Key)?;
        let request =
            HttpRequest::get(url).header("accept", ACCEPTED_FORMS).map_err(|_| FindFailure::Malformed)?;
        let request = request.within(self.config.time).at_most(MAX_ANSWER_BYTES);
        let incoming = self.client.open(request).await.map_err(|failure| class(&failure))?;
        match incoming.status() {
            200 => self.read(incoming).await,
            404 => Ok(RoutingAnswer::default()),
            429 => Err(FindFailure::Throttled),
            _ => Err(FindFailure::Status),
        }
    }

    async fn read(&self, mut incoming: HttpIncoming) -> Result<RoutingAnswer, FindFailure> {
        let form = incoming.header("content-type").and_then(RoutingAnswerForm::of_type);
        let mut reader = RoutingAnswerReader::new(form.ok_or(FindFailure::Malformed)?, self.config.addresses);
        loop {
            match incoming.piece().await {
                Ok(Some(piece)) => reader.push(&piece).map_err(bad)?,
                Ok(None) => return reader.finish().map_err(bad),
                // Whoever was named until then is found.
                Err(failure) => {
                    let answer = reader.broken_off();
                    return if answer.has_somebody() { Ok(answer) } else { Err(class(&failure)) };
                }
            }
        }
    }
}

impl Passage<'_> {
    fn end(mut self, is_well: bool) {
        self.is_over = true;
        self.shared.breaker().note(self.turn, is_well, self.shared.begun.elapsed());
    }
}

/// Nobody waits for it any more: it says nothing of the service.
impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.breaker().forget(self.turn);
        }
    }
}

fn bad(error: BadRoutingAnswer) -> FindFailure {
    match error {
        BadRoutingAnswer::Malformed => FindFailure::Malformed,
        BadRoutingAnswer::TooLong => FindFailure::BodyTooLong,
    }
}

fn class(failure: &HttpFailure) -> FindFailure {
    match failure.class() {
        HttpFailureClass::Name => FindFailure::Name,
        HttpFailureClass::Connect => FindFailure::Connect,
        HttpFailureClass::Tls => FindFailure::Tls,
        HttpFailureClass::Timeout => FindFailure::Timeout,
        HttpFailureClass::BrokenOff => FindFailure::BrokenOff,
        HttpFailureClass::Malformed => FindFailure::Malformed,
        HttpFailureClass::BodyTooLong => FindFailure::BodyTooLong,
        HttpFailureClass::Status => FindFailure::Status,
        HttpFailureClass::Busy => FindFailure::Full,
    }
}

impl fmt::Debug for Delegated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegated").field("base", &self.0.config.base).finish_non_exhaustive()
    }
}
