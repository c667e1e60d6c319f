//! What can be looked up, and how.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kad::{
    lookup::{LookupKind, Rules},
    written::WrittenKey,
};
use serde_json::json;

use crate::{keeping::KeepArgs, reach::ReachArgs};

/// The most peers or providers that can be asked for.
const MOST: u64 = 1000;

/// What to look up, by which rules, and what to print.
#[derive(Debug, Args)]
pub(crate) struct LookupArgs {
    /// What to look for
    #[arg(value_name = "WHAT", value_enum)]
    pub(crate) what: What,

    /// The key: a CID of any version, a multihash, a peer id in any form, /ipns/NAME, /pk/ID or bytes in hexadecimal
    #[arg(value_name = "KEY", value_parser = typed)]
    pub(crate) key: TypedKey,

    /// How many: closest peers [default: 20], or providers or values after which it stops
    #[arg(long, env = "KADSCOPE_LOOKUP_COUNT", value_name = "N", help_heading = "Lookup",
          value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub(crate) count: Option<u64>,

    /// When there is enough [default: all, or count where --count is given]
    #[arg(long, env = "KADSCOPE_LOOKUP_UNTIL", value_name = "WHEN", value_enum, help_heading = "Lookup")]
    pub(crate) until: Option<Until>,

    /// By which rules it is decided whom to ask
    #[arg(long, env = "KADSCOPE_LOOKUP_RULES", value_name = "RULES", default_value = "go", help_heading = "Lookup",
          value_parser = named_rules)]
    pub(crate) rules: Rules,

    /// Dial each provider, too, and ask it for the block: whether the content can be retrieved, and if not, why
    #[arg(long, env = "KADSCOPE_LOOKUP_DIAL", help_heading = "Lookup")]
    pub(crate) dial: bool,

    /// Root certificates (PEM) by which providers over HTTPS are verified [default: the system's]
    #[arg(long, env = "KADSCOPE_TLS_ROOTS", value_name = "FILE", help_heading = "Network")]
    pub(crate) tls_roots: Option<PathBuf>,

    /// Write a row for each request: a file of JSON, one object a line, or - for stdout
    #[arg(long, env = "KADSCOPE_LOOKUP_TRACE", value_name = "FILE", help_heading = "Output")]
    pub(crate) trace: Option<PathBuf>,

    /// Replace a file at the place of the trace that is none
    #[arg(long, env = "KADSCOPE_FORCE", help_heading = "Output")]
    pub(crate) force: bool,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) keep: KeepArgs,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

impl LookupArgs {
    /// What was asked for, as it is kept with a run.
    pub(crate) fn parameters(&self) -> serde_json::Value {
        let named = |until: Until| Some(until.to_possible_value()?.get_name().to_owned());
        json!({
            "kind": LookupKind::from(self.what).name(),
            "key": self.key.text,
            "count": self.count,
            "until": self.until.and_then(named),
            "rules": Rules::NAMED.iter().find(|(_, rules)| *rules == self.rules).map(|(name, _)| name),
            "dial": self.dial,
        })
    }
}

/// A key as it was typed.
#[derive(Debug, Clone)]
pub(crate) struct TypedKey {
    /// The text.
    pub(crate) text: String,
    /// What it means.
    pub(crate) key: WrittenKey,
}

pub(super) fn typed(text: &str) -> Result<TypedKey, kad::written::BadKey> {
    Ok(TypedKey { text: text.trim().to_owned(), key: text.parse()? })
}

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// The peers closest to a key
    Closest,
    /// Where a peer is
    Peer,
    /// Who provides content
    Providers,
    /// What stands under a name
    Value,
}

impl From<What> for LookupKind {
    fn from(what: What) -> Self {
        match what {
            What::Closest => Self::Closest,
            What::Peer => Self::Peer,
            What::Providers => Self::Providers,
            What::Value => Self::Value,
        }
    }
}

/// When there is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Until {
    /// With the first provider or value
    First,
    /// With as many as --count says
    Count,
    /// When everybody was asked whom the rules ask
    All,
}

fn named_rules(text: &str) -> Result<Rules, String> {
    let found = Rules::NAMED.iter().find(|(name, _)| *name == text);
    found.map(|&(_, rules)| rules).ok_or_else(|| {
        let names: Vec<&str> = Rules::NAMED.iter().map(|(name, _)| *name).collect();
        format!("there are no such rules; known are {}", names.join(", "))
    })
}
