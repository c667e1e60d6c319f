//! The peers to begin with, as users write them: multiaddresses that end in `/p2p/` and the peer id, or names of lists of
//! them.

use std::{fmt, str::FromStr};

use kad::{Contact, Multiaddr, PeerId, failure::SkipReason, parse, peer_id};
use multiaddr::Protocol;
use net::{Addresses, Host};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{exit::Failed, output, render::text::escaped};

/// What an address looks like.
const FORM: &str = "write /ip4/IP/tcp/PORT/p2p/PEER_ID or /ip4/IP/udp/PORT/quic-v1/p2p/PEER_ID";

/// The most addresses that an error lists.
const MOST_LISTED: usize = 16;

/// One address of one peer, or the name of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BootstrapAddress {
    /// Who is to be there; `None` for `/dnsaddr/NAME`, which lists peers.
    peer: Option<PeerId>,
    /// The address without the id.
    address: Multiaddr,
}

impl BootstrapAddress {
    /// Who is to be there; `None` for a list.
    pub(crate) const fn peer(&self) -> Option<PeerId> {
        self.peer
    }

    /// Where it is, without the id.
    pub(crate) const fn address(&self) -> &Multiaddr {
        &self.address
    }
}

impl FromStr for BootstrapAddress {
    type Err = String;

