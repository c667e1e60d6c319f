//! What can be asked of `perf`: publications and lookups, timed.

mod demo;
mod explain;
mod fleet;
mod health;
mod indexer;
mod report;
mod scheduler;
mod server;

use clap::{Args, Subcommand};

pub(crate) use self::{
    demo::PerfDemoArgs,
    explain::PerfExplainArgs,
    fleet::PerfFleetArgs,
    health::PerfHealthArgs,
    report::PerfReportArgs,
    scheduler::PerfSchedulerArgs,
    server::{EntryArgs, PerfEventsArgs, PerfServerArgs},
};
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
    /// List the servers that are registered, and say whether they are alive
    #[command(after_help = help::PERF_FLEET)]
    Fleet(PerfFleetArgs),

    /// Run a server that publishes and looks up when it is told to by HTTP, and says what that took
    #[command(after_help = help::PERF_SERVER)]
    Server(Box<PerfServerArgs>),

    /// Ask a server whether it is ready to be measured with: exit code 0 or 1
    #[command(after_help = help::PERF_HEALTH)]
    Health(PerfHealthArgs),

    /// See it all at work: four fleets in seven regions of a simulated network, and the truth beside what they measure
    #[command(after_help = help::PERF_DEMO)]
    Demo(PerfDemoArgs),

    /// Say why operations took as long as they did: what each waited for, and who held it up
    #[command(after_help = help::PERF_EXPLAIN)]
    Explain(PerfExplainArgs),

    /// Make the section of a weekly report from the attempts that are kept: a page, its figures and every number
    #[command(after_help = help::PERF_REPORT)]
    Report(PerfReportArgs),

    /// Have servers publish and look up, in rounds, and keep every attempt
    #[command(after_help = help::PERF_SCHEDULER)]
    Scheduler(Box<PerfSchedulerArgs>),
}

impl PerfCommand {
    /// The lists of who is left alone, of a part that has them.
    pub(super) fn opt_out(&mut self) -> Option<&mut OptOutArgs> {
        match self {
            Self::Server(args) => Some(&mut args.reach.manners.opt_out),
            Self::Demo(_)
            | Self::Explain(_)
            | Self::Fleet(_)
            | Self::Health(_)
            | Self::Report(_)
            | Self::Scheduler(_) => None,
        }
    }
}
