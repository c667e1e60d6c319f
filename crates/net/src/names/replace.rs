//! What is asked for an address with a name, and what the answers make of it. Pure.

use std::net::IpAddr;

use hickory_resolver::proto::rr::RecordType;
use kad::{
    Multiaddr, PeerId, parse,
    policy::{is_relayed, names_other},
};
use multiaddr::Protocol;

/// What each text of `/dnsaddr` begins with.
const PREFIX: &[u8] = b"dnsaddr=";

/// The longest text that is read, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// What is to be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NameQuestion {
    /// The texts of this name.
    Texts(String),
    /// The IP addresses of this name, of these kinds.
    Ips(String, &'static [RecordType]),
}

/// What is to be asked for an address; `None` where it begins with no name.
pub(super) fn asked(address: &Multiaddr) -> Option<NameQuestion> {
    Some(match address.iter().next()? {
        Protocol::Dnsaddr(name) => NameQuestion::Texts(name.into_owned()),
        Protocol::Dns(name) => NameQuestion::Ips(name.into_owned(), &[RecordType::A, RecordType::AAAA]),
        Protocol::Dns4(name) => NameQuestion::Ips(name.into_owned(), &[RecordType::A]),
        Protocol::Dns6(name) => NameQuestion::Ips(name.into_owned(), &[RecordType::AAAA]),
        _ => return None,
    })
}

/// The address with this IP in the place of its name.
pub(super) fn with_ip(address: &Multiaddr, ip: IpAddr) -> Multiaddr {
    let ip = match ip {
        IpAddr::V4(ip) => Protocol::Ip4(ip),
        IpAddr::V6(ip) => Protocol::Ip6(ip),
    };
    std::iter::once(ip).chain(address.iter().skip(1)).collect()
}

/// The address that a text of `/dnsaddr` holds, whoever is there.
fn entry(text: &[u8]) -> Option<Multiaddr> {
    let text = text.strip_prefix(PREFIX).filter(|text| text.len() <= MAX_TEXT_BYTES)?;
    parse::multiaddr(std::str::from_utf8(text).ok()?).ok()
}

/// What a text adds to a list of peers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// An address of this peer, without the peer.
    Peer(PeerId, Multiaddr),
    /// A list of its own.
    List(Multiaddr),
}

/// What a text adds to a list of peers, if anything.
pub(super) fn of_list(text: &[u8]) -> Option<Listed> {
    let mut address = entry(text).filter(|entry| !is_relayed(entry))?;
    match address.iter().last()? {
        Protocol::P2p(peer) => {
            address.pop();
            (!address.is_empty() && !names_other(&address, &peer)).then_some(Listed::Peer(peer, address))
        }
        Protocol::Dnsaddr(_) => Some(Listed::List(address)),
        _ => None,
    }
}

