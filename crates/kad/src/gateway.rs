//! Asking a provider whether it has a block over HTTP, as a trustless gateway: which addresses are of one, the question, and
//! what an answer means. Connecting, TLS and reading answers are left to whoever has sockets.
//!
//! Sources: the specification of trustless gateways, <https://specs.ipfs.tech/http-gateways/trustless-gateway/>; the multiaddr
//! protocol table (`http`, `https`, `tls`, `sni`, `http-path`).

use std::{borrow::Cow, time::Duration};

use multiaddr::{Multiaddr, Protocol};
use multibase::Base;

use crate::{
    bitswap::BlockPresence,
    failure::{Failure, FailureClass, Phase},
    network::AddressOutcome,
};

/// What a gateway answers with that has the block, and what is asked for.
pub const RAW_BLOCK: &str = "application/vnd.ipld.raw";

/// A provider's address of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Where to connect over TCP: by an IP address or a name; with the peer, where the address names one.
    pub socket: Multiaddr,
    /// Whether TLS lies between.
    pub is_tls: bool,
    /// The name by which it is asked, and for which its certificate is to be: that of TLS, else that of the host.
    pub name: Option<String>,
    /// The port.
    pub port: u16,
    /// What goes before the path of each request: empty, or beginning with `/` and without one at its end.
    path: String,
}

impl Gateway {
    /// The gateway that an address is of: `/HOST/tcp/PORT`, then `/http`, `/https`, `/tls/http` or `/tls/sni/NAME/http`. `None`
    /// for any other, and where a name or path in it cannot stand in a request.
    pub fn of(addr: &Multiaddr) -> Option<Self> {
        let mut parts = addr.iter();
        let host = parts.next()?;
        let named = match &host {
            Protocol::Ip4(_) | Protocol::Ip6(_) => None,
            Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => Some(host_name(name)?),
            _ => return None,
        };
        let Protocol::Tcp(port) = parts.next()? else { return None };
        let socket = Multiaddr::empty().with(host.acquire()).with(Protocol::Tcp(port));
        let mut gateway = Self { socket, is_tls: false, name: named, port, path: String::new() };
        let mut is_http = false;
        for part in parts {
            match part {
                Protocol::Tls if !is_http => gateway.is_tls = true,
                Protocol::Sni(name) if gateway.is_tls && !is_http => gateway.name = Some(host_name(&name)?),
                Protocol::Http if !is_http => is_http = true,
                Protocol::Https if !is_http => (is_http, gateway.is_tls) = (true, true),
                Protocol::HttpPath(path) if is_http => gateway.path = prefix(&path)?,
                Protocol::P2p(peer) => gateway.socket.push(Protocol::P2p(peer)),
                _ => return None,
            }
        }
        is_http.then_some(gateway)
    }

    /// The request: whether it has the block in its own store. Nothing of the block is sent, and nobody else is asked for it.
    pub fn request(&self, question: &GatewayQuestion) -> Vec<u8> {
        let agent: String = question.agent.chars().filter(|c| (' '..='~').contains(c)).collect();
        let (path, cid, host) = (&self.path, cid_text(&question.cid), self.host());
        format!(
            "HEAD {path}/ipfs/{cid}?format=raw HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n\
             Accept: {RAW_BLOCK}\r\nCache-Control: only-if-cached\r\nConnection: close\r\n\r\n"
        )
        .into_bytes()
    }

    /// The host as requests name it: with its port, unless it is the usual one.
    fn host(&self) -> String {
        let host: Cow<'_, str> = match (&self.name, self.socket.iter().next()) {
            (Some(name), _) => name.into(),
            (None, Some(Protocol::Ip4(ip))) => ip.to_string().into(),
            (None, Some(Protocol::Ip6(ip))) => format!("[{ip}]").into(),
            (None, _) => "".into(),
        };
        match (self.is_tls, self.port) {
            (true, 443) | (false, 80) => host.into_owned(),
            (_, port) => format!("{host}:{port}"),
        }
    }
}

