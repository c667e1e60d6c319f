//! What a study is made of, as options: what is not said is as in the preset, or as in a study of one's own without one.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, builder::StringValueParser, builder::TypedValueParser as _};
use hoard::{Arm, FilterLevel, Filters, HoardPlan, KeySource, LookupSet, RoundTimes};
use kad::{PeerId, Persistence};
use schema::{HoardLookup, PublisherEnd, Strategy};

use super::run::HoardRunArgs;
use crate::args::{List, ListParser, named};

/// How many keys a study of one's own has.
const KEYS: u32 = 10;

/// How often and for how long keys are looked at in a study of one's own: as CID Hoarder does (`req-interval`, `cid-ping-time`).
const ROUNDS: RoundTimes = RoundTimes::every(Duration::from_secs(30 * 60), Duration::from_secs(48 * 3600));

/// How many providers a lookup by count looks for: as CID Hoarder did for RFM17.1.
const USUAL_COUNT: u16 = 20;

/// What is published, and by which ways that are compared.
#[derive(Debug, Args)]
#[command(next_help_heading = "Study")]
pub(crate) struct StudyArgs {
    /// How many keys of random content each arm publishes [default: 10]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_CIDS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) cids: Option<u32>,

    /// Go on publishing until it is told to end, and look at each key for its time
    #[arg(long, env = "KADSCOPE_HOARD_RUN_CONTINUOUS", conflicts_with_all = ["cids", "keys"])]
    pub(crate) continuous: bool,

    /// The keys: a CID or a multihash a line (# begins a comment), or JSON as CID Hoarder reads it, which names holders, too
    #[arg(long, env = "KADSCOPE_HOARD_RUN_KEYS", value_name = "FILE", conflicts_with = "cids")]
    pub(crate) keys: Option<PathBuf>,

    /// Publish nothing: others provide these keys, and their holders are looked for
    #[arg(long, env = "KADSCOPE_HOARD_RUN_FOREIGN", requires = "keys")]
    pub(crate) foreign: bool,

    /// Ways of publishing that are compared, after commas: default, optprov, fullrt, sweep. Each with each --k and each --publisher is an arm
    /// [default: default]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_STRATEGIES", value_name = "NAME,...",
          value_parser = ListParser(named(Strategy::ALL, |one| one.name(), Strategy::from_name)))]
    pub(crate) strategies: Option<List<Strategy>>,

    /// How many peers are given each record, after commas [default: 20]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_K", value_name = "N,...", value_parser = ListParser(clap::value_parser!(u16).range(1..)))]
    pub(crate) k: Option<List<u16>>,

    /// What becomes of who published, after commas: closed (leaves after its last publication), `closed_each` (one for each key, which leaves
    /// at once), connected (stays) [default: closed]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_PUBLISHER", value_name = "NAME,...",
          value_parser = ListParser(named(PublisherEnd::ALL, |one| one.name(), PublisherEnd::from_name)))]
    pub(crate) publisher: Option<List<PublisherEnd>>,

    /// All arms publish the same keys, each by publishers of its own; without it each arm has keys of its own
    #[arg(long, env = "KADSCOPE_HOARD_RUN_SAME_KEYS")]
    pub(crate) same_keys: bool,

    /// How far publications go: go or thorough [default: go]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_PERSISTENCE", value_name = "NAME",
          value_parser = named(Persistence::ALL, |one| one.name(), Persistence::from_name))]
    pub(crate) persistence: Option<Persistence>,

    /// Seed of keys, publishers and everything random [default: drawn at random, and kept with the run]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_SEED", value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// When keys are looked at.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rounds")]
pub(crate) struct RoundArgs {
    /// How often each key is looked at [default: 30m]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_EVERY", value_name = "TIME", value_parser = kad::parse::duration)]
    pub(crate) every: Option<Duration>,

    /// For how long, from its publication [default: 48h]
    #[arg(long = "for", env = "KADSCOPE_HOARD_RUN_FOR", value_name = "TIME", value_parser = kad::parse::duration)]
    pub(crate) span: Option<Duration>,

    /// More often around the ages at which programs forget: 10, 15 and 30 min, 24 and 48 h
    #[arg(long, env = "KADSCOPE_HOARD_RUN_DENSE")]
    pub(crate) dense: bool,

    /// At these ages instead, after commas
    #[arg(long, env = "KADSCOPE_HOARD_RUN_AT", value_name = "TIME,...", conflicts_with_all = ["every", "span", "dense"],
          value_parser = ListParser(StringValueParser::new().try_map(|text| crawl::parse_duration(&text))))]
    pub(crate) at: Option<List<Duration>>,
}

