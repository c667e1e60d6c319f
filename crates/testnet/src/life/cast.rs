//! Who takes part in life: which peers, of which class, and which of them share a host.
//!
//! A host is what goes up and down. It is at one of its places at a time, and shows one of its ids. A *site* is where
//! somebody can be: each peer has a site of its own number, the first place of its host is that of the host's first id,
//! and further places have the numbers after the last peer.

use rand::seq::SliceRandom;

use super::{HostPlace, Lag};
use crate::{
    allot::allot,
    random::{Stream, stream},
    scenario::{
        Scenario, Share,
        life::{Absence, LifeClass},
    },
    state::State,
};

/// No host, no id: an index that is none.
const NONE: u32 = u32::MAX;

/// The most places beside the first ones in a world; hosts beyond them stay where they are.
const MAX_EXTRA_SITES: usize = 2_000_000;

/// How many more peers than needed on average stand ready for a bucket.
const RESERVE: f64 = 1.5;

/// And how many more in any case.
const RESERVE_PEERS: usize = 4;

/// The most that stand ready, in buckets.
const MAX_RESERVE: usize = 12;

/// The peers that take part. Empty in a world without life.
#[derive(Debug, Default)]
pub(crate) struct Cast {
    classes: Vec<LifeClass>,
    lag: Lag,
    hosts: Vec<HostRole>,
    /// Peers by their hosts.
    ids: Vec<u32>,
    /// For each peer its position in `ids`.
    parts: Vec<u32>,
    /// The host of each site after those of peers.
    extras: Vec<u32>,
}

/// What never changes of a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostRole {
    class: u8,
    /// How many places it goes through.
    pub(crate) places: u8,
    /// How many ids it goes through.
    pub(crate) ids: u8,
    /// The position of its first id.
    pub(crate) first_id: u32,
    /// The position in `extras` of its second place.
    first_extra: u32,
}

impl Cast {
    /// Draws who takes part. `states` are those of all peers.
    pub(crate) fn of(scenario: &Scenario, states: &[State], bootstrap: &[u32]) -> Self {
        let Some(life) = &scenario.life else { return Self::default() };
        let mut staying = bootstrap.to_vec();
        staying.sort_unstable();
        let may =
            |peer: &u32| states[*peer as usize] == State::Online && staying.binary_search(peer).is_err();
        let mut candidates: Vec<u32> = (0..).take(states.len()).filter(may).collect();
        candidates.shuffle(&mut stream(scenario.seed, Stream::Cast, 0));
        let mut cast = Self {
            classes: life.classes.clone(),
            lag: Lag::new(scenario.seed, life),
            parts: vec![NONE; states.len()],
            ..Self::default()
        };
        let shares: Vec<Share> = life.classes.iter().map(|class| class.share).collect();
        let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
        let classes = allot(&shares, count);
        let same = |a: &(&u32, &usize), b: &(&u32, &usize)| a.1 == b.1;
        let placed: Vec<_> = candidates.iter().zip(&classes).collect();
        for members in placed.chunk_by(same) {
            let class = *members[0].1;
            let Some(law) = life.classes.get(class) else { continue };
            for ids in members.chunks(usize::from(law.rotates.ids.max(1))) {
                cast.admit(class, ids.iter().map(|(peer, _)| **peer));
            }
        }
        cast
    }

    /// Adds a host with these ids.
    fn admit(&mut self, class: usize, ids: impl Iterator<Item = u32>) {
        let (first_id, first_extra) = (narrow(self.ids.len()), narrow(self.extras.len()));
        for peer in ids {
            self.parts[peer as usize] = narrow(self.ids.len());
            self.ids.push(peer);
        }
        let more = usize::from(self.classes[class].moves.addresses.saturating_sub(1));
        let more = more.min(MAX_EXTRA_SITES - self.extras.len());
        self.extras.extend(std::iter::repeat_n(narrow(self.hosts.len()), more));
        self.hosts.push(HostRole {
            class: u8::try_from(class).unwrap_or(u8::MAX),
            places: u8::try_from(more + 1).unwrap_or(u8::MAX),
            ids: u8::try_from(self.ids.len() - first_id as usize).unwrap_or(u8::MAX),
            first_id,
            first_extra,
        });
    }

