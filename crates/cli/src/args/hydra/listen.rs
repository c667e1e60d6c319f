//! Places that heads share out: what one head has of them, with its port.

use std::{fmt, net::IpAddr};

use kad::Multiaddr;
use serde::{Serialize, Serializer};

/// Stands for the port of a head.
const PORT: &str = "{port}";

/// What joins the addresses of one head.
const JOINT: char = '+';

/// One head's share: addresses in each of which its port is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenPlace {
    /// As it was written.
    text: String,
    /// Multiaddresses, with [`PORT`] where the port of the head is to stand.
    templates: Vec<String>,
}

impl ListenPlace {
    /// Reads one: IP addresses and multiaddresses, joined by `+`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut templates = Vec::new();
        for part in text.split(JOINT) {
            if let Ok(ip) = part.parse::<IpAddr>() {
                templates.extend(both_at(ip));
                continue;
            }
            filled(part, 1).and_then(whole).map_err(|error| {
                format!(
                    "`{part}` is no IP address and no multiaddress ({error}); write 192.0.2.1+2001:db8::1, or \
                     /ip4/192.0.2.1/tcp/{PORT}"
                )
            })?;
            templates.push(part.to_owned());
        }
        Ok(Self { text: text.to_owned(), templates })
    }

    /// TCP and QUIC at each of these addresses.
    pub(crate) fn at(ips: &[IpAddr]) -> Self {
        let texts: Vec<_> = ips.iter().map(IpAddr::to_string).collect();
        Self { text: texts.join("+"), templates: ips.iter().copied().flat_map(both_at).collect() }
    }

    /// The addresses of a head with this port; 0 lets the system choose.
    pub(crate) fn with_port(&self, port: u16) -> Vec<Multiaddr> {
        // Each was read once with another port.
        self.templates.iter().filter_map(|template| filled(template, port).ok()).collect()
    }

    /// Whether the port of a head stands anywhere in it.
    pub(crate) fn has_port(&self) -> bool {
        self.templates.iter().any(|template| template.contains(PORT))
    }
}

fn both_at(ip: IpAddr) -> [String; 2] {
    let version = if ip.is_ipv4() { 4 } else { 6 };
    [format!("/ip{version}/{ip}/tcp/{PORT}"), format!("/ip{version}/{ip}/udp/{PORT}/quic-v1")]
}

fn filled(template: &str, port: u16) -> Result<Multiaddr, String> {
    kad::parse::multiaddr(&template.replace(PORT, &port.to_string())).map_err(|error| error.to_string())
}

/// Refuses an address that names nothing.
fn whole(addr: Multiaddr) -> Result<Multiaddr, String> {
    if addr.is_empty() { Err("it is empty".to_owned()) } else { Ok(addr) }
}

impl fmt::Display for ListenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for ListenPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled_texts(text: &str, port: u16) -> Vec<String> {
        ListenPlace::read(text).unwrap().with_port(port).iter().map(Multiaddr::to_string).collect()
    }

    #[test]
    fn an_address_is_both_transports_and_a_template_is_itself() {
        assert_eq!(
            filled_texts("127.0.0.1+::1", 7),
            [
                "/ip4/127.0.0.1/tcp/7",
                "/ip4/127.0.0.1/udp/7/quic-v1",
                "/ip6/::1/tcp/7",
                "/ip6/::1/udp/7/quic-v1"
            ]
        );
        assert_eq!(
            filled_texts("/ip4/127.0.0.1/tcp/{port}+/ip4/127.0.0.1/tcp/9", 8),
            ["/ip4/127.0.0.1/tcp/8", "/ip4/127.0.0.1/tcp/9"]
        );
        assert_eq!(filled_texts("/dns4/heads.example/tcp/{port}", 8), ["/dns4/heads.example/tcp/8"]);
        for wrong in ["", "127.0.0.1+", "localhost", "tcp/1", "127.0.0.1:4001"] {
            let error = ListenPlace::read(wrong).unwrap_err();
            assert!(error.contains("no IP address and no multiaddress"), "{wrong}: {error}");
        }
    }
}
