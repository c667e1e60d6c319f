//! What can be asked of a scheduler. Flags of Parsec's scheduler mean here what they mean there.

use std::{collections::HashSet, time::Duration};

use clap::{
    Args,
    builder::{NonEmptyStringValueParser, StringValueParser, TypedValueParser as _},
};
use kad::Persistence;
use perf::{ArrivalLaw, CallDeadlines, ConnectionPolicy, Pairing, ProbeTerms, RoundPace};
use serde_json::json;
use store::StoreUrl;

use crate::args::{DEFAULT_STORE, List, ListParser, WatchArgs, named, store_url};

/// The variable that says where Parsec's scheduler finds its fleets, read where ours says nothing.
const PARSEC_FLEETS: &str = "PARSEC_SCHEDULER_FLEETS";

/// Which servers are told, when, and to do what.
#[derive(Debug, Args)]
pub(crate) struct PerfSchedulerArgs {
    /// The fleets whose servers are measured, after commas. `PARSEC_SCHEDULER_FLEETS` is read as well
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_FLEETS", value_name = "FLEET,...",
          value_parser = ListParser(NonEmptyStringValueParser::new()))]
    pub(crate) fleets: Vec<List<String>>,

    /// Who looks for what somebody published: mixed (all others, as Parsec does), or matrix (one fleet a round, so that every fleet
    /// publishes for every fleet equally often)
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_PAIRING", value_name = "NAME", default_value = "mixed",
          value_parser = named(Pairing::ALL, |one| one.name(), Pairing::from_name))]
    pub(crate) pairing: Pairing,

    #[command(flatten)]
    pub(crate) pace: PaceArgs,

    #[command(flatten)]
    pub(crate) probing: ProbingArgs,

    #[command(flatten)]
    pub(crate) patience: PatienceArgs,

    /// How long a lease of the fleets lasts that is not renewed: so long does another scheduler wait after this one was killed
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_LEASE", value_name = "TIME", default_value = "60s", help_heading = "When", value_parser = crawl::parse_duration)]
    pub(crate) lease: Duration,

    /// Seed of who comes when and of what is published [default: drawn at random, and kept with the run]
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_SEED", value_name = "N", help_heading = "What")]
    pub(crate) seed: Option<u64>,

    /// Work in Parsec's tables (PostgreSQL alone), ask servers what Go's scheduler would and nothing else, one round at a time, and show
    /// Parsec's metrics
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_PARSEC_COMPAT", help_heading = "What")]
    pub(crate) parsec_compat: bool,

    /// Say which rounds would be, and end: no server is asked, nothing is written
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_DRY_RUN", help_heading = "Output")]
    pub(crate) dry_run: bool,

    /// Where the servers are registered, and where measurements are kept: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3
    /// or .db), or a database (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, help_heading = "Output",
          value_parser = store_url)]
    pub(crate) store: StoreUrl,

    /// A note on where it is made from, kept with the run beside the machine's name
    #[arg(
        long,
        env = "KADSCOPE_VANTAGE",
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub(crate) vantage: String,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

/// When rounds begin.
#[derive(Debug, Args)]
#[command(next_help_heading = "When")]
pub(crate) struct PaceArgs {
    /// What is between the beginnings of two rounds, however long they last
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_INTERVAL", value_name = "TIME", default_value = "1m", value_parser = crawl::parse_duration)]
    pub(crate) interval: Duration,

    /// By which law rounds come: interval (one for which there is no room is skipped, and counted), fixed (it waits), or poisson (as users
    /// come, at random; it waits)
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_ARRIVALS", value_name = "LAW", default_value = "interval",
          value_parser = named(ArrivalLaw::ALL, |one| one.name(), ArrivalLaw::from_name))]
    pub(crate) arrivals: ArrivalLaw,

    /// How many rounds come a second, instead of an interval
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_RATE", value_name = "R", value_parser = rate, conflicts_with = "interval")]
    pub(crate) rate: Option<f64>,

    /// How many rounds may be under way at once [default: 4, or 1 with --parsec-compat]
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_CONCURRENCY", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) concurrency: Option<u16>,

    /// How many rounds may wait: further ones are shed, and kept as that
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_BACKLOG", value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub(crate) backlog: u16,

    /// End after so many rounds [default: go on]
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_ROUNDS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rounds: Option<u64>,
}

/// What a round is made of.
#[derive(Debug, Args)]
#[command(next_help_heading = "What")]
pub(crate) struct ProbingArgs {
    /// How often each server looks for what was published, one time after the other
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_PROBES", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) probes: u32,

    /// How many keys that nobody has each server looks for after that
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_NEGATIVES", value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) negatives: u32,

    /// Every how many rounds servers look while something is published, until they find it, instead of afterwards; 0 for never
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_FINDABLE_EVERY", value_name = "N", default_value_t = 0)]
    pub(crate) findable_every: u64,

    /// How long a server waits between two looks for that
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_POLL_EVERY", value_name = "TIME", default_value = "500ms", value_parser = crawl::parse_duration)]
    pub(crate) poll_every: Duration,

    /// Look for what could not be published, too: what is known of retrievals is then not of publications alone that went well
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_RETRIEVE_FAILED")]
    pub(crate) retrieve_failed: bool,

