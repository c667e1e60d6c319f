//! How much is said of who was measured: what the columns of rows reveal, and peers, addresses and errors as text at a level of
//! privacy. Whoever shows rows to others (an export, a page, a log) asks here.

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use kad::{Address, PeerId, failure::Failure};
use multiaddr::Protocol;
use sha2::Sha256;

/// The length of a pseudonym, in bytes: among a billion no two are expected to be the same.
const PSEUDONYM_BYTES: usize = 16;

/// What stands behind a veil for bytes that are no address.
const MALFORMED: &str = "0x";

kad::named! {
    /// What a column reveals of who was measured.
    pub enum Reveals {
        /// Nothing: times, counts and closed names.
        Nothing = "nothing",
        /// Who it is: a peer id, or a key that can be one.
        Peer = "peer",
        /// Where it is: an IP address or a name, with ports.
        Address = "address",
        /// What it says of its program: agents and names of protocols. They can be anything, and are shown as they were given.
        Program = "program",
        /// Roughly where it is, where many are: a country, a continent, a cloud. It is shown at every level.
        Region = "region",
        /// Where it is among few: a city, a network and who has it. Only who sees everything sees it.
        Network = "network",
        /// Text that can name a peer or an address: only who sees everything sees it.
        Text = "text",
    }
}

kad::named! {
    /// How much is said.
    pub enum Privacy: serde {
        /// Everything as it was seen.
        AsIs = "as-is",
        /// Peer ids, IP addresses and names replaced by keyed hashes; no ports, no texts of errors.
        Pseudonymised = "pseudonymised",
        /// Addresses reduced to their transports; peer ids stay.
        WithoutIps = "without-ips",
    }
}

/// What stands between the rows and their readers.
#[derive(Debug)]
pub enum Veil {
    /// Nothing.
    AsIs,
    /// Keyed hashes in place of peer ids, IP addresses and names.
    Pseudonymised(Pseudonyms),
    /// Transports in place of addresses.
    WithoutIps,
}

impl Veil {
    /// A peer.
    pub fn peer(&self, peer: &PeerId) -> String {
        match self {
            Self::AsIs | Self::WithoutIps => peer.to_base58(),
            Self::Pseudonymised(names) => names.peer(peer),
        }
    }

    /// A key, in hexadecimal: it can be that of a peer.
    pub fn key(&self, key: &[u8]) -> String {
        match self {
            Self::AsIs | Self::WithoutIps => hexadecimal(key),
            Self::Pseudonymised(names) => names.of("peer", key),
        }
    }

    /// An address. Behind a veil it has no ports, no paths and no certificates either, and nothing is left of bytes that
    /// are none: nobody knows what they say.
    pub fn address(&self, address: &Address) -> String {
        let names = match self {
            Self::AsIs => return address.to_string(),
            Self::Pseudonymised(names) => Some(names),
            Self::WithoutIps => None,
        };
        let Some(address) = address.multiaddr() else { return MALFORMED.to_owned() };
        let mut text = String::new();
        for part in address {
            text.extend(["/", part.tag()]);
            if let Some(pseudonym) = names.and_then(|names| names.part(&part)) {
                text.extend(["/", &pseudonym]);
            }
        }
        text
    }

    /// The other end of a connection; `None` where nothing of it may be said. Behind a veil it has no port.
    pub fn socket(&self, socket: SocketAddr) -> Option<String> {
        match self {
            Self::AsIs => Some(socket.to_string()),
            Self::Pseudonymised(_) | Self::WithoutIps => self.ip(socket.ip()),
        }
    }

    /// An IP; `None` where nothing of it may be said.
    pub fn ip(&self, ip: IpAddr) -> Option<String> {
        match self {
            Self::AsIs => Some(ip.to_string()),
            Self::Pseudonymised(names) => Some(names.ip(ip)),
            Self::WithoutIps => None,
        }
    }

    /// The text of a failure. It can name a peer or an address, so only who sees everything sees it.
    pub fn detail<'a>(&self, failure: &'a Failure) -> Option<&'a str> {
        match self {
            Self::AsIs => failure.detail.as_deref(),
            Self::Pseudonymised(_) | Self::WithoutIps => None,
        }
    }

    /// Its level.
    pub const fn level(&self) -> Privacy {
        match self {
            Self::AsIs => Privacy::AsIs,
            Self::Pseudonymised(_) => Privacy::Pseudonymised,
            Self::WithoutIps => Privacy::WithoutIps,
        }
    }

    /// Whether everything is said.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::AsIs)
    }
}

/// Makes pseudonyms: HMAC-SHA-256 (RFC 2104) of the kind of thing, a zero byte and the thing, cut to 16 bytes. Who has
/// the key can make the pseudonym of any peer or address, and so find out whose a pseudonym is.
pub struct Pseudonyms(Hmac<Sha256>);

/// The key stays out of whatever is printed.
impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").finish_non_exhaustive()
    }
}

impl Pseudonyms {
    /// With a secret key; `None` if there is none.
    pub fn new(key: &[u8]) -> Option<Self> {
        // HMAC takes keys of any length.
        Hmac::new_from_slice(key).ok().filter(|_| !key.is_empty()).map(Self)
    }

    fn peer(&self, peer: &PeerId) -> String {
        format!("peer-{}", self.of("peer", &peer.to_bytes()))
    }

