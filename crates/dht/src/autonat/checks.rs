//! `AutoNAT` version 2 asked: a peer of ours has its addresses dialled one by one, and comes to know which of them can be
//! reached. What replies together mean is decided in [`kad::autonat::v2`].

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kad::{
    Contact, Key, Multiaddr,
    autonat::{
        Reachability,
        v2::{
            AddressRecord, BadCheck, CheckMessage, CheckReply, CheckRequest, CheckStatus, Checked,
            DATA_CHUNK_BYTES, DIAL_REQUEST_PROTOCOL, DialStatus, MAX_ADDRESSES, MAX_MESSAGE_BYTES,
            TARGET_CONFIDENCE,
        },
    },
    failure::{Failure, FailureClass, Phase},
    network::{Connection, Event, Network},
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use super::{numbers::NumberDesk, servers::Servers};
use crate::pool::connection_of;

/// How long a server may take from the question to its reply: a dial of 15 s, and what was demanded before it.
const REPLY_PATIENCE: Duration = Duration::from_secs(30);

/// How long the number may take after the reply (go-libp2p, `dialBackStreamTimeout`).
const NUMBER_PATIENCE: Duration = Duration::from_secs(5);

/// How long a peer waits before it asks about an address that is new (go-libp2p, `newAddrsProbeDelay`).
const BEGIN_DELAY: Duration = Duration::from_secs(1);

/// The least time between two questions (go-libp2p, `backoffStartInterval`, the pause after one that came to nothing).
const PAUSE: Duration = Duration::from_secs(5);

/// How long a server rests after it was asked (go-libp2p, `defaultThrottlePeerDuration`), and how long until the next look
/// where nothing is to be asked or nobody can be.
const SERVER_REST: Duration = Duration::from_secs(120);

/// What is sent where data are demanded: what it is does not matter.
const DATA: [u8; DATA_CHUNK_BYTES] = [0; DATA_CHUNK_BYTES];

/// One of our addresses, and whether it can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAddress {
    /// The address.
    pub address: Multiaddr,
    /// Whether it can be reached, as far as others have shown.
    pub reachability: Reachability,
}

/// What a peer of ours knows of its addresses, and whom it asks.
#[derive(Debug)]
pub struct AddressChecks<N> {
    network: N,
    numbers: Arc<NumberDesk>,
    servers: Mutex<Servers>,
    /// There is somebody new to ask, or something new to ask about.
    changed: Notify,
    known: watch::Sender<Vec<OwnAddress>>,
    seed: u64,
}

/// Our addresses, each with what the checks of it have shown.
#[derive(Debug)]
struct Records {
    begun: Instant,
    of: Vec<(Multiaddr, AddressRecord)>,
    /// How many questions were asked.
    asked: u64,
}

impl<N: Network> AddressChecks<N> {
    /// Of a peer of ours that knows nothing yet. `network` is that peer, whose service hears numbers at `numbers`. The numbers
    /// hang on `seed`: who knows it could pretend that an address can be reached.
    pub fn new(network: N, numbers: Arc<NumberDesk>, seed: u64) -> Self {
        let (servers, changed, known) = (Mutex::default(), Notify::new(), watch::channel(Vec::new()).0);
        Self { network, numbers, servers, changed, known, seed }
    }

    /// A peer was met that says it speaks these protocols. It may be asked if [`DIAL_REQUEST_PROTOCOL`] is among them.
    pub fn met(&self, contact: Contact, protocols: &[String]) {
        let is_server = protocols.iter().any(|name| name == DIAL_REQUEST_PROTOCOL);
        if is_server && self.servers().meet(contact) {
            self.changed.notify_one();
        }
    }

    /// The peer has an address that it did not have before.
    pub fn moved(&self) {
        self.changed.notify_one();
    }

    /// Whether more are needed who can be asked: each is asked about an address once, before others have been.
    pub fn lacks_servers(&self) -> bool {
        self.servers().count() < TARGET_CONFIDENCE
    }

