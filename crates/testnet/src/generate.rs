//! From a scenario and its seed to a world. Every step draws from a random stream of its own, so that changing one
//! part of a scenario leaves the others as they were.

use std::collections::BTreeMap;

use kad::{
    Key,
    message::{ConnectionType, write_peer},
};
use multiaddr::Multiaddr;
use net::session::Securities;
use rand::seq::SliceRandom;

use crate::{
    allot::{self, allot},
    carrier::TransportSet,
    fake::Forger,
    ground::{self, Ground, Ports, Sharing, Wish},
    holding,
    life::Cast,
    making::Making,
    parallel::in_parallel,
    random::{Stream, stream},
    scenario::{Scenario, Share, life::Absence},
    secrets::{KeyType, MAX_RSA_KEYS, Secret, Secrets},
    state::{Stage, State},
    tables::Tables,
    world::{Entries, PeerRecord, Places, World},
};

impl World {
    /// Makes the world of a scenario on loopback addresses, at the standard ports. The same scenario (with its seed)
    /// always makes the same one.
    pub fn generate(scenario: &Scenario) -> Self {
        Self::generate_at(scenario, Ports::STANDARD)
    }

    /// Makes the world of a scenario on loopback addresses, at these ports.
    pub fn generate_at(scenario: &Scenario, ports: Ports) -> Self {
        Self::generate_watched(scenario, ports, &Making::default())
    }

    /// The same, for somebody who watches.
    pub(crate) fn generate_watched(scenario: &Scenario, ports: Ports, making: &Making) -> Self {
        world(scenario, ports, false, making)
    }

    /// Makes the world of a scenario on public addresses, at the standard ports: the same peers with the same tables.
    pub fn generate_public(scenario: &Scenario) -> Self {
        Self::generate_public_watched(scenario, &Making::default())
    }

    /// The same, for somebody who watches.
    pub(crate) fn generate_public_watched(scenario: &Scenario, making: &Making) -> Self {
        world(scenario, Ports::STANDARD, true, making)
    }

    /// The same world on loopback at other ports.
    #[must_use]
    pub(crate) fn at_ports(mut self, ports: Ports) -> Self {
        self.ports = ports;
        self.ground = on_loopback(ports);
        self.entries = entries(&self);
        self.places = Places::of(&self);
        self
    }

    /// How many sites there are: those of all peers, and those that hosts move to.
    pub(crate) fn sites(&self) -> u32 {
        let extra = self.cast.extra_sites().count();
        u32::try_from(self.peers.len() + extra).unwrap_or(u32::MAX)
    }
}

const fn on_loopback(ports: Ports) -> Ground {
    match ports.sharing {
        Sharing::Slots => Ground::Loopback,
        Sharing::OneAddress { .. } => Ground::OneAddress,
    }
}

fn world(scenario: &Scenario, ports: Ports, is_public: bool, making: &Making) -> World {
    let seed = scenario.seed;
    let secrets = Secrets::new(seed);
    let total = scenario.peers.saturating_add(departed(scenario));
    making.begin(total);
    let keys = secrets_of(scenario, total);
    let mut keyed = in_parallel(total, |ordinal| {
        let secret = keys[ordinal as usize];
        let id = secrets.id(secret);
        making.did(1);
        (Key::of(id.as_bytes()), id, secret)
    });
    keyed.sort_unstable_by_key(|(key, ..)| *key);
    let prefixes: Vec<u64> = keyed.iter().map(|(key, ..)| key.prefix64()).collect();
    let states = states(scenario, total);
    let agents = classes(scenario, Stream::Agents, total);
    let regions = classes(scenario, Stream::Regions, total);
    let carriers = classes(scenario, Stream::Transports, total);
    let securities = classes(scenario, Stream::Securities, total);
    let holders = holders(scenario, &agents);
    let mut peers: Vec<PeerRecord> = keyed
        .into_iter()
        .enumerate()
        .map(|(index, (_, id, secret))| PeerRecord {
            id,
            secret,
            state: states[index],
            agent: agents[index],
            region: regions[index],
            carrier: carrier(states[index], carriers[index]),
            securities: secured(states[index], securities[index]),
            holder: holders[index],
        })
        .collect();
    let answers: Vec<bool> = states.iter().map(|state| state.keeps_table()).collect();
    let bootstrap = bootstrap(scenario, &states);
    let cast = Cast::of(scenario, &states, &bootstrap);
    equip(&cast, &mut peers);
    let candidates = cast.candidates(scenario.tables.k.into());
    let tables = Tables::build(seed, &scenario.tables, &prefixes, &answers, candidates);
    making.did(total);
    let mut world = World {
        scenario: scenario.clone(),
        ports,
        ground: if is_public { public(scenario, &peers, &cast) } else { on_loopback(ports) },
        secrets,
        peers,
        prefixes,
        tables,
        entries: Entries::default(),
        bootstrap,
        forger: Forger::new(seed),
        cast,
        places: Places::default(),
        stores: Vec::new(),
    };
    world.stores = holding::stores(&world);
    world.entries = entries(&world);
    world.places = Places::of(&world);
    world
}

