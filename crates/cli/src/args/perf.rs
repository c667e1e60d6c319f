//! What can be asked of `perf`: publications and lookups, timed.

mod health;

use clap::{Args, Subcommand};

pub(crate) use self::health::PerfHealthArgs;
use crate::{help, manners::OptOutArgs};

/// Which part of it.
#[derive(Debug, Args)]
pub(crate) struct PerfArgs {
    /// What.
    #[command(subcommand)]
    pub(crate) what: PerfCommand,
}

/// What `perf` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum PerfCommand {
    /// Ask a server whether it is ready to be measured with: exit code 0 or 1
    #[command(after_help = help::PERF_HEALTH)]
    Health(PerfHealthArgs),
}

impl PerfCommand {
    /// The lists of who is left alone, of a part that has them.
    pub(super) const fn opt_out(&mut self) -> Option<&mut OptOutArgs> {
        match self {
            Self::Health(_) => None,
        }
    }
}
