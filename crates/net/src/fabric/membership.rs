//! A peer of ours that has joined: its listening sockets, its connections, and how all of that ends.

use std::{sync::Arc, time::Duration};

use kad::{
    Multiaddr, PeerId,
    fabric::{Accepted, Inward},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, mpsc},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Resources,
    listening::{self, Socket},
    reception::Reception,
};
use crate::{
    connection::AnyConnection,
    error::NetError,
    persona::Persona,
    registry::{Order, Peered, Ticket},
    source::ip_of,
};

/// How many accepted connections may wait to be taken.
const MAX_UNTAKEN: usize = 64;

/// How long leaving may take.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection on its way to whoever takes it.
pub(super) type Handed = Box<Accepted<AnyConnection>>;

/// What a peer of ours has on a fabric beside its voice. It ends with this.
#[derive(Debug)]
pub(crate) struct Membership {
    shared: Arc<Resources>,
    number: u64,
    listens: Box<[Multiaddr]>,
    accepted: Option<Mutex<mpsc::Receiver<Handed>>>,
    leaving: CancellationToken,
    tasks: TaskTracker,
}

impl Membership {
    /// Opens the sockets and listens on them. Must be called within a runtime.
    pub(super) fn new(
        shared: Arc<Resources>,
        number: u64,
        persona: Arc<Persona>,
        (listen, inward): (&[Multiaddr], Inward),
    ) -> Result<Self, NetError> {
        let opened: Vec<_> = listen.iter().map(listening::open).collect::<Result<_, _>>()?;
        let (hand_out, accepted) = match inward {
            Inward::HandedOut => {
                let (sender, receiver) = mpsc::channel(MAX_UNTAKEN);
                (Some(sender), Some(Mutex::new(receiver)))
            }
            Inward::Served => (None, None),
        };
        let (sockets, listens): (Vec<_>, Vec<_>) = opened.into_iter().unzip();
        let (leaving, tasks) = (CancellationToken::new(), TaskTracker::new());
        // Its drop ends what listens already, should the next not be able to.
        let membership = Self { shared, number, listens: listens.into(), accepted, leaving, tasks };
        if !sockets.is_empty() {
            let reception = Arc::new(Reception {
                shared: Arc::clone(&membership.shared),
                number,
                persona,
                hand_out,
                leaving: membership.leaving.clone(),
                tasks: membership.tasks.clone(),
                runtime: Handle::current(),
            });
            for socket in sockets {
                match socket {
                    Socket::Stream(transport, listener) => {
                        membership.tasks.spawn(Arc::clone(&reception).listen(transport, listener));
                    }
                    Socket::Quic(socket, at) => Arc::clone(&reception).listen_quic(socket, at)?,
                }
            }
        }
        Ok(membership)
    }

    /// Where the peer listens.
    pub(crate) const fn listens(&self) -> &[Multiaddr] {
        &self.listens
    }

    /// Puts a connection that the peer opened among the others.
    pub(crate) fn register(&self, persona: &Arc<Persona>, peer: PeerId, connection: &mut AnyConnection) {
        let remote = connection.remote();
        let Some(ip) = ip_of(&remote) else { return };
        let ends = Peered { member: self.number, persona: Arc::clone(persona), peer, remote };
        let ticket = Ticket::dialled(&self.shared.registry, ends, ip);
        connection.join(ticket, self.shared.limits);
        if self.has_left() {
            // It was not among those that were told.
            self.shared.registry.order_all(self.number, Order::Leave);
        }
    }

    /// Whether the peer has left.
    pub(crate) fn has_left(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// The next connection that was handed out; `None` once the peer has left.
    pub(crate) async fn accept(&self) -> Option<Accepted<AnyConnection>> {
        let Some(accepted) = &self.accepted else {
            self.leaving.cancelled().await;
            return None;
        };
        let next = async { accepted.lock().await.recv().await };
        self.leaving.run_until_cancelled(next).await.flatten().map(|accepted| *accepted)
    }

    /// The peer says something else of itself.
    pub(crate) fn push(&self) {
        self.shared.registry.order_all(self.number, Order::Push);
    }

    /// Whether connections with that peer are spared.
    pub(crate) fn protect(&self, peer: PeerId, spared: bool) {
        self.shared.registry.protect(self.number, peer, spared);
    }

    /// Closes all, and waits until it is closed.
    pub(crate) async fn leave(&self) {
        self.end();
        if let Some(accepted) = &self.accepted {
            let mut accepted = accepted.lock().await;
            accepted.close();
            while accepted.try_recv().is_ok() {}
        }
        // What does not end in time ends by itself later.
        timeout(LEAVE_TIMEOUT, self.tasks.wait()).await.ok();
    }

    fn end(&self) {
        self.leaving.cancel();
        self.tasks.close();
        self.shared.registry.order_all(self.number, Order::Leave);
        self.shared.registry.forget(self.number);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.end();
    }
}
