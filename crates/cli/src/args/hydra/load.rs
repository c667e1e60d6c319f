//! What a hydra does when more is asked than it can do, and what it looks up by itself.

use std::num::NonZeroUsize;

use clap::Args;
use hydra::{Ladder, LoadConfig, PrefetchConfig, ShareConfig};
use serde::{Serialize, Serializer};

/// What is done under load.
#[derive(Debug, Args, Serialize)]
#[command(next_help_heading = "Load")]
pub(crate) struct LoadArgs {
    /// From when on less is answered, rung by rung: RUNG=MEASURE:VALUE,... after semicolons, or `none`. Rungs are cached, near,
    /// `closer_peers`, refuse and decline; measures are waiting (reads), age (of the oldest), lag and memory, with after and calm
    /// for how long [default: the one in docs/hydra.md]
    #[arg(
        long,
        env = "KADSCOPE_HYDRA_LADDER",
        value_name = "LADDER",
        default_value_t,
        hide_default_value = true
    )]
    #[serde(serialize_with = "as_text")]
    pub(crate) ladder: Ladder,

    /// How many requests a second each peer has answered however bad it is, before those who ask most are refused
    #[arg(long, env = "KADSCOPE_HYDRA_LEAST_PER_S", value_name = "N", default_value_t = ShareConfig::default().least_per_s)]
    pub(crate) least_per_s: u32,

    /// How many a peer has answered at most while there is too much [default: as many as there is room for]
    #[arg(long, env = "KADSCOPE_HYDRA_MOST_PER_S", value_name = "N")]
    pub(crate) most_per_s: Option<u32>,

    /// The share of a core that lookups in the background may take, from 0.01 to 1
    #[arg(long, env = "KADSCOPE_HYDRA_PREFETCH_CPU", value_name = "SHARE", default_value_t = PrefetchConfig::default().cpu_share,
          value_parser = share)]
    pub(crate) prefetch_cpu: f64,

    /// How many keys are looked up in the background at a time
    #[arg(long, env = "KADSCOPE_HYDRA_PREFETCH_AT_ONCE", value_name = "N", default_value = "64", value_parser = super::heads::at_once)]
    pub(crate) prefetch_at_once: NonZeroUsize,
}

impl LoadArgs {
    /// As the heads are told.
    pub(crate) fn config(&self) -> LoadConfig {
        let most_per_s = self.most_per_s.unwrap_or(ShareConfig::default().most_per_s);
        let shares = ShareConfig { least_per_s: self.least_per_s, most_per_s };
        LoadConfig { ladder: self.ladder.clone(), shares, ..LoadConfig::default() }
    }

    /// What is looked up by themselves.
    pub(crate) fn prefetch(&self) -> PrefetchConfig {
        let workers = self.prefetch_at_once.get();
        PrefetchConfig { workers, cpu_share: self.prefetch_cpu, ..PrefetchConfig::default() }
    }
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share: Option<f64> = text.parse().ok();
    share.filter(|share| (0.01..=1.0).contains(share)).ok_or("write a number from 0.01 to 1, as 0.1")
}

fn as_text<S: Serializer>(ladder: &Ladder, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(ladder)
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _};

    use super::*;

    fn parse(args: &[&str]) -> Result<LoadArgs, String> {
        let command = LoadArgs::augment_args(Command::new("x").no_binary_name(true));
        let matches = command.try_get_matches_from(args).map_err(|error| error.to_string())?;
        LoadArgs::from_arg_matches(&matches).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_heads() {
        let parsed = parse(&[]).unwrap();
        assert_eq!(format!("{:?}", parsed.config()), format!("{:?}", LoadConfig::default()));
        assert_eq!(parsed.prefetch(), PrefetchConfig::default());
    }

    #[test]
    fn rungs_their_order_and_thresholds_can_be_said() {
        let parsed = parse(&["--ladder", "refuse=waiting:5;cached=lag:1s,calm:3s"]).unwrap();
        assert_eq!(parsed.ladder.rules().len(), 2);
        assert_eq!(parse(&["--ladder", "none"]).unwrap().ladder, Ladder::NONE);
        for (wrong, said) in
            [("up=lag:1s", "`up` is no rung"), ("cached", "needs a threshold"), ("cached=age:x", "no value")]
        {
            let error = parse(&["--ladder", wrong]).unwrap_err();
            assert!(error.contains(said), "{wrong}: {error}");
        }
        assert!(parse(&["--prefetch-cpu", "2"]).unwrap_err().contains("from 0.01 to 1"));
    }
}
