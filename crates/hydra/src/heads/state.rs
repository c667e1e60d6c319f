//! What all heads share: what they know of peers, the records, and what is counted.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use dht::Found;
use kad::{
    Contact, Key, Multiaddr,
    fabric::{Introduced, Says},
    failure::FailureClass,
    lookup::{Rpc, RpcFate},
    message::K,
};
use store::{Belly, RecordCounts};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{config::HydraConfig, counters::HydraCounters, head::HydraHead, swarm::Swarm};
use crate::{commons::Commons, delegated::Delegated, load::LoadControl, prefetch::Prefetch};

/// How often records are counted. The belly counts without a scan.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// What all heads share.
#[derive(Debug)]
pub(super) struct HydraState {
    /// When the hydra began, and what time it was then, since the Unix epoch.
    began: (Instant, Duration),
    pub(super) agent: String,
    pub(super) protocols: Arc<[String]>,
    pub(super) belly: Belly,
    pub(super) load: LoadControl,
    pub(super) prefetch: Option<Arc<Prefetch>>,
    pub(super) delegated: Option<Delegated>,
    pub(super) counters: HydraCounters,
    /// Peers that said who they are, on their way to be looked at.
    pub(super) introduced: mpsc::Sender<Introduced>,
    /// There is somebody where nobody was, or a head more.
    pub(super) woken: Notify,
    /// There may be somebody whom a head should be known to.
    pub(super) learned: Notify,
    pub(super) progress: watch::Sender<Progress>,
    /// How many records there are, as they were counted last.
    pub(super) records: watch::Sender<RecordCounts>,
    pub(super) swarm: Swarm,
    heads: Mutex<Vec<Arc<HydraHead>>>,
    commons: RwLock<Commons>,
}

/// How far the hydra has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// How many times what is known of the network was refreshed.
    pub(super) refreshes: u64,
    /// After how many of these every head had dialled all whom it should be known to.
    pub(super) announced: u64,
}

impl HydraState {
    /// What a hydra knows that has just begun: nothing.
    pub(super) fn new(
        config: &HydraConfig,
        introduced: mpsc::Sender<Introduced>,
        prefetch: Option<Arc<Prefetch>>,
    ) -> Self {
        Self {
            began: (Instant::now(), config.now),
            agent: config.agent.clone(),
            protocols: Arc::clone(&config.protocols),
            belly: config.belly.clone(),
            load: LoadControl::new(config.load.clone()),
            prefetch,
            delegated: config.delegated.clone(),
            counters: HydraCounters::default(),
            introduced,
            woken: Notify::new(),
            learned: Notify::new(),
            progress: watch::Sender::default(),
            records: watch::Sender::default(),
            swarm: Swarm::default(),
            heads: Mutex::default(),
            commons: RwLock::new(Commons::new(config.rules, config.max_peers)),
        }
    }

    /// What time it is, since the Unix epoch.
    pub(super) fn now(&self) -> Duration {
        let (began, then) = self.began;
        then + began.elapsed()
    }

    /// What a head says of itself that says that it is there. Whoever declines service is no server.
    pub(super) fn says(&self, addresses: Vec<Multiaddr>) -> Says {
        let protocols = if self.load.allowed().serves() { self.protocols.to_vec() } else { Vec::new() };
        Says { agent: self.agent.clone(), kad_protocols: protocols, addresses }
    }

    /// What is known of peers. Nothing in it breaks halfway: what panicked elsewhere does not matter here.
    pub(super) fn commons(&self) -> RwLockReadGuard<'_, Commons> {
        self.commons.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn commons_mut(&self) -> RwLockWriteGuard<'_, Commons> {
        self.commons.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The heads that have joined, in the order in which they did.
    pub(super) fn heads(&self) -> Vec<Arc<HydraHead>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A head has joined.
    pub(super) fn enter(&self, head: Arc<HydraHead>) {
        self.commons_mut().enter(&head.contact());
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
        self.learned.notify_one();
    }

    /// Counts records now and then, for whoever looks.
    pub(super) async fn count_records(self: Arc<Self>) {
        let mut ticks = interval(COUNT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Of a belly that is away, the last counts stay.
            if let Ok(counts) = self.belly.counts().await {
                self.records.send_replace(counts);
            }
        }
    }

    /// Whether no server is known but the heads.
    pub(super) fn is_lonely(&self) -> bool {
        self.commons().is_empty()
    }

    /// A peer that was tested; whether it was taken in.
    pub(super) fn end_test(&self, contact: &Contact, named: Option<usize>) -> bool {
        let now = self.now();
        let (was_empty, is_in) = {
            let mut commons = self.commons_mut();
            (commons.is_empty(), commons.end_test(contact, named, now))
        };
        if is_in {
            self.learned.notify_one();
            if was_empty {
                self.woken.notify_one();
            }
        }
        is_in
    }

    /// The servers closest to what this is the preimage of.
    pub(super) fn closest(&self, preimage: &[u8]) -> Vec<Contact> {
        self.commons().closest(&Key::of(preimage), K)
    }

    /// Takes in what a lookup showed of peers, for all heads: who answered is known, who failed is not any more.
    pub(super) fn learn(&self, found: &Found) {
        let now = self.now();
        let mut has_news = false;
        for rpc in &found.trace.rpcs {
            let Some(peer) = found.trace.peer(rpc.peer) else { continue };
            let key = Key::of_peer(&peer);
            self.counters.sent(found.trace.kind, rpc);
            if rpc.fate == RpcFate::Answered {
                let mut commons = self.commons_mut();
                let before = commons.len();
                commons.answered(&found.contact(peer), now);
                has_news |= commons.len() > before;
            } else if is_its_own_fault(rpc) {
                self.commons_mut().remove(&key);
            }
        }
        if has_news {
            self.learned.notify_one();
        }
        self.make_room();
    }

    /// Lets those go that are too many.
    fn make_room(&self) {
        let surplus = self.commons().surplus();
        if !surplus.is_empty() {
            self.commons_mut().forget(&surplus);
        }
    }
}

/// Whether a peer failed, and not we.
fn is_its_own_fault(rpc: &Rpc) -> bool {
    let is_ours = |class| matches!(class, FailureClass::LocalResources | FailureClass::Cancelled);
    rpc.fate == RpcFate::Failed && rpc.failure.as_ref().is_some_and(|failure| !is_ours(failure.class))
}
