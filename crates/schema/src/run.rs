//! A run: everything needed to understand, repeat and compare what was measured.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Names one crawl, in every store and for ever: 48 bits of milliseconds since 1970 and 80 random bits, printed as 32
/// hexadecimal digits, so that names sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrawlId(pub [u8; 16]);

impl CrawlId {
    /// A name for a crawl that starts at `now`, made unique by `random`.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.0 / 1000).unwrap_or(0).to_be_bytes();
        let mut id = [0; 16];
        id[..6].copy_from_slice(&millis[2..]);
        id[6..].copy_from_slice(&random);
        Self(id)
    }

    /// Reads back what [`Display`](fmt::Display) printed; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()))
            .then(|| u128::from_str_radix(text, 16).ok())
            .flatten()
            .map(|n| Self(n.to_be_bytes()))
    }
}

impl fmt::Display for CrawlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Serialize for CrawlId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CrawlId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a crawl's id has 32 hexadecimal digits"))
    }
}

/// What is known of a crawl when it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawlStart {
    /// Its name.
    pub id: CrawlId,
    /// The network's name, `ipfs` for instance.
    pub network: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The version of kadscope.
    pub version: String,
    /// The seed of every random choice.
    pub seed: u64,
    /// From where it was made: host name and whatever the user said of it.
    pub vantage: String,
    /// Every parameter, as a JSON object.
    pub parameters: serde_json::Value,
}

/// What is known of a crawl when it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawlEnd {
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub state: RunState,
    /// The summary that was printed, as a JSON object.
    pub summary: serde_json::Value,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Under way, in a process that is alive.
    Running,
    /// It came to its end.
    Succeeded,
    /// The user stopped it (Ctrl-C), or its limit was reached; all results in hand were kept.
    Cancelled,
    /// It ended by an error of ours.
    Failed,
    /// It has no end, and the process that made it is gone: killed, or the machine went down.
    Interrupted,
}

impl RunState {
    /// The stable name that is stored and printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_read_back() {
        let early = CrawlId::new(Timestamp(1_000_000_000_000_000), [255; 10]);
        let late = CrawlId::new(Timestamp(1_000_000_000_001_000), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(CrawlId::parse(&early.to_string()), Some(early));
        assert_eq!(CrawlId::parse("xyz"), None);
        assert_eq!(CrawlId::parse(&"+".repeat(32)), None);
    }
}
