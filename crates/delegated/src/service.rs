//! A service that is asked again and again: no more at once than may be, left alone while it fails, counted.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Distribution, Histogram, HttpClient, HttpUrl};
use kad::{
    delegated::{RoutingFilters, UnusedRecord},
    policy::Addresses,
};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    asking::{self, RoutingReply},
    breaker::{Breaker, BreakerRules, BreakerTurn},
    failure::{RoutingFailure, RoutingFailureClass},
};

/// The upper bounds of the classes of latencies: 1 to about 3 apart, from what memory takes to what nobody waits for.
pub const LATENCY_BOUNDS: [Duration; 14] = [
    Duration::from_micros(100),
    Duration::from_micros(300),
    Duration::from_millis(1),
    Duration::from_millis(3),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Whom to ask, for what, and within which bounds.
#[derive(Debug, Clone)]
pub struct RoutingServiceConfig {
    /// The service, below which `/routing/v1` is.
    pub base: HttpUrl,
    /// How long a request may take with its answer, unless it is told otherwise; hydra-booster's 1,000 ms by default.
    pub time: Duration,
    /// Requests at once; further ones are not made. 64 by default.
    pub max_in_flight: usize,
    /// Which addresses are of use.
    pub addresses: Addresses,
    /// When it is left alone.
    pub breaker: BreakerRules,
    /// Which records are asked for; by default nothing is said.
    pub filters: RoutingFilters,
    /// Asks for a record a line and nothing else, so that the first is seen before the last; by default an object is taken, too.
    pub lines_alone: bool,
    /// Asks by CIDs of version 0 where there are any, as Parsec does; by default by version 1.
    pub by_v0: bool,
}

impl RoutingServiceConfig {
    /// This service with the defaults.
    pub fn new(base: HttpUrl) -> Self {
        Self {
            base,
            time: Duration::from_secs(1),
            max_in_flight: 64,
            addresses: Addresses::Public,
            breaker: BreakerRules::default(),
            filters: RoutingFilters::default(),
            lines_alone: false,
            by_v0: false,
        }
    }
}

/// What was asked so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceCounts {
    /// Records that were left out of answers, by [`UnusedRecord::ALL`].
    pub left_out: [u64; UnusedRecord::ALL.len()],
    /// Requests that are under way.
    pub in_flight: usize,
    /// Whether the service is left alone now.
    pub is_open: bool,
    /// How long requests took that were made, in seconds, failed ones included.
    pub latencies: Distribution,
}

/// A service that is asked. Cheap to clone.
#[derive(Clone)]
pub struct RoutingService(Arc<Shared>);

struct Shared {
    client: HttpClient,
    config: RoutingServiceConfig,
    places: Semaphore,
    breaker: Mutex<Breaker>,
    begun: Instant,
    left_out: [AtomicU64; UnusedRecord::ALL.len()],
    latency: Histogram,
}

/// A request that the breaker let through; what came of it is said once, or it never ended.
struct Passage<'a> {
    shared: &'a Shared,
    turn: BreakerTurn,
    is_over: bool,
}

impl RoutingService {
    /// Asks by this client. Nothing is asked yet.
    pub fn new(client: HttpClient, config: RoutingServiceConfig) -> Self {
        Self(Arc::new(Shared {
            client,
            places: Semaphore::new(config.max_in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            breaker: Mutex::new(Breaker::new(config.breaker)),
            config,
            begun: Instant::now(),
            left_out: <[AtomicU64; UnusedRecord::ALL.len()]>::default(),
            latency: Histogram::of_times(&LATENCY_BOUNDS),
        }))
    }

    /// Who provides a key: nobody is an answer, too. It ends within the time that is set.
    pub async fn ask(&self, key: &[u8]) -> Result<RoutingReply, RoutingFailure> {
        self.ask_within(key, self.0.config.time).await
    }

    /// The same within another time.
    pub async fn ask_within(&self, key: &[u8], time: Duration) -> Result<RoutingReply, RoutingFailure> {
        let shared = &*self.0;
        let path = asking::path(&shared.config, key).ok_or(RoutingFailureClass::Key)?;
        let _place = shared.places.try_acquire().map_err(|_| RoutingFailureClass::Full)?;
        let passage = shared.pass().ok_or(RoutingFailureClass::CircuitOpen)?;
        let begun = Instant::now();
        let reply = asking::asked(&shared.client, &shared.config, &path, time).await;
        shared.latency.observe_time(begun.elapsed());
        passage.end(reply.as_ref().is_ok_and(RoutingReply::is_well));
        if let Ok(reply) = &reply {
            for (count, left_out) in shared.left_out.iter().zip(reply.answer.left_out) {
                count.fetch_add(left_out, Relaxed);
            }
        }
        reply
    }

    /// Whom it asks, for what.
    pub fn config(&self) -> &RoutingServiceConfig {
        &self.0.config
    }

    /// What was asked so far.
    pub fn counts(&self) -> ServiceCounts {
        let shared = &self.0;
        ServiceCounts {
            left_out: shared.left_out.each_ref().map(|count| count.load(Relaxed)),
            in_flight: shared.config.max_in_flight.saturating_sub(shared.places.available_permits()),
            is_open: shared.breaker().is_open(shared.begun.elapsed()),
            latencies: shared.latency.distribution(1e9),
        }
    }
}

impl RoutingReply {
    /// Whether it came to its end, or named somebody who can be used before.
    pub fn is_well(&self) -> bool {
        self.broken_off.is_none() || self.answer.has_somebody()
    }
}

impl Shared {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) -> Option<Passage<'_>> {
        let turn = self.breaker().admits(self.begun.elapsed())?;
        Some(Passage { shared: self, turn, is_over: false })
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

impl fmt::Debug for RoutingService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutingService").field("base", &self.0.config.base).finish_non_exhaustive()
    }
}
