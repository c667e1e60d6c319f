//! What a scheduler is told.

use std::time::Duration;

use kad::Persistence;
use schema::{ConnectionPolicy, RunId};
use store::SchedulerId;

use super::{arrivals::ArrivalLaw, rota::Pairing};

/// What a scheduler is told. Who measures is in the register.
#[derive(Debug, Clone)]
pub struct SchedulerConfig {
    /// Whose servers are measured.
    pub fleets: Vec<String>,
    /// Who retrieves what somebody published.
    pub pairing: Pairing,
    /// Everything random comes from it, and content from the run as well: the same seed publishes other content another time.
    pub seed: u64,
    /// The run that it is part of.
    pub run: RunId,
    /// Its number in the register.
    pub scheduler: SchedulerId,
    /// When rounds begin.
    pub pace: RoundPace,
    /// What a round is made of.
    pub probes: ProbeTerms,
    /// How long everything may take.
    pub deadlines: CallDeadlines,
    /// Whether servers that are not ready are entered as offline, as Go's scheduler does. Others on the same database see them no more until
    /// they say that they live.
    pub marks_offline: bool,
    /// How long a lease of the fleets lasts that is not renewed.
    pub lease: Duration,
}

/// When rounds begin, and how many may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundPace {
    /// By which law.
    pub law: ArrivalLaw,
    /// What is between the beginnings of two, on average.
    pub gap: Duration,
    /// How many may be under way at once; at least one.
    pub at_once: usize,
    /// How many may wait where the law has them wait; further ones are shed.
    pub backlog: usize,
    /// How many there are; `None` for no end.
    pub rounds: Option<u64>,
}

/// What a round is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeTerms {
    /// How often each retriever looks for what was published, one time after the other.
    pub retrievals: u32,
    /// How many keys that nobody has each retriever looks for after that.
    pub negatives: u32,
    /// Every how many rounds it is measured from when on something is findable, instead of retrievals; 0 for never.
    pub findable_every: u64,
    /// How long a retriever waits between two looks for that.
    pub poll_gap: Duration,
    /// How long it looks after the publication has ended.
    pub poll_after: Duration,
    /// Whether what could not be published is looked for, too. Parsec does not, so that what it knows of retrievals is of publications that
    /// went well.
    pub retrieves_failed: bool,
    /// How many servers retrieve at once.
    pub at_once: usize,
    /// Which connections operations may use; `None` leaves that to the server.
    pub connections: Option<ConnectionPolicy>,
    /// How far publications go; `None` leaves that to the server.
    pub persistence: Option<Persistence>,
    /// When those who were given the record are asked whether they have it.
    pub read_back: Vec<Duration>,
}

/// How long everything may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallDeadlines {
    /// Saying whether one is ready.
    pub readiness: Duration,
    /// Publishing, at the server. Go's servers have 3 minutes for it (Parsec, `dht.go`).
    pub provide: Duration,
    /// Looking something up, at the server. Go's servers have no bound for it: it is cut off here.
    pub retrieve: Duration,
    /// What is under way when the scheduler is to end.
    pub ending: Duration,
}

impl Default for RoundPace {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self { law: ArrivalLaw::Interval, gap: minute, at_once: 4, backlog: 64, rounds: None }
    }
}

impl Default for ProbeTerms {
    fn default() -> Self {
        Self {
            retrievals: 1,
            negatives: 0,
            findable_every: 0,
            poll_gap: Duration::from_millis(500),
            poll_after: Duration::from_secs(30),
            retrieves_failed: false,
            at_once: 64,
            connections: None,
            persistence: None,
            read_back: Vec::new(),
        }
    }
}

impl Default for CallDeadlines {
    fn default() -> Self {
        Self {
            readiness: Duration::from_secs(5),
            provide: Duration::from_secs(180),
            retrieve: Duration::from_secs(60),
            ending: Duration::from_secs(20),
        }
    }
}