/// Gives all ids of a host what its first one listens on: they are the same program.
fn equip(cast: &Cast, peers: &mut [PeerRecord]) {
    for host in cast.hosts() {
        let ids = &cast.ids()[host.first_id as usize..][..usize::from(host.ids)];
        let first = peers[ids[0] as usize].carrier;
        let refuses = cast.class(host).absence == Absence::Refused;
        for &peer in ids {
            peers[peer as usize].carrier = if refuses { first.without_websocket() } else { first };
        }
    }
}

/// The secret of each peer, by its number before sorting.
fn secrets_of(scenario: &Scenario, total: u32) -> Vec<Secret> {
    let mut rsa = 0..MAX_RSA_KEYS;
    let key = |class: u8| KeyType::ALL.get(usize::from(class)).copied().unwrap_or(KeyType::Ed25519);
    (0..)
        .zip(classes(scenario, Stream::Keys, total))
        .map(|(ordinal, class)| match (key(class), ordinal) {
            // Departed peers are not counted in the shares: where their keys run out, they have others.
            (KeyType::Rsa, ordinal) => {
                rsa.next().map_or(Secret { key: KeyType::Ed25519, ordinal }, |number| Secret {
                    key: KeyType::Rsa,
                    ordinal: number,
                })
            }
            (key, ordinal) => Secret { key, ordinal },
        })
        .collect()
}

/// Lays all sites out on public addresses: those of peers, then those that hosts move to.
fn public(scenario: &Scenario, peers: &[PeerRecord], cast: &Cast) -> Ground {
    let continents = |region: u8| {
        scenario.regions.get(usize::from(region)).map_or(&[][..], |region| region.continents.as_slice())
    };
    let wish = |number: u32| {
        let peer = &peers[number as usize];
        Wish {
            continents: continents(peer.region),
            has_moved: peer.state == State::StaleAddress,
            // Who goes takes the address along.
            is_alone: cast.part(number).is_some(),
        }
    };
    let wishes = (0..).take(peers.len()).chain(cast.extra_sites()).map(wish);
    Ground::Public(Box::new(ground::layout(scenario.seed, &scenario.addresses, wishes)))
}

/// How many peers have left but are still in tables, so that their share of entries is the one asked for.
fn departed(scenario: &Scenario) -> u32 {
    let stale = scenario.tables.stale.get();
    allot::round(f64::from(scenario.peers) * stale / (1.0 - stale))
}

fn states(scenario: &Scenario, total: u32) -> Vec<State> {
    let shares: Vec<Share> = scenario.states.iter().map(|entry| entry.share).collect();
    let mut states: Vec<State> = allot(&shares, scenario.peers)
        .into_iter()
        .map(|class| scenario.states.get(class).map_or(State::Online, |entry| entry.state))
        .collect();
    states.resize(total as usize, State::Departed);
    states.shuffle(&mut stream(scenario.seed, Stream::States, 0));
    states
}

/// For each peer which of a list of shares it is in.
fn classes(scenario: &Scenario, purpose: Stream, total: u32) -> Vec<u8> {
    let shares: Vec<Share> = match purpose {
        Stream::Agents => scenario.agents.iter().map(|agent| agent.share).collect(),
        Stream::Regions => scenario.regions.iter().map(|region| region.share).collect(),
        Stream::Securities => scenario.securities.shares().to_vec(),
        Stream::Keys => scenario.keys.shares().to_vec(),
        _ => scenario.transports.shares().to_vec(),
    };
    let last = shares.len().saturating_sub(1);
    let mut classes: Vec<u8> = allot(&shares, total)
        .into_iter()
        .map(|class| u8::try_from(class.min(last)).unwrap_or(u8::MAX))
        .collect();
    classes.shuffle(&mut stream(scenario.seed, purpose, 0));
    classes
}

