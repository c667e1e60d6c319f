//! All sources together: what they say of an IP, and which they are.

use std::net::IpAddr;

use schema::CloudEvidence;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    Clouds, DatabaseFact, DatabaseInfo, PlaceDatabase, SourceError,
    database::{Told, hexadecimal},
};

/// What all sources said of an IP: what is not there was said by none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The continent: `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`.
    pub continent: Option<String>,
    /// The country, by ISO 3166-1: two letters.
    pub country: Option<String>,
    /// The city, in English.
    pub city: Option<String>,
    /// The number of the autonomous system.
    pub asn: Option<u32>,
    /// Who has that number.
    pub organisation: Option<String>,
    /// The cloud whose it is.
    pub cloud: Option<String>,
    /// What says that it is the cloud's; there if that is.
    pub cloud_by: Option<CloudEvidence>,
}

impl Place {
    /// Whether any source said anything.
    pub fn is_found(&self) -> bool {
        *self != Self::default()
    }
}

/// A table or a list of clouds that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudFile {
    /// The file, as it was named; `None` for the table that comes with the project.
    pub file: Option<String>,
    /// Whose ranges it has, where that was said beside the file.
    pub name: Option<String>,
    /// The SHA-256 of it, in hexadecimal.
    pub sha256: String,
}

impl CloudFile {
    /// A table of these bytes.
    pub fn of(file: Option<&str>, bytes: &[u8]) -> Self {
        let sha256 = hexadecimal(&Sha256::digest(bytes));
        Self { file: file.map(str::to_owned), name: None, sha256 }
    }

    /// A list of these bytes, and whose ranges it has where that was said beside it.
    pub fn of_list(file: &str, name: Option<&str>, bytes: &[u8]) -> Self {
        Self { name: name.map(str::to_owned), ..Self::of(Some(file), bytes) }
    }
}

/// Which sources there are, as it is kept with what they said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceList {
    /// The databases, in the order in which they are asked.
    pub databases: Vec<DatabaseInfo>,
    /// The tables and lists of clouds.
    pub clouds: Vec<CloudFile>,
}

/// Databases, and what is known of clouds.
#[derive(Debug, Default)]
pub struct PlaceSources {
    /// Asked for the country first, then for the city, then for the network.
    databases: Vec<PlaceDatabase>,
    clouds: Clouds,
    cloud_files: Vec<CloudFile>,
}

impl PlaceSources {
    /// These databases, of which one that has more to say of something is asked for that first; and clouds by what stands in these files.
    pub fn new(mut databases: Vec<PlaceDatabase>, clouds: Clouds, cloud_files: Vec<CloudFile>) -> Self {
        databases.sort_by_key(|database| match database.info().fact {
            DatabaseFact::Country => 0,
            DatabaseFact::City => 1,
            DatabaseFact::Asn => 2,
        });
        Self { databases, clouds, cloud_files }
    }

    /// What they say of an IP. An IPv4 address inside an IPv6 address counts as itself. An error names a database whose record is none.
    pub fn place_of(&self, ip: IpAddr) -> Result<Place, SourceError> {
        let ip = ip.to_canonical();
        let mut place = Place::default();
        for database in &self.databases {
            place.take(database.info().fact, database.look_up(ip)?);
        }
        if let Some((cloud, by)) = self.clouds.cloud_of(ip, place.asn) {
            place.cloud = Some(cloud.to_owned());
            place.cloud_by = Some(by);
        }
        Ok(place)
    }

    /// Which they are.
    pub fn list(&self) -> SourceList {
        let databases = self.databases.iter().map(|database| database.info().clone()).collect();
        SourceList { databases, clouds: self.cloud_files.clone() }
    }

    /// A name for exactly these sources: the same files have the same one, whatever they are called. 64 hexadecimal digits.
    pub fn version(&self) -> String {
        let databases = self.databases.iter().map(|database| {
            let info = database.info();
            format!("{} {}\n", info.fact.name(), info.sha256)
        });
        let mut all: Vec<String> = databases.collect();
        // Of equal ranges in two lists the first counts, so their order is a part of what they say.
        all.extend(self.cloud_files.iter().map(|file| {
            let name = file.name.as_deref().unwrap_or_default();
            format!("clouds {} {name}\n", file.sha256)
        }));
        hexadecimal(&Sha256::digest(all.concat()))
    }
}

impl Place {
    /// Takes what a database said, as far as it was asked for it and nobody said it before.
    fn take(&mut self, fact: DatabaseFact, told: Told) {
        if fact == DatabaseFact::Asn {
            (self.asn, self.organisation) = (told.asn, told.organisation);
            return;
        }
        // Country and continent of one database go together: two that disagree are not mixed.
        if self.country.is_none() && self.continent.is_none() {
            (self.continent, self.country) = (told.continent, told.country);
        }
        if fact == DatabaseFact::City {
            self.city = told.city;
        }
    }
}
