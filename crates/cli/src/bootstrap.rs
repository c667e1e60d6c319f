//! The peers to begin with, as users write them: multiaddresses that end in `/p2p/` and the peer id.

use std::{fmt, str::FromStr};

use crawl::Bootstrap;
use kad::{Multiaddr, PeerId, failure::SkipReason};
use multiaddr::Protocol;
use net::Addresses;

use crate::exit::Failed;

/// One address of one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BootstrapAddress {
    /// Who is to be there.
    peer: PeerId,
    /// The address without the id.
    address: Multiaddr,
}

impl FromStr for BootstrapAddress {
    type Err = String;

    /// What can never be dialled is refused here, with what to do about it.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write /ip4/IP/tcp/PORT/p2p/PEER_ID or /ip4/IP/udp/PORT/quic-v1/p2p/PEER_ID";
        let address: Multiaddr =
            text.parse().map_err(|error| format!("it is no multiaddress ({error}); {FORM}"))?;
        if address.is_empty() {
            return Err(format!("it is empty; {FORM}"));
        }
        if is_relayed(&address) {
            return Err(
                "it leads through a relay, and relays are not dialled; give an address of the peer itself"
                    .to_owned(),
            );
        }
        let mut own = address;
        let Some(Protocol::P2p(peer)) = own.pop() else {
            return Err("it does not say which peer is there; put /p2p/PEER_ID at its end".to_owned());
        };
        match Addresses::Any.target(&own, &peer) {
            Ok(_) => Ok(Self { peer, address: own }),
            Err(SkipReason::Name) => {
                Err("it is a name, and names are not resolved; give an address with /ip4 or /ip6".to_owned())
            }
            Err(SkipReason::TransportNotSupported) => {
                Err("its transport is not spoken; give one with /tcp/PORT or /udp/PORT/quic-v1".to_owned())
            }
            Err(SkipReason::OtherPeer) => Err("it names two peers; give one at its end".to_owned()),
            Err(SkipReason::SpecialPurpose) => {
                Err("its address is reserved: nobody can be there; check the IP address and the port"
                    .to_owned())
            }
            Err(_) => Err(format!("it names no transport; {FORM}")),
        }
    }
}

/// As it was written.
impl fmt::Display for BootstrapAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/p2p/{}", self.address, self.peer)
    }
}

impl serde::Serialize for BootstrapAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::P2pCircuit))
}

/// Puts the addresses of each peer together, in the order in which they were given.
pub(crate) fn merge(given: &[BootstrapAddress]) -> Vec<Bootstrap> {
    let mut peers: Vec<Bootstrap> = Vec::new();
    for BootstrapAddress { peer, address } in given {
        match peers.iter_mut().find(|known| known.id == *peer) {
            Some(known) if known.addrs.contains(address) => {}
            Some(known) => known.addrs.push(address.clone()),
            None => peers.push(Bootstrap { id: *peer, addrs: vec![address.clone()] }),
        }
    }
    peers
}

/// Refuses a list of which nothing may be dialled under the policy that was asked for.
pub(crate) fn check_policy(given: &[BootstrapAddress], policy: Addresses, named: &str) -> Result<(), Failed> {
    let reason = |entry: &BootstrapAddress| policy.target(&entry.address, &entry.peer).err();
    if given.iter().any(|entry| reason(entry).is_none()) {
        return Ok(());
    }
    let lines: Vec<String> =
        given.iter().filter_map(|entry| Some(format!("  {entry}: {}", kind_of(reason(entry)?)))).collect();
    Err(Failed::usage(format!(
        "none of the --bootstrap addresses may be dialled under --addresses {named}:\n{}\n\
         choose another policy (--addresses public, private, loopback or any)",
        lines.join("\n")
    )))
}

fn kind_of(reason: SkipReason) -> String {
    match reason {
        SkipReason::Public => "a public address".to_owned(),
        SkipReason::Private => "an address of a private network".to_owned(),
        SkipReason::Loopback => "an address of this machine".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn parse(text: &str) -> Result<BootstrapAddress, String> {
        text.replace("PEER", PEER).parse()
    }

    #[test]
    fn addresses_of_a_peer_are_put_together() {
        let tcp = parse("/ip4/127.0.0.1/tcp/1/p2p/PEER").unwrap();
        let quic = parse("/ip4/127.0.0.1/udp/1/quic-v1/p2p/PEER").unwrap();
        assert_eq!(tcp.to_string(), format!("/ip4/127.0.0.1/tcp/1/p2p/{PEER}"));
        let merged = merge(&[tcp.clone(), quic.clone(), tcp.clone()]);
        assert_eq!(merged, [Bootstrap { id: tcp.peer, addrs: vec![tcp.address, quic.address] }]);
    }

    #[test]
    fn what_cannot_be_dialled_is_refused_with_advice() {
        for (text, advice) in [
            ("nonsense", "write /ip4/"),
            ("", "write /ip4/"),
            ("/p2p/PEER", "write /ip4/"),
            ("/ip4/1.1.1.1/tcp/1", "put /p2p/PEER_ID at its end"),
            ("/ip4/1.1.1.1/tcp/1/p2p/PEER/p2p-circuit/p2p/PEER", "relay"),
            ("/dnsaddr/bootstrap.libp2p.io/p2p/PEER", "/ip4 or /ip6"),
            ("/ip4/1.1.1.1/tcp/1/ws/p2p/PEER", "/tcp/PORT"),
            ("/ip4/203.0.113.1/tcp/1/p2p/PEER", "reserved"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(advice), "{text}: {error}");
        }
    }

    #[test]
    fn a_policy_that_forbids_everything_is_named() {
        let own = parse("/ip4/127.0.0.1/tcp/1/p2p/PEER").unwrap();
        let far = parse("/ip4/1.1.1.1/tcp/1/p2p/PEER").unwrap();
        assert!(check_policy(&[own.clone(), far], Addresses::Public, "public").is_ok());
        let error = check_policy(&[own], Addresses::Public, "public").unwrap_err().to_string();
        assert!(error.contains("--addresses public") && error.contains("of this machine"), "{error}");
    }
}
