//! Runs of commands that look something up or publish it: they keep rows where that is asked for, and nothing without.

use std::collections::HashMap;

use clap::Args;
use kad::{
    PeerId,
    lookup::{Named, Rpc, Trace},
};
use schema::{LookupRequest, PeerNumber, Row, RunEnd, RunStart, RunState, Timestamp, Tool};
use store::{Store, StoreUrl, Writer};
use tokio::time::Instant;

use crate::{args::store_url, clock, network::Network, outputs::InUse, reach::ReachArgs, resources};

/// Where rows are kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeepArgs {
    /// Keep what was seen, as a run: in an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or
    /// in a database (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`) [default: nothing is kept]
    #[arg(long = "store", env = "KADSCOPE_STORE", value_name = "URL", help_heading = "Output", value_parser = store_url)]
    pub(crate) keep: Option<StoreUrl>,
}

/// A run whose rows are kept.
#[derive(Debug)]
pub(crate) struct Kept {
    // The file stays open as long as the run goes on.
    _store: Store,
    writer: Writer,
    began: (Timestamp, Instant),
    numbers: HashMap<PeerId, PeerNumber>,
}

/// Everything that a command was asked for: its own options, and how peers are reached.
pub(crate) fn parameters(
    own: serde_json::Value,
    reach: &ReachArgs,
    network: &Network,
) -> serde_json::Result<serde_json::Value> {
    let mut all = serde_json::to_value(network)?;
    let others = [own, serde_json::to_value(&reach.manners)?];
    if let Some(all) = all.as_object_mut() {
        for others in others {
            all.extend(others.as_object().cloned().unwrap_or_default());
        }
        all.insert("dial_timeout".to_owned(), reach.dial_timeout.as_secs_f64().into());
    }
    Ok(all)
}

impl KeepArgs {
    /// Remembers where rows are kept: no other output may be written there.
    pub(crate) fn note(&self, in_use: &mut InUse) {
        if let Some(store) = &self.keep {
            in_use.store(store);
        }
    }

    /// Begins a run, if rows are to be kept.
    pub(crate) fn begin(
        &self,
        tool: Tool,
        network: &str,
        parameters: serde_json::Value,
    ) -> anyhow::Result<Option<Kept>> {
        let Some(store) = self.keep.as_ref().map(Store::open).transpose()?.flatten() else { return Ok(None) };
        let (now, instant) = (clock::now(), Instant::now());
        let writer = store.begin_run(&RunStart {
            id: clock::run_id(now),
            tool,
            network: network.to_owned(),
            started_at: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: 0,
            vantage: resources::host_name(),
            parameters,
        })?;
        Ok(Some(Kept { _store: store, writer, began: (now, instant), numbers: HashMap::new() }))
    }
}

impl Kept {
    /// A moment by the clock of the run.
    pub(crate) fn at(&self, instant: Instant) -> Timestamp {
        self.began.0.after(instant.saturating_duration_since(self.began.1))
    }

    /// The number of a peer, which is introduced to the store if it is new.
    pub(crate) async fn peer(&mut self, peer: PeerId) -> PeerNumber {
        if let Some(&number) = self.numbers.get(&peer) {
            return number;
        }
        let number = PeerNumber(u32::try_from(self.numbers.len()).unwrap_or(u32::MAX));
        self.numbers.insert(peer, number);
        self.row(Row::Peer(number, peer)).await;
        number
    }

    /// Keeps a row. Whether it could be kept is known at the end.
    pub(crate) async fn row(&self, row: impl Into<Row>) {
        // Who no longer takes rows says at the end why.
        drop(self.writer.sender().send(row.into()).await);
    }
}

/// Writes what is in hand and the end of a run, if one is kept.
pub(crate) async fn end(
    kept: Option<Kept>,
    state: RunState,
    summary: &impl serde::Serialize,
) -> anyhow::Result<()> {
    let Some(kept) = kept else { return Ok(()) };
    let (finished_at, summary) = (kept.at(Instant::now()), serde_json::to_value(summary)?);
    kept.writer.finish(RunEnd { finished_at, state, summary }).await?;
    Ok(())
}

/// Keeps the requests of a lookup that began at `begun`, if a run is kept.
pub(crate) async fn trace(kept: &mut Option<Kept>, trace: &Trace, begun: Instant) {
    let Some(kept) = kept else { return };
    for rpc in &trace.rpcs {
        let Some(peer) = trace.peer(rpc.peer) else { continue };
        let peer = kept.peer(peer).await;
        let heard_by = match rpc.heard_by.and_then(|by| trace.peer(by)) {
            None => None,
            Some(by) => Some(kept.peer(by).await),
        };
        let row = request(trace, rpc, (peer, heard_by), kept.at(begun));
        kept.row(row).await;
    }
}

fn request(
    trace: &Trace,
    rpc: &Rpc,
    (peer, heard_by): (PeerNumber, Option<PeerNumber>),
    lookup_started_at: Timestamp,
) -> LookupRequest {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let with = |named: &[Named]| count(named.iter().filter(|named| named.has_addresses).count());
    LookupRequest {
        peer,
        kind: trace.kind,
        key: trace.preimage.to_vec(),
        lookup_started_at,
        heard_by,
        heard_after: rpc.heard_at,
        hop: rpc.hop,
        common_prefix_len: rpc.common_prefix_len,
        asked_after: rpc.asked,
        sent_after: rpc.sent,
        ended_after: rpc.ended,
        fate: rpc.fate,
        failure: rpc.failure.clone(),
        closer: count(rpc.closer.len()),
        closer_with_addresses: with(&rpc.closer),
        providers: count(rpc.providers.len()),
        providers_with_addresses: with(&rpc.providers),
        has_value: rpc.has_value,
    }
}
