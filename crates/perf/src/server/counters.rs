//! What a server has done: operations under way, how long each kind took by what came of it, and what became of their requests.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Distribution, Histogram};
use kad::lookup::RpcFate;
use schema::{OperationKind, OperationOutcome};

use crate::Operation;

/// The bounds of the histograms: from what is found at home to the longest deadline.
const BOUNDS: [Duration; 16] = [
    Duration::from_micros(100),
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(60),
    Duration::from_secs(180),
    Duration::from_secs(600),
];

/// What a server does: it publishes, and looks up.
pub(crate) const KINDS: [OperationKind; 2] = [OperationKind::Provide, OperationKind::Retrieve];

/// What can come of that here; the rest is the scheduler's word.
pub(crate) const OUTCOMES: [OperationOutcome; 6] = [
    OperationOutcome::Done,
    OperationOutcome::NotFound,
    OperationOutcome::Failed,
    OperationOutcome::TimedOut,
    OperationOutcome::Cancelled,
    OperationOutcome::Denied,
];

/// Counts what a server does. Counting takes no lock.
pub struct ServerCounters {
    begun: AtomicU64,
    under_way: AtomicUsize,
    /// By kind and outcome.
    took: [[Histogram; OUTCOMES.len()]; KINDS.len()],
    /// By fate.
    requests: Vec<AtomicU64>,
}

impl Default for ServerCounters {
    fn default() -> Self {
        let of_outcomes = || std::array::from_fn(|_| Histogram::of_times(&BOUNDS));
        Self {
            begun: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            took: std::array::from_fn(|_| of_outcomes()),
            requests: RpcFate::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl fmt::Debug for ServerCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerCounters({} begun)", self.begun.load(Relaxed))
    }
}

impl ServerCounters {
    /// How many operations are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Relaxed)
    }

    /// How long operations took: for each kind one after the other, of each outcome in turn.
    pub(crate) fn took(&self) -> Vec<Distribution> {
        self.took.iter().flatten().map(|histogram| histogram.distribution(1e9)).collect()
    }

    /// How many requests had each fate, in the order of [`RpcFate::ALL`].
    pub(crate) fn requests(&self) -> Vec<f64> {
        self.requests.iter().map(|count| count.load(Relaxed) as f64).collect()
    }

    /// An operation begins.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Relaxed);
        self.under_way.fetch_add(1, Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// Measures the CPU time of an operation that has begun; `None` if it cannot be, since others are under way.
    pub(super) fn cpu(self: &Arc<Self>, read: Option<fn() -> Duration>) -> Option<CpuWatch> {
        let read = read.filter(|_| self.under_way() == 1)?;
        Some(CpuWatch { counters: Arc::clone(self), begun: self.begun.load(Relaxed), from: read(), read })
    }
}

/// An operation that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<ServerCounters>);

impl UnderWay {
    /// It came to this.
    pub(super) fn end(self, operation: &Operation) {
        let counters = &self.0;
        let kind = KINDS.iter().position(|kind| *kind == operation.kind);
        let outcome = OUTCOMES.iter().position(|outcome| *outcome == operation.outcome);
        let took = kind.zip(outcome).and_then(|(kind, outcome)| counters.took.get(kind)?.get(outcome));
        if let Some(histogram) = took {
            histogram.observe_time(operation.took);
        }
        for request in &operation.requests {
            let fate = RpcFate::ALL.iter().position(|fate| *fate == request.fate);
            if let Some(count) = fate.and_then(|fate| counters.requests.get(fate)) {
                count.fetch_add(1, Relaxed);
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Relaxed);
    }
}

/// Measures the CPU time of the process for as long as one operation is the only one.
#[derive(Debug)]
pub(super) struct CpuWatch {
    counters: Arc<ServerCounters>,
    begun: u64,
    from: Duration,
    read: fn() -> Duration,
}

impl CpuWatch {
    /// What was used so far; zero if another operation has begun meanwhile.
    pub(super) fn used(&self) -> Duration {
        if self.counters.begun.load(Relaxed) == self.begun {
            (self.read)().saturating_sub(self.from)
        } else {
            Duration::ZERO
        }
    }
}
