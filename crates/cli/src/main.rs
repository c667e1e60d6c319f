//! `kadscope`: observes libp2p Kademlia networks.
//!
//! This crate alone reads the command line and the environment, prints and exits. It decides nothing about peers:
//! [`command`] puts the tools together, [`render`] turns their results into text for people.

mod agreement;
mod args;
mod bootstrap;
mod clock;
mod command;
mod crawling;
mod enriching;
mod exit;
mod export;
mod flags_file;
mod help;
mod input;
mod keeping;
mod log;
mod manners;
mod metrics;
mod network;
mod output;
mod outputs;
mod place;
mod place_files;
mod progress;
mod reach;
mod render;
mod report_directory;
mod resources;
mod roots;
mod screen;
mod secrets;
mod shell;
mod signals;
mod staying;
mod systemd;
mod temporary;
mod token;
mod veil;

use std::{io, path::PathBuf, process::ExitCode};

use tokio::runtime::{Builder, Runtime};

use crate::{
    args::{Command, Parsed},
    outputs::InUse,
};

fn main() -> ExitCode {
    match args::complete() {
        Ok(false) => {}
        Ok(true) => return exit::Code::Done.into(),
        Err(error) => return exit::of_arguments(&error),
    }
    let parsed = match args::parse() {
        Ok(parsed) => parsed,
        Err(error) => return exit::of_arguments(&error),
    };
    let Parsed { cli, flags_files, variables, notes } = parsed;
    let run = || {
        log::to_stderr(&cli.log)?;
        for note in &notes {
            output::note(note);
        }
        run(cli.command, &flags_files)
    };
    match run() {
        Ok(code) => code.into(),
        Err(error) => exit::of_error(&error, &variables),
    }
}

fn run(command: Command, flags_files: &[PathBuf]) -> anyhow::Result<exit::Code> {
    let mut in_use = InUse::default();
    for file in flags_files {
        in_use.read("a flags file", file);
    }
    let entered = command::prepare(&command)?;
    let runtime = runtime_for(&command)?;
    let done = runtime.block_on(command::run(command, entered, in_use));
    // What is left are dials that nobody waits for.
    runtime.shutdown_background();
    done
}

/// What runs a command. One that makes a lookup at a time has less to compute than two threads would take to wake each other for
/// every answer.
fn runtime_for(command: &Command) -> io::Result<Runtime> {
    let mut builder = match command {
        Command::Lookup(_) | Command::Provide(_) | Command::Ping(_) => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    // Two workers on a single core, so that a slow visit does not hold up the signals.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    builder.worker_threads(workers).enable_all().build()
}
