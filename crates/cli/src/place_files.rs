//! The files that say where addresses are: named on the command line, read and verified before anything begins.

use std::path::{Path, PathBuf};

use clap::Args;
use places::{CloudFile, Clouds, DatabaseFact, PlaceDatabase, PlaceSources, SourceError};

use crate::{args::RangesFile, exit::Failed, input, outputs::InUse};

/// The longest database that is read, in bytes: those of everything have some hundred million.
const MAX_DATABASE_BYTES: u64 = 4 << 30;

/// The longest table or list of clouds that is read, in bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// Which files.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where addresses are")]
pub(crate) struct PlaceFileArgs {
    /// A database of cities (.mmdb): GeoLite2-City, GeoIP2-City, DBIP-City
    #[arg(long, env = "KADSCOPE_PLACES_CITY", value_name = "FILE")]
    pub(crate) city: Option<PathBuf>,

    /// A database of countries, which is asked for the country first: GeoLite2-Country, GeoIP2-Country, DBIP-Country
    #[arg(long, env = "KADSCOPE_PLACES_COUNTRY", value_name = "FILE")]
    pub(crate) country: Option<PathBuf>,

    /// A database of networks: GeoLite2-ASN, GeoIP2-ISP, DBIP-ASN
    #[arg(long, env = "KADSCOPE_PLACES_ASN", value_name = "FILE")]
    pub(crate) asn: Option<PathBuf>,

    /// A table of whose networks are clouds', in the place of the one that comes with kadscope: lines `AS64496 name` or `192.0.2.0/24 name`
    #[arg(long, env = "KADSCOPE_PLACES_CLOUDS", value_name = "FILE")]
    pub(crate) clouds: Option<PathBuf>,

    /// A list of ranges that a provider publishes: of AWS, Google, Azure or Oracle as it is; any other (lines of
    /// ranges, geofeeds) with whose it is. May be given several times
    #[arg(long, env = "KADSCOPE_PLACES_RANGES", value_name = "[NAME=]FILE", value_delimiter = ',', value_parser = RangesFile::parse)]
    pub(crate) ranges: Vec<RangesFile>,
}

impl PlaceFileArgs {
    /// Whether there is anything to look up in.
    pub(crate) const fn is_empty(&self) -> bool {
        self.city.is_none()
            && self.country.is_none()
            && self.asn.is_none()
            && self.clouds.is_none()
            && self.ranges.is_empty()
    }

    /// Remembers what is read: nothing may be written there.
    pub(crate) fn note_inputs(&self, in_use: &mut InUse) {
        let databases = [&self.city, &self.country, &self.asn, &self.clouds].into_iter().flatten();
        for path in databases.chain(self.ranges.iter().map(|list| &list.path)) {
            in_use.read("a file of places", path);
        }
    }

    /// Reads all of them; an error names the one that cannot be used, and says what to do. Takes seconds for large ones.
    pub(crate) fn load(&self) -> Result<PlaceSources, Failed> {
        let wanted = [
            (&self.country, DatabaseFact::Country),
            (&self.city, DatabaseFact::City),
            (&self.asn, DatabaseFact::Asn),
        ];
        let mut databases = Vec::new();
        for (path, fact) in wanted {
            let Some(path) = path else { continue };
            let bytes = input::read_bytes(path, "the database", MAX_DATABASE_BYTES)?;
            databases.push(PlaceDatabase::open(&named(path), bytes, fact).map_err(unusable)?);
        }
        let (clouds, files) = self.clouds()?;
        Ok(PlaceSources::new(databases, clouds, files))
    }

    fn clouds(&self) -> Result<(Clouds, Vec<CloudFile>), Failed> {
        let (mut clouds, mut files) = match &self.clouds {
            None => {
                let shipped = Clouds::shipped().map_err(unusable)?;
                (shipped, vec![CloudFile::of(None, Clouds::shipped_bytes())])
            }
            Some(path) => {
                let text = input::read(path, "the table of clouds", MAX_LIST_BYTES)?;
                let table = Clouds::parse(&named(path), &text).map_err(unusable)?;
                (table, vec![CloudFile::of(Some(&named(path)), text.as_bytes())])
            }
        };
        for RangesFile { name, path } in &self.ranges {
            let bytes = input::read_bytes(path, "the ranges", MAX_LIST_BYTES)?;
            clouds = clouds.with_list(&named(path), name.as_deref(), &bytes).map_err(unusable)?;
            files.push(CloudFile::of_list(&named(path), name.as_deref(), &bytes));
        }
        Ok((clouds, files))
    }
}

fn named(path: &Path) -> String {
    path.display().to_string()
}

#[expect(clippy::needless_pass_by_value, reason = "it is what becomes of an error")]
fn unusable(error: SourceError) -> Failed {
    Failed::usage(error.to_string())
}
