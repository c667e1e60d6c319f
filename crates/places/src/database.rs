//! One file in the format of `MaxMind`'s databases, whoever made it: what it says of an IP.
//!
//! A file is read whole and verified before the first look into it, so that a broken one is refused by name and not met halfway. The
//! format is read by the crate of the format's own maintainer, from memory and without maps of files that others may change.

mod record;

use std::net::IpAddr;

use maxminddb::{MaxMindDbError, Reader};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use self::record::Record;
pub(crate) use self::record::Told;
use crate::SourceError;

/// What stands before the metadata, in the last part of a file. Source: `MaxMind` DB File Format Specification 2.0, "Database Metadata".
const METADATA_MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// In how many bytes at the end of a file the metadata are looked for. Source: as above.
const METADATA_WITHIN_BYTES: usize = 128 * 1024;

/// How packed files begin: gzip, zip, bzip2, xz.
const PACKED: [&[u8]; 4] = [&[0x1f, 0x8b], b"PK\x03\x04", b"BZh", b"\xfd7zXZ"];

/// The longest type of a database that is shown, in bytes.
const MAX_TYPE_BYTES: usize = 64;

kad::named! {
    /// What a database is asked for.
    pub enum DatabaseFact: serde {
        /// Country, continent and city.
        City = "city",
        /// Country and continent.
        Country = "country",
        /// The network: number and organisation.
        Asn = "asn",
    }
}

impl DatabaseFact {
    /// Which files say it.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::City => "take GeoLite2-City, GeoIP2-City, GeoIP2-Enterprise, DBIP-City or DBIP-Location",
            Self::Country => "take GeoLite2-Country, GeoIP2-Country, DBIP-Country, or a database of cities",
            Self::Asn => "take GeoLite2-ASN, GeoIP2-ISP, DBIP-ASN or DBIP-ISP",
        }
    }

    /// Whether databases of this type say it. Who lays a file out as another's says so: `DBIP-ASN-Lite (compat=GeoLite2-ASN)`.
    fn is_said_by(self, database_type: &str) -> bool {
        let compatible = database_type.split_once("compat=").map(|(_, layout)| layout.trim_end_matches(')'));
        let words: Vec<&str> = compatible.unwrap_or(database_type).split(['-', ' ']).collect();
        let has =
            |any: &[&str]| words.iter().any(|word| any.iter().any(|one| word.eq_ignore_ascii_case(one)));
        match self {
            Self::City => has(&["City", "Location", "Enterprise"]),
            Self::Country => has(&["Country", "City", "Location", "Enterprise"]),
            Self::Asn => has(&["ASN", "ISP", "Enterprise"]),
        }
    }
}

/// Which database a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatabaseInfo {
    /// What it was asked for.
    pub fact: DatabaseFact,
    /// The file, as it was named.
    pub file: String,
    /// What it says it is, cut to 64 bytes.
    pub database_type: String,
    /// When it was built, in seconds since 1970.
    pub built_at_s: u64,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// An open database.
#[derive(Debug)]
pub struct PlaceDatabase {
    reader: Reader<Vec<u8>>,
    info: DatabaseInfo,
}

impl PlaceDatabase {
    /// Reads and verifies a file of that name, which is asked for `fact` from now on.
    pub fn open(file: &str, bytes: Vec<u8>, fact: DatabaseFact) -> Result<Self, SourceError> {
        let damaged = |error: &MaxMindDbError| SourceError::Damaged {
            file: file.to_owned(),
            problem: error.to_string(),
        };
        refuse_foreign(file, &bytes)?;
        let sha256 = hexadecimal(&Sha256::digest(&bytes));
        let reader = Reader::from_source(bytes).map_err(|error| damaged(&error))?;
        let metadata = reader.metadata();
        let database_type = cut(&metadata.database_type, MAX_TYPE_BYTES).to_owned();
        if !fact.is_said_by(&metadata.database_type) {
            return Err(SourceError::OtherKind { file: file.to_owned(), database_type, wanted: fact });
        }
        reader.verify().map_err(|error| damaged(&error))?;
        let built_at_s = metadata.build_epoch;
        let info = DatabaseInfo { fact, file: file.to_owned(), database_type, built_at_s, sha256 };
        Ok(Self { reader, info })
    }

    /// Which it is.
    pub const fn info(&self) -> &DatabaseInfo {
        &self.info
    }

    /// What it says of an IP; nothing where it has no record.
    pub(crate) fn look_up(&self, ip: IpAddr) -> Result<Told, SourceError> {
        // One of IPv4 alone knows nothing of others.
        if ip.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok(Told::default());
        }
        let found = self.reader.lookup(ip).and_then(|found| found.decode::<Record<'_>>());
        let record = found.map_err(|error| SourceError::Damaged {
            file: self.info.file.clone(),
            problem: format!("the record of {ip}: {error}"),
        })?;
        Ok(record.map(Told::from).unwrap_or_default())
    }
}

fn refuse_foreign(file: &str, bytes: &[u8]) -> Result<(), SourceError> {
    let file = || file.to_owned();
    if bytes.is_empty() {
        return Err(SourceError::Empty { file: file() });
    }
    if PACKED.iter().any(|packed| bytes.starts_with(packed)) {
        return Err(SourceError::Compressed { file: file() });
    }
    let end = &bytes[bytes.len().saturating_sub(METADATA_WITHIN_BYTES)..];
    if !end.windows(METADATA_MARK.len()).any(|window| window == METADATA_MARK) {
        return Err(SourceError::NotADatabase { file: file() });
    }
    Ok(())
}

/// The first so many bytes of a text at most, whole characters of it.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rfind(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
