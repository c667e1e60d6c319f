//! Networks: where to enter them and what their peers speak. Presets are compiled in, a user's file has the same form
//! (`networks/README.md`).

mod file;
mod preset;
mod reasons;

use std::path::Path;

use serde::Serialize;

pub(crate) use self::{
    file::{NetworkFile, check_protocol},
    preset::PRESETS,
};
use crate::{
    args::{NetworkArgs, Policy},
    bootstrap::BootstrapAddress,
    exit::Failed,
    input,
    render::text::escaped,
};

/// The longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The network that is to be crawled. As JSON it is kept with the crawl.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Network {
    /// The name under which it is kept.
    #[serde(rename = "network_name")]
    pub(crate) name: String,
    /// The names of its Kademlia protocol, preferred one first.
    pub(crate) protocols: Vec<String>,
    /// The peers to begin with.
    pub(crate) bootstrap: Vec<BootstrapAddress>,
    /// Which addresses are dialled.
    pub(crate) addresses: Policy,
    /// The agent string that its peers want to see; `None` for our own.
    pub(crate) agent: Option<String>,
}

impl Network {
    /// What the options say, and for the rest the network that they name.
    pub(crate) fn of(args: NetworkArgs) -> Result<Self, Failed> {
        let (file, _) = load(&args.network)?;
        let or = |given: Vec<BootstrapAddress>, own| if given.is_empty() { own } else { given };
        Ok(Self {
            name: args.network_name.unwrap_or(file.name),
            protocols: args.protocol.map_or(file.protocols, |protocol| vec![protocol]),
            bootstrap: or(args.bootstrap.into_iter().flat_map(|list| list.0).collect(), file.bootstrap),
            addresses: args.addresses.unwrap_or(file.addresses),
            agent: file.agent,
        })
    }
}

/// Reads a preset, or a file: what holds a `/` or ends in `.toml` is a path. Its text comes with it.
pub(crate) fn load(name: &str) -> Result<(NetworkFile, String), Failed> {
    let text = if is_path(name) {
        input::read(Path::new(name), "the network", MAX_FILE_BYTES)?
    } else {
        preset::text(name).ok_or_else(|| unknown(name))?.to_owned()
    };
    let network = NetworkFile::parse(&text).map_err(|first| {
        let reasons = reasons::all(&text, first).join("\n");
        Failed::usage(format!("cannot use the network {}: {reasons}", escaped(name)))
    })?;
    Ok((network, text))
}

/// Whether a network is a file.
pub(crate) fn is_path(name: &str) -> bool {
    name.contains('/') || Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

fn unknown(name: &str) -> Failed {
    let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
    Failed::usage(format!(
        "no network is named `{}`; known are {} (see `kadscope networks`); a file needs a path with `/` or `.toml`",
        escaped(name),
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests;
