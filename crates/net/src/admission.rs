//! Who may connect: bounds over all listening sockets of a process, for each source and for each peer. Pure: it counts, and
//! asks no clock.
//!
//! One source can take its share and no more, so a flood from it does not keep others out. A source is an address of IPv4,
//! or a /64 of IPv6, which is what one customer gets. Many sources that each take their share cannot keep others out either:
//! where all the room for those who prove who they are is taken, who comes takes the place of one who has been at it for
//! longest, of a source that has the most.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
};

use foldhash::fast::RandomState;
use kad::{PeerId, fabric::Refusal};

/// The bounds. One that is 0 lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most connections at once, those that are being opened with them. Default 16,384.
    pub connections: usize,
    /// When there are more, the longest idle ones are closed. Default 12,288.
    pub high_water: usize,
    /// Until so many are left. Default 10,240.
    pub low_water: usize,
    /// How many peers may be proving who they are at once. Default 2,048.
    pub half_open: usize,
    /// How many of one source may be. Default 64.
    pub half_open_per_source: usize,
    /// The most connections from one source. Default 512.
    pub per_source: usize,
    /// The most connections of one peer with one of ours. Default 8 (as go-libp2p's resource manager).
    pub per_peer: usize,
    /// The most bytes that all connections hold together of requests that wait, messages that are not whole and answers that
    /// nobody takes. When there are more, the connections that hold most are closed. Default 64 MiB.
    pub held_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 16_384,
            high_water: 12_288,
            low_water: 10_240,
            half_open: 2_048,
            half_open_per_source: 64,
            per_source: 512,
            per_peer: 8,
            held_bytes: 64 << 20,
        }
    }
}

/// Which peer of ours, by its number, and which peer of others.
pub type PeerPair = (u64, PeerId);

/// How many of each.
#[derive(Debug)]
struct Counts<K>(HashMap<K, usize, RandomState>);

impl<K: Eq + Hash> Counts<K> {
    fn of(&self, key: &K) -> usize {
        self.0.get(key).copied().unwrap_or(0)
    }

    fn add(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    fn remove(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(key);
            }
        }
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

/// Somebody who was let in and has proved nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its number. Who came before has a smaller one.
    pub number: u64,
    /// Whose place it takes: that one is counted no more, and has to go.
    pub instead_of: Option<u64>,
}

/// All that is counted. Whoever is let in is let out once, by the call that belongs to it.
#[derive(Debug)]
pub struct Admission {
    bounds: Bounds,
    arrivals: u64,
    /// Where those are from who have proved nothing yet, by their numbers.
    half_open: BTreeMap<u64, IpAddr>,
    open: usize,
    half_open_sources: Counts<IpAddr>,
    sources: Counts<IpAddr>,
    peers: Counts<PeerPair>,
}

impl Admission {
    /// Nobody yet.
    pub fn new(bounds: Bounds) -> Self {
        let (arrivals, open) = (0, 0);
        let (half_open, half_open_sources, sources, peers) = Default::default();
        Self { bounds, arrivals, half_open, open, half_open_sources, sources, peers }
    }

    /// Somebody connects, who has proved nothing yet. [`Self::give_up`] or [`Self::establish`] follows, unless it is refused.
    pub fn arrive(&mut self, from: IpAddr) -> Result<Arrival, Refusal> {
        let from = source(from);
        let half_open = self.half_open_sources.of(&from);
        if half_open >= self.bounds.half_open_per_source
            || self.sources.of(&from) + half_open >= self.bounds.per_source
        {
            return Err(Refusal::Source);
        }
        let is_crowded = self.half_open.len() >= self.bounds.half_open;
        let is_full = self.open + self.half_open.len() >= self.bounds.connections;
        let instead_of = if is_crowded || is_full { self.longest_of_most(half_open) } else { None };
        match instead_of {
            Some(number) => self.give_up(number),
            None if is_full => return Err(Refusal::Full),
            None if is_crowded => return Err(Refusal::HalfOpen),
            None => {}
        }
        let number = self.arrivals;
        self.arrivals += 1;
        self.half_open.insert(number, from);
        self.half_open_sources.add(from);
        Ok(Arrival { number, instead_of })
    }

    /// Who came first of those that are from a source with the most of them, and with more than so many; `None` if no
    /// source has more.
    fn longest_of_most(&self, least: usize) -> Option<u64> {
        let most = self.half_open_sources.0.values().copied().max().filter(|most| *most > least)?;
        let has_most = |from: &IpAddr| self.half_open_sources.of(from) == most;
        self.half_open.iter().find(|(_, from)| has_most(from)).map(|(&number, _)| number)
    }

    /// Who arrived has not proved who it is. Nothing happens if another one has its place already.
    pub fn give_up(&mut self, number: u64) {
        if let Some(from) = self.half_open.remove(&number) {
            self.half_open_sources.remove(&from);
        }
    }

    /// Who arrived has proved who it is. [`Self::close`] follows, unless it is refused; nothing does then.
    pub fn establish(&mut self, number: u64, pair: PeerPair) -> Result<(), Refusal> {
        let from = *self.half_open.get(&number).ok_or(Refusal::HalfOpen)?;
        self.give_up(number);
        if self.peers.of(&pair) >= self.bounds.per_peer {
            return Err(Refusal::Peer);
        }
        self.open(from, pair);
        Ok(())
    }

    /// We have connected to somebody. [`Self::close`] follows. What we open ourselves is counted, and never refused.
    pub fn open(&mut self, to: IpAddr, pair: PeerPair) {
        self.open += 1;
        self.sources.add(source(to));
        self.peers.add(pair);
    }

