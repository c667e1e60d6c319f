//! What can be provided, and how.

use std::time::Duration;

use clap::Args;
use kad::Multiaddr;
use serde_json::json;

use super::{List, ListParser, TypedKey, WatchArgs, lookup::typed};
use crate::{keeping::KeepArgs, reach::ReachArgs};

/// What to provide, from where, and what to print.
#[derive(Debug, Args)]
pub(crate) struct ProvideArgs {
    /// What to provide: CIDs of any version, or multihashes
    #[arg(value_name = "CID", required = true, value_parser = typed)]
    pub(crate) keys: Vec<TypedKey>,

    /// Ask each peer that was sent a record for it again, for up to 5 s, and say who really has it
    #[arg(long, env = "KADSCOPE_PROVIDE_READ_BACK", help_heading = "Provide")]
    pub(crate) read_back: bool,

    /// Stay reachable as the provider for so long [default: leave at once; nobody answers there then]
    #[arg(long, env = "KADSCOPE_PROVIDE_SERVE_FOR", value_name = "TIME", value_parser = crawl::parse_duration,
          help_heading = "Provide")]
    pub(crate) serve_for: Option<Duration>,

    /// Publish on a public network without asking
    #[arg(long, env = "KADSCOPE_PROVIDE_YES", help_heading = "Provide")]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) place: PlaceArgs,

    /// Print a JSON object for each CID, one a line, instead of text
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) keep: KeepArgs,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

impl ProvideArgs {
    /// What was asked for, as it is kept with a run.
    pub(crate) fn parameters(&self) -> serde_json::Value {
        json!({
            "keys": self.keys.iter().map(|key| &key.text).collect::<Vec<_>>(),
            "read_back": self.read_back,
            "serve_for": self.serve_for.map(|time| time.as_secs_f64()),
        })
    }
}

/// Where a provider is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provide")]
pub(crate) struct PlaceArgs {
    /// Where to listen, after spaces or commas [default: TCP and QUIC at this machine's addresses of the class of
    /// --addresses, with ports that the system chooses]
    #[arg(long, env = "KADSCOPE_PROVIDE_LISTEN", value_name = "MULTIADDR", num_args = 1..,
          value_parser = ListParser(address))]
    pub(crate) listen: Vec<List<Multiaddr>>,

    /// Where peers are told that the provider is, after spaces or commas [default: where it listens]
    #[arg(long, env = "KADSCOPE_PROVIDE_ANNOUNCE", value_name = "MULTIADDR", num_args = 1..,
          value_parser = ListParser(address))]
    pub(crate) announce: Vec<List<Multiaddr>>,
}

pub(super) fn address(text: &str) -> Result<Multiaddr, String> {
    kad::parse::multiaddr(text).map_err(|error| format!("it is no multiaddress ({error})"))
}
