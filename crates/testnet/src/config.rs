//! What a user can set of a testnet. The doc comments are the help.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::scenario::{Scenario, ScenarioError};

/// Which network to run.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Testnet")]
pub struct TestnetConfig {
    /// A built-in scenario (demo, healthy, faults, third-dead, half-dead, delays, churn, seven-regions, forgetful,
    /// rfm17-1-2022, rfm17-1-2023, world), or a TOML file [default: healthy, or world in a world]
    #[arg(long, env = "KADSCOPE_TESTNET_SCENARIO", value_name = "NAME|FILE")]
    pub scenario: Option<String>,

    /// How many peers [default: the scenario's own]
    #[arg(long, env = "KADSCOPE_TESTNET_PEERS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub peers: Option<u32>,

    /// Seed of everything random in the network [default: the scenario's own]
    #[arg(long, env = "KADSCOPE_TESTNET_SEED", value_name = "N")]
    pub seed: Option<u64>,

    /// Write what is true of every peer to this file, as one JSON object; `-` is stdout, after the addresses
    #[arg(long, env = "KADSCOPE_TESTNET_TRUTH", value_name = "FILE")]
    pub truth: Option<PathBuf>,

    /// Write who comes and goes to this file as it happens, one JSON object a line
    #[arg(long, env = "KADSCOPE_TESTNET_EVENTS", value_name = "FILE")]
    pub events: Option<PathBuf>,

    /// Put all peers at 127.0.0.1, each on ports of its own, as is done where this machine has no more of 127.0.0.0/8
    #[arg(long, env = "KADSCOPE_TESTNET_ONE_ADDRESS")]
    pub one_address: bool,

    /// Replace files of other programs at --truth and --events
    #[arg(long, env = "KADSCOPE_FORCE")]
    pub force: bool,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON")]
    pub json: bool,
}

impl TestnetConfig {
    /// What the scenario is called that is asked for, on public addresses or not.
    pub fn name(&self, is_public: bool) -> &str {
        self.scenario.as_deref().unwrap_or(if is_public { "world" } else { "healthy" })
    }

    /// The scenario that is asked for, with the number of peers and the seed that are asked for.
    pub fn scenario(&self, is_public: bool) -> Result<Scenario, ScenarioError> {
        let mut scenario = Scenario::named_or_load(self.name(is_public))?;
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

    fn parsed(args: &[&str]) -> Result<TestnetConfig, clap::Error> {
        let command = TestnetConfig::augment_args(Command::new("testnet").no_binary_name(true));
        TestnetConfig::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    #[test]
    fn defaults_are_those_of_the_command_line() {
        let scenario = |config: &TestnetConfig| config.scenario(false).expect("a scenario");
        let config = parsed(&[]).expect("parsed");
        assert_eq!(scenario(&config), scenario(&TestnetConfig::default()));
        assert_eq!((config.name(false), config.name(true)), ("healthy", "world"));
        let config = parsed(&["--scenario", "faults", "--peers", "40", "--seed", "9"]).expect("parsed");
        assert_eq!((scenario(&config).peers, scenario(&config).seed), (40, 9));
        assert!(parsed(&["--peers", "0"]).is_err());
    }
}