    /// Whether nobody comes or goes.
    pub(crate) const fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    pub(crate) const fn lag(&self) -> &Lag {
        &self.lag
    }

    pub(crate) fn hosts(&self) -> &[HostRole] {
        &self.hosts
    }

    /// All peers that take part, by their hosts: a peer's position is its part.
    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(crate) fn class(&self, host: &HostRole) -> &LifeClass {
        &self.classes[usize::from(host.class)]
    }

    /// The part of a peer; `None` if it takes none.
    pub(crate) fn part(&self, peer: u32) -> Option<usize> {
        self.parts.get(peer as usize).filter(|part| **part != NONE).map(|part| *part as usize)
    }

    /// The number of a peer's host; `None` if it takes no part.
    pub(crate) fn host_of(&self, peer: u32) -> Option<usize> {
        let part = self.part(peer)?;
        // Hosts lie in the order of their ids.
        Some(self.hosts.partition_point(|host| host.first_id as usize <= part) - 1)
    }

    /// How many places the host of a peer has; 1 for a peer that takes no part.
    pub(crate) fn places(&self, peer: u32) -> u8 {
        self.host_of(peer).map_or(1, |host| self.hosts[host].places)
    }

    /// What who dials a peer that is down meets; `None` if it takes no part.
    pub(crate) fn absence(&self, peer: u32) -> Option<Absence> {
        Some(self.class(&self.hosts[self.host_of(peer)?]).absence)
    }

    /// The site of a peer at a place. That of a peer without a part is its own, always.
    pub(crate) fn site(&self, peer: u32, place: HostPlace) -> u32 {
        let Some(host) = self.host_of(peer) else { return peer };
        let host = &self.hosts[host];
        match place.0.min(host.places - 1).checked_sub(1) {
            None => self.ids[host.first_id as usize],
            Some(extra) => narrow(self.parts.len()) + host.first_extra + u32::from(extra),
        }
    }

    /// For each site after those of peers the peer of its host that lives there first.
    pub(crate) fn extra_sites(&self) -> impl Iterator<Item = u32> {
        self.extras.iter().map(|&host| self.ids[self.hosts[host as usize].first_id as usize])
    }

    /// The host that has a site, and which of its places that is; `None` if it is the site of no host.
    pub(crate) fn host_at(&self, site: u32) -> Option<(usize, HostPlace)> {
        let Some(extra) = (site as usize).checked_sub(self.parts.len()) else {
            let host = self.host_of(site)?;
            let is_first = self.ids[self.hosts[host].first_id as usize] == site;
            return is_first.then_some((host, HostPlace(0)));
        };
        let host = *self.extras.get(extra)? as usize;
        let place = extra - self.hosts[host].first_extra as usize + 1;
        Some((host, HostPlace(u8::try_from(place).unwrap_or(u8::MAX))))
    }

    /// How many peers stand ready for a bucket of `k`, so that about `k` of them are named at any time; `k` where
    /// nobody comes or goes.
    pub(crate) fn candidates(&self, k: usize) -> usize {
        if self.is_empty() {
            return k;
        }
        let away: f64 = self
            .hosts
            .iter()
            .map(|host| {
                f64::from(host.ids) - availability(self.class(host)) * (1.0 - entering(self.class(host)))
            })
            .sum();
        let there = 1.0 - away / self.parts.len() as f64;
        let wanted = (k as f64 * RESERVE / there.max(1e-3)).min((MAX_RESERVE * k) as f64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded above")]
        let wanted = wanted.ceil() as usize;
        wanted + RESERVE_PEERS
    }
}

/// A number of peers, hosts or sites: there are never as many as do not fit.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}

/// The share of time that a host of a class is up, as long as it has not left.
pub(super) fn availability(class: &LifeClass) -> f64 {
    let up = class.up.mean_s();
    let down = class.down.mean_s() * (1.0 - class.leaves.get());
    up / (up + down)
}

/// The share of its hosts that come later.
fn entering(class: &LifeClass) -> f64 {
    class.enters.share.get()
}
