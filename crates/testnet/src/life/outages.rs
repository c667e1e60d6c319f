//! The times in which the observer's network is away, as moments of life.

use std::time::Duration;

use super::Moment;
use crate::{
    World,
    scenario::life::{Cut, Outage},
};

/// A time in which nothing passes between the observer's region and the rest of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Away {
    /// When it begins.
    pub from: Moment,
    /// When it is over.
    pub until: Moment,
    /// What dials meet meanwhile.
    pub cut: Cut,
}

impl Away {
    /// Whether it has a part in an interval, whose ends belong to it.
    pub fn touches(&self, from: Moment, to: Moment) -> bool {
        self.from <= to && from < self.until
    }

    /// Whether it lasts throughout an interval.
    pub fn covers(&self, from: Moment, to: Moment) -> bool {
        self.from <= from && to < self.until
    }
}

impl World {
    /// When the observer's network is away, the earliest first.
    pub fn outages(&self) -> impl Iterator<Item = Away> {
        let outages = self.scenario().life.iter().flat_map(|life| &life.outages);
        outages.map(|&Outage { from_s, lasts_s, dials }| {
            let [from, lasts] = [from_s, lasts_s].map(Duration::from_secs_f64);
            let from = Moment::at(from);
            Away { from, until: from.after(lasts), cut: dials }
        })
    }
}
