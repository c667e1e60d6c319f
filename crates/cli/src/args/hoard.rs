//! What can be asked of `hoard`: provider records, who keeps them, and for how long.

mod content;
mod demo;
mod report;
mod run;
mod savings;
mod studied;

use clap::{Args, Subcommand};

pub(crate) use self::{
    content::HoardContentArgs, demo::HoardDemoArgs, report::HoardReportArgs, run::HoardRunArgs,
    savings::HoardSavingsArgs,
};
use crate::{help, manners::OptOutArgs};

/// Which part of it.
#[derive(Debug, Args)]
pub(crate) struct HoardArgs {
    /// What.
    #[command(subcommand)]
    pub(crate) what: HoardCommand,
}

/// What `hoard` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum HoardCommand {
    /// Publish records, and look at who keeps them, round after round
    #[command(after_help = help::HOARD_RUN)]
    Run(Box<HoardRunArgs>),

    /// Follow what others provide over days: who provides it, and which of it can be retrieved
    #[command(after_help = help::HOARD_CONTENT)]
    Content(Box<HoardContentArgs>),

    /// Make the report of a study that is kept: a page, its figures and every number
    #[command(after_help = help::HOARD_REPORT)]
    Report(HoardReportArgs),

    /// Say what changes of lookups and of servers would save: the walks of a study that is kept, decided anew
    #[command(after_help = help::HOARD_SAVINGS)]
    Savings(Box<HoardSavingsArgs>),

    /// Make the study of RFM17.1 in a network that is simulated, beside its truth
    #[command(after_help = help::HOARD_DEMO)]
    Demo(HoardDemoArgs),
}

impl HoardCommand {
    /// The lists of who is left alone, of a part that has them.
    pub(super) fn opt_out(&mut self) -> Option<&mut OptOutArgs> {
        match self {
            Self::Run(args) => Some(&mut args.reach.manners.opt_out),
            Self::Content(args) => Some(&mut args.reach.manners.opt_out),
            Self::Report(_) | Self::Savings(_) | Self::Demo(_) => None,
        }
    }
}