    /// What is known of each address, from now on. Those that may not be dialled are not asked about and not among them.
    pub fn watch(&self) -> watch::Receiver<Vec<OwnAddress>> {
        self.known.subscribe()
    }

    /// Asks, one question at a time, for as long as it is polled. `own` says where the peer says that it is at the time, and
    /// `listens` where it listens.
    pub async fn run(&self, own: impl Fn() -> Vec<Multiaddr>, listens: impl Fn() -> Vec<Multiaddr>) {
        let mut records = Records { begun: Instant::now(), of: Vec::new(), asked: 0 };
        sleep(BEGIN_DELAY).await;
        loop {
            let own = own().into_iter().filter(|addr| self.network.admits(addr).is_ok());
            records.keep(own);
            self.publish(&mut records);
            let has_asked = self.turn(&mut records, &listens()).await;
            self.publish(&mut records);
            sleep(PAUSE).await;
            if !has_asked {
                // What has changed meanwhile is looked at without waiting.
                timeout(SERVER_REST, self.changed.notified()).await.ok();
            }
        }
    }

    /// Asks one question, if there is one and somebody to ask.
    async fn turn(&self, records: &mut Records, listens: &[Multiaddr]) -> bool {
        let due = records.due();
        if due.is_empty() {
            return false;
        }
        let Some(server) = self.servers().choose(Instant::now(), SERVER_REST) else { return false };
        let request = CheckRequest::new(&due, self.number(&mut records.asked));
        match check(&self.network, &self.numbers, (&server, &request), listens).await {
            Ok(checked) => records.take(&due, checked),
            // Who does not answer, or lies, is not asked again.
            Err(_) => self.servers().forget(&server.peer),
        }
        true
    }

    fn publish(&self, records: &mut Records) {
        let now = records.begun.elapsed();
        let of = |(address, record): &mut (Multiaddr, AddressRecord)| OwnAddress {
            address: address.clone(),
            reachability: record.reachability(now),
        };
        let known: Vec<OwnAddress> = records.of.iter_mut().map(of).collect();
        self.known.send_if_modified(|before| {
            let is_new = *before != known;
            *before = known;
            is_new
        });
    }

