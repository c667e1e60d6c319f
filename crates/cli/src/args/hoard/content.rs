//! What can be asked of a study of content: which keys, of what they are a sample, and how they are looked at.

use std::{path::PathBuf, time::Duration};

use clap::{
    Args,
    builder::{NonEmptyStringValueParser, TypedValueParser as _},
};
use hoard::{
    HoardPlan, StudyKeyBytes,
    content::{ContentFrame, SamplingFrame, sampled},
};
use kad::written::WrittenKey;

use super::studied::FilterArgs;
use crate::{
    args::{KeptArgs, WatchArgs, named},
    reach::ReachArgs,
};

/// Which keys are looked at, how, and what is kept of it.
#[derive(Debug, Args)]
pub(crate) struct HoardContentArgs {
    /// The keys: CIDs or multihashes
    #[arg(value_name = "CID", value_parser = NonEmptyStringValueParser::new().try_map(|text| content_key(&text)))]
    pub(crate) cids: Vec<StudyKeyBytes>,

    /// More of them, from a file: a CID or a multihash a line (# begins a comment)
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_KEYS", value_name = "FILE", help_heading = "Study")]
    pub(crate) keys: Option<PathBuf>,

    /// Of what the keys are a sample, in a few words: a share of them is a share of that, and is never shown without it
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_FRAME", value_name = "WORDS", help_heading = "Study",
          value_parser = NonEmptyStringValueParser::new(), required_unless_present = "resume")]
    pub(crate) frame: Option<String>,

    /// How keys came to be in it: listed (somebody listed them), or requested (heads of a hydra were asked for them, for popular ones more often)
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_FRAME_KIND", value_name = "NAME", default_value = "listed", help_heading = "Study",
          value_parser = named(SamplingFrame::ALL, |one| one.name(), SamplingFrame::from_name))]
    pub(crate) frame_kind: SamplingFrame,

    /// Look at so many of the keys, drawn at random [default: at all of them]
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_SAMPLE", value_name = "N", help_heading = "Study", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) sample: Option<u32>,

    /// How often each key is looked at
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_EVERY", value_name = "TIME", default_value = "1h", help_heading = "Rounds", value_parser = kad::parse::duration)]
    pub(crate) every: Duration,

    /// For how long
    #[arg(long = "for", env = "KADSCOPE_HOARD_CONTENT_FOR", value_name = "TIME", default_value = "3d", help_heading = "Rounds", value_parser = kad::parse::duration)]
    pub(crate) span: Duration,

    #[command(flatten)]
    pub(crate) look: ContentLookArgs,

    #[command(flatten)]
    pub(crate) filters: FilterArgs,

    /// Seed of the sample, of observers and of everything random [default: drawn at random, and kept with the run]
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_SEED", value_name = "N", help_heading = "Study")]
    pub(crate) seed: Option<u64>,

    /// Go on with a study that was stopped or killed: the same keys, frame and rounds; say nothing else of them. The run's number, or `latest`
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_RESUME", value_name = "RUN", help_heading = "Study", conflicts_with_all = ["cids", "keys", "frame", "sample", "seed", "agents", "peers", "level"])]
    pub(crate) resume: Option<String>,

    /// How many servers the network has, for the estimate of what the study is a burden to each of them
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_SERVERS", value_name = "N", help_heading = "Study", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) servers: Option<u64>,

    /// Refuse a study that would ask more than this of others in an hour
    #[arg(
        long,
        env = "KADSCOPE_HOARD_CONTENT_MAX_REQUESTS_PER_HOUR",
        value_name = "N",
        default_value_t = 100_000,
        help_heading = "Study"
    )]
    pub(crate) max_requests_per_hour: u64,

    /// Say what the study would be and what it would be a burden to whom, and end: nobody is asked, and nothing is written
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_DRY_RUN", help_heading = "Output")]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) kept: KeptArgs,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

/// What is done in each round.
#[derive(Debug, Args)]
#[command(next_help_heading = "Observers")]
pub(crate) struct ContentLookArgs {
    /// Providers of a key that are dialled in a round; of the others nobody knows whether they can be [default: 20]
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_PROVIDERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) providers: Option<u16>,

    /// Ask providers that are reached whether they have the block, by bitswap
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_BLOCKS")]
    pub(crate) blocks: bool,

    /// After how long each lookup is given up [default: 60s]
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_LOOKUP_TIMEOUT", value_name = "TIME", value_parser = crawl::parse_duration)]
    pub(crate) lookup_timeout: Option<Duration>,

    /// After how long a round is over, done or not [default: 3m]
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_ROUND_TIMEOUT", value_name = "TIME", value_parser = crawl::parse_duration)]
    pub(crate) round_timeout: Option<Duration>,

    /// Peers of ours that look, each with connections of its own [default: 10]
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_OBSERVERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) observers: Option<u16>,

    /// Rounds under way at once [default: 64]
    #[arg(long, env = "KADSCOPE_HOARD_CONTENT_ROUNDS_AT_ONCE", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) rounds_at_once: Option<u16>,
}

fn content_key(text: &str) -> Result<StudyKeyBytes, String> {
    match text.parse::<WrittenKey>().map_err(|error| error.to_string())? {
        WrittenKey::Multihash { bytes, .. } => Ok(StudyKeyBytes(bytes)),
        _ => Err("it names no content".to_owned()),
    }
}

impl HoardContentArgs {
    /// The plan that is gone by, of these keys, or of a sample of them.
    pub(crate) fn plan(&self, keys: Vec<StudyKeyBytes>, seed: u64) -> HoardPlan {
        let frame = ContentFrame {
            words: self.frame.clone().unwrap_or_default(),
            kind: self.frame_kind,
            keys: keys.len() as u64,
        };
        let count = self.sample.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
        let keys = sampled(keys, count, seed);
        let mut plan = HoardPlan { seed, ..HoardPlan::watching(keys, frame, (self.every, self.span)) };
        let ContentLookArgs { providers, blocks, lookup_timeout, round_timeout, observers, rounds_at_once } =
            self.look;
        let observing = &mut plan.observing;
        observing.providers = providers.map_or(observing.providers, usize::from);
        observing.asks_for_blocks = blocks;
        observing.deadline = round_timeout.unwrap_or(observing.deadline);
        observing.observers = observers.map_or(observing.observers, usize::from);
        observing.at_once = rounds_at_once.map_or(observing.at_once, usize::from);
        plan.lookups.patience = lookup_timeout.unwrap_or(plan.lookups.patience);
        plan.filters = self.filters.filters();
        plan
    }
}
