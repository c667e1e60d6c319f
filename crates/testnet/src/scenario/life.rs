//! How the peers of a world come, go and return: the `[life]` table of a scenario.
//!
//! Only peers that are `online` and no bootstrap peers take part: faults stay as they are, and who hands a network out
//! is always there. How long sessions and absences last is a [`Law`] for each class of peers.

mod dates;
mod law;
mod outage;

use serde::Deserialize;

pub use self::{
    dates::{Departs, Night},
    law::Law,
    outage::{Cut, Outage},
};
use super::Share;

/// Everything in [`LifeTable`] that is a time is at most this many seconds: a week.
const MAX_FOLLOW_S: f64 = 604_800.0;

/// The fastest that a scenario may run: a day in a tenth of a second.
const MAX_SPEED: f64 = 1e6;

/// The most addresses that one host goes through.
pub const MAX_ADDRESSES: u8 = 16;

/// The most identities that one host goes through.
pub const MAX_IDS: u8 = 16;

/// The most classes of peers.
pub const MAX_CLASSES: usize = 64;

/// How peers come and go.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LifeTable {
    /// How many seconds of life pass in a second.
    pub speed: f64,
    /// Until a peer that came stands in the tables of others, in seconds of life: for each table another time,
    /// uniform from 0 to this.
    pub learn_s: f64,
    /// Until a peer that went is dropped from the tables of others, likewise. The default is the interval at which
    /// go-libp2p-kad-dht checks and refreshes its table (`RoutingTableRefreshPeriod`, ten minutes).
    pub forget_s: f64,
    /// Kinds of peers; who is in none of their shares is always up.
    pub classes: Vec<LifeClass>,
    /// Times in which the observer's own network is away, in their order. In virtual time only.
    pub outages: Vec<Outage>,
}

impl Default for LifeTable {
    fn default() -> Self {
        Self { speed: 1.0, learn_s: 60.0, forget_s: 600.0, classes: Vec::new(), outages: Vec::new() }
    }
}

/// Peers that come and go by the same laws.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifeClass {
    /// Its name, in the truth.
    pub name: String,
    /// The share of the peers that may take part.
    pub share: Share,
    /// How long a session lasts.
    pub up: Law,
    /// How long it is until the next one.
    pub down: Law,
    /// What who dials a peer that is down meets.
    #[serde(default)]
    pub absence: Absence,
    /// The probability that the end of a session is for good.
    #[serde(default)]
    pub leaves: Share,
    /// Peers that come for the first time later.
    #[serde(default)]
    pub enters: Enters,
    /// Peers that go for good all at one time.
    #[serde(default)]
    pub departs: Departs,
    /// Peers that are down at night.
    #[serde(default)]
    pub night: Night,
    /// Peers that return at another address.
    #[serde(default)]
    pub moves: Moves,
    /// Peers that return under another id.
    #[serde(default)]
    pub rotates: Rotates,
}

kad::named! {
    /// What who dials a peer that is down meets.
    #[derive(Default)]
    pub enum Absence: serde {
        /// The host refuses: the program has ended, the machine is there. Open connections are reset.
        #[default]
        Refused = "refused",
        /// Packets are dropped without a word, those of open connections too.
        Dropped = "dropped",
        /// A router says that the host cannot be reached. Open connections fall silent.
        Unreachable = "unreachable",
    }
}

/// Hosts that were never there before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enters {
    /// The share of the class that is not there at the start, and was not before.
    pub share: Share,
    /// They come within so many seconds of life, evenly.
    pub within_s: f64,
}

/// Hosts that change their address.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Moves {
    /// The probability that a return is at the host's next address.
    pub share: Share,
    /// How many addresses a host goes through, in a circle.
    pub addresses: u8,
}

impl Default for Moves {
    fn default() -> Self {
        Self { share: Share::default(), addresses: 1 }
    }
}

/// Hosts that change their peer id. Each id is one of the world's peers; at most one of a host is up.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rotates {
    /// The probability that a return is under the host's next id.
    pub share: Share,
    /// How many ids a host goes through, in a circle.
    pub ids: u8,
}

impl Default for Rotates {
    fn default() -> Self {
        Self { share: Share::default(), ids: 1 }
    }
}

impl LifeTable {
    /// Checks what single values cannot show: the offending key and what is wrong with it.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        // Not a number is in no range.
        if !(self.speed > 0.0 && self.speed <= MAX_SPEED) {
            return Err(("speed", format!("above 0 and at most {MAX_SPEED}, not {}", self.speed)));
        }
        for (key, seconds) in [("learn_s", self.learn_s), ("forget_s", self.forget_s)] {
            if !(0.0..=MAX_FOLLOW_S).contains(&seconds) {
                return Err((key, format!("from 0 to {MAX_FOLLOW_S} seconds, not {seconds}")));
            }
        }
        if self.classes.is_empty() && self.outages.is_empty() {
            let problem = "needs at least one table `[[life.classes]]`, or `[[life.outages]]`".to_owned();
            return Err(("life", problem));
        }
        outage::check(&self.outages).map_err(|problem| ("outages", problem))?;
        if self.classes.len() > MAX_CLASSES {
            return Err(("life", format!("at most {MAX_CLASSES} classes are allowed")));
        }
        let sum: f64 = self.classes.iter().map(|class| class.share.get()).sum();
        if sum > 1.0 + super::check::SLACK {
            let problem = format!("the shares of the classes add up to {sum}; at most 1 is allowed");
            return Err(("life", problem));
        }
        for (index, class) in self.classes.iter().enumerate() {
            if self.classes[..index].iter().any(|other| other.name == class.name) {
                return Err(("life", format!("the class `{}` is there twice", class.name)));
            }
            class.check()?;
        }
        Ok(())
    }
}

impl LifeClass {
    fn check(&self) -> Result<(), (&'static str, String)> {
        let Self { name, enters, moves, rotates, .. } = self;
        if enters.share.get() > 0.0 && !(enters.within_s > 0.0 && enters.within_s <= law::MAX_MEDIAN_S) {
            let problem = format!("`{name}` needs `within_s`, above 0 and at most {} s", law::MAX_MEDIAN_S);
            return Err(("enters", problem));
        }
        self.departs.check(name)?;
        self.night.check(name)?;
        circle("moves", "addresses", (moves.share, moves.addresses), MAX_ADDRESSES)?;
        circle("rotates", "ids", (rotates.share, rotates.ids), MAX_IDS)
    }
}

/// Whoever goes around needs two places to be, and nobody may have too many.
fn circle(
    key: &'static str,
    count: &str,
    (share, places): (Share, u8),
    max: u8,
) -> Result<(), (&'static str, String)> {
    let least = if share.get() > 0.0 { 2 } else { 1 };
    if (least..=max).contains(&places) {
        return Ok(());
    }
    Err((key, format!("`{count}` is a number from {least} to {max} here, not {places}")))
}
