//! The form of a network's file: every key checked, every error with its line.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{args::Policy, bootstrap::BootstrapAddress, render::text::escaped};

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The longest name of a protocol, in bytes.
const MAX_PROTOCOL_BYTES: usize = 256;

/// The longest text for people, and the longest agent string, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// The most names of a protocol: each costs a peer that speaks none of them a stream.
const MAX_PROTOCOLS: usize = 4;

/// The most addresses of peers to begin with.
const MAX_BOOTSTRAP: usize = 1000;

/// A network as its file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkFile {
    /// What it is called.
    #[serde(deserialize_with = "name")]
    pub(crate) name: String,
    /// Other names for it.
    #[serde(default, deserialize_with = "names")]
    pub(crate) aliases: Vec<String>,
    /// One line for people.
    #[serde(default, deserialize_with = "description")]
    pub(crate) description: String,
    /// The names of its Kademlia protocol, preferred one first.
    #[serde(deserialize_with = "protocols")]
    pub(crate) protocols: Vec<String>,
    /// Addresses of the peers to begin with.
    #[serde(deserialize_with = "bootstrap")]
    pub(crate) bootstrap: Vec<BootstrapAddress>,
    /// Which addresses may be dialled.
    #[serde(default = "public")]
    pub(crate) addresses: Policy,
    /// The agent string that its peers want to see; `None` for our own.
    #[serde(default, deserialize_with = "agent")]
    pub(crate) agent: Option<String>,
    /// Where the values are published.
    #[serde(default, deserialize_with = "source")]
    pub(crate) source: Option<String>,
    /// The day on which they were read there.
    #[serde(default, deserialize_with = "retrieved")]
    pub(crate) retrieved: Option<String>,
    /// The day that the source itself bears.
    #[serde(default, deserialize_with = "source_date")]
    pub(crate) source_date: Option<String>,
}

impl NetworkFile {
    /// Reads a file. The error says what is wrong, in which line, and what is allowed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let spelled = |error: toml::de::Error| {
            let lines: Vec<String> = error.to_string().trim_end().lines().map(escaped).collect();
            lines.join("\n")
        };
        toml::from_str(text).map_err(spelled)
    }

    /// How many peers there are to begin with; a list of them, whose length is not known here, counts as one.
    pub(crate) fn bootstrap_peers(&self) -> usize {
        let peers: HashSet<_> = self.bootstrap.iter().filter_map(BootstrapAddress::peer).collect();
        let lists: HashSet<_> = self.bootstrap.iter().filter(|entry| entry.peer().is_none()).collect();
        peers.len() + lists.len()
    }
}

/// Refuses what cannot be the name of a protocol. Returns it.
pub(crate) fn check_protocol(name: &str) -> Result<String, String> {
    let is_printable = name.bytes().all(|byte| byte.is_ascii_graphic());
    if name.starts_with('/') && is_printable && (2..=MAX_PROTOCOL_BYTES).contains(&name.len()) {
        return Ok(name.to_owned());
    }
    Err(format!("a protocol begins with `/` and has at most {MAX_PROTOCOL_BYTES} printable ASCII characters"))
}

const fn public() -> Policy {
    Policy::Public
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked_name("name", String::deserialize(deserializer)?)
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.into_iter().map(|name| checked_name("aliases", name)).collect()
}

fn checked_name<E: serde::de::Error>(key: &str, name: String) -> Result<String, E> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    if name.bytes().all(is_allowed) && (1..=MAX_NAME_BYTES).contains(&name.len()) {
        return Ok(name);
    }
    Err(E::custom(format!(
        "`{key}` is `{}`: write 1 to {MAX_NAME_BYTES} of a-z, 0-9, `-`, `_` and `.`",
        escaped(&name)
    )))
}

fn protocols<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let protocols = Vec::<String>::deserialize(deserializer)?;
    if !(1..=MAX_PROTOCOLS).contains(&protocols.len()) {
        return Err(D::Error::custom(format!(
            "`protocols` has {} entries: write 1 to {MAX_PROTOCOLS} names of the Kademlia protocol, such as [\"{}\"]",
            protocols.len(),
            kad::message::AMINO_PROTOCOL
        )));
    }
    let check = |name: &String| {
        check_protocol(name)
            .map_err(|problem| D::Error::custom(format!("`protocols` holds `{}`: {problem}", escaped(name))))
    };
    protocols.iter().map(check).collect()
}

fn bootstrap<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<BootstrapAddress>, D::Error> {
    let addresses = Vec::<BootstrapAddress>::deserialize(deserializer)?;
    if !(1..=MAX_BOOTSTRAP).contains(&addresses.len()) {
        return Err(D::Error::custom(format!(
            "`bootstrap` has {} entries: write 1 to {MAX_BOOTSTRAP} addresses that end in /p2p/PEER_ID",
            addresses.len()
        )));
    }
    Ok(addresses)
}

fn agent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let agent = text("agent", deserializer)?;
    if agent.is_empty() || !agent.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(D::Error::custom("`agent` is what peers are told: write printable ASCII characters"));
    }
    Ok(Some(agent))
}

fn description<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text("description", deserializer)
}

fn source<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text("source", deserializer).map(Some)
}

fn retrieved<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    day("retrieved", deserializer)
}

fn source_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    day("source_date", deserializer)
}

fn day<'de, D: Deserializer<'de>>(key: &str, deserializer: D) -> Result<Option<String>, D::Error> {
    let day = String::deserialize(deserializer)?;
    let has_form = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    if day.len() == 10 && day.bytes().zip(*b"0000-00-00").all(has_form) {
        return Ok(Some(day));
    }
    Err(D::Error::custom(format!("`{key}` is `{}`: write a day as \"2026-11-21\"", escaped(&day))))
}

fn text<'de, D: Deserializer<'de>>(key: &str, deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() <= MAX_TEXT_BYTES && !text.contains(char::is_control) {
        return Ok(text);
    }
    Err(D::Error::custom(format!("`{key}` is one line of at most {MAX_TEXT_BYTES} bytes")))
}
