//! What one operation goes by: what its caller asks for, in words that stand in the query of a request, and the server's own choice for the
//! rest.

use std::time::Duration;

use kad::{Persistence, fabric::Fabric};
use schema::{ConnectionPolicy, OperationKind};

use super::{MAX_DEADLINE, ServerConfig, Shared, size_estimate};
use crate::{OperationId, OperationTold, UnixNanos};

/// How often those who were given a record can be asked for it again.
const MAX_READ_BACKS: usize = 8;

/// How long after a publication that may be, at the most.
const MAX_READ_BACK: Duration = Duration::from_secs(60);

/// What one operation goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationTerms {
    /// Names it.
    pub id: OperationId,
    /// After how long it is over; `None` for the server's own choice.
    pub deadline: Option<Duration>,
    /// Which connections it begins with.
    pub policy: ConnectionPolicy,
    /// How far a publication goes.
    pub persistence: Persistence,
    /// When those who were given the record are asked whether they have it, counted from the publication's end.
    pub read_back: Vec<Duration>,
    /// Whether whoever asks keeps what comes of it, so that the server need not.
    pub is_kept: bool,
}

/// What is no terms: the parameter, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {wrong}")]
pub struct BadTerms {
    /// The parameter.
    pub name: &'static str,
    /// What it should be.
    pub wrong: &'static str,
}

impl OperationTerms {
    /// What an operation of a server goes by if nobody says anything. Its id is zero.
    pub const fn usual(config: &ServerConfig) -> Self {
        Self {
            id: OperationId([0; 16]),
            deadline: None,
            policy: config.policy,
            persistence: config.persistence,
            read_back: Vec::new(),
            is_kept: false,
        }
    }

    /// These terms with what the query of a request says instead: `id`, `deadline` and `readback` in seconds, `connections`,
    /// `persistence`, and `kept=1` where whoever asks keeps it. What it does not know says nothing.
    pub fn with_query(mut self, query: &str) -> Result<Self, BadTerms> {
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            self.set(name, value)?;
        }
        Ok(self)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), BadTerms> {
        let bad = |name, wrong| BadTerms { name, wrong };
        match name {
            "id" => self.id = value.parse().map_err(|_| bad("id", "it is 32 hexadecimal digits"))?,
            "deadline" => {
                let deadline = seconds(value).filter(|time| *time > Duration::ZERO && *time <= MAX_DEADLINE);
                self.deadline = Some(deadline.ok_or(bad("deadline", "it is a number of seconds up to 600"))?);
            }
            "connections" => {
                let wrong = bad("connections", "they are warm, cold or fresh");
                self.policy = ConnectionPolicy::from_name(value).ok_or(wrong)?;
            }
            "persistence" => {
                let wrong = bad("persistence", "it is go or thorough");
                self.persistence = Persistence::from_name(value).ok_or(wrong)?;
            }
            "readback" => {
                let wrong = bad("readback", "it is up to 8 numbers of seconds up to 60, with commas between");
                let times = value.split(',').map(|time| seconds(time).filter(|time| *time <= MAX_READ_BACK));
                let times: Option<Vec<Duration>> = times.take(MAX_READ_BACKS + 1).collect();
                self.read_back = times.filter(|times| times.len() <= MAX_READ_BACKS).ok_or(wrong)?;
            }
            "kept" => {
                self.is_kept = match value {
                    "1" => true,
                    "0" => false,
                    _ => return Err(bad("kept", "it is 1 or 0")),
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// After how long an operation is over.
    pub(super) fn time(&self, kind: OperationKind, config: &ServerConfig) -> Duration {
        let usual = if kind == OperationKind::Provide { config.provide_time } else { config.retrieve_time };
        self.deadline.unwrap_or(usual)
    }
}

/// A number of seconds; `None` for what is none.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// What is known of an operation before it begins.
pub(super) fn told<F: Fabric>(
    (kind, key): (OperationKind, &[u8]),
    terms: &OperationTerms,
    shared: &Shared<F>,
) -> OperationTold {
    let Shared { config, node, .. } = shared;
    OperationTold {
        id: terms.id,
        kind,
        key: key.to_vec(),
        strategy: config.strategy,
        policy: terms.policy,
        persistence: terms.persistence,
        began_at: UnixNanos(u64::try_from(node.now().as_nanos()).unwrap_or(u64::MAX)),
        deadline: terms.time(kind, config),
        table_size: shared.table_size(node) as u64,
        own_record: false,
        left_over: false,
        cpu: Duration::ZERO,
        size_estimate: size_estimate(node),
    }
}

#[cfg(test)]
mod tests {
    use kad::Keypair;

    use super::*;

    fn usual() -> OperationTerms {
        let profile = dht::NodeProfile { agent: String::new(), protocols: [].into(), announce: Vec::new() };
        let config = ServerConfig::new(Keypair::generate_ed25519(), profile, Vec::new(), Duration::ZERO);
        OperationTerms::usual(&config)
    }

    #[test]
    fn a_query_says_what_differs() {
        let query = "id=000102030405060708090a0b0c0d0e0f&deadline=1.5&connections=cold&persistence=thorough&readback=0,1,5,30&kept=1&more=1&x";
        let terms = usual().with_query(query).unwrap();
        assert_eq!(terms.id.0, *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");
        assert_eq!(terms.deadline, Some(Duration::from_millis(1500)));
        assert_eq!((terms.policy, terms.persistence), (ConnectionPolicy::Cold, Persistence::Thorough));
        assert_eq!(terms.read_back, [0, 1, 5, 30].map(Duration::from_secs));
        assert!(terms.is_kept && !usual().is_kept);
        assert_eq!(usual().with_query("").unwrap(), usual());
    }

    #[test]
    fn what_is_hostile_is_named() {
        for (query, name) in [
            ("id=1", "id"),
            ("deadline=0", "deadline"),
            ("deadline=601", "deadline"),
            ("deadline=-1", "deadline"),
            ("deadline=NaN", "deadline"),
            ("deadline=inf", "deadline"),
            ("deadline=1e400", "deadline"),
            ("deadline=", "deadline"),
            ("connections=hot", "connections"),
            ("persistence=", "persistence"),
            ("readback=61", "readback"),
            ("readback=1,,2", "readback"),
            ("kept=yes", "kept"),
            ("readback=0,0,0,0,0,0,0,0,0", "readback"),
        ] {
            assert_eq!(usual().with_query(query).unwrap_err().name, name, "{query}");
        }
    }
}
