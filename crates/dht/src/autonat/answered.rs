//! `AutoNAT` answered: peers that ask are dialled back, at their own addresses and within a budget.
//!
//! For each dial there is a new connection, made by a peer of ours that only dials: one that stands shows nothing of whether
//! the asker can be reached.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kad::{
    Multiaddr, PeerId,
    autonat::{
        BudgetLimits, DIAL_BACK_TIMEOUT, DialBackBudget,
        v1::{
            self, AUTONAT_PROTOCOL, AutonatMessage, DialBackReply, DialBackRequest, DialBackStatus,
            addresses_to_dial,
        },
        v2::{
            self, CheckMessage, CheckReply, CheckRequest, CheckStatus, DIAL_BACK_PROTOCOL,
            DIAL_REQUEST_PROTOCOL, DataMeter, DialBack, DialStatus, MAX_DIAL_BACK_BYTES, plan_check,
        },
    },
    fabric::{Attending, OtherProtocol, PeerStream, Reset},
    network::{Connection, Event, Network},
};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long the asker may take to hear the number of version 2 (go-libp2p, `dialBackStreamTimeout`).
const NUMBER_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest pause before an address is dialled that the asker does not come from (go-libp2p,
/// `amplificatonAttackPreventionDialWait`).
const MAX_PAUSE: Duration = Duration::from_secs(3);

/// What one peer of ours dials back for others. It answers both versions, each within a budget of its own.
#[derive(Debug)]
pub struct DialBacks<N> {
    /// Who dials.
    network: N,
    begun: Instant,
    v1: Mutex<DialBackBudget>,
    v2: Mutex<DialBackBudget>,
    random: AtomicU64,
}

/// A request that is granted; it is over when this is dropped.
#[derive(Debug)]
struct Granted<'a> {
    budget: &'a Mutex<DialBackBudget>,
    asker: PeerId,
}

impl Drop for Granted<'_> {
    fn drop(&mut self) {
        locked(self.budget).end(&self.asker);
    }
}

