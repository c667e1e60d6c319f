//! What is true of a world, and how right an observer was.
//!
//! Everything here is read off the world that the generator made; nothing is asked of the code that answers.
//!
//! * A peer is **discoverable** if a crawl that starts at the bootstrap peers hears of it: it is in the table of a
//!   discoverable peer that answers truthfully. Who is only in the tables of peers that do not answer cannot be found.
//! * A peer is **reachable** if it proves the announced identity at an address that a crawl can learn, and a connection
//!   comes about. What it does with requests afterwards does not matter.
//! * Only **honest** peers' tables are expected to be seen; what liars answer is left out of the edges altogether.
//! * Where peers come and go, all of this is meant when life begins; what holds later, the history says ([`during`]).

mod away;
mod calls;
mod during;
mod expected;
mod holding;
mod judge;
mod moments;
mod said;
mod start;
mod visits;

use std::{borrow::Cow, collections::VecDeque, io, net::IpAddr, sync::Arc, time::Duration};

use kad::network::Transport;

use serde::{
    Serialize, Serializer,
    ser::{SerializeSeq, SerializeStruct},
};

pub use self::{
    away::OutageTruth,
    calls::CallsTruth,
    during::{DuringVerdict, ObservedDuring, VisitDuring, WrongDuring},
    expected::{Expected, expected},
    holding::{HolderGives, HolderPlace, RecordTold},
    judge::{MAX_LISTED, Observed, ObservedPeer, StateCount, Verdict, Wrong},
    said::Said,
    start::LifeTruth,
    visits::VisitedPeers,
};
use crate::{
    ground::{Internet, Location, Range},
    life::{History, Life},
    state::{Stage, State},
    world::World,
};

/// What is true of a world.
#[derive(Debug, Clone)]
pub struct Truth {
    world: Arc<World>,
    /// Who is there when life begins; `None` if everyone always is.
    start: Option<Life>,
    standing: Vec<Standing>,
}

/// How a peer stands to a crawl.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    /// A crawl hears of it.
    discoverable: bool,
    /// And of an address at which it is.
    located: bool,
}

/// What is true of one peer. Its JSON is an entry of the truth file.
#[derive(Debug, Clone, Serialize)]
pub struct PeerTruth<'a> {
    /// The peer id that it is announced under.
    pub id: String,
    /// The addresses at which it is announced.
    pub addresses: Vec<String>,
    /// Addresses that some still announce though it is there no longer.
    pub former_addresses: Vec<String>,
    /// The name of its state.
    pub state: &'static str,
    /// The stage at which its fault strikes; `null` for a state without one.
    pub at: Option<Stage>,
    /// Whether a crawl from the bootstrap peers hears of it.
    pub discoverable: bool,
    /// Whether such a crawl can connect to it.
    pub reachable: bool,
    /// The failure class or skip reason that an observer should report, any of these; empty if nothing goes wrong.
    pub classes: &'static [&'static str],
    /// The class of address translation or firewall that it is behind: `relayed_only`, `private_only`,
    /// `not_from_here`; `null` for none. A peer that only one other knows has no witnesses, and none is expected.
    pub nat: Option<&'static str>,
    /// The agent version.
    pub agent: &'a str,
    /// The protocols, as it says itself.
    pub protocols: Vec<&'a str>,
    /// The type of its key.
    pub key: &'static str,
    /// The transports that it listens on.
    pub transports: Vec<&'static str>,
    /// Where it is, if it is anywhere: each of its IP addresses. Empty on loopback.
    pub hosts: Vec<HostTruth<'static>>,
    /// Its region; `null` in a scenario without regions.
    pub region: Option<&'a str>,
    /// From the observer to it and back, in milliseconds.
    pub rtt_ms: u64,
    /// Who is in its routing table, by number (from 0, in the order of [`Truth::peers`]); as JSON: by peer id. Empty
    /// for a peer that does not answer truthfully. One that is behind address translation tells only whom it has called.
    #[serde(skip)]
    pub neighbors: Cow<'a, [u32]>,
    /// How it holds provider records; absent for a peer that does as go-libp2p-kad-dht does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<HolderTruth<'a>>,
    /// How it calls others; absent for a peer that is not behind address translation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<CallsTruth>,
    /// How it comes and goes; absent for a peer that is always there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life: Option<LifeTruth<'a>>,
}