/// The address that a text of `asked` holds, if it is one for this peer; for any where none is given. What follows the name in
/// `asked` must be the end of it, but for the peer, whom it need not name.
pub(super) fn of_entry(text: &[u8], asked: &Multiaddr, peer: Option<&PeerId>) -> Option<Multiaddr> {
    let entry = entry(text)?;
    if is_relayed(&entry) || peer.is_some_and(|peer| names_other(&entry, peer)) {
        return None;
    }
    let parts = |address: &Multiaddr, skipped| -> Vec<Protocol<'static>> {
        let parts = address.iter().skip(skipped).filter(|part| !matches!(part, Protocol::P2p(_)));
        parts.map(Protocol::acquire).collect()
    };
    parts(&entry, 0).ends_with(&parts(asked, 1)).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_asked_depends_on_the_kind_of_name() {
        let ips = |kinds| Some(NameQuestion::Ips("a.b".into(), kinds));
        assert_eq!(asked(&addr("/dns/a.b/tcp/1")), ips(&[RecordType::A, RecordType::AAAA]));
        assert_eq!(asked(&addr("/dns4/a.b/tcp/1")), ips(&[RecordType::A]));
        assert_eq!(asked(&addr("/dns6/a.b/tcp/1")), ips(&[RecordType::AAAA]));
        assert_eq!(asked(&addr("/dnsaddr/a.b")), Some(NameQuestion::Texts("a.b".into())));
        assert_eq!(asked(&addr("/ip4/1.1.1.1/tcp/1")), None);
    }

    #[test]
    fn an_ip_takes_the_place_of_the_name() {
        let address = addr("/dns/a.b/tcp/443/tls/sni/a.b/ws");
        let ip = "::1".parse().unwrap();
        assert_eq!(with_ip(&address, ip), addr("/ip6/::1/tcp/443/tls/sni/a.b/ws"));
    }

    #[test]
    fn an_entry_is_for_the_peer_that_was_asked_for() {
        let (peer, other) = (PeerId::random(), PeerId::random());
        let any = addr("/dnsaddr/a.b");
        let own = addr(&format!("/dnsaddr/a.b/p2p/{peer}"));
        let entry = |text: &str, asked| of_entry(format!("dnsaddr={text}").as_bytes(), asked, Some(&peer));
        for asked in [&any, &own] {
            for text in ["/ip4/1.1.1.1/tcp/1".to_owned(), format!("/dnsaddr/c.d/p2p/{peer}")] {
                assert_eq!(entry(&text, asked), Some(addr(&text)));
            }
            assert_eq!(entry(&format!("/ip4/1.1.1.1/tcp/1/p2p/{other}"), asked), None);
            assert_eq!(entry(&format!("/ip4/1.1.1.1/tcp/1/p2p/{other}/p2p-circuit/p2p/{peer}"), asked), None);
        }
        let only = addr("/dnsaddr/a.b/tcp/1");
        assert_eq!(entry("/ip4/1.1.1.1/tcp/1", &only), Some(addr("/ip4/1.1.1.1/tcp/1")));
        assert_eq!(entry("/ip4/1.1.1.1/tcp/2", &only), None);
    }

    #[test]
    fn a_list_holds_peers_and_lists() {
        let peer = PeerId::random();
        let listed = |text: &str| of_list(format!("dnsaddr={text}").as_bytes());
        for text in ["/ip4/1.1.1.1/tcp/1", "/dnsaddr/c.d"] {
            assert_eq!(listed(&format!("{text}/p2p/{peer}")), Some(Listed::Peer(peer, addr(text))));
        }
        assert_eq!(listed("/dnsaddr/c.d"), Some(Listed::List(addr("/dnsaddr/c.d"))));
        let other = PeerId::random();
        let relayed = format!("/ip4/1.1.1.1/tcp/1/p2p/{other}/p2p-circuit/p2p/{peer}");
        let two = format!("/ip4/1.1.1.1/tcp/1/p2p/{other}/p2p/{peer}");
        for nobody in ["/ip4/1.1.1.1/tcp/1", &format!("/p2p/{peer}"), &relayed, &two] {
            assert_eq!(listed(nobody), None, "{nobody}");
        }
        assert_eq!(of_list(b"/dnsaddr/c.d"), None);
    }

    #[test]
    fn a_peer_has_its_entries_in_every_form_of_its_id() {
        let peer: PeerId = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".parse().unwrap();
        let cid = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";
        let at = addr("/ip4/1.1.1.1/tcp/1");
        for form in [cid.to_owned(), format!("{cid}/"), format!("{peer}/")] {
            let text = format!("dnsaddr=/ip4/1.1.1.1/tcp/1/p2p/{form}");
            assert_eq!(of_list(text.as_bytes()), Some(Listed::Peer(peer, at.clone())), "{text}");
            assert_eq!(
                of_entry(text.as_bytes(), &addr("/dnsaddr/a.b"), Some(&peer)),
                Some(addr(&format!("/ip4/1.1.1.1/tcp/1/p2p/{peer}")))
            );
        }
        assert_eq!(of_list(b"dnsaddr=/dnsaddr/c.d/"), Some(Listed::List(addr("/dnsaddr/c.d"))));
    }

    #[test]
    fn what_is_no_entry_is_none() {
        let (asked, peer) = (addr("/dnsaddr/a.b"), PeerId::random());
        let long = format!("dnsaddr=/unix/{}", "x".repeat(MAX_TEXT_BYTES));
        let texts: [&[u8]; 6] =
            [b"", b"dnsaddr=", b"dnsaddr=x", b"dnsaddr=\xff\xff", b"v=spf1 -all", long.as_bytes()];
        for text in texts {
            let entry = of_entry(text, &asked, Some(&peer));
            assert!(entry.is_none_or(|entry| entry.is_empty()), "{text:?}");
        }
    }
}
