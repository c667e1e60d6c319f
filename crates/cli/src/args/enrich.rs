//! What is looked up of addresses, and in which files.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use store::StoreUrl;

use super::{DEFAULT_STORE, store_url};
use crate::place_files::PlaceFileArgs;

/// Of which store, by what, and what to print.
#[derive(Debug, Args)]
pub(crate) struct EnrichArgs {
    #[command(flatten)]
    pub(crate) files: PlaceFileArgs,

    /// Ask where names (`/dns4/NAME/...`) lead, too: by the name servers of this machine
    #[arg(long, env = "KADSCOPE_ENRICH_NAMES", help_heading = "Names")]
    pub(crate) names: bool,

    /// Ask this name server instead
    #[arg(
        long,
        env = "KADSCOPE_ENRICH_NAME_SERVER",
        value_name = "IP:PORT",
        requires = "names",
        help_heading = "Names"
    )]
    pub(crate) name_server: Option<SocketAddr>,

    /// The store whose addresses are looked up, and where the result is kept: an SQLite file (sqlite:PATH, or a path ending in .sqlite,
    /// .sqlite3 or .db), or a database (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, help_heading = "Output",
          value_parser = store_url)]
    pub(crate) store: StoreUrl,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,
}

/// A list of ranges, and whose they are where that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RangesFile {
    /// Whose; `None` where the list says it itself.
    pub(crate) name: Option<String>,
    /// Where the list is.
    pub(crate) path: PathBuf,
}

impl RangesFile {
    /// `NAME=FILE` or `FILE`. A file whose own name has a `=` in it is given as `./FILE`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !name.contains('/') => (Some(name.trim()), path),
            _ => (None, text),
        };
        if path.is_empty() || name.is_some_and(str::is_empty) {
            return Err("say NAME=FILE, or FILE".to_owned());
        }
        Ok(Self { name: name.map(str::to_owned), path: path.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_file_with_a_name_or_without() {
        let file =
            |name: Option<&str>, path: &str| RangesFile { name: name.map(str::to_owned), path: path.into() };
        for (text, read) in [
            ("a.json", file(None, "a.json")),
            ("cloudflare=ips-v4", file(Some("cloudflare"), "ips-v4")),
            ("my cloud=/a=b", file(Some("my cloud"), "/a=b")),
            ("./a=b", file(None, "./a=b")),
        ] {
            assert_eq!(RangesFile::parse(text), Ok(read));
        }
        for wrong in ["", "=", "a=", "=a"] {
            assert!(RangesFile::parse(wrong).is_err(), "{wrong}");
        }
    }
}
