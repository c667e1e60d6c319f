//! What a shell offers behind options whose values only we know: networks, scenarios, the runs in a store.
//!
//! The shell asks the program itself, by a variable that the script of `kadscope completions` sets.

use std::ffi::{OsStr, OsString};

use clap::Arg;
use clap_complete::{
    CompleteEnv, CompletionCandidate,
    engine::{ArgValueCompleter, PathCompleter, ValueCompleter as _},
};
use schema::Tool;
use store::{RunFilter, RunInfo, Store, StoreUrl};

use super::{DEFAULT_STORE, command};
use crate::network::PRESETS;

/// Set by the shell that asks.
pub(crate) const VARIABLE: &str = "KADSCOPE_COMPLETE";

/// The most runs that are offered, the last ones first.
const MOST_RUNS: usize = 50;

/// Answers the shell if it is a shell that asks; otherwise says `false`.
pub(crate) fn complete() -> Result<bool, clap::Error> {
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(|| command().mut_subcommands(|sub| sub.mut_args(with_values)))
        .var(VARIABLE)
        .try_complete(std::env::args_os(), here.as_deref())
}

fn with_values(arg: Arg) -> Arg {
    let values = match arg.get_id().as_str() {
        "network" => {
            ArgValueCompleter::new(|typed: &OsStr| named(typed, PRESETS.iter().map(|(name, _)| *name)))
        }
        "scenario" => ArgValueCompleter::new(|typed: &OsStr| {
            named(typed, testnet::BUILT_IN.iter().map(|(name, _)| *name))
        }),
        "crawl" => ArgValueCompleter::new(|typed: &OsStr| runs(typed, &RunFilter::of(Tool::Crawl))),
        "run" => ArgValueCompleter::new(|typed: &OsStr| runs(typed, &RunFilter::default())),
        _ => return arg,
    };
    arg.add(values)
}

/// Names, and files that have such a form.
fn named(typed: &OsStr, names: impl Iterator<Item = &'static str>) -> Vec<CompletionCandidate> {
    let text = typed.to_string_lossy();
    let names = names.filter(|name| name.starts_with(&*text)).map(CompletionCandidate::new);
    let is_file = |path: &std::path::Path| path.extension().is_some_and(|extension| extension == "toml");
    names.chain(PathCompleter::any().filter(is_file).complete(typed)).collect()
}

/// The runs of the store that the line names. A store that cannot be read has none to offer.
fn runs(typed: &OsStr, filter: &RunFilter) -> Vec<CompletionCandidate> {
    let text = typed.to_string_lossy();
    let found = store_of_line()
        .and_then(|url| Store::open_existing(&url).ok()?.runs(filter).ok())
        .unwrap_or_default();
    let described = |run: &RunInfo| {
        let about = format!("{}, {}, {}", run.start.network, run.start.started_at, run.state);
        CompletionCandidate::new(run.start.id.to_string()).help(Some(about.into()))
    };
    let latest = (!found.is_empty()).then(|| CompletionCandidate::new("latest"));
    let ids = found.iter().rev().take(MOST_RUNS).map(described);
    let fits = |candidate: &CompletionCandidate| candidate.get_value().to_string_lossy().starts_with(&*text);
    latest.into_iter().chain(ids).filter(fits).collect()
}

/// The store behind `--store`, of the variable, or the one of this directory.
fn store_of_line() -> Option<StoreUrl> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let behind = words.windows(2).find(|pair| pair[0] == "--store").map(|pair| pair[1].clone());
    let within = || words.iter().find_map(|word| word.to_str()?.strip_prefix("--store=").map(OsString::from));
    let named = behind.or_else(within).or_else(|| std::env::var_os("KADSCOPE_STORE"));
    super::store_url(named.unwrap_or_else(|| DEFAULT_STORE.into()).to_str()?).ok()
}
