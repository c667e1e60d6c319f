//! `AutoNAT` version 1 asked: a peer of ours has others dial it back, and comes to believe that it can be reached, or not.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kad::{
    Contact, Multiaddr,
    autonat::{
        Reachability,
        v1::{
            AUTONAT_PROTOCOL, AutonatMessage, BOOT_DELAY, Belief, DialBackReply, DialBackRequest,
            DialBackStatus, RETRY_INTERVAL, SinceAsked,
        },
    },
    failure::{Failure, FailureClass, Phase},
    network::Network,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::servers::Servers;
use crate::{
    conversation::{Ask, Awaits},
    pool::Pool,
};

/// How long a peer may take that was asked (go-libp2p, `autonat.defaults`, `requestTimeout`).
const REPLY_PATIENCE: Duration = Duration::from_secs(30);

/// Has a peer dial us back. An error is why there is no reply.
pub async fn ask_to_dial_back<N: Network>(
    pool: &Pool<N>,
    whom: &Contact,
    own: &[Multiaddr],
) -> Result<DialBackReply, Failure> {
    let request = AutonatMessage::Request(DialBackRequest::new(&pool.network().local(), own));
    let ask = Ask {
        protocols: Arc::from([AUTONAT_PROTOCOL.to_owned()]),
        message: Some(request.encode().into()),
        awaits: Awaits::Message,
        patience: REPLY_PATIENCE,
    };
    let exchange = pool.request(whom, ask, &CancellationToken::new(), || {}).await;
    let messages = exchange.outcome?;
    match messages.first().map(|message| AutonatMessage::decode(message)) {
        Some(Ok(AutonatMessage::Reply(reply))) => Ok(reply),
        _ => Err(Failure::new(Phase::Request, FailureClass::Malformed)),
    }
}

/// What a peer of ours believes of whether it can be reached, and whom it asks.
#[derive(Debug)]
pub struct Inquiry<N> {
    pool: Pool<N>,
    belief: watch::Sender<Belief>,
    servers: Mutex<Servers>,
    /// A stranger has connected since the last question.
    has_inbound: AtomicBool,
    met: Notify,
}

impl<N: Network> Inquiry<N> {
    /// Of a peer of ours that knows nothing yet. Its questions leave by the connections of `pool`, which are that peer's: it
    /// is dialled back at the IP address that it comes from.
    pub fn new(pool: Pool<N>) -> Self {
        let belief = watch::channel(Belief::default()).0;
        Self {
            pool,
            belief,
            servers: Mutex::default(),
            has_inbound: AtomicBool::new(false),
            met: Notify::new(),
        }
    }

    /// A peer was met that says it speaks these protocols. It may be asked if [`AUTONAT_PROTOCOL`] is among them. Of more
    /// than are remembered the first ones stay.
    pub fn met(&self, contact: Contact, protocols: &[String]) {
        let is_server = protocols.iter().any(|name| name == AUTONAT_PROTOCOL);
        if is_server && self.servers().meet(contact) {
            self.met.notify_one();
        }
    }

    /// A stranger from a public address has connected.
    pub fn was_dialled(&self) {
        self.has_inbound.store(true, Ordering::Relaxed);
    }

    /// The peer has an address that it did not have before.
    pub fn moved(&self) {
        self.belief.send_modify(Belief::moved);
    }

    /// What it believes.
    pub fn belief(&self) -> Belief {
        *self.belief.borrow()
    }

    /// What it believes from now on.
    pub fn watch(&self) -> watch::Receiver<Belief> {
        self.belief.subscribe()
    }

    /// Asks, again and again, for as long as it is polled. `own` says where the peer listens at the time.
    pub async fn run(&self, own: impl Fn() -> Vec<Multiaddr>) {
        let mut next = Instant::now() + BOOT_DELAY;
        loop {
            sleep_until(next).await;
            let asked_at = Instant::now();
            let server = self.servers().choose(asked_at, RETRY_INTERVAL);
            let is_refused = match server {
                None => false,
                Some(server) => self.ask(&server, &own()).await,
            };
            next = self.await_turn(asked_at, is_refused).await;
        }
    }

    /// Asks one peer, and takes in what it says; whether it refused.
    async fn ask(&self, server: &Contact, own: &[Multiaddr]) -> bool {
        let reply = ask_to_dial_back(&self.pool, server, own).await;
        let mut is_refused = false;
        self.belief.send_if_modified(|belief| match &reply {
            Ok(reply) => {
                is_refused = reply.status == DialBackStatus::Refused;
                belief.hear(reply)
            }
            Err(_) => belief.observe(Reachability::Unknown),
        });
        is_refused
    }

    /// When to ask next. Who is met meanwhile may be asked sooner.
    async fn await_turn(&self, asked_at: Instant, is_refused: bool) -> Instant {
        let has_inbound = self.has_inbound.swap(false, Ordering::Relaxed);
        let after = |is_forced| asked_at + self.belief().asks_after(SinceAsked { is_forced, has_inbound });
        let next = after(is_refused);
        match timeout_at(next, self.met.notified()).await {
            Ok(()) => after(true).min(next),
            Err(_) => next,
        }
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
