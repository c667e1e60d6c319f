//! For which share of a period a peer was up, and `ProbeLab`'s classes by it.
//!
//! `ProbeLab`, "IPFS Amino DHT" (probelab.io): online from 80 % of the period on, mostly online from 40, mostly offline from 10, else offline.

use schema::Timestamp;
use serde::Serialize;

use crate::{
    period::Watched,
    stay::{SeenStay, StayEnd, seconds},
};

kad::named! {
    /// How much of a period a peer was up.
    pub enum AvailabilityClass: serde {
        /// At least 80 %.
        Online = "online",
        /// At least 40 %.
        MostlyOnline = "mostly_online",
        /// At least 10 %.
        MostlyOffline = "mostly_offline",
        /// Less.
        Offline = "offline",
    }
}

impl AvailabilityClass {
    /// The class of a share, 0 to 1.
    pub fn of(share: f64) -> Self {
        match share {
            _ if share >= 0.8 => Self::Online,
            _ if share >= 0.4 => Self::MostlyOnline,
            _ if share >= 0.1 => Self::MostlyOffline,
            _ => Self::Offline,
        }
    }
}

/// The share of a period for which a peer was up, as far as looks say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct UpShare {
    /// Between successful looks alone.
    pub at_least: f64,
    /// With all that looks leave open before and after.
    pub at_most: f64,
    /// Half of that.
    pub share: f64,
}

impl UpShare {
    /// Of the stays of one peer; `None` of a period that has no length.
    pub fn of(stays: &[SeenStay], watched: Watched) -> Option<Self> {
        let length = seconds(watched.from, watched.until);
        let sum = |span: fn(&SeenStay, Watched) -> [Timestamp; 2]| -> f64 {
            let within = stays.iter().map(|stay| {
                let [from, until] = span(stay, watched);
                seconds(from.max(watched.from), until.min(watched.until))
            });
            within.sum::<f64>() / length
        };
        let (at_least, at_most) = (sum(surely).min(1.0), sum(perhaps).min(1.0));
        (length > 0.0).then(|| Self { at_least, at_most, share: f64::midpoint(at_least, at_most) })
    }
}

fn surely(stay: &SeenStay, _: Watched) -> [Timestamp; 2] {
    [stay.came_by, stay.last_up]
}

/// A stay that is not over may have lasted until the last look of all.
fn perhaps(stay: &SeenStay, watched: Watched) -> [Timestamp; 2] {
    let until = match stay.end {
        None => watched.until,
        Some(StayEnd::GoneBy(at)) => at,
        Some(StayEnd::LostSight) => stay.last_up,
    };
    [stay.came_after.unwrap_or(stay.came_by), until]
}
