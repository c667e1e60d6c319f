//! Counts what was found of addresses.

use std::collections::HashMap;

use schema::{AddressKind, AddressPlace};

use super::{Enriched, PlaceShare};

/// How many countries and clouds are named.
const MOST_NAMED: usize = 10;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    addresses: u64,
    rows: u64,
    kinds: HashMap<AddressKind, u64>,
    located: u64,
    networks: u64,
    led_nowhere: u64,
    countries: HashMap<String, u64>,
    clouds: HashMap<String, u64>,
}

impl Tally {
    /// Counts the rows of so many addresses.
    pub(super) fn add(&mut self, addresses: u64, rows: &[AddressPlace]) {
        self.addresses += addresses;
        self.rows += rows.len() as u64;
        for row in rows {
            *self.kinds.entry(row.kind).or_default() += 1;
            self.located += u64::from(row.country.is_some());
            self.networks += u64::from(row.asn.is_some());
            self.led_nowhere += u64::from(row.name_error.is_some());
            count(&mut self.countries, row.country.as_deref());
            count(&mut self.clouds, row.cloud.as_deref());
        }
    }

    /// Writes it into a summary.
    pub(super) fn tell(self, enriched: &mut Enriched) {
        enriched.addresses = self.addresses;
        enriched.rows = self.rows;
        let kind = |kind: &AddressKind| (kind.name(), self.kinds.get(kind).copied().unwrap_or_default());
        enriched.kinds = AddressKind::ALL.iter().map(kind).collect();
        enriched.with_country = self.located;
        enriched.with_network = self.networks;
        enriched.with_cloud = self.clouds.values().sum();
        enriched.names_led_nowhere = self.led_nowhere;
        enriched.countries = named(self.countries);
        enriched.clouds = named(self.clouds);
    }
}

fn count(counts: &mut HashMap<String, u64>, name: Option<&str>) {
    let Some(name) = name else { return };
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

/// Those with most, then by name.
fn named(counts: HashMap<String, u64>) -> Vec<PlaceShare> {
    let mut all: Vec<PlaceShare> =
        counts.into_iter().map(|(name, addresses)| PlaceShare { name, addresses }).collect();
    all.sort_by(|one, other| other.addresses.cmp(&one.addresses).then_with(|| one.name.cmp(&other.name)));
    all.truncate(MOST_NAMED);
    all
}
