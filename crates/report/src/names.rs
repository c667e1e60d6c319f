//! Who is in an export, what each peer is called there, and what the visits of a run say of each.

use std::collections::{HashMap, HashSet};

use kad::{Address, opt_out::OptOut};
use multiaddr::Protocol;
use schema::{Encounter, NatClass, PeerNumber, RunId, TABLES, Veil, Visit, cell::Cell};
use store::Store;

/// The peers that are written, by their numbers, and what they are called. Takes about 200 bytes for each peer.
#[derive(Debug, Default)]
pub struct ExportedPeers {
    texts: HashMap<PeerNumber, Box<str>>,
    /// In the order in which they were first heard of.
    order: Vec<PeerNumber>,
    /// How many were left out, since they asked not to be measured.
    left_out: u64,
}

impl ExportedPeers {
    /// Reads them. Left out is who is on the list by peer id, and who has an address of its own in a range of it.
    pub fn read(store: &Store, run: RunId, opt_out: &OptOut, veil: &Veil) -> Result<Self, store::Error> {
        let at_range = in_ranges(store, run, opt_out)?;
        let mut names = Self::default();
        for (number, peer) in store.peers(run)?.iter() {
            if opt_out.has_peer(&peer) || at_range.contains(&number) {
                names.left_out += 1;
                continue;
            }
            names.texts.insert(number, veil.peer(&peer).into());
            names.order.push(number);
        }
        Ok(names)
    }

    /// What a peer is called; `None` if it is left out.
    pub fn get(&self, peer: PeerNumber) -> Option<&str> {
        self.texts.get(&peer).map(AsRef::as_ref)
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.order.len() as u64
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// How many were left out, since they asked not to be measured.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All of them, in the order in which they were first heard of.
    pub fn iter(&self) -> impl Iterator<Item = (PeerNumber, &str)> {
        self.order.iter().filter_map(|&number| Some((number, self.get(number)?)))
    }
}

fn in_ranges(store: &Store, run: RunId, opt_out: &OptOut) -> Result<HashSet<PeerNumber>, store::Error> {
    let mut found = HashSet::new();
    if opt_out.is_empty() {
        return Ok(found);
    }
    for table in TABLES.iter().filter(|table| table.has_encounter && table.has_subject()) {
        for row in store.rows_of(run, table)? {
            let row = row?;
            let is_at_range = row.encounter().is_some_and(|met| is_in_range(met, opt_out));
            if let (true, Some(Cell::Peer(peer))) = (is_at_range, row.cells().first()) {
                found.insert(*peer);
            }
        }
    }
    Ok(found)
}

/// Where a name led to is an address of the peer's own, too.
fn is_in_range(met: &Encounter, opt_out: &OptOut) -> bool {
    let tried = met.addresses.iter().flat_map(|visited| std::iter::once(visited).chain(&visited.resolved));
    let mut addresses = tried.map(|visited| &visited.address).chain(&met.listen_addrs);
    addresses.any(|address| !is_relayed(address) && opt_out.has_given(address))
}

/// Then the IP address is the relay's.
fn is_relayed(address: &Address) -> bool {
    address.multiaddr().into_iter().flatten().any(|part| matches!(part, Protocol::P2pCircuit))
}

/// What the visits of a run say of each peer together.
#[derive(Debug, Default)]
pub(crate) struct Verdicts(HashMap<PeerNumber, Verdict>);

/// What the visits of one peer say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Verdict {
    /// How many there were.
    pub(crate) visits: u32,
    /// Whether one of them reached it.
    pub(crate) reachable: bool,
    /// Why it is not called down, by its last visit.
    pub(crate) nat: Option<NatClass>,
}

impl Verdicts {
    /// Reads all visits.
    pub(crate) fn read(store: &Store, run: RunId) -> Result<Self, store::Error> {
        let mut verdicts = Self::default();
        for visit in store.visits(run)? {
            verdicts.add(&visit?);
        }
        Ok(verdicts)
    }

    fn add(&mut self, visit: &Visit) {
        let verdict = self.0.entry(visit.peer).or_default();
        verdict.visits = verdict.visits.saturating_add(1);
        verdict.reachable |= visit.is_reachable();
        verdict.nat = if verdict.reachable { None } else { NatClass::of(visit) };
    }

    /// Of one peer. Without visits it is unknown whether it can be reached.
    pub(crate) fn of(&self, peer: PeerNumber) -> Verdict {
        self.0.get(&peer).copied().unwrap_or_default()
    }
}
