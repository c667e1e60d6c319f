//! What observers have under way at a moment: a measurement that was made beside many others may say more of us than of the network.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// What is under way. One for all observers of a run, who share the machine.
#[derive(Debug, Default)]
pub struct InFlight {
    rounds: AtomicU32,
    requests: AtomicU32,
}

/// What was under way at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlightCounts {
    /// Rounds.
    pub rounds: u32,
    /// Holders that were being dialled or asked, and lookups.
    pub requests: u32,
}

/// Something that is under way until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay {
    counts: Arc<InFlight>,
    is_round: bool,
}

impl InFlight {
    /// What is under way now.
    pub fn now(&self) -> FlightCounts {
        let (rounds, requests) = (&self.rounds, &self.requests);
        FlightCounts { rounds: rounds.load(Ordering::Relaxed), requests: requests.load(Ordering::Relaxed) }
    }

    /// One round more.
    pub(crate) fn round(self: &Arc<Self>) -> UnderWay {
        self.begin(true)
    }

    /// One request more.
    pub(crate) fn request(self: &Arc<Self>) -> UnderWay {
        self.begin(false)
    }

    fn begin(self: &Arc<Self>, is_round: bool) -> UnderWay {
        self.count(is_round).fetch_add(1, Ordering::Relaxed);
        UnderWay { counts: Arc::clone(self), is_round }
    }

    const fn count(&self, is_round: bool) -> &AtomicU32 {
        if is_round { &self.rounds } else { &self.requests }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.counts.count(self.is_round).fetch_sub(1, Ordering::Relaxed);
    }
}