    /// A connection is over.
    pub fn close(&mut self, with: IpAddr, pair: PeerPair) {
        self.open -= 1;
        self.sources.remove(&source(with));
        self.peers.remove(&pair);
    }

    /// How many connections should be closed, if so many are being closed already.
    pub const fn excess(&self, closing: usize) -> usize {
        let left = self.open.saturating_sub(closing);
        if left > self.bounds.high_water { left.saturating_sub(self.bounds.low_water) } else { 0 }
    }

    /// Whether half of the room is taken for those who prove who they are.
    pub fn is_crowded(&self) -> bool {
        self.half_open.len() * 2 >= self.bounds.half_open
    }

    /// How many connections there are, and how many are being opened.
    pub fn count(&self) -> (usize, usize) {
        (self.open, self.half_open.len())
    }
}

/// What counts as one source.
fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u8) -> IpAddr {
        [127, 0, 0, n].into()
    }

    fn bounds() -> Bounds {
        Bounds {
            connections: 100,
            high_water: 8,
            low_water: 5,
            half_open: 20,
            half_open_per_source: 4,
            per_source: 6,
            per_peer: 2,
            held_bytes: 1_000,
        }
    }

    #[test]
    fn a_flood_from_one_source_leaves_room_for_others() {
        let mut admission = Admission::new(bounds());
        let flood = (0..1_000).filter(|_| admission.arrive(ip(1)).is_ok()).count();
        assert_eq!((flood, admission.arrive(ip(1))), (4, Err(Refusal::Source)));
        assert_eq!(admission.arrive(ip(2)), Ok(Arrival { number: 4, instead_of: None }));
        assert_eq!(admission.count(), (0, 5));
        let v6 = |last| IpAddr::from([0x2a00, 0, 0, 1, 0, 0, 0, last]);
        let flood = (0..1_000).filter(|&n| admission.arrive(v6(n)).is_ok()).count();
        assert_eq!(flood, 4, "a /64 is one source");
    }

    #[test]
    fn who_has_proved_who_it_is_makes_room_for_the_next_up_to_its_share() {
        let mut admission = Admission::new(bounds());
        for n in 0..6 {
            let arrival = admission.arrive(ip(1)).unwrap();
            assert_eq!(arrival, Arrival { number: n, instead_of: None });
            assert_eq!(admission.establish(n, (0, PeerId::random())), Ok(()));
        }
        assert_eq!(admission.arrive(ip(1)), Err(Refusal::Source));
        assert_eq!(admission.count(), (6, 0));
    }

    #[test]
    fn a_peer_has_few_connections_with_each_of_ours() {
        let (mut admission, peer) = (Admission::new(bounds()), PeerId::random());
        for (n, of, expected) in [(1, 0, Ok(())), (2, 0, Ok(())), (3, 0, Err(Refusal::Peer)), (3, 1, Ok(()))]
        {
            let number = admission.arrive(ip(n)).unwrap().number;
            assert_eq!(admission.establish(number, (of, peer)), expected);
        }
        admission.close(ip(1), (0, peer));
        let number = admission.arrive(ip(3)).unwrap().number;
        assert_eq!(admission.establish(number, (0, peer)), Ok(()));
    }

    #[test]
    fn who_comes_takes_the_place_of_one_who_has_been_at_it_for_longest_where_many_sources_take_all() {
        let mut admission = Admission::new(bounds());
        for n in 0..20 {
            admission.arrive(ip(n % 6)).unwrap();
        }
        // 0 and 1 have four each, the others three.
        assert_eq!(admission.arrive(ip(7)), Ok(Arrival { number: 20, instead_of: Some(0) }));
        assert_eq!(admission.arrive(ip(7)), Ok(Arrival { number: 21, instead_of: Some(1) }));
        // Now six have three each.
        assert_eq!(admission.arrive(ip(0)), Err(Refusal::HalfOpen), "nobody has more than it");
        assert_eq!(admission.arrive(ip(7)), Ok(Arrival { number: 22, instead_of: Some(2) }));
        assert_eq!(admission.count(), (0, 20));
        // Who has lost its place cannot come in by it, and is counted once.
        admission.give_up(0);
        assert_eq!(admission.establish(1, (0, PeerId::random())), Err(Refusal::HalfOpen));
        assert_eq!(admission.count(), (0, 20));
    }

    #[test]
    fn where_connections_take_all_the_room_nobody_makes_any() {
        let mut admission = Admission::new(Bounds { connections: 3, ..bounds() });
        for n in 0..2 {
            admission.open(ip(n), (0, PeerId::random()));
        }
        assert_eq!(admission.arrive(ip(3)), Ok(Arrival { number: 0, instead_of: None }));
        assert_eq!(admission.arrive(ip(4)), Ok(Arrival { number: 1, instead_of: Some(0) }));
        assert_eq!(admission.establish(1, (0, PeerId::random())), Ok(()));
        assert_eq!(admission.arrive(ip(5)), Err(Refusal::Full));
    }

    #[test]
    fn above_the_high_water_there_is_an_excess_down_to_the_low_one() {
        let mut admission = Admission::new(bounds());
        for n in 0..8 {
            admission.open(ip(n), (0, PeerId::random()));
        }
        assert_eq!(admission.excess(0), 0);
        admission.open(ip(9), (0, PeerId::random()));
        assert_eq!((admission.excess(0), admission.excess(1)), (4, 0));
    }
}
