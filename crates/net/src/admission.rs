//! Who may connect: bounds over all listening sockets of a process, for each source and for each peer. Pure: it counts, and
//! asks no clock.
//!
//! One source can take its share and no more, so a flood from it does not keep others out. A source is an address of IPv4,
//! or a /64 of IPv6, which is what one customer gets.

use std::{
    collections::HashMap,
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
        }
    }
}

/// Which peer of ours, by its number, and which peer of others.
pub type Pair = (u64, PeerId);

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

/// All that is counted. Whoever is let in is let out once, by the call that belongs to it.
#[derive(Debug)]
pub struct Admission {
    bounds: Bounds,
    half_open: usize,
    open: usize,
    half_open_sources: Counts<IpAddr>,
    sources: Counts<IpAddr>,
    peers: Counts<Pair>,
}

impl Admission {
    /// Nobody yet.
    pub fn new(bounds: Bounds) -> Self {
        let (half_open, open) = (0, 0);
        let (half_open_sources, sources, peers) = Default::default();
        Self { bounds, half_open, open, half_open_sources, sources, peers }
    }

    /// Somebody connects, who has proved nothing yet. [`Self::give_up`] or [`Self::establish`] follows, unless it is refused.
    pub fn arrive(&mut self, from: IpAddr) -> Result<(), Refusal> {
        let (bounds, from) = (&self.bounds, source(from));
        let half_open = self.half_open_sources.of(&from);
        let refusal = if self.open + self.half_open >= bounds.connections {
            Refusal::Full
        } else if half_open >= bounds.half_open_per_source
            || self.sources.of(&from) + half_open >= bounds.per_source
        {
            Refusal::Source
        } else if self.half_open >= bounds.half_open {
            Refusal::HalfOpen
        } else {
            self.half_open += 1;
            self.half_open_sources.add(from);
            return Ok(());
        };
        Err(refusal)
    }

    /// Who arrived has not proved who it is.
    pub fn give_up(&mut self, from: IpAddr) {
        self.half_open -= 1;
        self.half_open_sources.remove(&source(from));
    }

    /// Who arrived has proved who it is. [`Self::close`] follows, unless it is refused; nothing does then.
    pub fn establish(&mut self, from: IpAddr, pair: Pair) -> Result<(), Refusal> {
        self.give_up(from);
        if self.peers.of(&pair) >= self.bounds.per_peer {
            return Err(Refusal::Peer);
        }
        self.open(from, pair);
        Ok(())
    }

    /// We have connected to somebody. [`Self::close`] follows. What we open ourselves is counted, and never refused.
    pub fn open(&mut self, to: IpAddr, pair: Pair) {
        self.open += 1;
        self.sources.add(source(to));
        self.peers.add(pair);
    }

    /// A connection is over.
    pub fn close(&mut self, with: IpAddr, pair: Pair) {
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
    pub const fn is_crowded(&self) -> bool {
        self.half_open * 2 >= self.bounds.half_open
    }

    /// How many connections there are, and how many are being opened.
    pub const fn count(&self) -> (usize, usize) {
        (self.open, self.half_open)
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
        }
    }

    #[test]
    fn a_flood_from_one_source_leaves_room_for_others() {
        let mut admission = Admission::new(bounds());
        let flood = (0..1_000).filter(|_| admission.arrive(ip(1)).is_ok()).count();
        assert_eq!((flood, admission.arrive(ip(1))), (4, Err(Refusal::Source)));
        assert_eq!(admission.arrive(ip(2)), Ok(()));
        assert_eq!(admission.count(), (0, 5));
        let v6 = |last| IpAddr::from([0x2a00, 0, 0, 1, 0, 0, 0, last]);
        let flood = (0..1_000).filter(|&n| admission.arrive(v6(n)).is_ok()).count();
        assert_eq!(flood, 4, "a /64 is one source");
    }

    #[test]
    fn who_has_proved_who_it_is_makes_room_for_the_next_up_to_its_share() {
        let mut admission = Admission::new(bounds());
        for n in 0..6 {
            assert_eq!(admission.arrive(ip(1)), Ok(()), "{n}");
            assert_eq!(admission.establish(ip(1), (0, PeerId::random())), Ok(()));
        }
        assert_eq!(admission.arrive(ip(1)), Err(Refusal::Source));
        assert_eq!(admission.count(), (6, 0));
    }

    #[test]
    fn a_peer_has_few_connections_with_each_of_ours() {
        let (mut admission, peer) = (Admission::new(bounds()), PeerId::random());
        for (n, of, expected) in [(1, 0, Ok(())), (2, 0, Ok(())), (3, 0, Err(Refusal::Peer)), (3, 1, Ok(()))]
        {
            admission.arrive(ip(n)).unwrap();
            assert_eq!(admission.establish(ip(n), (of, peer)), expected);
        }
        admission.close(ip(1), (0, peer));
        admission.arrive(ip(3)).unwrap();
        assert_eq!(admission.establish(ip(3), (0, peer)), Ok(()));
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
