//! What estimates of many lives need of each holder: a few numbers, whatever the rounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use estimate::Bracketed;
use kad::PeerId;
use places::Clouds;

use super::{
    agents::program_of,
    aspects::{LifeAspect, Lifespan},
    census::{HolderCounts, RoundTally},
    history::{HolderLife, LifeSight},
};

/// Of a holder none of whose addresses has an IP, and of one that is in no range.
const NO_ADDRESS: &str = "no address";
const NO_CLOUD: &str = "no cloud";

/// One holder of one key, before its sights.
#[derive(Debug, Clone, Copy)]
pub struct LifeHolder<'a> {
    /// Who it is.
    pub peer: &'a PeerId,
    /// Its place among those chosen for the key, 1 the closest.
    pub rank: u32,
    /// Its agent version; `None` where it gave none.
    pub agent: Option<&'a str>,
    /// The IPs of its first addresses.
    pub ips: &'a [IpAddr],
    /// When the record was sent to it, since publication began; `None` where it was not.
    pub sent: Option<Duration>,
}

/// One holder of one key, with its life.
#[derive(Debug, Clone, Copy)]
pub(super) struct LifeRow {
    pub(super) arm: u32,
    pub(super) key: u32,
    pub(super) peer: u32,
    pub(super) program: u32,
    pub(super) cloud: u32,
    pub(super) rank: u32,
    pub(super) sent: Option<Duration>,
    pub(super) closed: Option<Duration>,
    pub(super) life: HolderLife,
}

/// Many holders of many keys, from which a [`LifeSection`](super::LifeSection) is made.
#[derive(Debug, Default)]
pub struct LifeRows {
    pub(super) rows: Vec<LifeRow>,
    pub(super) arms: Names,
    pub(super) keys: Names,
    pub(super) programs: Names,
    pub(super) clouds: Names,
    pub(super) rounds: BTreeMap<(u32, u32), RoundTally>,
    peers: BTreeMap<PeerId, u32>,
    ranges: Clouds,
}

/// A key of an arm whose holders come next.
#[derive(Debug)]
pub struct LifeKey<'a> {
    rows: &'a mut LifeRows,
    arm: u32,
    key: u32,
    closed: Option<Duration>,
    counts: BTreeMap<u32, HolderCounts>,
}

/// Names that are numbered as they come.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<Vec<u8>, u32>,
    list: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.to_vec(), number);
        self.list.push(String::from_utf8_lossy(name).into_owned());
        number
    }

    pub(super) fn name(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|index| self.list.get(index)).map_or("", String::as_str)
    }
}

impl LifeRows {
    /// None yet; where holders are is told by these ranges.
    pub fn new(ranges: Clouds) -> Self {
        Self { ranges, ..Self::default() }
    }

    /// A key of an arm: when its publisher hung up, since publication began; `None` if it stays.
    pub fn key(&mut self, arm: &str, key: &[u8], closed: Option<Duration>) -> LifeKey<'_> {
        let (arm, key) = (self.arms.number(arm.as_bytes()), self.keys.number(key));
        LifeKey { rows: self, arm, key, closed, counts: BTreeMap::new() }
    }

    /// How long an aspect lasted with each holder with which it began, as far as sights say.
    pub fn lifespans(&self, aspect: LifeAspect) -> impl Iterator<Item = Lifespan> {
        self.rows.iter().filter_map(move |row| row.life.lifespan(aspect))
    }

    /// The arms that have holders.
    pub(super) fn arms(&self) -> BTreeSet<u32> {
        self.rows.iter().map(|row| row.arm).collect()
    }

    fn peer(&mut self, peer: &PeerId) -> u32 {
        let next = u32::try_from(self.peers.len()).unwrap_or(u32::MAX);
        *self.peers.entry(*peer).or_insert(next)
    }

    fn cloud(&mut self, ips: &[IpAddr]) -> u32 {
        let name = match ips {
            // Without ranges there is nothing to tell apart.
            _ if self.ranges.is_empty() => NO_CLOUD,
            [] => NO_ADDRESS,
            ips => ips.iter().find_map(|ip| self.ranges.name_of(*ip)).unwrap_or(NO_CLOUD),
        };
        self.clouds.number(name.as_bytes())
    }
}

impl LifeKey<'_> {
    /// One of its holders, with its sights in the order of time.
    pub fn holder(&mut self, holder: &LifeHolder<'_>, sights: impl Iterator<Item = LifeSight> + Clone) {
        for sight in sights.clone() {
            self.counts.entry(sight.round).or_default().see(&sight);
        }
        let rows = &mut *self.rows;
        let row = LifeRow {
            arm: self.arm,
            key: self.key,
            peer: rows.peer(holder.peer),
            program: rows.programs.number(program_of(holder.agent).as_bytes()),
            cloud: rows.cloud(holder.ips),
            rank: holder.rank,
            sent: holder.sent,
            closed: self.closed,
            life: HolderLife::of(holder.sent, sights),
        };
        rows.rows.push(row);
    }

    /// That was all of them: its rounds count.
    pub fn done(self) {
        for (round, counts) in self.counts {
            self.rows.rounds.entry((self.arm, round)).or_default().add(&counts);
        }
    }
}

impl LifeRow {
    /// How long an aspect lasted, in seconds since publication began.
    pub(super) fn bracketed(&self, aspect: LifeAspect) -> Option<Bracketed> {
        Some(self.life.lifespan(aspect)?.since(Duration::ZERO, self.peer))
    }
}