    /// What can never be dialled is refused here, with what to do about it.
    fn from_str(text: &str) -> Result<Self, String> {
        let address: Multiaddr = parse::multiaddr(text.trim())
            .map_err(|error| format!("it is no multiaddress ({error}); {FORM}"))?;
        if address.is_empty() {
            return Err(format!("it is empty; {FORM}"));
        }
        if address.iter().any(|part| matches!(part, Protocol::P2pCircuit)) {
            return Err(
                "it leads through a relay, and relays are not dialled; give an address of the peer itself"
                    .to_owned(),
            );
        }
        if is_list(&address) {
            return Ok(Self { peer: None, address });
        }
        let mut own = address;
        let Some(Protocol::P2p(peer)) = own.pop() else {
            return Err("it does not say which peer is there; put /p2p/PEER_ID at its end".to_owned());
        };
        if !peer_id::is_possible(&peer) {
            return Err("no key can have that peer id; check that it is whole".to_owned());
        }
        match Addresses::Any.target(&own, &peer) {
            Ok(_) | Err(SkipReason::Name) => Ok(Self { peer: Some(peer), address: own }),
            Err(SkipReason::TransportNotSupported) => {
                let name = own.iter().last().map_or("", |part| part.tag());
                Err(format!(
                    "its transport ({name}) is not spoken; give one with /tcp/PORT or /udp/PORT/quic-v1"
                ))
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
        match self.peer {
            Some(peer) => write!(f, "{}/p2p/{peer}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

impl Serialize for BootstrapAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BootstrapAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Visitor)
    }
}

/// By its own means, so that an error has the line of the address, not that of the list.
struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = BootstrapAddress;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a multiaddress that ends in /p2p/PEER_ID, or /dnsaddr/NAME")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<BootstrapAddress, E> {
        text.parse().map_err(|problem| E::custom(format!("`bootstrap` holds `{}`: {problem}", escaped(text))))
    }
}

/// The peers to begin with: those that were given, and those of the lists that were given, which are asked for now.
///
/// A list that cannot be had is told; it is an error if there is nobody else.
pub(crate) async fn gather(given: &[BootstrapAddress], host: &Host) -> Result<Vec<Contact>, Failed> {
    let mut all = Vec::new();
    let mut missing = Vec::new();
    for BootstrapAddress { peer, address } in given {
        match peer {
            Some(peer) => all.push((*peer, address.clone())),
            None => match host.list(address).await {
                Ok(listed) => all.extend(listed),
                Err(failure) => missing.push(format!("{address} lists no peers: {failure}")),
            },
        }
    }
    if all.is_empty() && !missing.is_empty() {
        return Err(Failed::network(format!("{}\ngive other peers (--bootstrap)", missing.join("\n"))));
    }
    for missing in &missing {
        output::note(missing);
    }
    Ok(merge(all))
}

/// Whether it is a name alone: at `_dnsaddr.NAME` stands who is meant.
fn is_list(address: &Multiaddr) -> bool {
    matches!(address.iter().collect::<Vec<_>>()[..], [Protocol::Dnsaddr(_)])
}

/// Puts the addresses of each peer together, in the order in which they were given.
fn merge(given: Vec<(PeerId, Multiaddr)>) -> Vec<Contact> {
    let mut peers: Vec<Contact> = Vec::new();
    for (peer, address) in given {
        match peers.iter_mut().find(|known| known.peer == peer) {
            Some(known) if known.addrs.contains(&address) => {}
            Some(known) => known.addrs.push(address),
            None => peers.push(Contact { peer, addrs: vec![address] }),
        }
    }
    peers
}

/// Refuses a list of which nothing may be dialled under the policy that was asked for. Where a name leads to is not
/// known yet; names are resolved under `public` and `any` only.
pub(crate) fn check_policy(given: &[BootstrapAddress], policy: Addresses, named: &str) -> Result<(), Failed> {
    let resolves = matches!(policy, Addresses::Public | Addresses::Any);
    let target = |entry: &BootstrapAddress| match &entry.peer {
        Some(peer) => policy.target(&entry.address, peer).err(),
        None => Some(SkipReason::Name),
    };
    let reason = |entry: &BootstrapAddress| target(entry).filter(|why| *why != SkipReason::Name || !resolves);
    if given.iter().any(|entry| reason(entry).is_none()) {
        return Ok(());
    }
    let mut lines: Vec<String> = given
        .iter()
        .filter_map(|entry| Some(format!("  {entry}: {}", kind_of(reason(entry)?))))
        .take(MOST_LISTED)
        .collect();
    if given.len() > MOST_LISTED {
        lines.push(format!("  and {} more", given.len() - MOST_LISTED));
    }
    Err(Failed::usage(format!(
        "none of the bootstrap addresses may be dialled under --addresses {named}:\n{}\n\
         choose another policy (--addresses public, private, loopback or any), or other peers (--bootstrap)",
        lines.join("\n")
    )))
}

fn kind_of(reason: SkipReason) -> String {
    match reason {
        SkipReason::Public => "a public address".to_owned(),
        SkipReason::Private => "an address of a private network".to_owned(),
        SkipReason::Loopback => "an address of this machine".to_owned(),
        SkipReason::Name => "a name, and names are not resolved under this policy".to_owned(),
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
        let peer = tcp.peer().unwrap();
        let merged = merge([&tcp, &quic, &tcp].map(|given| (peer, given.address.clone())).into());
        assert_eq!(merged, [Contact { peer, addrs: vec![tcp.address, quic.address] }]);
    }

    #[test]
    fn names_and_websockets_are_taken() {
        for text in [
            "/dnsaddr/bootstrap.example.org/p2p/PEER",
            "/dns/example.org/tcp/1/p2p/PEER",
            "/dns4/example.org/udp/1/quic-v1/p2p/PEER",
            "/dns6/example.org/tcp/443/wss/p2p/PEER",
            "/ip4/1.1.1.1/tcp/1/tls/sni/example.org/ws/p2p/PEER",
            "/dnsaddr/bootstrap.example.org",
        ] {
            assert_eq!(parse(text).map(|address| address.to_string()), Ok(text.replace("PEER", PEER)));
        }
    }

    #[test]
    fn an_id_has_any_of_its_forms_and_a_slash_at_the_end_is_nothing() {
        let cid = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";
        let qm = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
        for (text, plain) in [
            (format!("/ip4/1.1.1.1/tcp/1/p2p/{cid}"), format!("/ip4/1.1.1.1/tcp/1/p2p/{qm}")),
            (format!("/dns4/example.org/tcp/1/ipfs/{cid}/"), format!("/dns4/example.org/tcp/1/p2p/{qm}")),
            (format!("/ip4/1.1.1.1/tcp/1/p2p/{PEER}/"), format!("/ip4/1.1.1.1/tcp/1/p2p/{PEER}")),
            ("/dnsaddr/example.org/".to_owned(), "/dnsaddr/example.org".to_owned()),
        ] {
            assert_eq!(parse(&text).map(|address| address.to_string()), Ok(plain), "{text}");
        }
        let error =
            parse("/ip4/1.1.1.1/tcp/1/p2p/bafybeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe");
        assert!(
            error.clone().is_err_and(|text| text.contains("a CID of something else than a key")),
            "{error:?}"
        );
    }

    #[test]
    fn what_cannot_be_dialled_is_refused_with_advice() {
        for (text, advice) in [
            ("nonsense", "write /ip4/"),
            ("", "write /ip4/"),
            ("/p2p/PEER", "write /ip4/"),
            ("/ip4/1.1.1.1/p2p/PEER", "names no transport; write /ip4/"),
            ("/ip4/1.1.1.1/udp/1/p2p/PEER", "names no transport; write /ip4/"),
            // A SHA-256 of five bytes, and 32 bytes that are no key.
            ("/ip4/1.1.1.1/tcp/1/p2p/gc9sVQ3H8", "no key can have"),
            ("/ip4/1.1.1.1/tcp/1/p2p/1AWpZvtMKGYbgBEGovKhxvEC52hv4kZ74mPVBzx8ykkp8n", "no key can have"),
            ("/ip4/1.1.1.1/tcp/1", "put /p2p/PEER_ID at its end"),
            ("/dnsaddr/example.org/tcp/1", "put /p2p/PEER_ID at its end"),
            ("/dns4/example.org/tcp/1", "put /p2p/PEER_ID at its end"),
            ("/ip4/1.1.1.1/tcp/1/p2p/PEER/p2p-circuit/p2p/PEER", "relay"),
            (
                "/ip4/1.1.1.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp/p2p/PEER",
                "two peers",
            ),
            ("/ip4/1.1.1.1/udp/1/quic-v1/webtransport/p2p/PEER", "(webtransport) is not spoken; give one"),
            ("/ip4/1.1.1.1/udp/1/webrtc-direct/p2p/PEER", "(webrtc-direct) is not spoken"),
            ("/ip4/1.1.1.1/udp/1/quic/p2p/PEER", "(quic) is not spoken"),
            ("/memory/4/p2p/PEER", "(memory) is not spoken"),
            ("/dns4/example.org/udp/1/quic-v1/webtransport/p2p/PEER", "(webtransport) is not spoken"),
            ("/ip4/203.0.113.1/tcp/1/p2p/PEER", "reserved"),
            ("/ip4/1.1.1.1/tcp/0/p2p/PEER", "reserved"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(advice), "{text}: {error}");
        }
    }

    #[test]
    fn a_policy_that_forbids_everything_is_named() {
        let own = parse("/ip4/127.0.0.1/tcp/1/p2p/PEER").unwrap();
        let far = parse("/ip4/1.1.1.1/tcp/1/p2p/PEER").unwrap();
        let name = parse("/dnsaddr/example.org/p2p/PEER").unwrap();
        assert!(check_policy(&[own.clone(), far], Addresses::Public, "public").is_ok());
        assert!(check_policy(&[own.clone(), name.clone()], Addresses::Public, "public").is_ok());
        let list = parse("/dnsaddr/example.org").unwrap();
        assert!(check_policy(std::slice::from_ref(&list), Addresses::Public, "public").is_ok());
        for name in [name, list] {
            let error = check_policy(&[name], Addresses::Loopback, "loopback").unwrap_err().to_string();
            assert!(error.contains("not resolved under this policy"), "{error}");
        }
        let error = check_policy(&[own], Addresses::Public, "public").unwrap_err().to_string();
        assert!(error.contains("--addresses public") && error.contains("of this machine"), "{error}");
    }
}
