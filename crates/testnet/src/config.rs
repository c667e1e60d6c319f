//! What a user can set of a testnet. The doc comments are the help.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::scenario::{Scenario, ScenarioError};

/// Which network to run.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Testnet")]
pub struct Config {
    /// A built-in scenario (demo, healthy, faults, half-dead, delays, churn), or a TOML file
    #[arg(long, env = "KADSCOPE_SCENARIO", value_name = "NAME|FILE", default_value = "healthy")]
    pub scenario: String,

    /// How many peers [default: the scenario's own]
    #[arg(long, env = "KADSCOPE_PEERS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub peers: Option<u32>,

    /// Seed of everything random in the network [default: the scenario's own]
    #[arg(long, env = "KADSCOPE_TESTNET_SEED", value_name = "N")]
    pub seed: Option<u64>,

    /// Write what is true of every peer to this file, as one JSON object
    #[arg(long, env = "KADSCOPE_TRUTH", value_name = "FILE")]
    pub truth: Option<PathBuf>,

    /// Write what happens to every peer to this file, one JSON object a line, as it happens
    #[arg(long, env = "KADSCOPE_EVENTS", value_name = "FILE")]
    pub events: Option<PathBuf>,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON")]
    pub json: bool,
}

impl Default for Config {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            scenario: "healthy".to_owned(),
            peers: None,
            seed: None,
            truth: None,
            events: None,
            json: false,
        }
    }
}

impl Config {
    /// The scenario that is asked for, with the number of peers and the seed that are asked for.
    pub fn scenario(&self) -> Result<Scenario, ScenarioError> {
        let mut scenario = Scenario::named_or_load(&self.scenario)?;
        if let Some(peers) = self.peers {
            scenario = scenario.with_peers(peers);
        }
        if let Some(seed) = self.seed {
            scenario = scenario.with_seed(seed);
        }
        Ok(scenario)
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn parsed(args: &[&str]) -> Result<Config, clap::Error> {
        let command = Config::augment_args(Command::new("testnet").no_binary_name(true));
        Config::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    #[test]
    fn defaults_are_those_of_the_command_line() {
        let scenario = |config: &Config| config.scenario().expect("a scenario");
        let config = parsed(&[]).expect("parsed");
        assert_eq!(scenario(&config), scenario(&Config::default()));
        let config = parsed(&["--scenario", "faults", "--peers", "40", "--seed", "9"]).expect("parsed");
        assert_eq!((scenario(&config).peers, scenario(&config).seed), (40, 9));
        assert!(parsed(&["--peers", "0"]).is_err());
    }
}
