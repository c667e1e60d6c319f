//! Who may connect: whatever comes and goes, in whatever order, no bound is passed, what is counted is what is there, and
//! when all have gone there is room again.

use std::{collections::HashMap, net::IpAddr};

use kad::PeerId;
use net::admission::{Admission, Bounds, PeerPair};

/// Small bounds, so that few bytes reach them.
const BOUNDS: Bounds = Bounds {
    connections: 24,
    high_water: 16,
    low_water: 8,
    half_open: 12,
    half_open_per_source: 4,
    per_source: 9,
    per_peer: 3,
    held_bytes: 0,
};

/// What is there, by a count of its own.
#[derive(Default)]
struct Model {
    half_open: Vec<(u64, IpAddr)>,
    open: Vec<(IpAddr, PeerPair)>,
    /// Of those that are open how many we opened: these are never refused.
    opened: usize,
}

/// Reads the bytes as pairs of what happens and to whom.
pub fn check(bytes: &[u8]) {
    let (mut admission, mut model) = (Admission::new(BOUNDS), Model::default());
    for pair in bytes.chunks_exact(2) {
        if let [what, who] = *pair {
            model.happen(&mut admission, what, who);
            model.compare(&admission);
        }
    }
    for (number, _) in model.half_open.drain(..) {
        admission.give_up(number);
    }
    for (ip, pair) in model.open.drain(..) {
        admission.close(ip, pair);
    }
    assert_eq!(admission.count(), (0, 0));
    assert!(admission.arrive([127, 0, 0, 1].into()).is_ok_and(|arrival| arrival.instead_of.is_none()));
}

impl Model {
    fn happen(&mut self, admission: &mut Admission, what: u8, who: u8) {
        let (ip, pair) = (source(who % 6), pair_of(who));
        let of = |len: usize| usize::from(who).checked_rem(len);
        match what % 5 {
            0 => {
                if let Ok(arrival) = admission.arrive(ip) {
                    self.replace(arrival.instead_of, ip);
                    self.half_open.push((arrival.number, ip));
                    assert!(self.half_open.len() + self.open.len() <= BOUNDS.connections + self.opened);
                }
            }
            1 => {
                if let Some(n) = of(self.half_open.len()) {
                    admission.give_up(self.half_open.swap_remove(n).0);
                }
            }
            2 => {
                if let Some(n) = of(self.half_open.len()) {
                    let (number, ip) = self.half_open.swap_remove(n);
                    if admission.establish(number, pair).is_ok() {
                        self.open.push((ip, pair));
                    }
                }
            }
            3 => {
                admission.open(ip, pair);
                self.open.push((ip, pair));
                self.opened += 1;
            }
            _ => {
                if let Some(n) = of(self.open.len()) {
                    let (ip, pair) = self.open.swap_remove(n);
                    admission.close(ip, pair);
                }
            }
        }
    }

    /// Somebody makes room for one from there: the first of a source that had the most, and more than that one has.
    fn replace(&mut self, number: Option<u64>, by: IpAddr) {
        let Some(number) = number else { return };
        let of = |source: IpAddr| self.half_open.iter().filter(|(_, from)| *from == source).count();
        let place = self.half_open.iter().position(|(other, _)| *other == number);
        let Some(place) = place else { unreachable!("{number} has no place") };
        let (_, from) = self.half_open[place];
        let is_first = |&(other, also): &(u64, IpAddr)| of(also) < of(from) || other >= number;
        assert!(
            self.half_open.iter().all(is_first)
                && self.half_open.iter().all(|(_, also)| of(*also) <= of(from))
        );
        assert!(of(from) > of(by));
        self.half_open.swap_remove(place);
    }

    fn compare(&self, admission: &Admission) {
        assert_eq!(admission.count(), (self.open.len(), self.half_open.len()));
        assert!(self.half_open.len() <= BOUNDS.half_open);
        let mut sources: HashMap<IpAddr, usize> = HashMap::new();
        for (_, ip) in &self.half_open {
            *sources.entry(*ip).or_default() += 1;
        }
        assert!(sources.values().all(|&count| count <= BOUNDS.half_open_per_source));
        let excess = admission.excess(0);
        assert!(excess == 0 || self.open.len() - excess == BOUNDS.low_water);
        assert_eq!(excess == 0, self.open.len() <= BOUNDS.high_water);
        assert_eq!(admission.excess(self.open.len()), 0);
    }
}

/// A few sources of each family.
fn source(n: u8) -> IpAddr {
    if n < 3 { [127, 0, 0, n].into() } else { [0x2a00, 0, 0, u16::from(n), 0, 0, 0, 1].into() }
}

/// A few peers of ours and of others.
fn pair_of(who: u8) -> PeerPair {
    let peer = PeerId::from_bytes(&[0, 1, who % 5]);
    (u64::from(who % 3), peer.unwrap_or_else(|_| PeerId::random()))
}