/// What is asked of gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayQuestion {
    /// The CID of the block, by its bytes.
    pub cid: Vec<u8>,
    /// Who asks, as an agent string.
    pub agent: String,
}

/// What came of asking a gateway at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayReply {
    /// The address.
    pub address: Multiaddr,
    /// Whether it was reached: it answered in HTTP.
    pub outcome: AddressOutcome,
    /// How long that took; `None` if it was not dialled.
    pub took: Option<Duration>,
    /// What it answered; `None` if it was not reached. An error says that the answer tells nothing of the block.
    pub answer: Option<Result<BlockPresence, Failure>>,
}

/// What an answer to the question means, by its status and its `Content-Type`. An error says that it tells nothing of the
/// block; the text says what came. Redirects are not followed: who redirects has nothing itself.
pub fn presence(status: u16, content_type: Option<&[u8]>) -> Result<BlockPresence, Failure> {
    let none = |class, text: &str| Err(Failure::with_detail(Phase::Request, class, text));
    // Kubo's gateways name no type where they only look into their own store.
    let is_raw = || content_type.is_none_or(is_raw_block);
    match status {
        200 if is_raw() => Ok(BlockPresence::Have),
        // A page, as any server of the web has one: whoever answers is no gateway.
        200 => none(FailureClass::ProtocolNotSupported, "no raw block"),
        // Nowhere, not any more, not without asking others, not for legal reasons.
        404 | 410 | 412 | 451 => Ok(BlockPresence::DontHave),
        429 | 503 => none(FailureClass::ResourceLimit, &format!("status {status}")),
        300..400 | 400 | 405 | 406 | 501 => {
            none(FailureClass::ProtocolNotSupported, &format!("status {status}"))
        }
        _ => none(FailureClass::Other, &format!("status {status}")),
    }
}

/// Whether a `Content-Type` is that of a raw block.
fn is_raw_block(content_type: &[u8]) -> bool {
    let media = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    media.trim_ascii().eq_ignore_ascii_case(RAW_BLOCK.as_bytes())
}

/// A name as it may stand in a request; `None` if it may not.
fn host_name(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.');
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (!name.is_empty() && name.bytes().all(is_name)).then(|| name.to_owned())
}

/// What goes before the path of a request.
fn prefix(path: &str) -> Option<String> {
    let path = path.trim_matches('/');
    let is_path = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
    match path {
        "" => Some(String::new()),
        path => path.bytes().all(is_path).then(|| format!("/{path}")),
    }
}

