//! Sessions and days once more, from what a store kept: what a monitor should have said, and what it goes on with after a kill.
//!
//! The fold is pure; [`NetworkHistory`] gives it what it folds, in order; [`recall`](fn@recall) is what a monitor goes on with, and
//! [`compare_sessions`] says where rows differ from it. What a look says, and what follows from it, is decided where it is for a monitor that runs.

mod compare;
mod history;
mod kept;
mod recall;
mod scope;

use kad::{Multiaddr, PeerId};
use schema::{ObserverGap, PeerDay, PeerNumber, SeenSession, Timestamp};

pub use self::{
    compare::{ComparedSessions, SessionCheck, SessionDifference, compare_sessions},
    history::{NetworkHistory, PastSight},
    recall::{Recalled, recall},
    scope::{APART, MonitorScope},
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
        Self::since(rules, max_peers, Timestamp(i64::MIN))
    }

    /// The same, in which days before that of a moment are not counted.
    pub fn since(rules: SessionRules, max_peers: usize, first_day: Timestamp) -> Self {
        let days = DayBook::since(first_day);
        Self { rules, book: PeerTable::new(max_peers), uptimes: Vec::new(), days }
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
        self.place(peer, places, None);
        let number = self.book.find(peer)?;
        let uptime = self.uptimes.get_mut(number.0 as usize)?;
        let before = *uptime;
        let change = uptime.looked(look, &self.rules);
        self.days.looked(number, &before, look, &change);
        Some(change)
    }

    /// The same of whatever a history says; a look's change, with whom it was at.
    pub fn saw(&mut self, sight: &PastSight) -> Option<(PeerId, SessionChange)> {
        match sight {
            PastSight::Gap(gap) => self.gap(gap),
            PastSight::Stood(peer, uptime) => self.place(peer, &[], Some(*uptime)),
            PastSight::Place(peer, places) => self.place(peer, places, None),
            PastSight::Look { peer, look, places } => return Some((*peer, self.looked(peer, look, places)?)),
        }
        None
    }

    /// Where a peer is to be looked for, or how it stood; passed over if there is no room.
    fn place(&mut self, peer: &PeerId, places: &[Multiaddr], stood: Option<PeerUptime>) {
        let Some((number, is_new)) = self.book.take_in(peer) else { return };
        if is_new {
            self.uptimes.push(PeerUptime::new());
        }
        let known = self.book.addresses(number);
        self.book.set_addresses(number, places.iter().chain(&known));
        if let Some((uptime, stood)) = self.uptimes.get_mut(number.0 as usize).zip(stood) {
            *uptime = stood;
        }
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
