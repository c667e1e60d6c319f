//! A peer of ours that has joined: what it is told, whom it accepts, and how it leaves.

use std::{future::Future, time::Duration};

use kad::{
    PeerId,
    fabric::{Accepted, Member, Says},
};
use multiaddr::Multiaddr;
use tokio::{
    sync::{Mutex, mpsc},
    time::timeout,
};

use super::{Caller, SimConnection, SimNetwork};

/// How many accepted connections may wait to be taken.
pub(super) const MAX_UNTAKEN: usize = 64;

/// How long leaving may take.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection on its way to whoever takes it.
pub(super) type Handed = Box<Accepted<SimConnection>>;

/// A peer of ours in a world. It leaves with this.
#[derive(Debug)]
pub(super) struct Membership {
    caller: Caller,
    listens: Vec<Multiaddr>,
    accepted: Option<Mutex<mpsc::Receiver<Handed>>>,
}

impl Membership {
    /// Whoever is `accepted` is handed out, if that is given.
    pub(super) fn new(caller: Caller, accepted: Option<mpsc::Receiver<Handed>>) -> Self {
        Self { caller, listens: Vec::new(), accepted: accepted.map(Mutex::new) }
    }

    /// The same, where it listens at these addresses.
    pub(super) fn listening(mut self, listens: Vec<Multiaddr>) -> Self {
        self.listens = listens;
        self
    }

    pub(super) const fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn accept(&self) -> Option<Accepted<SimConnection>> {
        let leaving = self.caller.ours.leaving();
        let Some(accepted) = &self.accepted else {
            leaving.cancelled().await;
            return None;
        };
        let next = async { accepted.lock().await.recv().await };
        leaving.run_until_cancelled(next).await.flatten().map(|accepted| *accepted)
    }

    /// Closes all, and waits until it is closed.
    async fn leave(&self) {
        self.end();
        if let Some(accepted) = &self.accepted {
            let mut accepted = accepted.lock().await;
            accepted.close();
            while accepted.try_recv().is_ok() {}
        }
        // What does not end in time ends by itself later.
        timeout(LEAVE_TIMEOUT, self.caller.ours.tasks().wait()).await.ok();
    }

    fn end(&self) {
        let Caller { shared, ours } = &self.caller;
        shared.members.remove(ours.number());
        ours.leave();
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.end();
    }
}

impl Member for SimNetwork {
    fn listens(&self) -> Vec<Multiaddr> {
        self.0.listens.clone()
    }

    fn say(&self, says: Says) {
        let Caller { shared, ours } = self.caller();
        ours.say(says, shared);
    }

    fn protect(&self, peer: PeerId, spared: bool) {
        self.caller().ours.protect(peer, spared);
    }

    fn accept(&self) -> impl Future<Output = Option<Accepted<SimConnection>>> + Send {
        self.0.accept()
    }

    async fn leave(self) {
        self.0.leave().await;
    }
}
