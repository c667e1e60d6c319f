//! A run: everything needed to understand, repeat and compare what a tool measured.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Names one run, in every store and for ever: 48 bits of milliseconds since 1970 and 80 random bits, printed as 32
/// hexadecimal digits, so that names sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub [u8; 16]);

impl RunId {
    /// A name for a run that starts at `now`, made unique by `random`.
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

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Serialize for RunId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a run's id has 32 hexadecimal digits"))
    }
}

kad::named! {
    /// Who made a run.
    pub enum Tool: serde {
        /// Visits every peer of a network once.
        Crawl = "crawl",
        /// Visits known peers again and again.
        Monitor = "monitor",
        /// Publishes records and watches who keeps them.
        Hoard = "hoard",
        /// Times publications and lookups.
        Perf = "perf",
        /// Many peers of ours over one store of records.
        Hydra = "hydra",
        /// Looks a key up.
        Lookup = "lookup",
        /// Publishes provider records.
        Provide = "provide",
        /// Looks at some peers.
        Ping = "ping",
        /// Looks up where addresses are that other runs saw.
        Enrich = "enrich",
    }
}

/// What is known of a run when it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStart {
    /// Its name.
    pub id: RunId,
    /// Who makes it.
    pub tool: Tool,
    /// The network's name, `ipfs` for instance.
    pub network: String,
    /// When it began. Every later time of the run is this one and what a monotonic clock counted since: steps of the wall
    /// clock are rows of their own ([`ClockStep`](crate::ClockStep)).
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

/// What is known of a run when it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub state: RunState,
    /// The summary that was printed, as a JSON object.
    pub summary: serde_json::Value,
}

kad::named! {
    /// How a run stands.
    pub enum RunState: serde {
        /// Under way, in a process that is alive.
        Running = "running",
        /// It came to its end.
        Succeeded = "succeeded",
        /// The user stopped it (Ctrl-C), or its limit was reached; all results in hand were kept.
        Cancelled = "cancelled",
        /// It ended by an error of ours.
        Failed = "failed",
        /// It has no end, and the process that made it is gone: killed, or the machine went down.
        Interrupted = "interrupted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_read_back() {
        let early = RunId::new(Timestamp(1_000_000_000_000_000), [255; 10]);
        let late = RunId::new(Timestamp(1_000_000_000_001_000), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(RunId::parse(&early.to_string()), Some(early));
        assert_eq!(RunId::parse("xyz"), None);
        assert_eq!(RunId::parse(&"+".repeat(32)), None);
    }
}