/// How a peer holds the provider records that it is given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HolderTruth<'a> {
    /// The name of its kind.
    pub kind: &'a str,
    /// Whether it takes records and keeps none.
    pub swallows: bool,
    /// How long it keeps a record, in seconds.
    pub keep_s: f64,
    /// How long it gives out the addresses of a provider, in seconds; 0: never.
    pub addresses_s: f64,
    /// Since when: `announced`, `seen` or `hung_up`.
    pub addresses_since: &'static str,
    /// The peer that stands for its store: those of one store know the same. Itself, if the store is its own.
    pub store: String,
}

/// What is true of one IP address of a peer: what the databases of addresses say of it, and no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostTruth<'a> {
    /// The address.
    pub ip: IpAddr,
    /// The country (ISO 3166-1); `null` where the databases know none.
    pub country: Option<&'a str>,
    /// The number of its autonomous system.
    pub asn: Option<u32>,
    /// The name of that network.
    pub network: Option<&'a str>,
    /// The cloud provider that the network is of; `null` for all others.
    pub cloud: Option<&'a str>,
}

impl Truth {
    /// Reads the truth off a world.
    pub fn of(world: Arc<World>) -> Self {
        let start = Life::of(&world);
        let standing = explore(&world, start.as_ref());
        Self { world, start, standing }
    }

    /// The world that it is true of.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// What is true of each peer, in the order of their numbers.
    pub fn peers(&self) -> impl Iterator<Item = PeerTruth<'_>> {
        self.world.peers().map(|peer| self.peer(peer))
    }

    /// What is true of a peer.
    pub fn peer(&self, peer: u32) -> PeerTruth<'_> {
        let world = &self.world;
        let text = |addresses: Vec<multiaddr::Multiaddr>| addresses.iter().map(ToString::to_string).collect();
        let Expected { reachable, classes } = self.expected(peer);
        PeerTruth {
            id: world.peer_id(peer).to_base58(),
            addresses: text(
                world.addresses_at(peer, start::place(self.start.as_ref(), peer).unwrap_or_default()),
            ),
            former_addresses: text(world.former_addresses(peer)),
            state: world.state(peer).name(),
            at: world.state(peer).stage(),
            discoverable: self.is_discoverable(peer),
            reachable,
            classes,
            nat: nat(world.state(peer)),
            agent: world.agent(peer),
            protocols: world.protocols(peer),
            key: world.key_type(peer).name(),
            transports: world.carrier(peer).transports().map(Transport::name).collect(),
            hosts: if world.is_public() { hosts(world.location(peer)) } else { Vec::new() },
            region: world.region(peer),
            rtt_ms: u64::try_from(world.rtt(peer).as_millis()).unwrap_or(u64::MAX),
            neighbors: self.neighbors(peer),
            holder: self.holder(peer),
            calls: CallsTruth::of(world, peer),
            life: self.life(peer),
        }
    }

    fn holder(&self, peer: u32) -> Option<HolderTruth<'_>> {
        let holder = self.world.holder(peer)?;
        Some(HolderTruth {
            kind: &holder.name,
            swallows: holder.swallows,
            keep_s: holder.keep_s,
            addresses_s: holder.addresses_s,
            addresses_since: holder.addresses_since.name(),
            store: self.world.peer_id(self.world.store(peer)).to_base58(),
        })
    }

    /// Whether a crawl from the bootstrap peers hears of a peer.
    pub fn is_discoverable(&self, peer: u32) -> bool {
        self.standing[peer as usize].discoverable
    }

    /// Whether such a crawl can connect to it.
    pub fn is_reachable(&self, peer: u32) -> bool {
        self.expected(peer).reachable
    }

    /// Whether such a crawl sees its routing table.
    fn is_read(&self, peer: u32) -> bool {
        self.is_discoverable(peer) && self.is_reachable(peer) && self.world.state(peer).is_honest_server()
    }

    /// What a crawl should say of a peer.
    pub fn expected(&self, peer: u32) -> Expected {
        if let Some(absence) = self.expected_absence(peer) {
            return absence;
        }
        let state = match self.world.state(peer) {
            // Nobody whom the crawl can ask knows where it is now: all that is left is a host that refuses.
            State::StaleAddress if !self.standing[peer as usize].located => State::Departed,
            state => state,
        };
        expected(state, self.world.carrier(peer))
    }

    /// Writes the truth file: one JSON object with `seed`, `bootstrap` (addresses) and `peers`, and with `outages` where the
    /// observer's network is away at times.
    pub fn write_json(&self, out: impl io::Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        serde_json::to_writer(&mut out, self)?;
        io::Write::flush(&mut out)
    }

    /// Says how right an observer was.
    pub fn judge(&self, observed: &Observed) -> Verdict {
        judge::judge(self, observed)
    }

    /// Says how right an observer was of a world whose peers come and go. `slack` is how far its times may be off, as
    /// life has it, and counts in its favour, as does what events were late by.
    pub fn judge_during(
        &self,
        history: &History,
        observed: &ObservedDuring,
        slack: Duration,
    ) -> DuringVerdict {
        during::judge(self, history, observed, slack)
    }
}

