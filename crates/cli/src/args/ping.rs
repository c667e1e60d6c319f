//! Whom to look at.

use std::{fmt, str::FromStr};

use clap::Args;
use kad::{Multiaddr, PeerId};
use multiaddr::Protocol;
use serde_json::json;

use crate::{keeping::KeepArgs, reach::ReachArgs};

/// Which peers, and what to print.
#[derive(Debug, Args)]
pub(crate) struct PingArgs {
    /// Whom: a peer id in any form, whose addresses are looked up first, or an address that ends in `/p2p/PEER_ID`
    #[arg(value_name = "PEER|MULTIADDR", required = true)]
    pub(crate) peers: Vec<Pinged>,

    /// Stop at the first address that answers, as a crawl does [default: try every address apart]
    #[arg(long, env = "KADSCOPE_PING_FIRST", help_heading = "Ping")]
    pub(crate) first: bool,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) keep: KeepArgs,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

impl PingArgs {
    /// What was asked for, as it is kept with a run.
    pub(crate) fn parameters(&self) -> serde_json::Value {
        let peers: Vec<_> = self.peers.iter().map(Pinged::to_string).collect();
        json!({ "peers": peers, "first": self.first })
    }
}

/// A peer, and where it is if that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pinged {
    /// Who.
    pub(crate) peer: PeerId,
    /// Where; `None` if it is to be looked up.
    pub(crate) address: Option<Multiaddr>,
}

/// As it can be given again.
impl fmt::Display for Pinged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            None => self.peer.fmt(f),
            Some(address) => write!(f, "{address}/p2p/{}", self.peer),
        }
    }
}

impl FromStr for Pinged {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_address = text.starts_with('/') && !text.starts_with("/p2p/") && !text.starts_with("/ipfs/");
        if !is_address {
            let peer = kad::parse::peer_id(text).map_err(|bad| format!("it is no peer id: {bad}"))?;
            return Ok(Self { peer, address: None });
        }
        let mut address =
            kad::parse::multiaddr(text).map_err(|bad| format!("it is no multiaddress: {bad}"))?;
        match address.pop() {
            Some(Protocol::P2p(peer)) if !address.is_empty() => Ok(Self { peer, address: Some(address) }),
            _ => Err("it does not say which peer is there; put /p2p/PEER_ID at its end".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    #[test]
    fn a_peer_or_an_address_of_one() {
        let peer: PeerId = PEER.parse().unwrap();
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        assert_eq!(PEER.parse(), Ok(Pinged { peer, address: None }));
        assert_eq!(format!("/p2p/{PEER}").parse(), Ok(Pinged { peer, address: None }));
        assert_eq!(format!("{address}/p2p/{PEER}/").parse(), Ok(Pinged { peer, address: Some(address) }));
        for wrong in ["", "nobody", "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/x/p2p/12D3"] {
            assert!(wrong.parse::<Pinged>().is_err(), "{wrong}");
        }
    }
}
