//! Keys that others have published, as files bring them: a list of CIDs, or JSON with their holders, as CID Hoarder reads and writes it.
//!
//! A program that publishes by itself (Kubo, say) hands its holders over so. Reading the file is left to whoever has one.

mod json;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use kad::written::{BadKey, WrittenKey};
use thiserror::Error;

pub use self::json::exchange_json;
use crate::{StudyKeyBytes, WatchedKey};

/// The most keys of one file.
const MAX_KEYS: usize = 1_000_000;

/// The most entries of one file of JSON: one for each holder of a key.
const MAX_ENTRIES: usize = 10_000_000;

/// The most holders of one key: many times as many as any way of publishing gives a record to.
const MAX_HOLDERS: usize = 1024;

/// The most addresses that are kept of one holder.
const MAX_ADDRESSES: usize = 64;

/// The longest name of a program that is kept, in bytes.
const MAX_AGENT_BYTES: usize = 256;

/// Keys of others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ForeignKeys {
    /// The keys, in the order of the file, each once.
    pub keys: Vec<StudyKeyBytes>,
    /// Those of them whose holders the file names.
    pub known: Vec<WatchedKey>,
}

/// Why a file of keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadExchange {
    /// A line is no key.
    #[error("line {line} is no CID and no multihash: {wrong}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        wrong: String,
    },
    /// It is no JSON of this form.
    #[error("it is no list of provider records: {0}")]
    Json(String),
    /// An entry cannot be used.
    #[error("entry {entry} (counted from 1): {wrong}")]
    Entry {
        /// The entry, from 1.
        entry: usize,
        /// What is wrong.
        wrong: String,
    },
    /// There is nothing in it.
    #[error("there is no key in it")]
    Empty,
    /// There is too much in it.
    #[error("it has more than {0}")]
    TooMany(&'static str),
}

impl ForeignKeys {
    /// Reads a file: JSON if it begins with a brace, else a list of a key a line, where `#` begins a comment.
    pub fn read(text: &str) -> Result<Self, BadExchange> {
        let read = if text.trim_start().starts_with('{') { json::read(text) } else { list(text) }?;
        if read.keys.is_empty() {
            return Err(BadExchange::Empty);
        }
        Ok(read)
    }
}

fn list(text: &str) -> Result<ForeignKeys, BadExchange> {
    let (mut keys, mut seen) = (Vec::new(), HashSet::new());
    for (line, said) in (1..).zip(text.lines()) {
        let said = said.split('#').next().unwrap_or_default().trim();
        if said.is_empty() {
            continue;
        }
        let key = multihash(said).map_err(|wrong| BadExchange::Line { line, wrong })?;
        if seen.insert(key.clone()) {
            keys.push(StudyKeyBytes(key));
        }
        if keys.len() > MAX_KEYS {
            return Err(BadExchange::TooMany("a million keys"));
        }
    }
    Ok(ForeignKeys { keys, known: Vec::new() })
}

/// The multihash of a key as people write it.
fn multihash(text: &str) -> Result<Vec<u8>, String> {
    let key: WrittenKey = text.parse().map_err(|error: BadKey| error.to_string())?;
    match key {
        WrittenKey::Multihash { bytes, .. } => Ok(bytes),
        _ => Err("it names no content".to_owned()),
    }
}