/// A CID as text: of version 1 in base32. A multihash alone is one of version 0, or of raw bytes where it cannot be that.
fn cid_text(cid: &[u8]) -> String {
    const RAW: [u8; 2] = [1, 0x55];
    match cid {
        [0x12, 0x20, digest @ ..] if digest.len() == 32 => Base::Base58Btc.encode(cid),
        [1, ..] => multibase::encode(Base::Base32Lower, cid),
        multihash => multibase::encode(Base::Base32Lower, [&RAW, multihash].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(text: &str) -> Option<Gateway> {
        Gateway::of(&text.parse().unwrap())
    }

    fn question(agent: &str) -> GatewayQuestion {
        GatewayQuestion { cid: vec![1, 0x55, 0, 1, 7], agent: agent.to_owned() }
    }

    #[test]
    fn each_form_of_address_is_of_a_gateway_that_is_asked_by_its_name() {
        for (text, socket, host, is_tls) in [
            ("/ip4/1.1.1.1/tcp/80/http", "/ip4/1.1.1.1/tcp/80", "1.1.1.1", false),
            ("/ip6/2a00::1/tcp/8080/http", "/ip6/2a00::1/tcp/8080", "[2a00::1]:8080", false),
            ("/ip4/1.1.1.1/tcp/443/https", "/ip4/1.1.1.1/tcp/443", "1.1.1.1", true),
            ("/dns4/a.example/tcp/443/tls/http", "/dns4/a.example/tcp/443", "a.example", true),
            ("/dns/a.example/tcp/8443/https", "/dns/a.example/tcp/8443", "a.example:8443", true),
            ("/ip4/1.1.1.1/tcp/443/tls/sni/b.example/http", "/ip4/1.1.1.1/tcp/443", "b.example", true),
        ] {
            let found = gateway(text).unwrap();
            assert_eq!((found.socket.to_string().as_str(), found.is_tls), (socket, is_tls), "{text}");
            let asked = String::from_utf8(found.request(&question("me/1\r\nX: y"))).unwrap();
            let expected = format!(
                "HEAD /ipfs/bafkqaaih?format=raw HTTP/1.1\r\nHost: {host}\r\nUser-Agent: me/1X: y\r\n\
                 Accept: application/vnd.ipld.raw\r\nCache-Control: only-if-cached\r\nConnection: close\r\n\r\n"
            );
            assert_eq!(asked, expected);
        }
        let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
        let found = gateway(&format!("/dns/a.example/tcp/443/https/http-path/a%2Fb/p2p/{peer}")).unwrap();
        assert_eq!(found.socket.to_string(), format!("/dns/a.example/tcp/443/p2p/{peer}"));
        assert!(found.request(&question("me")).starts_with(b"HEAD /a/b/ipfs/bafk"));
    }

    #[test]
    fn other_addresses_and_names_that_would_break_a_request_are_of_none() {
        for text in [
            "/ip4/1.1.1.1/tcp/80",
            "/ip4/1.1.1.1/tcp/443/tls",
            "/ip4/1.1.1.1/tcp/443/tls/ws",
            "/ip4/1.1.1.1/udp/443/quic-v1/http",
            "/ip4/1.1.1.1/tcp/80/http/p2p-circuit",
            "/ip4/1.1.1.1/tcp/80/http/p2p-webrtc-star",
            "/ip4/1.1.1.1/tcp/80/http/http-path/a%20b",
            "/dnsaddr/a.example/tcp/443/https",
        ] {
            assert_eq!(gateway(text), None, "{text}");
        }
        let name = Protocol::Dns("a\r\nX: y".into());
        let forged = Multiaddr::empty().with(name).with(Protocol::Tcp(80)).with(Protocol::Http);
        assert_eq!(Gateway::of(&forged), None);
    }

    #[test]
    fn no_other_thing_says_that_the_block_is_there() {
        for content_type in ["application/vnd.ipld.raw", "Application/vnd.ipld.raw; charset=x"] {
            assert_eq!(presence(200, Some(content_type.as_bytes())), Ok(BlockPresence::Have));
        }
        assert_eq!(presence(200, None), Ok(BlockPresence::Have), "as Kubo says it");
        for status in [404, 410, 412, 451] {
            assert_eq!(presence(status, None), Ok(BlockPresence::DontHave));
        }
        for (status, content_type, class) in [
            (200, Some("text/html"), FailureClass::ProtocolNotSupported),
            (200, Some(""), FailureClass::ProtocolNotSupported),
            (301, Some(RAW_BLOCK), FailureClass::ProtocolNotSupported),
            (429, None, FailureClass::ResourceLimit),
            (500, None, FailureClass::Other),
        ] {
            let said = presence(status, content_type.map(str::as_bytes));
            assert_eq!(said.map_err(|failure| failure.class), Err(class), "{status}");
        }
    }

    #[test]
    fn a_cid_is_written_as_gateways_read_it() {
        let digest = [&[0x12, 0x20][..], &[7; 32]].concat();
        assert!(cid_text(&digest).starts_with("Qm"));
        assert!(cid_text(&[&[1, 0x70][..], &digest].concat()).starts_with("bafybei"));
        assert_eq!(cid_text(&[0, 1, 7]), "bafkqaaih");
    }
}