/// Nothing in it breaks halfway: what panicked elsewhere does not matter here.
fn locked(budget: &Mutex<DialBackBudget>) -> MutexGuard<'_, DialBackBudget> {
    budget.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<N: Network> DialBacks<N> {
    /// A budget of which nothing has been spent. `network` is who dials: a peer that nobody takes for the one who answers,
    /// and of whose limits the dials take their part. How much is demanded of askers hangs on `random`.
    pub fn new(network: N, random: u64) -> Self {
        Self {
            network,
            begun: Instant::now(),
            v1: Mutex::new(DialBackBudget::new(BudgetLimits::V1)),
            v2: Mutex::new(DialBackBudget::new(BudgetLimits::V2)),
            random: AtomicU64::new(random),
        }
    }

    /// What it answers on.
    pub fn protocols() -> [OtherProtocol; 2] {
        let protocol =
            |name: &str, max_message_bytes| OtherProtocol { name: name.to_owned(), max_message_bytes };
        [
            protocol(AUTONAT_PROTOCOL, v1::MAX_MESSAGE_BYTES),
            protocol(DIAL_REQUEST_PROTOCOL, v2::MAX_MESSAGE_BYTES),
        ]
    }

    /// Answers what is asked on a stream; `None` if it is for another protocol.
    pub fn attend(self: &Arc<Self>, stream: PeerStream) -> Option<Attending> {
        let this = Arc::clone(self);
        match stream.protocol.as_str() {
            AUTONAT_PROTOCOL => Some(Box::pin(async move { this.answer_v1(stream).await })),
            DIAL_REQUEST_PROTOCOL => Some(Box::pin(async move { this.answer_v2(stream).await })),
            _ => None,
        }
    }

    async fn answer_v1(&self, mut stream: PeerStream) -> Result<(), Reset> {
        let message = stream.hear().await.ok_or(Reset)?;
        let reply = match AutonatMessage::decode(&message) {
            Ok(AutonatMessage::Request(request)) => self.reach(&request, &stream).await,
            Ok(AutonatMessage::Reply(_)) => {
                DialBackReply::failed(DialBackStatus::BadRequest, "expected DIAL message")
            }
            Err(_) => return Err(Reset),
        };
        stream.say(AutonatMessage::Reply(reply).encode()).await;
        Ok(())
    }

    async fn reach(&self, request: &DialBackRequest, stream: &PeerStream) -> DialBackReply {
        let admits = |addr: &Multiaddr| self.admits(addr, &stream.local);
        let addrs = match addresses_to_dial(request, &stream.from, &stream.remote, admits) {
            Ok(addrs) => addrs,
            Err(reply) => return reply,
        };
        let Some(_granted) = self.grant(&self.v1, stream.from) else {
            return DialBackReply::failed(DialBackStatus::Refused, "too many dials");
        };
        let Some(connection) = self.dial(stream.from, addrs.clone()).await else {
            return DialBackReply::failed(DialBackStatus::DialError, "dial failed");
        };
        let reached = addrs.get(connection.endpoint().address).map(DialBackReply::reached);
        connection.close().await;
        reached.unwrap_or_else(|| DialBackReply::failed(DialBackStatus::InternalError, "no such address"))
    }

    async fn answer_v2(&self, mut stream: PeerStream) -> Result<(), Reset> {
        let message = stream.hear().await.ok_or(Reset)?;
        let Ok(CheckMessage::Request(request)) = CheckMessage::decode(&message) else { return Err(Reset) };
        let reply = self.check(&request, &mut stream).await?;
        stream.say(CheckMessage::Reply(reply).encode()).await;
        Ok(())
    }

    async fn check(&self, request: &CheckRequest, stream: &mut PeerStream) -> Result<CheckReply, Reset> {
        let Some(_granted) = self.grant(&self.v2, stream.from) else {
            return Ok(CheckReply::failed(CheckStatus::Rejected));
        };
        let admits = |addr: &Multiaddr| self.admits(addr, &stream.local);
        let Some(plan) = plan_check(request, &stream.remote, self.random(), admits) else {
            return Ok(CheckReply::failed(CheckStatus::Refused));
        };
        if let Some(demand) = plan.demand {
            if !locked(&self.v2).takes_data(self.begun.elapsed()) {
                return Ok(CheckReply::failed(CheckStatus::Rejected));
            }
            stream.say(CheckMessage::Demand(demand).encode()).await;
            take_data(stream, demand.bytes).await?;
            sleep(MAX_PAUSE.mul_f64(self.random() as f64 / u64::MAX as f64)).await;
        }
        let dialled = match self.dial(stream.from, vec![plan.address]).await {
            None => DialStatus::DialError,
            Some(connection) => give_number(connection, request.nonce).await,
        };
        Ok(CheckReply { status: CheckStatus::Dialled, address: plan.index, dialled })
    }

    fn grant<'a>(&self, budget: &'a Mutex<DialBackBudget>, asker: PeerId) -> Option<Granted<'a>> {
        let is_granted = locked(budget).begin(&asker, self.begun.elapsed());
        is_granted.then_some(Granted { budget, asker })
    }

    /// Whether an address may be dialled for somebody who is connected to us at `own`: what the network dials, and not
    /// ourselves (go-libp2p, `autonat.dialPolicy`).
    fn admits(&self, addr: &Multiaddr, own: &Multiaddr) -> bool {
        let is_own = !own.is_empty() && own.iter().next() == addr.iter().next();
        !is_own && self.network.admits(addr).is_ok()
    }

    /// A new connection. In vain it takes [`DIAL_BACK_TIMEOUT`], whatever went wrong: how fast it failed is nobody's business.
    async fn dial(&self, asker: PeerId, addrs: Vec<Multiaddr>) -> Option<N::Connection> {
        let until = Instant::now() + DIAL_BACK_TIMEOUT;
        let dial = self.network.connect_within(asker, addrs, Some(DIAL_BACK_TIMEOUT)).await;
        if dial.connection.is_none() {
            sleep_until(until).await;
        }
        dial.connection
    }

    /// The next number of `SplitMix64` (Steele, Lea, Flood 2014).
    fn random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.random.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// Hears what was demanded of the asker.
async fn take_data(stream: &mut PeerStream, bytes: u64) -> Result<(), Reset> {
    let mut meter = DataMeter::new(bytes);
    loop {
        let message = stream.hear().await.ok_or(Reset)?;
        let Ok(CheckMessage::Data(data)) = CheckMessage::decode(&message) else { return Err(Reset) };
        if meter.take(data.len()).map_err(|_| Reset)? {
            return Ok(());
        }
    }
}

/// Gives the asker its number on a connection of its own, and hangs up.
async fn give_number(mut connection: impl Connection, nonce: u64) -> DialStatus {
    let stream = connection.open(DIAL_BACK_PROTOCOL, MAX_DIAL_BACK_BYTES);
    connection.send(stream, &DialBack { nonce }.encode());
    connection.finish(stream);
    let mut is_agreed = false;
    let heard = async {
        loop {
            match connection.next().await {
                Ok(Event::Accepted(_)) => is_agreed = true,
                Ok(Event::Message(..) | Event::Ended(_, None)) => return true,
                Ok(Event::Ended(_, Some(_))) | Err(_) => return false,
            }
        }
    };
    // Who took the number and did not say so has it all the same.
    let is_heard = timeout(NUMBER_TIMEOUT, heard).await.unwrap_or(is_agreed);
    connection.close().await;
    if is_heard { DialStatus::Reached } else { DialStatus::DialBackError }
}
