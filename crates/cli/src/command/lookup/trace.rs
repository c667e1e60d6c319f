//! The trace of a lookup as NDJSON: one row a request.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use kad::lookup::{Named, Rpc, Trace};
use serde::Serialize;

use super::answer::milliseconds;
use crate::{
    exit::Failed,
    output,
    outputs::{InUse, Kind, Output},
};

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

/// Where a trace goes.
#[derive(Debug)]
pub(super) enum Place {
    Stdout,
    File(File, PathBuf),
}

/// Opens the file for a trace before anything is asked; `-` is stdout.
pub(super) fn open(path: &Path, in_use: &mut InUse, force: bool) -> Result<Place, Failed> {
    if path == Path::new("-") {
        return Ok(Place::Stdout);
    }
    let file = in_use.create(Output { what: "the trace", path, kind: Kind::Trace, force })?;
    Ok(Place::File(file, path.to_owned()))
}

/// Writes a trace.
pub(super) fn write(trace: &Trace, place: Place) -> anyhow::Result<()> {
    let mut text = String::new();
    for rpc in &trace.rpcs {
        text += &output::escape_controls(&serde_json::to_string(&row(trace, rpc))?);
        text.push('\n');
    }
    match place {
        Place::Stdout => Ok(output::print(&text)?),
        Place::File(mut file, path) => {
            let failed = || format!("cannot write the trace {}", path.display());
            file.write_all(text.as_bytes()).with_context(failed)
        }
    }
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
