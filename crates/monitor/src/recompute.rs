//! Sessions and days once more, from what a store kept: what a monitor should have said, and what it goes on with after a kill.
//!
//! The fold is pure; [`NetworkHistory`] gives it what it folds, in order, and [`compare_sessions`] says where rows differ from it. What a look says, and
//! what follows from it, is decided where it is for a monitor that runs.

mod compare;
mod history;

use kad::{Multiaddr, PeerId};
use schema::{ObserverGap, PeerDay, PeerNumber, SeenSession};

pub use self::{
    compare::{SessionCheck, SessionDifference, compare_sessions},
    history::{NetworkHistory, PastSight},
};
use crate::{
    days::DayBook,
    evidence::PeerLook,
    known::PeerTable,
    running::RememberedPeer,
    session::{PeerUptime, SessionChange, SessionRules},
};

/// Folds all that was seen into the sessions and days of every peer.
#[derive(Debug)]
pub struct Recomputation {
    rules: SessionRules,
    book: PeerTable,
    uptimes: Vec<PeerUptime>,
    days: DayBook,
}

impl Recomputation {
    /// Of nothing yet, and of so many peers at most: what is seen of others is passed over.
    pub fn new(rules: SessionRules, max_peers: usize) -> Self {
        Self { rules, book: PeerTable::new(max_peers), uptimes: Vec::new(), days: DayBook::default() }
    }

    /// The observer did not see for a while. Gaps come before the looks that ended when they did, or later.
    pub fn gap(&mut self, gap: &ObserverGap) {
        self.days.gap(*gap);
        for uptime in &mut self.uptimes {
            uptime.gap(gap);
        }
    }

    /// A peer was looked at; where it is to be looked for since. Looks come in their [order](PeerLook::order), and say what they say beside
    /// the observer's gaps. `None` if there is no room for the peer.
    pub fn looked(&mut self, peer: &PeerId, look: &PeerLook, places: &[Multiaddr]) -> Option<SessionChange> {
        let (number, is_new) = self.book.take_in(peer)?;
        if is_new {
            self.uptimes.push(PeerUptime::new());
        }
        let known = self.book.addresses(number);
        self.book.set_addresses(number, places.iter().chain(&known));
        let uptime = self.uptimes.get_mut(number.0 as usize)?;
        let before = *uptime;
        let change = uptime.looked(look, &self.rules);
        self.days.looked(number, &before, look, &change);
        Some(change)
    }

    /// Takes the days that were counted so far, with whose each is.
    pub fn take_days(&mut self) -> impl Iterator<Item = (PeerId, PeerDay)> {
        let book = &self.book;
        self.days.take().filter_map(|day| Some((book.id(day.peer)?, day)))
    }

    /// The sessions that are open.
    pub fn open(&self) -> impl Iterator<Item = (PeerId, SeenSession)> {
        self.known().filter_map(|(id, _, uptime)| Some((id, uptime.session(&self.rules)?)))
    }

    /// Everybody, to go on with.
    pub fn into_known(self) -> Vec<RememberedPeer> {
        let known = self.known();
        known
            .map(|(id, number, uptime)| RememberedPeer {
                id,
                addresses: self.book.addresses(number),
                uptime: *uptime,
            })
            .collect()
    }

    fn known(&self) -> impl Iterator<Item = (PeerId, PeerNumber, &PeerUptime)> {
        let numbers = (0..).map(PeerNumber);
        numbers
            .zip(&self.uptimes)
            .filter_map(|(number, uptime)| Some((self.book.id(number)?, number, uptime)))
    }
}

#[cfg(test)]
mod tests;
