//! The truth of a world whose peers come and go, at the moment when its life begins.

use std::borrow::Cow;

use serde::Serialize;

use super::{Expected, Truth, expected::absent};
use crate::{
    World,
    life::{HostPlace, Life, Presence},
};

/// How a peer comes and goes. Its JSON is a part of its entry in the truth file.
#[derive(Debug, Clone, Serialize)]
pub struct LifeTruth<'a> {
    /// The name of its class.
    pub class: &'a str,
    /// What who dials it meets while it is down: `refused`, `dropped` or `unreachable`.
    pub absence: &'static str,
    /// The ids of its host, itself among them, of which at most one is up.
    pub ids: Vec<String>,
    /// The addresses at each of its host's places.
    pub places: Vec<Vec<String>>,
    /// Whether it is up when life begins.
    pub up: bool,
    /// Since when it has been up or down then, in seconds of life; 0 or less, `null` if it never was there.
    pub since_s: Option<f64>,
    /// Where it is then, or was last: a position in `places`.
    pub place: u8,
}

/// Where a peer is at the start; `None` if it is down.
pub(super) fn place(start: Option<&Life>, peer: u32) -> Option<HostPlace> {
    match start.and_then(|life| life.presence(peer)) {
        Some(presence) => presence.place(),
        None => Some(HostPlace(0)),
    }
}

/// A peer's table at the start: whom it names, and where.
pub(super) fn table(world: &World, start: Option<&Life>, peer: u32) -> Vec<(u32, HostPlace)> {
    match start {
        Some(life) => life.neighbors(peer),
        None => world.neighbors(peer).iter().map(|&other| (other, HostPlace(0))).collect(),
    }
}

impl Truth {
    /// Who is in the routing table of a peer; where peers come and go, when life begins.
    pub fn neighbors(&self, peer: u32) -> Cow<'_, [u32]> {
        match &self.start {
            Some(life) => Cow::Owned(life.neighbors(peer).into_iter().map(|(other, _)| other).collect()),
            None => Cow::Borrowed(self.world.neighbors(peer)),
        }
    }

    /// What an observer should say of a peer that comes and goes, when life begins; `None` for others, and for one that
    /// is there.
    pub(super) fn expected_absence(&self, peer: u32) -> Option<Expected> {
        let presence = self.start.as_ref()?.presence(peer)?;
        let is_found = presence.is_up() && self.standing[peer as usize].located;
        let absence = self.world.cast.absence(peer).filter(|_| !is_found)?;
        Some(absent(absence, self.world.carrier(peer)))
    }

    /// How a peer comes and goes; `None` if it is always there.
    pub(super) fn life(&self, peer: u32) -> Option<LifeTruth<'_>> {
        let presence = self.start.as_ref()?.presence(peer)?;
        let class = self.world.life_class(peer)?;
        let ids = self.world.siblings(peer).unwrap_or_default();
        let text = |place| {
            let addresses = self.world.addresses_at(peer, place);
            addresses.iter().map(ToString::to_string).collect()
        };
        Some(LifeTruth {
            class: &class.name,
            absence: class.absence.name(),
            ids: ids.iter().map(|&id| self.world.peer_id(id).to_base58()).collect(),
            places: (0..self.world.places(peer)).map(HostPlace).map(text).collect(),
            up: presence.is_up(),
            since_s: (*presence != Presence::NEVER).then(|| presence.since().seconds()),
            place: presence.last.place.0,
        })
    }
}