    /// Which connections operations begin with: warm, cold or fresh [default: as each server is set]
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_CONNECTIONS", value_name = "NAME",
          value_parser = named(ConnectionPolicy::ALL, |one| one.name(), ConnectionPolicy::from_name))]
    pub(crate) connections: Option<ConnectionPolicy>,

    /// How far publications go: go or thorough [default: as each server is set]
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_PERSISTENCE", value_name = "NAME",
          value_parser = named(Persistence::ALL, |one| one.name(), Persistence::from_name))]
    pub(crate) persistence: Option<Persistence>,

    /// When those who were given a record are asked whether they have it, after commas and counted from the publication's end, such as 0s,1s,5s
    /// [default: never]
    #[arg(long, env = "KADSCOPE_PERF_SCHEDULER_READ_BACK", value_name = "TIME,...", value_parser = ListParser(StringValueParser::new().try_map(|text| moment(&text))))]
    pub(crate) read_back: Option<List<Duration>>,
}

/// How long servers may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Patience")]
pub(crate) struct PatienceArgs {
    /// How long a server may take to say that it is ready
    #[arg(long = "readiness-timeout", env = "KADSCOPE_PERF_SCHEDULER_READINESS_TIMEOUT", value_name = "TIME", default_value = "5s", value_parser = crawl::parse_duration)]
    pub(crate) readiness: Duration,

    /// How long a publication may take at the server; its answer is waited for 5 s longer
    #[arg(long = "provide-timeout", env = "KADSCOPE_PERF_SCHEDULER_PROVIDE_TIMEOUT", value_name = "TIME", default_value = "3m", value_parser = crawl::parse_duration)]
    pub(crate) provide: Duration,

    /// How long a lookup may take at the server; its answer is waited for 5 s longer
    #[arg(long = "retrieve-timeout", env = "KADSCOPE_PERF_SCHEDULER_RETRIEVE_TIMEOUT", value_name = "TIME", default_value = "1m", value_parser = crawl::parse_duration)]
    pub(crate) retrieve: Duration,
}

impl PerfSchedulerArgs {
    /// The fleets, by the option or by Parsec's variable, each once; empty if neither says any.
    pub(crate) fn fleets(&self) -> Vec<String> {
        let said = self.fleets.iter().flat_map(|list| list.0.iter().cloned());
        let mut fleets: Vec<_> = said.collect();
        if fleets.is_empty() {
            let variable = std::env::var(PARSEC_FLEETS).unwrap_or_default();
            let entries = variable.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            fleets = entries.map(str::to_owned).collect();
        }
        // In the order in which they were said: servers are told so.
        let mut seen = HashSet::new();
        fleets.retain(|fleet| seen.insert(fleet.clone()));
        fleets
    }

    /// When rounds begin.
    pub(crate) fn pace(&self) -> RoundPace {
        let PaceArgs { interval, arrivals, rate, concurrency, backlog, rounds } = &self.pace;
        let usual = if self.parsec_compat { 1 } else { RoundPace::default().at_once };
        RoundPace {
            law: *arrivals,
            gap: rate.map_or(*interval, |rate| Duration::from_secs_f64(rate.recip())),
            at_once: concurrency.map_or(usual, usize::from),
            backlog: usize::from(*backlog),
            rounds: *rounds,
        }
    }

    /// What a round is made of.
    pub(crate) fn probes(&self) -> ProbeTerms {
        let probing = &self.probing;
        ProbeTerms {
            retrievals: probing.probes,
            negatives: probing.negatives,
            findable_every: probing.findable_every,
            poll_gap: probing.poll_every,
            retrieves_failed: probing.retrieve_failed,
            connections: probing.connections,
            persistence: probing.persistence,
            read_back: probing.read_back.as_ref().map_or_else(Vec::new, |list| list.0.clone()),
            ..ProbeTerms::default()
        }
    }

    /// How long everything may take. What is under way at the end has half of the time that the program has.
    pub(crate) fn deadlines(&self) -> CallDeadlines {
        CallDeadlines {
            readiness: self.patience.readiness,
            provide: self.patience.provide,
            retrieve: self.patience.retrieve,
            ending: self.watch.stop_timeout / 2,
        }
    }

    /// What was asked for, as it is kept with a run.
    pub(crate) fn parameters(&self) -> serde_json::Value {
        let (pace, probes, deadlines) = (self.pace(), self.probes(), self.deadlines());
        json!({
            "part": "scheduler",
            "fleets": self.fleets(),
            "pairing": self.pairing,
            "arrivals": pace.law,
            "gap_s": pace.gap.as_secs_f64(),
            "concurrency": pace.at_once,
            "backlog": pace.backlog,
            "rounds": pace.rounds,
            "probes": probes.retrievals,
            "negatives": probes.negatives,
            "findable_every": probes.findable_every,
            "poll_every_s": probes.poll_gap.as_secs_f64(),
            "retrieve_failed": probes.retrieves_failed,
            "connections": probes.connections,
            "persistence": probes.persistence.map(Persistence::name),
            "read_back_s": probes.read_back.iter().map(Duration::as_secs_f64).collect::<Vec<_>>(),
            "readiness_timeout_s": deadlines.readiness.as_secs_f64(),
            "provide_timeout_s": deadlines.provide.as_secs_f64(),
            "retrieve_timeout_s": deadlines.retrieve.as_secs_f64(),
            "lease_s": self.lease.as_secs_f64(),
            "parsec_compat": self.parsec_compat,
        })
    }
}

/// Reads a time after something, which may be none.
fn moment(text: &str) -> Result<Duration, String> {
    if ["0", "0s"].contains(&text) { Ok(Duration::ZERO) } else { crawl::parse_duration(text) }
}

fn rate(text: &str) -> Result<f64, &'static str> {
    let rate: Option<f64> = text.parse().ok();
    rate.filter(|rate| (1e-4..=1000.0).contains(rate)).ok_or("write a number from 0.0001 to 1000")
}
