//! The trace of a lookup as NDJSON: one row a request.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::Context as _;
use kad::lookup::{Named, Rpc, Trace};
use serde::Serialize;

use super::answer::milliseconds;
use crate::output;

/// One request. Times are in milliseconds from the start of the lookup.
#[derive(Debug, Serialize)]
struct Row {
    peer: String,
    /// By whom it was named; `None` if the lookup began with it.
    heard_by: Option<String>,
    heard_ms: f64,
    hop: u8,
    common_prefix_len: u32,
    asked_ms: f64,
    /// When a connection stood and the request left; `None` if that never was.
    sent_ms: Option<f64>,
    ended_ms: Option<f64>,
    fate: &'static str,
    /// The phase and the class of what went wrong.
    phase: Option<&'static str>,
    error: Option<&'static str>,
    peers: usize,
    peers_with_addresses: usize,
    providers: usize,
    providers_with_addresses: usize,
    value: bool,
}

/// Writes a trace to a file, or to stdout for `-`.
pub(super) fn write(trace: &Trace, path: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    for rpc in &trace.rpcs {
        text += &output::escape_controls(&serde_json::to_string(&row(trace, rpc))?);
        text.push('\n');
    }
    if path == Path::new("-") {
        return Ok(output::print(&text)?);
    }
    let failed = || format!("cannot write the trace {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(failed)?);
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).with_context(failed)
}

fn row(trace: &Trace, rpc: &Rpc) -> Row {
    let name = |peer| trace.peer(peer).map(|peer| peer.to_string());
    let with = |named: &[Named]| named.iter().filter(|named| named.has_addresses).count();
    Row {
        peer: name(rpc.peer).unwrap_or_default(),
        heard_by: rpc.heard_by.and_then(name),
        heard_ms: milliseconds(rpc.heard_at),
        hop: rpc.hop,
        common_prefix_len: rpc.common_prefix_len,
        asked_ms: milliseconds(rpc.asked),
        sent_ms: rpc.sent.map(milliseconds),
        ended_ms: rpc.ended.map(milliseconds),
        fate: rpc.fate.name(),
        phase: rpc.failure.as_ref().map(|failure| failure.phase.name()),
        error: rpc.failure.as_ref().map(|failure| failure.class.name()),
        peers: rpc.closer.len(),
        peers_with_addresses: with(&rpc.closer),
        providers: rpc.providers.len(),
        providers_with_addresses: with(&rpc.providers),
        value: rpc.has_value,
    }
}