    /// In place of the value of a part of an address; `None` where the value is left out.
    fn part(&self, part: &Protocol<'_>) -> Option<String> {
        match part {
            Protocol::Ip4(ip) => Some(self.ip((*ip).into())),
            Protocol::Ip6(ip) => Some(self.ip((*ip).into())),
            Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) | Protocol::Dnsaddr(name) => {
                Some(self.of("name", name.to_ascii_lowercase().as_bytes()))
            }
            Protocol::P2p(peer) => Some(self.peer(peer)),
            _ => None,
        }
    }

    /// The same for an IPv4 address inside an IPv6 address.
    fn ip(&self, ip: IpAddr) -> String {
        match ip.to_canonical() {
            IpAddr::V4(ip) => self.of("ip", &ip.octets()),
            IpAddr::V6(ip) => self.of("ip", &ip.octets()),
        }
    }

    fn of(&self, kind: &str, thing: &[u8]) -> String {
        let mut hash = self.0.clone();
        for part in [kind.as_bytes(), &[0], thing] {
            hash.update(part);
        }
        hexadecimal(&hash.finalize().into_bytes()[..PSEUDONYM_BYTES])
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use kad::{
        Multiaddr,
        failure::{FailureClass, Phase},
    };

    use super::*;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn veil() -> Veil {
        Veil::Pseudonymised(Pseudonyms::new(&[7; 32]).unwrap())
    }

    fn address(veil: &Veil, text: &str) -> String {
        let address: Multiaddr = text.replace("PEER", PEER).parse().unwrap();
        veil.address(&address.into())
    }

    #[test]
    fn pseudonyms_are_hmacs() {
        // Python: hmac.new(b'\x07' * 32, b'ip\0' + bytes([192, 0, 2, 1]), 'sha256').hexdigest()[:32], and so on.
        assert_eq!(address(&veil(), "/ip4/192.0.2.1/tcp/4001"), "/ip4/34b59e87c501c94f997602300e00932c/tcp");
        assert_eq!(veil().peer(&PEER.parse().unwrap()), "peer-a3cb212c473fc5bb47778322a34f333f");
        assert_eq!(
            address(&veil(), "/dns4/Example.org/tcp/443/wss"),
            "/dns4/804e22fca38d8c4e76f25fa029f8e388/tcp/wss"
        );
    }

    #[test]
    fn the_same_thing_has_the_same_pseudonym_by_the_same_key_only() {
        let (one, other) = (veil(), Veil::Pseudonymised(Pseudonyms::new(&[8; 32]).unwrap()));
        let text = "/ip4/1.2.3.4/tcp/1";
        assert_eq!(address(&one, text), address(&veil(), text));
        assert_ne!(address(&one, text), address(&other, text));
        let mapped = address(&one, "/ip6/::ffff:1.2.3.4/tcp/1");
        assert_eq!(mapped, address(&one, text).replace("ip4", "ip6"));
    }

    #[test]
    fn behind_a_veil_nothing_of_an_address_is_left_but_its_transport() {
        for text in [
            "/ip4/1.2.3.4/udp/4001/quic-v1/p2p/PEER/p2p-circuit",
            "/ip6/2a00::17/tcp/4001/tls/sni/secret.example.org/ws",
            "/dns6/secret.example.org/tcp/443/wss",
            "/ip4/1.2.3.4/tcp/80/http-path/secret",
        ] {
            for veil in [veil(), Veil::WithoutIps] {
                let said = address(&veil, text);
                for secret in ["1.2.3.4", "2a00", "17", "secret", "4001", "443", "80", PEER] {
                    let left = said.split('/').any(|part| part == secret || part.contains("secret"));
                    assert!(!left, "{secret} in {said}");
                }
            }
        }
        assert_eq!(address(&Veil::WithoutIps, "/ip4/1.2.3.4/udp/4001/quic-v1"), "/ip4/udp/quic-v1");
        assert_eq!(address(&Veil::AsIs, "/ip4/1.2.3.4/tcp/1"), "/ip4/1.2.3.4/tcp/1");
    }

    #[test]
    fn bytes_that_are_no_address_are_for_those_who_see_everything() {
        // `/ip4/1.2.3.4/tcp` without a port.
        let broken = Address::from_bytes(&[4, 1, 2, 3, 4, 6]);
        assert_eq!(Veil::AsIs.address(&broken), "0x040102030406");
        assert_eq!((veil().address(&broken), Veil::WithoutIps.address(&broken)), ("0x".into(), "0x".into()));
    }

    #[test]
    fn a_socket_is_the_ip_of_an_address_and_its_port_is_left_out() {
        let socket = "192.0.2.1:4001".parse().unwrap();
        assert_eq!(Veil::AsIs.socket(socket).as_deref(), Some("192.0.2.1:4001"));
        assert_eq!(veil().socket(socket).as_deref(), Some("34b59e87c501c94f997602300e00932c"));
        assert_eq!(Veil::WithoutIps.socket(socket), None);
    }

    #[test]
    fn texts_of_errors_are_for_those_who_see_everything() {
        let failure = Failure::with_detail(Phase::Secure, FailureClass::PeerIdMismatch, PEER);
        assert_eq!(Veil::AsIs.detail(&failure), Some(PEER));
        assert_eq!((veil().detail(&failure), Veil::WithoutIps.detail(&failure)), (None, None));
        assert_eq!(Veil::WithoutIps.peer(&PEER.parse().unwrap()), PEER);
    }
}
