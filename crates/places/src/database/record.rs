//! What a record of a database says, in the layouts of `GeoLite2`, `GeoIP2` and DB-IP: those parts that are kept.

use serde::Deserialize;

use super::cut;

/// The longest text that is kept of a record, in bytes: names of cities and organisations.
const MAX_TEXT_BYTES: usize = 256;

/// A record, as far as it is read. Layouts differ in which parts are there, and not in what they are called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    city: City<'a>,
    #[serde(borrow)]
    continent: Continent<'a>,
    #[serde(borrow)]
    country: Country<'a>,
    /// Where databases of everything have the network.
    #[serde(borrow)]
    traits: Traits<'a>,
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct City<'a> {
    #[serde(borrow)]
    names: Names<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Continent<'a> {
    code: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Country<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    en: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Traits<'a> {
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<&'a str>,
}

/// What a database said of an IP: what is not there was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The continent: `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`.
    pub(crate) continent: Option<String>,
    /// The country, by ISO 3166-1: two letters. Not where the address is registered.
    pub(crate) country: Option<String>,
    /// The city, in English.
    pub(crate) city: Option<String>,
    /// The number of the autonomous system.
    pub(crate) asn: Option<u32>,
    /// Who has that number.
    pub(crate) organisation: Option<String>,
}

impl From<Record<'_>> for Told {
    fn from(record: Record<'_>) -> Self {
        let Record { city, continent, country, traits, .. } = record;
        let asn = record.autonomous_system_number.or(traits.autonomous_system_number);
        let organisation = record.autonomous_system_organization.or(traits.autonomous_system_organization);
        Self {
            continent: text(continent.code),
            country: text(country.iso_code),
            city: text(city.names.en),
            asn,
            organisation: text(organisation),
        }
    }
}

/// An empty text says nothing.
fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(|text| cut(text, MAX_TEXT_BYTES).to_owned())
}
