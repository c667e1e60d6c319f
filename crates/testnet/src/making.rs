//! How far the making of a network is, for whoever waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is made of each peer: its key, its table, its identity.
const STEPS: u64 = 3;

/// Counts what is done of a network that is being made. Clones share one count.
#[derive(Debug, Clone, Default)]
pub struct Making(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    all: AtomicU64,
}

impl Making {
    /// How much is done, from 0 to 1; 0 as long as nothing has begun. Parts take different times.
    pub fn share(&self) -> f64 {
        let [done, all] = [&self.0.done, &self.0.all].map(|count| count.load(Ordering::Relaxed));
        if all == 0 { 0.0 } else { (done as f64 / all as f64).min(1.0) }
    }

    /// So many peers will be made.
    pub(crate) fn begin(&self, peers: u32) {
        self.0.all.store(STEPS * u64::from(peers), Ordering::Relaxed);
    }

    /// A step of so many peers is done.
    pub(crate) fn did(&self, peers: u32) {
        self.0.done.fetch_add(peers.into(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scenario, World, ground::Ports};

    #[test]
    fn the_share_grows_to_what_a_world_is_of_a_network() {
        let (making, seen) = (Making::default(), Making::default().share());
        let scenario = Scenario::parse("peers = 50", "test").unwrap();
        World::generate_watched(&scenario, Ports::STANDARD, &making);
        // Identities are made for sockets alone.
        assert!(seen.abs() < f64::EPSILON && (making.share() - 2.0 / 3.0).abs() < 1e-9, "{making:?}");
    }
}
