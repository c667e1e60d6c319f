//! `kadscope perf`: publications and lookups, timed.

mod demo;
mod explain;
pub(super) mod fleet;
mod health;
mod keeping;
mod report;
mod scheduler;
mod server;

pub(crate) use self::explain::ExplainedOperation;
use crate::{
    args::{PerfArgs, PerfCommand},
    exit::Code,
    outputs::InUse,
};

pub(crate) async fn run(args: PerfArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    match args.what {
        PerfCommand::Fleet(args) => fleet::run(&args).await,
        PerfCommand::Server(args) => Box::pin(server::run(*args, in_use)).await,
        PerfCommand::Health(args) => health::run(&args).await,
        PerfCommand::Demo(args) => demo::run(args).await,
        PerfCommand::Explain(args) => explain::run(&args, in_use),
        PerfCommand::Report(args) => report::run(&args, in_use),
        PerfCommand::Scheduler(args) => scheduler::run(*args, in_use).await,
    }
}
