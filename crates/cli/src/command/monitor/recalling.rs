//! What a monitor goes on with: what its store has of the network, read before anything begins.

use std::time::Duration;

use monitor::recompute::{MonitorScope, Recalled, recall};
use store::{Store, StoreUrl};
use tokio::{sync::watch, task::spawn_blocking};

use super::Setting;
use crate::{
    exit::Failed,
    progress::Tell,
    render::text::{fit, grouped},
    staying::Staying,
};

/// After how many rows it is told again how many were read.
const TOLD_EVERY: u64 = 1024;

/// Everybody who is known from before, and how they stand; nobody where nothing is kept. An error if somebody else monitors the same.
pub(super) async fn recalled(setting: &Setting<'_>, staying: &Staying) -> anyhow::Result<Recalled> {
    let Some((url, scope)) = kept(setting) else { return Ok(Recalled::default()) };
    let (told, reading) = watch::channel((0, 0));
    let display = staying.tell(RecallProgress(reading));
    let terms = (setting.config().sessions, setting.args.crawl.max_peers as usize);
    let stop = staying.stop().clone();
    let read = spawn_blocking(move || {
        let Some(store) = Store::open(&url)? else { return Ok(None) };
        recall(&store, &scope, terms, |read, of| {
            if read % TOLD_EVERY == 0 {
                told.send_replace((read, of));
            }
            !stop.is_cancelled()
        })
    });
    let recalled = staying.unless_stopped(read).await??;
    display.end().await;
    let recalled: Recalled = recalled.map_err(anyhow::Error::from)?.unwrap_or_default();
    if recalled.is_monitored {
        return Err(Failed::usage(ALREADY).into());
    }
    Ok(recalled)
}

/// What two monitors of one network in one store are told.
const ALREADY: &str = "this network is monitored in this store already: two would tell the same sessions twice. `kadscope runs --tool monitor` \
                       lists who does; with --apart both watch all peers, each as a vantage point of its own";

fn kept(setting: &Setting<'_>) -> Option<(StoreUrl, MonitorScope)> {
    let store = &setting.args.kept.store;
    (*store != StoreUrl::None).then(|| (store.clone(), setting.scope()))
}

/// How much of a store was read.
struct RecallProgress(watch::Receiver<(u64, u64)>);

impl Tell for RecallProgress {
    const DRAWN_AFTER: Duration = Duration::from_secs(1);

    fn line(&mut self, _elapsed: Duration, room: usize) -> String {
        fit(&self.said(), room)
    }

    fn log_line(&mut self, _elapsed: Duration) -> String {
        self.said()
    }
}

impl RecallProgress {
    fn said(&self) -> String {
        let (read, of) = *self.0.borrow();
        format!("what the store has of the network is read: {} of {} visits", grouped(read), grouped(of))
    }
}
