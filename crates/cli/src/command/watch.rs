//! `kadscope watch`: a network live, as whoever measures it finds it.

mod following;
mod live;

use crawl::Clock;
use monitor::watching::{DEFAULT_WATCHED_PEERS, NetworkView};
use store::{Store, StoreUrl};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

use self::{following::Following, live::Live};
use super::crawl::place;
use crate::{
    args::NetworkWatchArgs,
    clock,
    exit::Code,
    outputs::InUse,
    progress::{WatchDisplay, WatchManner, WatchTold},
    staying::Staying,
};

/// Facts that wait to be shown: who finds them waits then.
const QUEUED_FACTS: usize = 4096;

pub(crate) async fn run(args: NetworkWatchArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(in_use);
    if let Some(store) = &args.store {
        in_use.store(store);
    }
    let watched = async |staying: &Staying| match &args.store {
        Some(store) => Box::pin(follow(&args, store, staying)).await,
        None => Box::pin(look(&args, staying)).await,
    };
    Staying::unwatched()?.around(watched).await
}

/// Looks at a network until somebody leaves, or the time is over.
async fn look(args: &NetworkWatchArgs, staying: &Staying) -> anyhow::Result<Code> {
    let network = args.reach.network()?;
    let clock = clock();
    let (told, heard) = mpsc::channel(QUEUED_FACTS);
    let title = network.name.clone();
    let live = Live::begin(args, network, (clock, told), staying).await?;
    let display = display(args, title, (clock, heard))?;
    let code = until_left(args, &display, staying).await;
    let shown = display.end().await;
    live.end().await?;
    shown.map(|()| code)
}

/// Follows a store, likewise.
async fn follow(args: &NetworkWatchArgs, url: &StoreUrl, staying: &Staying) -> anyhow::Result<Code> {
    let store = Store::open_existing(url)?;
    let clock = clock();
    let ((told, heard), over) = (mpsc::channel(QUEUED_FACTS), CancellationToken::new());
    let network = args.reach.network.network_name.clone();
    let title = network.clone().unwrap_or_else(|| place(url));
    let following = Following { network, from: clock.start(), told, over: over.clone() };
    let mut reading = tokio::task::spawn_blocking(move || following.follow(&store));
    let display = display(args, title, (clock, heard))?;
    let (code, read) = tokio::select! {
        code = until_left(args, &display, staying) => (code, None),
        read = &mut reading => (Code::Done, Some(read)),
    };
    over.cancel();
    let shown = display.end().await;
    let read = match read {
        Some(read) => read,
        None => reading.await,
    };
    read??;
    shown.map(|()| code)
}

/// The time of whoever looks on, from now.
fn clock() -> Clock {
    let read = clock::read();
    Clock::said_at(read.wall, read.monotonic)
}

/// Shows what is told.
fn display(
    args: &NetworkWatchArgs,
    title: String,
    (clock, heard): (Clock, mpsc::Receiver<WatchTold>),
) -> std::io::Result<WatchDisplay> {
    let view = NetworkView::new(clock.start(), DEFAULT_WATCHED_PEERS);
    let manner = WatchManner { title, every: args.every, json: args.json };
    WatchDisplay::begin(view, heard, clock, manner)
}

/// Waits until all is seen, and says how that ends.
async fn until_left(args: &NetworkWatchArgs, display: &WatchDisplay, staying: &Staying) -> Code {
    let is_over = async {
        match args.lasts {
            Some(lasts) => sleep(lasts).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = staying.stop().cancelled() => Code::Cancelled,
        () = display.left() => Code::Done,
        () = is_over => Code::Done,
    }
}