/// How fast records are published.
#[derive(Debug, Args)]
#[command(next_help_heading = "Publishing")]
pub(crate) struct PublishArgs {
    /// What is between the beginnings of two publications of an arm [default: 80s]
    #[arg(long = "publish-every", env = "KADSCOPE_HOARD_RUN_PUBLISH_EVERY", value_name = "TIME", value_parser = crawl::parse_duration)]
    pub(crate) gap: Option<Duration>,

    /// Publications of an arm under way at once [default: 64]
    #[arg(long = "publish-at-once", env = "KADSCOPE_HOARD_RUN_PUBLISH_AT_ONCE", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) at_once: Option<u16>,

    /// After how long a publication is given up [default: 80s]
    #[arg(long = "publish-timeout", env = "KADSCOPE_HOARD_RUN_PUBLISH_TIMEOUT", value_name = "TIME", value_parser = crawl::parse_duration)]
    pub(crate) deadline: Option<Duration>,
}

/// What is done in each round, and within which bounds.
#[derive(Debug, Args)]
#[command(next_help_heading = "Observers")]
pub(crate) struct LookArgs {
    /// What is looked up in each round, after commas: closest, first, count, exhaustive, or none [default: closest,first]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_LOOKUPS", value_name = "NAME,...", value_parser = ListParser(lookup_names()))]
    pub(crate) lookups: Option<List<Option<HoardLookup>>>,

    /// How many providers a lookup by count looks for [default: 20]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_COUNT", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) count: Option<u16>,

    /// After how long each lookup is given up [default: 60s]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_LOOKUP_TIMEOUT", value_name = "TIME", value_parser = crawl::parse_duration)]
    pub(crate) lookup_timeout: Option<Duration>,

    /// After how long a round is over, done or not [default: 80s]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_ROUND_TIMEOUT", value_name = "TIME", value_parser = crawl::parse_duration)]
    pub(crate) round_timeout: Option<Duration>,

    /// Peers of ours that look, each with connections of its own [default: 10]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_OBSERVERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) observers: Option<u16>,

    /// Rounds under way at once [default: 512]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_ROUNDS_AT_ONCE", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) rounds_at_once: Option<u16>,

    /// Holders that each observer dials at once [default: 256]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_DIALS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) dials: Option<u16>,

    /// Dials of a holder that refuses or resets, the first included [default: 1, 3 in presets]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_ATTEMPTS", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=10))]
    pub(crate) attempts: Option<u8>,

    /// Requests a second that publishers and observers make together, each with the dial that it needs [default: as many as are due]
    #[arg(long, env = "KADSCOPE_HOARD_RUN_MAX_REQUESTS_PER_S", value_name = "N")]
    pub(crate) max_requests_per_s: Option<NonZeroU32>,
}

/// Who is left out.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Leave out peers in whose agent string this stands, after commas; capitals count
    #[arg(long = "without-agents", env = "KADSCOPE_WITHOUT_AGENTS", value_name = "TEXT,...",
          value_parser = ListParser(clap::builder::NonEmptyStringValueParser::new()))]
    pub(crate) agents: Vec<List<String>>,

    /// Leave out these peers, after commas
    #[arg(long = "without-peers", env = "KADSCOPE_WITHOUT_PEERS", value_name = "PEER_ID,...",
          value_parser = ListParser(StringValueParser::new().try_map(|text| kad::parse::peer_id(&text))))]
    pub(crate) peers: Vec<List<PeerId>>,

    /// How far: result (lookups ask them, and they are none of the closest and are given no record), or query (they are never asked either)
    #[arg(long = "without-at", env = "KADSCOPE_WITHOUT_AT", value_name = "LEVEL", default_value = "result",
          value_parser = named(FilterLevel::ALL, |one| one.name(), FilterLevel::from_name))]
    pub(crate) level: FilterLevel,
}

impl FilterArgs {
    /// Who is left out, as it is gone by.
    pub(crate) fn filters(&self) -> Filters {
        Filters {
            agents: self.agents.iter().flat_map(|list| list.0.iter().cloned()).collect(),
            peers: self.peers.iter().flat_map(|list| list.0.iter().copied()).collect(),
            level: self.level,
        }
    }
}

fn lookup_names() -> impl clap::builder::TypedValueParser<Value = Option<HoardLookup>> {
    let names = HoardLookup::ALL.iter().map(|lookup| lookup.name()).chain(["none"]);
    clap::builder::PossibleValuesParser::new(names.collect::<Vec<_>>())
        .map(|text| HoardLookup::from_name(&text))
}