fn hosts(location: Location) -> Vec<HostTruth<'static>> {
    let of = |ip| {
        let range = Internet::get().of(ip);
        let text = |of: fn(&Range) -> &Option<String>| range.and_then(|range| of(range).as_deref());
        HostTruth {
            ip,
            country: text(|range| &range.country),
            asn: range.and_then(|range| range.asn),
            network: text(|range| &range.network),
            cloud: text(|range| &range.cloud),
        }
    };
    location.ips().map(of).collect()
}

const fn nat(state: State) -> Option<&'static str> {
    match state {
        State::RelayedOnly => Some("relayed_only"),
        State::PrivateOnly => Some("private_only"),
        State::Firewalled | State::BehindNat(_) => Some("not_from_here"),
        _ => None,
    }
}

/// Who can be heard of: follows the announcements of all that answer truthfully, from the bootstrap peers on.
fn explore(world: &World, start: Option<&Life>) -> Vec<Standing> {
    let mut standing = vec![Standing::default(); world.len()];
    let mut queue: VecDeque<u32> = VecDeque::new();
    let mut announce = |peer: u32, is_former: bool, queue: &mut VecDeque<u32>| {
        let known = &mut standing[peer as usize];
        known.discoverable = true;
        if !is_former && !known.located {
            known.located = true;
            let answers = world.state(peer).is_honest_server();
            if answers {
                queue.push_back(peer);
            }
        }
    };
    for &peer in world.bootstrap() {
        announce(peer, false, &mut queue);
    }
    while let Some(announcer) = queue.pop_front() {
        for (peer, place) in start::table(world, start, announcer) {
            let is_there = start::place(start, peer) == Some(place);
            announce(peer, !is_there || world.announces_former(announcer, peer), &mut queue);
        }
    }
    standing
}

impl Serialize for Truth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outages: Vec<OutageTruth> = self.world.outages().map(OutageTruth::from).collect();
        let mut out = serializer.serialize_struct("Truth", if outages.is_empty() { 3 } else { 4 })?;
        out.serialize_field("seed", &self.world.scenario().seed)?;
        if !outages.is_empty() {
            out.serialize_field("outages", &outages)?;
        }
        out.serialize_field("bootstrap", &self.world.bootstrap_addresses())?;
        out.serialize_field("peers", &PeerList(self))?;
        out.end()
    }
}

/// The list of peers in the truth file, written one by one.
struct PeerList<'a>(&'a Truth);

/// One peer in it.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    peer: PeerTruth<'a>,
    neighbors: Vec<&'a str>,
}

impl Serialize for PeerList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let truth = self.0;
        let ids: Vec<String> =
            truth.world.peers().map(|peer| truth.world.peer_id(peer).to_base58()).collect();
        let mut list = serializer.serialize_seq(Some(ids.len()))?;
        for peer in truth.peers() {
            let neighbors = peer.neighbors.iter().map(|&other| ids[other as usize].as_str()).collect();
            list.serialize_element(&Entry { peer, neighbors })?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests;
