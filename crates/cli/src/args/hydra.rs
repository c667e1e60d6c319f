//! What can be asked of a hydra. Flags of hydra-booster are turned into these options by [`old`].

mod heads;
mod listen;
mod load;
pub(super) mod old;
mod records;

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args, ValueEnum, builder::BoolishValueParser};
use http::HttpUrl;
use serde_json::json;

pub(crate) use self::{
    heads::{HeadsArgs, StatePlace},
    listen::ListenPlace,
    load::LoadArgs,
    old::SEED_VARIABLE,
    records::RecordsArgs,
};
use super::WatchArgs;
use crate::{keeping::KeepArgs, reach::ReachArgs};

/// Which heads, over which belly, and what to print.
#[derive(Debug, Args)]
pub(crate) struct HydraArgs {
    #[command(flatten)]
    pub(crate) heads: HeadsArgs,

    #[command(flatten)]
    pub(crate) idgen: IdgenArgs,

    #[command(flatten)]
    pub(crate) records: RecordsArgs,

    #[command(flatten)]
    pub(crate) load: LoadArgs,

    #[command(flatten)]
    pub(crate) api: ApiArgs,

    /// Begin with nobody: the heads wait until they are dialled. `--bootstrap none` says the same
    #[arg(long, env = "KADSCOPE_HYDRA_ALONE", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set,
          value_parser = BoolishValueParser::new(), help_heading = "Network")]
    pub(crate) alone: bool,

    /// Say who the heads would be and where they would listen, and end: nobody is asked, nothing is written
    #[arg(long, env = "KADSCOPE_HYDRA_DRY_RUN", help_heading = "Output")]
    pub(crate) dry_run: bool,

    /// What is shown meanwhile instead of one line that is drawn anew
    #[arg(long, env = "KADSCOPE_HYDRA_UI", value_name = "THEME", value_enum, help_heading = "Output")]
    pub(crate) ui: Option<UiTheme>,

    /// Print one JSON object instead of text: who the heads are and where
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) keep: KeepArgs,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

impl HydraArgs {
    /// What was asked for, as it is kept with a run: without secrets.
    pub(crate) fn parameters(&self) -> serde_json::Value {
        json!({
            "heads": self.heads,
            "idgen": self.idgen.idgen.as_ref().map(ToString::to_string),
            "lease": self.idgen.lease.as_ref().map(ToString::to_string),
            "records": self.records,
            "load": self.load,
            "api_addr": self.api.api_addr,
            "alone": self.alone,
        })
    }
}

/// Where ids are from that are not made here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Heads")]
pub(crate) struct IdgenArgs {
    /// Take the heads' keys from another hydra, whose HTTP API is at this URL; they are given back at the end
    #[arg(long, env = "KADSCOPE_HYDRA_IDGEN", value_name = "URL", conflicts_with = "lease")]
    pub(crate) idgen: Option<HttpUrl>,

    /// Ask the hydra at this URL which indices to take, so that no other one has them; it has to have the same seed, and
    /// --name must be this hydra's alone
    #[arg(long, env = "KADSCOPE_HYDRA_LEASE", value_name = "URL")]
    pub(crate) lease: Option<HttpUrl>,

    /// The token for that, in a file. `KADSCOPE_HYDRA_IDGEN_TOKEN` may have the token itself
    #[arg(long, env = "KADSCOPE_HYDRA_IDGEN_TOKEN_FILE", value_name = "FILE")]
    pub(crate) idgen_token_file: Option<PathBuf>,
}

/// Where a hydra is asked by HTTP.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(crate) struct ApiArgs {
    /// Answer hydra-booster's HTTP API at this address: /heads, /records/list, /idgen/add and the others [default: nowhere]
    #[arg(long, env = "KADSCOPE_HYDRA_API_ADDR", value_name = "IP:PORT", value_parser = super::watch::socket)]
    pub(crate) api_addr: Option<SocketAddr>,

    /// Answer those only who have the token in this file; ids are handed out to nobody else.
    /// `KADSCOPE_HYDRA_API_TOKEN` may have the token itself
    #[arg(long, env = "KADSCOPE_HYDRA_API_TOKEN_FILE", value_name = "FILE")]
    pub(crate) api_token_file: Option<PathBuf>,

    /// Show metrics of each head, too: for some dozens of heads at most, as each makes series of its own
    #[arg(long, env = "KADSCOPE_HYDRA_METRICS_PER_HEAD", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set,
          value_parser = BoolishValueParser::new())]
    pub(crate) metrics_per_head: bool,
}

/// What is shown while a hydra lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UiTheme {
    /// hydra-booster's status line, every 5 s
    Logey,
    /// A page on the whole terminal; where there is none, the status line
    Gooey,
    /// Nothing
    None,
}
