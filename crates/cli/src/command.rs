//! One file for each command; each puts tools together and holds no rules of its own.

mod completions;
mod crawl;
mod crawls;
mod demo;
mod export;
mod networks;
mod testnet;

pub(crate) use self::{crawls::Listed, networks::Described};
use crate::{args::Command, exit::Code};

/// Does what was asked for.
pub(crate) async fn run(command: Command) -> anyhow::Result<Code> {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Crawl(args) => crawl::run(*args).await,
        Command::Testnet(args) => testnet::run(args).await,
        Command::Crawls(args) => crawls::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Networks(args) => networks::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}
