//! What can be asked of a study. What the flags of CID Hoarder are called here is in docs/hoard.md.

use std::path::PathBuf;

use clap::Args;
use hoard::Preset;
use kad::Multiaddr;

use super::studied::{FilterArgs, LookArgs, PublishArgs, RoundArgs, StudyArgs};
use crate::{
    args::{KeptArgs, List, ListParser, PlaceArgs, WatchArgs, named, provide::address},
    reach::ReachArgs,
};

/// What is published and looked at, and what is kept of it.
#[derive(Debug, Args)]
pub(crate) struct HoardRunArgs {
    /// A plan that has a name: rfm17, rfm17.1 or ipchurn, as CID Hoarder was run; what is said beside it is put in its place
    #[arg(long, env = "KADSCOPE_HOARD_RUN_PRESET", value_name = "NAME", help_heading = "Study", value_parser = named(Preset::ALL, |one| one.name(), Preset::from_name))]
    pub(crate) preset: Option<Preset>,

    #[command(flatten)]
    pub(crate) study: StudyArgs,

    #[command(flatten)]
    pub(crate) rounds: RoundArgs,

    #[command(flatten)]
    pub(crate) publishing: PublishArgs,

    #[command(flatten)]
    pub(crate) look: LookArgs,

    #[command(flatten)]
    pub(crate) filters: FilterArgs,

    /// Go on with a study that was stopped or killed: the same keys, publishers and rounds; say nothing else of them. The run's number, or
    /// its beginning, or `latest`
    #[arg(long, env = "KADSCOPE_HOARD_RUN_RESUME", value_name = "RUN", help_heading = "Study", conflicts_with_all = ["preset", "seed", "cids", "keys", "agents", "peers", "level", "max_requests_per_s"])]
    pub(crate) resume: Option<String>,

    /// How many servers the network has, for the estimate of what the study is a burden to each of them
    #[arg(long, env = "KADSCOPE_HOARD_RUN_SERVERS", value_name = "N", help_heading = "Study", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) servers: Option<u64>,

    /// Refuse a study by which strangers would keep more records than this at a time
    #[arg(
        long,
        env = "KADSCOPE_HOARD_RUN_MAX_RECORDS",
        value_name = "N",
        default_value_t = 250_000,
        help_heading = "Study"
    )]
    pub(crate) max_records: u64,

    /// Where publishers listen, after spaces or commas [default: TCP and QUIC at this machine's addresses of the class of --addresses,
    /// with ports that the system chooses]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_LISTEN", value_name = "MULTIADDR", num_args = 1.., help_heading = "Publishing", value_parser = ListParser(address))]
    pub(crate) listen: Vec<List<Multiaddr>>,

    /// Where peers are told that the provider is, after spaces or commas [default: where it listens]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_ANNOUNCE", value_name = "MULTIADDR", num_args = 1.., help_heading = "Publishing", value_parser = ListParser(address))]
    pub(crate) announce: Vec<List<Multiaddr>>,

    /// Publish on a public network without asking
    #[arg(long, env = "KADSCOPE_HOARD_RUN_YES", help_heading = "Study")]
    pub(crate) yes: bool,

    /// Say what the study would be and what it would be a burden to whom, and end: nothing is published or written
    #[arg(long, env = "KADSCOPE_HOARD_RUN_DRY_RUN", help_heading = "Output")]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) kept: KeptArgs,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

impl HoardRunArgs {
    /// Where publishers are.
    pub(crate) fn place(&self) -> PlaceArgs {
        let copied = |lists: &[List<Multiaddr>]| lists.iter().map(|list| List(list.0.clone())).collect();
        PlaceArgs { listen: copied(&self.listen), announce: copied(&self.announce) }
    }

    /// The file with keys, if there is one.
    pub(crate) fn keys_file(&self) -> Option<&PathBuf> {
        self.study.keys.as_ref()
    }
}
