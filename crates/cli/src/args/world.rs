//! What can be asked of a world: a testnet on public addresses, with names, in a namespace that nothing can leave.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use jail::Namespace;

/// Whether there is a world, and who is to live in it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "World")]
pub(crate) struct WorldArgs {
    /// Run the network as a world: in a network namespace that has nothing but loopback, with names. `here`
    /// stands for the namespace that kadscope is started in
    #[arg(
        long,
        env = "KADSCOPE_TESTNET_WORLD",
        value_name = "WHERE",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "own",
        conflicts_with = "one_address"
    )]
    pub(crate) world: Option<Where>,

    /// A program to run in the world, which ends with it: kadscope's exit code is the program's
    #[arg(value_name = "COMMAND", last = true, requires = "world", conflicts_with = "until_eof")]
    pub(crate) command: Vec<OsString>,
}

/// In which namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Where {
    /// One of its own, made for it
    Own,
    /// The one that kadscope is started in
    Here,
}

impl From<Where> for Namespace {
    fn from(given: Where) -> Self {
        match given {
            Where::Own => Self::Own,
            Where::Here => Self::Here,
        }
    }
}

/// Which program this process is to become. Only kadscope itself asks for that.
#[derive(Debug, Args)]
pub(crate) struct InhabitantArgs {
    /// The process that must be the parent: if it is not, that has gone already.
    pub(crate) parent: i32,

    /// The program and its arguments.
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}
