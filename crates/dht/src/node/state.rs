//! What a node knows: its table, and whom it met. What it keeps for others is in `answering`, what lookups tell it is taken
//! in by `learning`.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kad::{
    Contact, Key, PeerId,
    answer::{Known, entry},
    fabric::Introduced,
    message::ConnectionType,
    records::{Providers, Values},
    table::{AddressGroup, Newcomer, Refresh, RefreshStep, RoutingTable, Settling, TableTrials},
};
use tokio::{
    sync::{Notify, Semaphore, mpsc},
    time::Instant,
};

use super::{acquaintances::Acquaintances, config::NodeConfig, seen::RequestWatch};
use crate::{autonat::NumberDesk, optimistic::BACKGROUND_SLOTS, size_watch::SizeWatch};

/// A peer as a node keeps it.
#[derive(Debug, Clone)]
pub(super) struct Neighbour {
    pub(super) contact: Contact,
    /// The bytes of its id.
    pub(super) id: Box<[u8]>,
    /// Its entry in an answer.
    entry: Box<[u8]>,
}

impl Neighbour {
    pub(super) fn new(contact: Contact) -> Self {
        let id = contact.peer.to_bytes().into_boxed_slice();
        let addrs = contact.addrs.iter().map(AsRef::as_ref);
        let entry = entry(&id, addrs, ConnectionType::NotConnected).into_boxed_slice();
        Self { contact, id, entry }
    }

    pub(super) fn known(&self) -> Known<'_> {
        Known { id: &self.id, entry: &self.entry, has_addresses: !self.contact.addrs.is_empty() }
    }
}

/// What a node knows, shared by its connections and its tasks.
#[derive(Debug)]
pub(super) struct NodeState {
    /// When the node joined, and what time it was then, since the Unix epoch.
    joined: (Instant, Duration),
    key: Key,
    pub(super) protocols: Arc<[String]>,
    /// Peers that said who they are, on their way to be looked at.
    pub(super) introduced: mpsc::Sender<Introduced>,
    /// Hears what is asked.
    pub(super) watch: Option<RequestWatch>,
    /// Whether it keeps what the node itself provides.
    pub(super) keeps_own: bool,
    /// Hears who dials the node back.
    pub(super) numbers: Arc<NumberDesk>,
    /// There is somebody in the table, which was empty.
    pub(super) woken: Notify,
    /// How many peers there are.
    pub(super) size: Arc<SizeWatch>,
    /// Room for gifts that are under way when their publication has returned.
    pub(super) slots: Arc<Semaphore>,
    knowledge: Mutex<Knowledge>,
}

/// What changes of it.
#[derive(Debug)]
pub(super) struct Knowledge {
    pub(super) own: Neighbour,
    pub(super) table: RoutingTable<Neighbour>,
    pub(super) providers: Providers,
    pub(super) values: Values,
    pub(super) acquaintances: Acquaintances,
    admission: TableTrials,
    settling: Settling,
}

impl NodeState {
    /// What a node knows that has just joined: nothing but itself.
    pub(super) fn new(own: PeerId, config: &NodeConfig, introduced: mpsc::Sender<Introduced>) -> Self {
        let key = Key::of_peer(&own);
        let knowledge = Knowledge {
            own: Neighbour::new(Contact { peer: own, addrs: Vec::new() }),
            table: RoutingTable::new(key, config.table),
            providers: Providers::default(),
            values: Values::default(),
            acquaintances: Acquaintances::default(),
            admission: TableTrials::default(),
            settling: Settling::default(),
        };
        Self {
            joined: (Instant::now(), config.now),
            key,
            protocols: Arc::clone(&config.profile.protocols),
            introduced,
            watch: config.watch.clone(),
            keeps_own: config.keeps_own,
            numbers: Arc::default(),
            woken: Notify::new(),
            size: Arc::new(SizeWatch::new(&own)),
            slots: Arc::new(Semaphore::new(BACKGROUND_SLOTS)),
            knowledge: Mutex::new(knowledge),
        }
    }

    /// What time it is, since the Unix epoch.
    pub(super) fn now(&self) -> Duration {
        let (joined, then) = self.joined;
        then + joined.elapsed()
    }

    /// Its own place.
    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn knowledge(&self) -> MutexGuard<'_, Knowledge> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.knowledge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the node says that it is from now on.
    pub(super) fn announce(&self, own: Contact) {
        self.knowledge().own = Neighbour::new(own);
    }

