//! Lists of peers that lookups do without.

use std::path::Path;

use kad::PeerId;

use crate::{exit::Failed, input};

/// The longest list that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// The peers of a file: an id a line; what stands behind a `#` says nothing.
pub(super) fn ignored(file: Option<&Path>) -> Result<Vec<PeerId>, Failed> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let text = input::read(file, "the list of ignored peers", MAX_BYTES)?;
    let lines = text
        .lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.split('#').next().unwrap_or("").trim()));
    let read = |(number, line): (usize, &str)| {
        let wrong = |bad| Failed::usage(format!("{}:{number}: it is no peer id: {bad}", file.display()));
        kad::parse::peer_id(line).map_err(wrong)
    };
    lines.filter(|(_, line)| !line.is_empty()).map(read).collect()
}
