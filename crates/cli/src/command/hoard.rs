//! `kadscope hoard`: publishes records, and watches who keeps them, and for how long.

mod content;
mod demo;
mod keeping;
mod keys;
mod report;
mod run;
mod savings;
mod studying;

use crate::{
    args::{HoardArgs, HoardCommand},
    exit::Code,
    outputs::InUse,
};

pub(crate) async fn run(args: HoardArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    match args.what {
        HoardCommand::Run(args) => Box::pin(run::run(*args, in_use)).await,
        HoardCommand::Content(args) => Box::pin(content::run(*args, in_use)).await,
        HoardCommand::Report(args) => report::run(&args, in_use),
        HoardCommand::Savings(args) => savings::run(&args, in_use),
        HoardCommand::Demo(args) => demo::run(args).await,
    }
}