    /// Where the node says that it is.
    pub(super) fn own(&self) -> Contact {
        self.knowledge().own.contact.clone()
    }

    /// Whether a peer stands in the table.
    pub(super) fn lists(&self, peer: &PeerId) -> bool {
        self.knowledge().table.get(&Key::of_peer(peer)).is_some()
    }

    /// All peers of the table.
    pub(super) fn listed(&self) -> Vec<Contact> {
        self.knowledge().table.iter().map(|listed| listed.peer.contact.clone()).collect()
    }

    /// How many peers stand in the table.
    pub(super) fn table_size(&self) -> usize {
        self.knowledge().table.len()
    }

    /// Forgets that there is such a peer.
    pub(super) fn forget(&self, peer: &PeerId) {
        self.remove(peer);
        self.knowledge().acquaintances.forget(&peer.to_bytes());
    }

    /// So many peers of the table that are closest to what this is the preimage of.
    pub(super) fn closest(&self, preimage: &[u8], count: usize) -> Vec<Contact> {
        let knowledge = self.knowledge();
        let closest = knowledge.table.closest(&Key::of(preimage), count);
        closest.into_iter().map(|listed| listed.peer.contact.clone()).collect()
    }

    /// Remembers where a peer is that has said so.
    pub(super) fn meet(&self, contact: &Contact) {
        let (now, peer) = (self.now(), Neighbour::new(contact.clone()));
        let mut knowledge = self.knowledge();
        match knowledge.table.get_mut(&Key::of_peer(&contact.peer)) {
            Some(listed) => *listed = peer,
            None => knowledge.acquaintances.meet(peer, now),
        }
    }

    /// Takes a peer out of the table: it is no server any more, or does not answer.
    pub(super) fn remove(&self, peer: &PeerId) {
        self.knowledge().table.remove(&Key::of_peer(peer));
    }

    /// Begins to test a peer; `false` if it is not to be tested.
    pub(super) fn begin_test(&self, peer: &PeerId) -> bool {
        let Knowledge { admission, table, .. } = &mut *self.knowledge();
        admission.begin(table, &Key::of_peer(peer))
    }

    /// Ends a test: who passed is taken in. `named` is how many peers it named, `None` if it did not answer.
    pub(super) fn end_test(&self, contact: Contact, named: Option<usize>) {
        let has_passed = {
            let Knowledge { admission, table, .. } = &mut *self.knowledge();
            admission.end(table, &Key::of_peer(&contact.peer), named)
        };
        if has_passed {
            self.insert(contact);
        }
    }

    /// The peers that have not answered for too long.
    pub(super) fn overdue(&self, grace: Duration) -> Vec<Contact> {
        let now = self.now();
        self.knowledge().table.overdue(now, grace).map(|listed| listed.peer.contact.clone()).collect()
    }

    /// What came of asking a peer that had been silent for long: it stays, or goes.
    pub(super) fn judge(&self, peer: &PeerId, named: Option<usize>) {
        let (now, key) = (self.now(), Key::of_peer(peer));
        let table = &mut self.knowledge().table;
        if table.passes(named) {
            table.note_answer(&key, now);
        } else {
            table.remove(&key);
        }
    }

    /// Takes a peer into the table that has just answered, if there is room.
    pub(super) fn insert(&self, contact: Contact) {
        let now = self.now();
        let Knowledge { table, settling, .. } = &mut *self.knowledge();
        let was_empty = table.is_empty();
        let is_replaceable = settling.comes(table, now);
        let newcomer = Newcomer {
            key: Key::of_peer(&contact.peer),
            groups: AddressGroup::of(&contact.addrs),
            peer: Neighbour::new(contact),
            is_replaceable,
        };
        // Who is not taken in is met again.
        if table.insert(newcomer, now).is_ok() && was_empty {
            self.woken.notify_one();
        }
    }

    /// The next lookup of a refresh.
    pub(super) fn next_step(&self, refresh: &mut Refresh, is_done: bool) -> Option<RefreshStep> {
        let now = self.now();
        refresh.next(&self.knowledge().table, now, is_done)
    }

    /// A refresh is over. `true` if another is due at once.
    pub(super) fn refreshed(&self, refresh: &Refresh) -> bool {
        let now = self.now();
        let Knowledge { table, settling, .. } = &mut *self.knowledge();
        let is_due = refresh.is_whole() && settling.refreshed(now);
        settling.pass(table, now);
        is_due && !table.is_empty()
    }
}
