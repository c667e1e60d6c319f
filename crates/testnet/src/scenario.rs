//! The one format in which networks are described: TOML, every key checked, every error with its line.
//!
//! `scenarios/*.toml` are built in and are the format's examples. Defaults describe a small healthy network, so that
//! `peers = 100` is a whole scenario.

mod builtin;
mod check;
pub mod holder;
pub mod life;
mod parts;
mod shares;

use std::path::Path;

use serde::Deserialize;
use thiserror::Error;

pub use self::{
    builtin::BUILT_IN,
    parts::{Agent, Attempts, Poor, Region, Shy, StateShare, TableShape},
    shares::{AddressShares, Keys, SecurityShares, Share, Transports},
};

/// A network to be: what it is made of, not yet who is in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// One line for people.
    pub description: String,
    /// Everything random comes from it.
    pub seed: u64,
    /// How many peers there are, dead ones included and departed ones not.
    pub peers: u32,
    /// How many online peers are handed out as bootstrap peers.
    pub bootstrap: u32,
    /// The Kademlia protocol that the peers speak.
    pub protocol: String,
    /// In a world: whether servers answer `AutoNAT`, each dialling back from its own addresses.
    pub autonat: bool,
    /// The routing tables.
    pub tables: TableShape,
    /// What peers listen on.
    pub transports: Transports,
    /// What secures their connections.
    pub securities: SecurityShares,
    /// The types of their keys.
    pub keys: Keys,
    /// Where they are, if that is in a world of public addresses.
    pub addresses: AddressShares,
    /// The region that the observer is in; the first one if absent.
    pub observer: Option<String>,
    /// Where peers are. None: no delay anywhere.
    pub regions: Vec<Region>,
    /// What peers run. None: one agent.
    pub agents: Vec<Agent>,
    /// What peers do; who is in none of these shares is online.
    pub states: Vec<StateShare>,
    /// What befalls attempts to connect.
    pub attempts: Attempts,
    /// How peers hold provider records; who is in none of these shares does as go-libp2p-kad-dht does.
    pub holders: Vec<holder::HolderShare>,
    /// How peers come and go. None: everyone stays as they are.
    pub life: Option<life::LifeTable>,
}

/// Why there is no scenario.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// No built-in scenario has this name.
    #[error(
        "no scenario is named `{name}`; built in are {}; a file needs a path with `/` or `.toml`",
        names()
    )]
    UnknownName {
        /// The name asked for.
        name: String,
    },
    /// The file could not be read.
    #[error("cannot read the scenario {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The text is no TOML, or a key or value is not one of the format's. The text names line and column.
    #[error("{origin}: {text}")]
    Syntax {
        /// The file or built-in name.
        origin: String,
        /// What is wrong, where, and what is allowed.
        text: String,
    },
    /// Each value is allowed, but not all of them together.
    #[error("{origin}, line {line}, `{key}`: {problem}")]
    Contradiction {
        /// The file or built-in name.
        origin: String,
        /// The line of the key, from 1.
        line: usize,
        /// The key.
        key: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
}

fn names() -> String {
    BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            description: String::new(),
            seed: 1,
            peers: 100,
            bootstrap: 5,
            protocol: kad::message::AMINO_PROTOCOL.to_owned(),
            autonat: true,
            tables: TableShape::default(),
            transports: Transports::default(),
            securities: SecurityShares::default(),
            keys: Keys::default(),
            addresses: AddressShares::default(),
            observer: None,
            regions: Vec::new(),
            agents: Vec::new(),
            states: Vec::new(),
            attempts: Attempts::default(),
            holders: Vec::new(),
            life: None,
        }
    }
}

impl Scenario {
    /// One of the built-in scenarios: see [`BUILT_IN`].
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| ScenarioError::UnknownName { name: name.to_owned() })?;
        Self::parse(text, name)
    }

    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let origin = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &origin),
            Err(source) => Err(ScenarioError::Unreadable { path: origin, source }),
        }
    }

    /// A built-in name, or a path: what holds a `/` or ends in `.toml` is a path.
    pub fn named_or_load(name: &str) -> Result<Self, ScenarioError> {
        let path = Path::new(name);
        let is_path = name.contains('/') || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        if is_path { Self::load(path) } else { Self::named(name) }
    }

    /// Reads a text. `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Syntax {
            origin: origin.to_owned(),
            text: error.to_string().trim_end().to_owned(),
        })?;
        match check::check(&scenario) {
            Ok(()) => Ok(scenario),
            Err((key, problem)) => Err(ScenarioError::Contradiction {
                origin: origin.to_owned(),
                line: check::line_of(text, key),
                key,
                problem,
            }),
        }
    }

    /// The same network with another number of peers (at least 1).
    #[must_use]
    pub fn with_peers(mut self, peers: u32) -> Self {
        self.peers = peers.max(1);
        self
    }

    /// The same network drawn from another seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

#[cfg(test)]
mod tests;
