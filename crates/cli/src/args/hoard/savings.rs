//! Of which study it is said what changes would save, and which changes.

use std::{path::PathBuf, time::Duration};

use clap::{
    Args,
    builder::{StringValueParser, TypedValueParser as _},
};
use hoard::{
    PolicyRule,
    savings::{LookAgain, SavingsTerms},
};
use schema::RunId;
use store::StoreUrl;

use super::report::run_id;
use crate::args::{List, ListParser, named, store_url};

/// The most lifetimes of addresses that are tried at once.
const MAX_LIFETIMES: usize = 32;

/// Of what, and which changes are tried on it.
#[derive(Debug, Args)]
pub(crate) struct HoardSavingsArgs {
    /// A run of the study, as `kadscope runs` shows it: with it come those that it continues and those that continue it
    #[arg(value_name = "RUN", value_parser = run_id)]
    pub(crate) run: RunId,

    /// Where the study is kept
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", value_parser = store_url)]
    pub(crate) store: StoreUrl,

    /// The keys of this arm alone [default: of all arms]
    #[arg(long, env = "KADSCOPE_HOARD_SAVINGS_ARM", value_name = "NAME")]
    pub(crate) arm: Option<String>,

    /// Write the numbers as a report into this directory: it is made, or is one in which nothing but a report is
    #[arg(long, env = "KADSCOPE_HOARD_SAVINGS_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Print the numbers as JSON
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,

    // The last: its heading holds for what follows.
    #[command(flatten)]
    pub(crate) changes: ChangeArgs,
}

/// Which changes are tried.
#[derive(Debug, Args)]
#[command(next_help_heading = "Changes")]
pub(crate) struct ChangeArgs {
    /// By which rules a caller takes answers, after commas; the first answer is what all are compared with, and always there [default: all]
    #[arg(long, env = "KADSCOPE_HOARD_SAVINGS_POLICY", value_name = "NAME,...",
          value_parser = ListParser(named(PolicyRule::ALL, |one| one.name(), PolicyRule::from_name)))]
    pub(crate) policy: Option<List<PolicyRule>>,

    /// For how long servers would give addresses with a record, after commas [default: 30m,24h,48h]; as they gave them is always there
    #[arg(long, env = "KADSCOPE_HOARD_SAVINGS_ADDRESS_TTL", value_name = "TIME,...",
          value_parser = ListParser(StringValueParser::new().try_map(|text| crawl::parse_duration(&text))))]
    pub(crate) address_ttl: Option<List<Duration>>,

    /// When a caller walks a second time, after commas: never, `without_addresses`, or `after_failed_dial` (then, and when nobody is at the
    /// addresses: a backup) [default: all]
    #[arg(long, env = "KADSCOPE_HOARD_SAVINGS_LOOK_AGAIN", value_name = "NAME,...",
          value_parser = ListParser(named(LookAgain::ALL, |one| one.name(), LookAgain::from_name)))]
    pub(crate) look_again: Option<List<LookAgain>>,

    /// How many providers a caller wants by the rules of a set of peers: 0 is all there are
    #[arg(long, env = "KADSCOPE_HOARD_SAVINGS_COUNT", value_name = "N", default_value_t = 0)]
    pub(crate) count: u16,

    /// How long `wait_for_addresses` waits once the provider was named
    #[arg(long, env = "KADSCOPE_HOARD_SAVINGS_WAIT", value_name = "TIME", default_value = "2s", value_parser = crawl::parse_duration)]
    pub(crate) wait: Duration,

    /// How long a dial of addresses takes at which nobody is
    #[arg(long, env = "KADSCOPE_HOARD_SAVINGS_FAILED_DIAL", value_name = "TIME", default_value = "10s", value_parser = crawl::parse_duration)]
    pub(crate) failed_dial: Duration,
}

impl ChangeArgs {
    /// What is tried on the keys of an arm, or of all; an error if it is too much at once.
    pub(crate) fn terms(&self, arm: Option<u16>) -> Result<SavingsTerms, String> {
        let usual = SavingsTerms::default();
        let address_lifetimes =
            self.address_ttl.as_ref().map_or(usual.address_lifetimes, |list| list.0.clone());
        if address_lifetimes.len() > MAX_LIFETIMES {
            return Err(format!("--address-ttl has more than {MAX_LIFETIMES} times"));
        }
        Ok(SavingsTerms {
            rules: self.policy.as_ref().map_or(usual.rules, |list| list.0.clone()),
            look_again: self.look_again.as_ref().map_or(usual.look_again, |list| list.0.clone()),
            count: self.count.into(),
            wait: self.wait,
            address_lifetimes,
            failed_dial: self.failed_dial,
            arm,
            ..SavingsTerms::default()
        })
    }
}
