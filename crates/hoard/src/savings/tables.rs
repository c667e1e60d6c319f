//! The numbers as tables for people.

use estimate::{ClusteredValue, Proportion};
use figure::{
    PageTable,
    written::{self, within},
};

use super::{
    numbers::{AgeSavings, ChangeNumbers, SavingsSection, WayNumbers},
    replay::LookAgain,
};

impl SavingsSection {
    /// All tables, without those that have no rows.
    pub fn tables(&self) -> Vec<PageTable> {
        let all = [self.change_table(), self.way_table(), self.age_table(), self.interaction_table()];
        all.into_iter().filter(|table| !table.rows.is_empty()).collect()
    }

    /// What each change comes to where the caller walks again when it has no addresses.
    pub fn change_table(&self) -> PageTable {
        let row = |change: &ChangeNumbers| {
            let way = way(change, LookAgain::WithoutAddresses);
            vec![
                change.policy.replace('_', " "),
                kept(change.address_lifetime_s),
                share(Some(change.all.id_only)),
                value(way.and_then(|way| way.requests)),
                value(way.and_then(|way| way.mean_s)),
            ]
        };
        PageTable {
            caption: format!(
                "{} retrievals of {} keys, each under every change: second walks, requests, seconds",
                self.retrievals, self.keys
            ),
            head: owned(&["told by", "kept", "2nd walk %", "requests", "seconds"]),
            rows: self.changes.iter().map(row).collect(),
            numbers_from: 2,
        }
    }

    /// What it brings to walk again, as things are.
    pub fn way_table(&self) -> PageTable {
        let row = |way: &WayNumbers| {
            vec![
                again(way.look_again).to_owned(),
                share(Some(way.second_walk)),
                share(way.reached),
                value(way.requests),
                value(way.median_s),
            ]
        };
        let ways = self.changes.first().map(|change| change.all.ways.as_slice()).unwrap_or_default();
        PageTable {
            caption: "The first of them, by when the caller walks again".to_owned(),
            head: owned(&["walks again", "2nd walk %", "reached %", "requests", "median s"]),
            rows: ways.iter().map(row).collect(),
            numbers_from: 1,
        }
    }

    /// Who walks again by the age of the record, on addresses as they were given, by rule.
    pub fn age_table(&self) -> PageTable {
        let as_seen: Vec<&ChangeNumbers> =
            self.changes.iter().filter(|change| change.address_lifetime_s.is_none()).collect();
        // Retrievals of an age are under every change on addresses as they were given.
        let ages = as_seen.first().map(|change| change.ages.as_slice()).unwrap_or_default();
        let row = |(place, age): (usize, &AgeSavings)| {
            let mut row = vec![age.written(), written::count(age.numbers.n)];
            row.extend(
                as_seen.iter().map(|change| share(change.ages.get(place).map(|age| age.numbers.id_only))),
            );
            row
        };
        let mut head = owned(&["age", "n"]);
        head.extend(as_seen.iter().map(|change| change.policy.replace('_', " ")));
        PageTable {
            caption:
                "Walks that bring the id alone %, by the age of the record, on addresses as they were given"
                    .to_owned(),
            head,
            rows: ages.iter().enumerate().map(row).collect(),
            numbers_from: 1,
        }
    }

    /// Whether longer addresses save what telling again saves.
    pub fn interaction_table(&self) -> PageTable {
        let rows = self.interactions.iter().map(|found| {
            let shares = [found.neither, found.told_again, found.kept_longer, found.both];
            let mut row = vec![kept(Some(found.address_lifetime_s))];
            row.extend(shares.map(|one| share(Some(one))));
            row
        });
        PageTable {
            caption: "Second walks %, told again (PeerSet after) and with addresses kept longer".to_owned(),
            head: owned(&["kept", "neither", "told again", "kept longer", "both"]),
            rows: rows.collect(),
            numbers_from: 1,
        }
    }
}

impl AgeSavings {
    /// Which age, for people.
    pub(crate) fn written(&self) -> String {
        let from = written::elapsed(self.from_s as f64);
        match self.to_s {
            None => format!("over {from}"),
            Some(to) if self.from_s == 0 => format!("under {}", written::elapsed(to as f64)),
            Some(to) => format!("{from} to {}", written::elapsed(to as f64)),
        }
    }
}

fn way(change: &ChangeNumbers, look_again: LookAgain) -> Option<&WayNumbers> {
    change.all.ways.iter().find(|way| way.look_again == look_again)
}

/// How long servers give addresses.
fn kept(seconds: Option<u64>) -> String {
    match seconds {
        None => "as seen".to_owned(),
        Some(seconds) if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        Some(seconds) if seconds % 60 == 0 => format!("{} min", seconds / 60),
        Some(seconds) => format!("{seconds} s"),
    }
}

const fn again(look_again: LookAgain) -> &'static str {
    match look_again {
        LookAgain::Never => "never",
        LookAgain::WithoutAddresses => "no addresses",
        LookAgain::AfterFailedDial => "dial failed",
    }
}

/// In percent, with its interval: a terminal has room for whole ones.
fn share(share: Option<Proportion>) -> String {
    let percent = |part: f64| format!("{:.0}", part * 100.0);
    share.map_or_else(
        || "–".to_owned(),
        |share| within(Some(share.share), [share.low, share.high].map(Some), percent),
    )
}

/// A number with its interval, to three digits.
fn value(value: Option<ClusteredValue>) -> String {
    match value {
        Some(ClusteredValue { value: Some(number), low, high, .. }) => {
            within(Some(number), [low, high], digits)
        }
        _ => "–".to_owned(),
    }
}

fn digits(value: f64) -> String {
    match value.abs() {
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
