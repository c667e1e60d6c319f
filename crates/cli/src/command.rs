//! One file for each command; each puts tools together and holds no rules of its own.

mod completions;
mod crawl;
mod crawls;
mod demo;
mod enrich;
mod export;
mod health;
mod hoard;
mod hydra;
mod lookup;
mod monitor;
mod networks;
mod perf;
mod ping;
mod provide;
mod recount;
mod report;
mod runs;
mod sessions;
mod store;
mod testnet;
mod watch;

use jail::{Entered, Namespace};

pub(crate) use self::{
    crawls::Listed,
    demo::{Churn, During, HeadAnswer, Judged, SharedRecord},
    hydra::{HeadRow, PlanRow},
    lookup::{Answer, Closest, DialledRow, FoundRow, KnownAddress, ProviderRow, RetrievalRow, ValueRow},
    monitor::Monitored,
    networks::Described,
    perf::{
        ExplainedOperation,
        fleet::{ListedFleet, ListedServer},
    },
    ping::{AddressRow, PeerRow},
    provide::{HolderRow, Publication},
    recount::Compared,
    runs::{KnownPeer, ListedRun},
    sessions::{CheckedScope, ListedSession, ListedSessions, ListedUptimes},
    testnet::network_name,
};
use crate::{
    args::{Command, TestnetArgs, WorldArgs},
    exit::Code,
    outputs::InUse,
    staying::OpenDoor,
};

/// A namespace that was entered, and what was left open behind us.
#[derive(Debug)]
pub(crate) struct WorldEntered {
    /// How it was entered.
    pub(crate) entered: Entered,
    /// Where those outside may ask how the command is: an address of theirs.
    pub(crate) door: Option<OpenDoor>,
}

/// Does what can only be done before there is a second thread: goes into a namespace, or becomes another program.
pub(crate) fn prepare(command: &Command) -> anyhow::Result<Option<WorldEntered>> {
    let enter = |place, door| Ok(Some(WorldEntered { entered: testnet::prepare(place)?, door }));
    match command {
        Command::Testnet(TestnetArgs { world: WorldArgs { world: Some(place), .. }, watch, .. }) => {
            enter((*place).into(), OpenDoor::of(watch)?)
        }
        Command::Demo(args) if args.ground.world => enter(Namespace::Own, None),
        Command::Inhabitant(args) => Err(testnet::become_inhabitant(args)),
        _ => Ok(None),
    }
}

/// Does what was asked for, in the namespace that was entered; `in_use` has what was read to know what.
pub(crate) async fn run(
    command: Command,
    entered: Option<WorldEntered>,
    mut in_use: InUse,
) -> anyhow::Result<Code> {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Crawl(args) => crawl::run(*args, in_use).await,
        Command::Lookup(args) => lookup::run(*args, &mut in_use).await,
        Command::Provide(args) => provide::run(*args, &mut in_use).await,
        Command::Hydra(args) => Box::pin(hydra::run(*args, in_use)).await,
        Command::Perf(args) => perf::run(*args, &mut in_use).await,
        Command::Hoard(args) => hoard::run(*args, &mut in_use).await,
        Command::Monitor(args) => monitor::run(*args, &mut in_use).await,
        Command::Ping(args) => ping::run(*args, &mut in_use).await,
        Command::Watch(args) => watch::run(*args, &mut in_use).await,
        Command::Testnet(args) => testnet::run(args, entered, in_use).await,
        Command::Crawls(args) => crawls::run(&args),
        Command::Runs(args) => runs::run(&args),
        Command::Sessions(args) => sessions::run(&args),
        Command::Store(args) => store::run(args, &mut in_use).await,
        Command::Enrich(args) => enrich::run(*args, &mut in_use).await,
        Command::Export(args) => export::run(&args, &mut in_use),
        Command::Report(args) => report::run(&args, &mut in_use),
        Command::Networks(args) => networks::run(&args),
        Command::Health(args) => health::run(&args).await,
        Command::Completions(args) => completions::run(&args),
        Command::Inhabitant(args) => Err(testnet::become_inhabitant(&args)),
    }
}