impl HoardRunArgs {
    /// The plan that is gone by: that of the preset, or of a study of one's own, with what was said beside it. `keys` are those of a file.
    pub(crate) fn plan(&self, keys: Option<KeySource>, seed: u64) -> HoardPlan {
        let base = match self.preset {
            Some(preset) => preset.plan(),
            None => HoardPlan::of(KEYS, ROUNDS),
        };
        let mut plan = HoardPlan { seed, ..base };
        self.take_keys(&mut plan, keys);
        self.take_arms(&mut plan);
        self.take_rounds(&mut plan);
        self.take_bounds(&mut plan);
        plan.filters = self.filters.filters();
        plan.max_requests_per_s = self.look.max_requests_per_s;
        plan
    }

    fn take_keys(&self, plan: &mut HoardPlan, keys: Option<KeySource>) {
        if let Some(keys) = keys {
            plan.keys = keys;
        } else if self.study.continuous {
            plan.keys = KeySource::Random { count: None };
        } else if let Some(count) = self.study.cids {
            plan.keys = KeySource::Random { count: Some(count) };
        }
    }

    /// Every way with every number of holders and every end of a publisher. Said of a preset, its own arms are replaced.
    fn take_arms(&self, plan: &mut HoardPlan) {
        let StudyArgs { strategies, k, publisher, same_keys, persistence, .. } = &self.study;
        if plan.keys.is_foreign() {
            plan.arms = vec![Arm { end: PublisherEnd::Foreign, ..Arm::usual() }];
        } else if strategies.is_some() || k.is_some() || publisher.is_some() {
            let said = |list: &Option<List<u16>>| list.as_ref().map(|list| list.0.clone());
            let usual = Arm::usual();
            let strategies = strategies.as_ref().map_or(vec![usual.strategy], |list| list.0.clone());
            let ks = said(k).unwrap_or_else(|| vec![usual.k]);
            let ends = publisher.as_ref().map_or(vec![usual.end], |list| list.0.clone());
            plan.arms = arms(&strategies, &ks, &ends);
        }
        for arm in &mut plan.arms {
            arm.persistence = persistence.unwrap_or(arm.persistence);
        }
        plan.disjoint = !same_keys;
    }

    fn take_rounds(&self, plan: &mut HoardPlan) {
        if let Some(at) = &self.rounds.at {
            let mut at = at.0.clone();
            at.sort_unstable();
            plan.rounds = RoundTimes::Listed { at };
        } else if let RoundTimes::Regular { every, span, dense } = &mut plan.rounds {
            *every = self.rounds.every.unwrap_or(*every);
            *span = self.rounds.span.unwrap_or(*span);
            *dense |= self.rounds.dense;
        }
    }

    fn take_bounds(&self, plan: &mut HoardPlan) {
        let (pace, look) = (&mut plan.pace, &self.look);
        pace.gap = self.publishing.gap.unwrap_or(pace.gap);
        pace.at_once = self.publishing.at_once.map_or(pace.at_once, usize::from);
        pace.deadline = self.publishing.deadline.unwrap_or(pace.deadline);
        let lookups = &mut plan.lookups;
        if let Some(said) = &look.lookups {
            let has = |one| said.0.contains(&Some(one));
            *lookups = LookupSet {
                closest: has(HoardLookup::Closest),
                first: has(HoardLookup::First),
                count: has(HoardLookup::Count).then_some(lookups.count.unwrap_or(USUAL_COUNT)),
                exhaustive: has(HoardLookup::Exhaustive),
                ..*lookups
            };
        }
        lookups.count = lookups.count.map(|usual| look.count.unwrap_or(usual));
        lookups.patience = look.lookup_timeout.unwrap_or(lookups.patience);
        let observing = &mut plan.observing;
        observing.deadline = look.round_timeout.unwrap_or(observing.deadline);
        observing.observers = look.observers.map_or(observing.observers, usize::from);
        observing.at_once = look.rounds_at_once.map_or(observing.at_once, usize::from);
        observing.dials = look.dials.map_or(observing.dials, usize::from);
        observing.attempts = look.attempts.unwrap_or(observing.attempts);
    }
}

/// Every combination, called by what tells it from the others.
fn arms(strategies: &[Strategy], ks: &[u16], ends: &[PublisherEnd]) -> Vec<Arm> {
    let mut arms = Vec::new();
    for &strategy in strategies {
        for &k in ks {
            for &end in ends {
                let parts = [
                    (strategies.len() > 1 || (ks.len() == 1 && ends.len() == 1))
                        .then(|| strategy.name().to_owned()),
                    (ks.len() > 1).then(|| format!("k{k}")),
                    (ends.len() > 1).then(|| end.name().to_owned()),
                ];
                let name = parts.into_iter().flatten().collect::<Vec<_>>().join("-");
                arms.push(Arm { name, strategy, k, end, ..Arm::usual() });
            }
        }
    }
    arms
}