/// For each peer, by its agent, which kind of holder it is; `None` for one that is of no kind.
fn holders(scenario: &Scenario, agents: &[u8]) -> Vec<Option<u8>> {
    let kinds = &scenario.holders;
    let agent = |number: u8| scenario.agents.get(usize::from(number)).map(|agent| &agent.name);
    let named =
        |number: u8| agent(number).filter(|name| kinds.iter().any(|kind| kind.agent.as_ref() == Some(name)));
    let mut groups: BTreeMap<Option<&String>, Vec<usize>> = BTreeMap::new();
    for (peer, &number) in agents.iter().enumerate() {
        groups.entry(named(number)).or_default().push(peer);
    }
    let mut holders = vec![None; agents.len()];
    let rng = &mut stream(scenario.seed, Stream::Holders, 0);
    for (agent, peers) in groups {
        let of_group: Vec<usize> =
            (0..kinds.len()).filter(|&kind| kinds[kind].agent.as_ref() == agent).collect();
        let shares: Vec<Share> = of_group.iter().map(|&kind| kinds[kind].share).collect();
        let kind = |class: usize| of_group.get(class).and_then(|&kind| u8::try_from(kind).ok());
        let mut drawn: Vec<Option<u8>> =
            allot(&shares, u32::try_from(peers.len()).unwrap_or(u32::MAX)).into_iter().map(kind).collect();
        drawn.shuffle(rng);
        for (peer, kind) in peers.into_iter().zip(drawn) {
            holders[peer] = kind;
        }
    }
    holders
}

/// The transports of a peer. Faults within a handshake are defined by TCP's steps, which QUIC does not have one by one.
fn carrier(state: State, class: u8) -> TransportSet {
    match state.stage() {
        Some(Stage::Accept | Stage::Secure | Stage::Multiplex) => TransportSet::Tcp,
        _ => TransportSet::SHARES.get(usize::from(class)).copied().unwrap_or(TransportSet::Tcp),
    }
}

/// What secures connections to a peer. Faults are defined by the steps of Noise.
const fn secured(state: State, class: u8) -> Securities {
    match (state.is_honest_server(), class) {
        (true, 1) => Securities::Noise,
        (true, 2) => Securities::Tls,
        _ => Securities::Any,
    }
}

/// Online peers; others that answer truthfully only where there are too few of them.
fn bootstrap(scenario: &Scenario, states: &[State]) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..).take(states.len()).collect();
    numbers.shuffle(&mut stream(scenario.seed, Stream::Bootstrap, 0));
    let state = |peer: u32| states[peer as usize];
    let online = numbers.iter().copied().filter(|&peer| state(peer) == State::Online);
    let others = numbers
        .iter()
        .copied()
        .filter(|&peer| state(peer) != State::Online && state(peer).is_honest_server());
    online.chain(others).take(scenario.bootstrap as usize).collect()
}

fn entries(world: &World) -> Entries {
    let mut entries = Entries::default();
    let write = |out: &mut Vec<u8>, peer: u32, addresses: &[Multiaddr]| {
        let id = world.peers[peer as usize].id;
        let connection = match world.state(peer) {
            State::Firewalled | State::BehindNat(_) => ConnectionType::Connected,
            _ => ConnectionType::NotConnected,
        };
        write_peer(out, id.as_bytes(), addresses.iter().map(AsRef::as_ref), connection);
    };
    for peer in world.peers() {
        write(&mut entries.bytes, peer, &world.addresses(peer));
        entries.ends.push(entries.bytes.len());
        if world.state(peer) == State::StaleAddress {
            let mut former = Vec::new();
            write(&mut former, peer, &world.former_addresses(peer));
            entries.former.insert(peer, former.into_boxed_slice());
        }
    }
    entries.bytes.shrink_to_fit();
    entries
}

#[cfg(test)]
mod tests;