    /// The next number, which nobody can guess who does not know the seed.
    fn number(&self, asked: &mut u64) -> u64 {
        *asked += 1;
        Key::of(&[self.seed.to_be_bytes(), asked.to_be_bytes()].concat()).prefix64()
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    /// Forgets addresses that are ours no more, and begins with those that are new; at most [`MAX_ADDRESSES`].
    fn keep(&mut self, own: impl Iterator<Item = Multiaddr>) {
        let mut before = std::mem::take(&mut self.of);
        for addr in own.take(MAX_ADDRESSES) {
            if self.of.iter().all(|(known, _)| *known != addr) {
                let known = before.iter().position(|(known, _)| *known == addr);
                let new = || (addr.clone(), AddressRecord::default());
                let kept = known.map_or_else(new, |position| before.swap_remove(position));
                self.of.push(kept);
            }
        }
    }

    /// The addresses of which something is to be asked, those first of which the most is.
    fn due(&mut self) -> Vec<Multiaddr> {
        let now = self.begun.elapsed();
        let due = |(addr, record): &mut (Multiaddr, AddressRecord)| (record.checks_due(now), addr.clone());
        let mut due: Vec<_> = self.of.iter_mut().map(due).filter(|(checks, _)| *checks > 0).collect();
        due.sort_by_key(|(checks, _)| std::cmp::Reverse(*checks));
        due.into_iter().map(|(_, addr)| addr).collect()
    }

    /// Takes in what a question about these addresses has shown. A server that dials a later one refused the first.
    fn take(&mut self, asked: &[Multiaddr], checked: Checked) {
        let now = self.begun.elapsed();
        let dialled = match checked {
            Checked::Address(index, seen) => Some((index, seen)),
            Checked::Refused => None,
            Checked::Nothing => return,
        };
        if dialled.is_none_or(|(index, _)| index > 0)
            && let Some(record) = asked.first().and_then(|addr| self.record(addr))
        {
            record.refused(now);
        }
        if let Some((index, seen)) = dialled
            && let Some(record) = asked.get(index).and_then(|addr| self.record(addr))
        {
            record.dialled(seen, now);
        }
    }

    fn record(&mut self, addr: &Multiaddr) -> Option<&mut AddressRecord> {
        self.of.iter_mut().find(|(known, _)| known == addr).map(|(_, record)| record)
    }
}

/// Has a server dial one of our addresses. An error is why there is no reply, or that it is not to be believed.
async fn check<N: Network>(
    network: &N,
    numbers: &NumberDesk,
    (server, request): (&Contact, &CheckRequest),
    listens: &[Multiaddr],
) -> Result<Checked, Failure> {
    let mut awaited = numbers.expect(request.nonce);
    let mut connection = connection_of(network.connect(server.peer, server.addrs.clone()).await)?;
    let reply = timeout(REPLY_PATIENCE, ask(&mut connection, request)).await;
    connection.close().await;
    let reply = reply.unwrap_or_else(|_| Err(Failure::new(Phase::Request, FailureClass::Timeout)))?;
    let is_said_to_come = reply.status == CheckStatus::Dialled
        && matches!(reply.dialled, DialStatus::Reached | DialStatus::DialBackError);
    let came_to = if is_said_to_come {
        timeout(NUMBER_PATIENCE, &mut awaited.came_to).await.ok().and_then(Result::ok)
    } else {
        None
    };
    // A connection that we opened ourselves shows nothing.
    let came_to = came_to.filter(|local| listens.iter().any(|listens| is_at(local, listens)));
    request.check(reply, came_to.as_ref()).map_err(unbelievable)
}

/// Asks, sends what is demanded, and waits for the reply.
async fn ask<C: Connection>(connection: &mut C, request: &CheckRequest) -> Result<CheckReply, Failure> {
    let stream = connection.open(DIAL_REQUEST_PROTOCOL, MAX_MESSAGE_BYTES);
    connection.send(stream, &CheckMessage::Request(request.clone()).encode());
    let malformed = || Failure::new(Phase::Request, FailureClass::Malformed);
    let mut has_sent_data = false;
    loop {
        let message = match connection.next().await? {
            Event::Message(on, message) if on == stream => message,
            Event::Ended(on, failure) if on == stream => {
                let closed = || Failure::new(Phase::Request, FailureClass::StreamClosed);
                return Err(failure.unwrap_or_else(closed));
            }
            Event::Message(..) | Event::Ended(..) | Event::Accepted(_) => continue,
        };
        match CheckMessage::decode(&message).map_err(|_| malformed())? {
            CheckMessage::Reply(reply) => return Ok(reply),
            CheckMessage::Demand(demand) if !has_sent_data => {
                has_sent_data = true;
                for bytes in request.parts(&demand).map_err(unbelievable)? {
                    let data = DATA.get(..bytes).unwrap_or_default();
                    connection.send(stream, &CheckMessage::Data(data).encode());
                }
            }
            CheckMessage::Demand(_) | CheckMessage::Request(_) | CheckMessage::Data(_) => {
                return Err(malformed());
            }
        }
    }
}

fn unbelievable(bad: BadCheck) -> Failure {
    Failure::with_detail(Phase::Request, FailureClass::Malformed, &bad.to_string())
}

/// Whether a connection to this local address came in where we listen: at that port, whatever the IP address.
fn is_at(local: &Multiaddr, listens: &Multiaddr) -> bool {
    local.iter().skip(1).eq(listens.iter().skip(1))
}

#[cfg(test)]
mod tests;
