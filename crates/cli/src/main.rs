//! `kadscope`: observes libp2p Kademlia networks.
//!
//! This crate alone reads the command line and the environment, prints and exits. It decides nothing about peers:
//! [`command`] puts the tools together, [`render`] turns their results into text for people.

mod args;
mod bootstrap;
mod clock;
mod command;
mod crawling;
mod exit;
mod export;
mod flags_file;
mod help;
mod input;
mod manners;
mod network;
mod output;
mod progress;
mod render;
mod resources;
mod shell;
mod signals;
mod temporary;

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::args::Cli;

fn main() -> ExitCode {
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_arguments(&error),
    };
    log_to_stderr();
    match run(cli) {
        Ok(code) => code.into(),
        Err(error) => exit::of_error(&error),
    }
}

fn run(cli: Cli) -> anyhow::Result<exit::Code> {
    let entered = command::prepare(&cli.command)?;
    // Two workers on a single core, so that a slow visit does not hold up the signals.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    let done = runtime.block_on(command::run(cli.command, entered));
    // What is left are dials that nobody waits for.
    runtime.shutdown_background();
    done
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("KADSCOPE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let colour = output::Style::of_stderr().is_coloured();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).init();
}
