//! Whether a node can be reached, and at which of its addresses: it asks those it meets who answer that, and looks for some
//! in its table while it knows too few.

use std::{collections::HashSet, time::Duration};

use foldhash::fast::RandomState;
use kad::{Contact, PeerId, fabric::Member};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use super::Seeker;
use crate::identifying::{Identified, identify};

/// How often a node looks for peers to ask, while it knows too few.
const SEARCH_INTERVAL: Duration = Duration::from_secs(15);

/// How many peers of its table it asks who they are at a time.
const ASKED_AT_ONCE: usize = 3;

/// How many it asks in all.
const MAX_ASKED: usize = 512;

/// Has a node's addresses checked, until the node leaves.
#[derive(Debug)]
pub(super) struct Reaching<M> {
    seeker: Seeker<M>,
    /// Those of the table who were asked who they are.
    asked: HashSet<PeerId, RandomState>,
}

impl<M: Member> Reaching<M> {
    pub(super) fn new(seeker: Seeker<M>) -> Self {
        Self { seeker, asked: HashSet::default() }
    }

    pub(super) async fn run(mut self) {
        let Seeker { state, finder, checks, .. } = self.seeker.clone();
        let own = || state.own().addrs;
        let listens = || finder.pool().network().listens();
        tokio::join!(checks.run(own, listens), self.search());
    }

    /// Looks for peers that can be asked.
    async fn search(&mut self) {
        loop {
            sleep(SEARCH_INTERVAL).await;
            if self.seeker.checks.lacks_servers() {
                self.ask_some().await;
            }
        }
    }

    /// Asks the next few peers of the table who they are.
    async fn ask_some(&mut self) {
        let mut asking = JoinSet::new();
        for contact in self.seeker.state.listed() {
            if asking.len() < ASKED_AT_ONCE && self.asked.len() < MAX_ASKED && self.asked.insert(contact.peer)
            {
                asking.spawn(introduce(self.seeker.clone(), contact));
            }
        }
        asking.join_all().await;
    }
}

/// Asks a peer who it is, and remembers it if it can be asked.
async fn introduce<M: Member>(seeker: Seeker<M>, contact: Contact) {
    let pool = seeker.finder.pool();
    let ask = identify(seeker.finder.terms().patience);
    let exchange = pool.request(&contact, ask, &CancellationToken::new(), || {}).await;
    if let Some(said) = Identified::of(exchange.outcome, contact.peer).said {
        seeker.checks.met(contact, &said.protocols);
    }
}

#[cfg(test)]
mod tests;
