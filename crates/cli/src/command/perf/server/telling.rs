//! Where a server's events go, and which of them are marked.

use std::{path::Path, sync::Arc};

use ::perf::{
    BadDenyLine, DenyList, ServerConfig, ServerEvents,
    events::{EventSource, Events, EventsConfig, EventsTask},
};

use super::task::Task;
use crate::{
    args::{PerfEventsArgs, PerfServerArgs},
    clock,
    exit::Failed,
    input, output,
};

/// The longest list that is read, in bytes: ten times what the list of bad bits has.
const MAX_BYTES: u64 = 1 << 30;

/// Has the server tell of what happens, where that is asked for; the task is to be ended behind it.
pub(super) fn begin(
    args: &PerfServerArgs,
    task: &Task,
    config: &mut ServerConfig,
) -> Result<Option<EventsTask>, Failed> {
    let Some(place) = &args.events.events else { return Ok(None) };
    let denied = Arc::new(denied(&args.events)?);
    if !denied.is_empty() && !args.how.server_mode {
        output::note(
            "nobody asks a server that is a client: what is denied is marked with --server-mode alone",
        );
    }
    let failed = |why| Failed::usage(format!("--events {place}: {why}"));
    let (events, task_of_events) = Events::begin(place, EventsConfig::default()).map_err(failed)?;
    let peer = config.node.keypair.public().to_peer_id();
    let source = EventSource { peer, fleet: args.entry.fleet.clone(), region: task.region.clone() };
    let events = ServerEvents { events, source, denied, now: clock::now };
    config.node.watch = Some(events.clone().watch());
    config.events = Some(events);
    Ok(Some(task_of_events))
}

fn denied(args: &PerfEventsArgs) -> Result<DenyList, Failed> {
    let mut list = DenyList::default();
    let bad = |file: &Path, bad: BadDenyLine| Failed::usage(format!("{}: {bad}", file.display()));
    if let Some(file) = &args.badbits {
        let text = input::read(file, "the list of bad bits", MAX_BYTES)?;
        list.add_badbits(&text).map_err(|wrong| bad(file, wrong))?;
    }
    if let Some(file) = &args.denied_cids {
        let text = input::read(file, "the list of denied CIDs", MAX_BYTES)?;
        list.add_cids(&text).map_err(|wrong| bad(file, wrong))?;
    }
    Ok(list)
}
