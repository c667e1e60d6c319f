//! Who the heads are, and where they listen.

use std::{fmt, num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{
    Args,
    builder::{StringValueParser, TypedValueParser as _},
};
use hydra::{Choices, IndexSet};
use serde::Serialize;

use super::{
    super::{List, ListParser},
    ListenPlace,
};

/// Which heads.
#[derive(Debug, Args, Serialize)]
#[command(next_help_heading = "Heads")]
pub(crate) struct HeadsArgs {
    /// How many heads [default: 1]
    #[arg(long, env = "KADSCOPE_HYDRA_HEADS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub(crate) heads: Option<u32>,

    /// The index of the first one: with a seed, head i is the i-th identity of its sequence [default: 0]
    #[arg(long, env = "KADSCOPE_HYDRA_OFFSET", value_name = "N")]
    pub(crate) offset: Option<u64>,

    /// Heads with these indices instead: 0..200:2 (0, 2, ... 198), or 0..10,50,70..=79. Hydras of one seed with disjoint indices
    /// have no head in common
    #[arg(long, env = "KADSCOPE_HYDRA_INDICES", value_name = "SET", conflicts_with_all = ["heads", "offset"])]
    pub(crate) indices: Option<IndexSet>,

    /// Among how many candidates each identity is chosen: 16 spread heads better than 2, which is hydra-booster's sequence
    #[arg(long, env = "KADSCOPE_HYDRA_CHOICES", value_name = "D", default_value = "2", value_parser = choices)]
    pub(crate) choices: Choices,

    /// The seed of the identities: 32 bytes in base64 in this file, or - for stdin. `KADSCOPE_HYDRA_SEED` may have the seed itself
    /// [default: none, keys are random and kept]
    #[arg(long, env = "KADSCOPE_HYDRA_SEED_FILE", value_name = "FILE|-")]
    pub(crate) seed_file: Option<PathBuf>,

    /// The seed itself, as an old flag has it.
    #[arg(long, hide = true, value_parser = StringValueParser::new().map(SeedText))]
    #[serde(skip)]
    pub(crate) seed_text: Option<SeedText>,

    /// Where keys, ports and known peers are kept over a restart, or `none` [default: kadscope/hydra in `XDG_STATE_HOME` or
    /// ~/.local/state]
    #[arg(long, env = "KADSCOPE_HYDRA_STATE", value_name = "DIR", value_parser = state)]
    pub(crate) state: Option<StatePlace>,

    /// What this hydra is called, in metrics and for leases
    #[arg(
        long,
        env = "KADSCOPE_HYDRA_NAME",
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) name: String,

    /// Where to listen: IP addresses, each for TCP and QUIC, or multiaddresses with {port} in them. Those after commas are dealt out
    /// to the heads in turn, those joined by + are one head's [default: this machine's addresses of the class of --addresses]
    #[arg(long, env = "KADSCOPE_HYDRA_LISTEN", value_name = "PLACE", num_args = 1.., value_parser = ListParser(ListenPlace::read))]
    pub(crate) listen: Vec<List<ListenPlace>>,

    /// Where peers are told that the heads are, dealt out in the same way [default: where they listen]
    #[arg(long, env = "KADSCOPE_HYDRA_ANNOUNCE", value_name = "PLACE", num_args = 1.., value_parser = ListParser(ListenPlace::read))]
    pub(crate) announce: Vec<List<ListenPlace>>,

    /// The port of the first head, for TCP and UDP; the next head has the next one [default: 0, the system chooses, and they are kept]
    #[arg(
        long,
        env = "KADSCOPE_HYDRA_PORT",
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) port: u16,

    /// How long each head waits for the next one to join
    #[arg(long, env = "KADSCOPE_HYDRA_STAGGER", value_name = "TIME", default_value = "0s", hide_default_value = true,
          value_parser = stagger)]
    #[serde(serialize_with = "crawl::as_seconds")]
    pub(crate) stagger: Duration,

    /// How many peers all heads together dial at a time to be known to them
    #[arg(long, env = "KADSCOPE_HYDRA_JOINS_AT_ONCE", value_name = "N", default_value = "32", value_parser = at_once)]
    pub(crate) joins_at_once: NonZeroUsize,

    /// How many connections a head has on the average, before the longest idle ones are closed
    #[arg(long, env = "KADSCOPE_HYDRA_CONNECTIONS_PER_HEAD", value_name = "N", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) connections_per_head: u32,
}

/// A seed as somebody has typed it: it is shown nowhere.
#[derive(Clone)]
pub(crate) struct SeedText(pub(crate) String);

impl fmt::Debug for SeedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeedText(..)")
    }
}

/// Where the state is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum StatePlace {
    /// Nowhere.
    None,
    /// In this directory.
    Directory(PathBuf),
}

fn state(text: &str) -> Result<StatePlace, &'static str> {
    match text {
        "" => Err("write a directory, or none"),
        "none" => Ok(StatePlace::None),
        path => Ok(StatePlace::Directory(path.into())),
    }
}

/// A time, or none.
fn stagger(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") { Ok(Duration::ZERO) } else { crawl::parse_duration(text) }
}

/// The most dials at a time.
const MAX_AT_ONCE: usize = 4096;

pub(super) fn at_once(text: &str) -> Result<NonZeroUsize, String> {
    let number: Option<NonZeroUsize> = text.parse().ok();
    number
        .filter(|number| number.get() <= MAX_AT_ONCE)
        .ok_or_else(|| format!("write a whole number from 1 to {MAX_AT_ONCE}"))
}

fn choices(text: &str) -> Result<Choices, String> {
    let wrong = || format!("write a whole number from 1 to {}", Choices::MAX);
    text.parse().ok().and_then(Choices::new).ok_or_else(wrong)
}
