//! What is asked of a server of `WebSocket`: its name and the path.

use kad::{Multiaddr, policy::Target};
use multiaddr::Protocol;
use rustls::pki_types::ServerName;

/// Where one attempt goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) target: Target,
    /// The address as it was given, or as its name resolved.
    pub(crate) address: &'a Multiaddr,
    /// The name that resolved to it, if any.
    pub(crate) name: Option<&'a str>,
}

impl Destination<'_> {
    /// What TLS asks for: the name that the address gives for it, or that it was resolved from, else nothing.
    pub(crate) fn server_name(&self) -> ServerName<'static> {
        let own = self.address.iter().find_map(|part| match part {
            Protocol::Sni(name) => Some(name),
            _ => None,
        });
        own.as_deref()
            .or(self.name)
            .and_then(|name| ServerName::try_from(name.trim_end_matches('.').to_owned()).ok())
            .unwrap_or_else(|| self.target.addr().ip().into())
    }

    /// What HTTP asks for. The scheme is never sent.
    pub(crate) fn uri(&self) -> String {
        let addr = self.target.addr();
        let host = match self.server_name() {
            ServerName::DnsName(name) => format!("{}:{}", name.as_ref(), addr.port()),
            _ => addr.to_string(),
        };
        let path = self.address.iter().find_map(|part| match part {
            Protocol::Ws(path) | Protocol::Wss(path) => Some(path),
            _ => None,
        });
        let path = path.as_deref().unwrap_or("/");
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("ws://{host}{slash}{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kad::policy::Addresses;

    #[test]
    fn names_and_paths_come_from_the_address() {
        for (text, name, asked, uri) in [
            ("/ip4/1.1.1.1/tcp/80/ws", None, "1.1.1.1", "ws://1.1.1.1:80/"),
            ("/ip6/2a00::1/tcp/80/ws", None, "2a00::1", "ws://[2a00::1]:80/"),
            ("/ip4/1.1.1.1/tcp/80/x-parity-ws/%2Fa%2Fb", None, "1.1.1.1", "ws://1.1.1.1:80/a/b"),
            ("/ip4/1.1.1.1/tcp/80/ws", Some("a.example"), "a.example", "ws://a.example:80/"),
            ("/ip4/1.1.1.1/tcp/443/tls/sni/b.example/ws", None, "b.example", "ws://b.example:443/"),
            ("/ip4/1.1.1.1/tcp/443/tls/sni/b.example/ws", Some("a."), "b.example", "ws://b.example:443/"),
            ("/ip4/1.1.1.1/tcp/443/wss", Some("c.example."), "c.example", "ws://c.example:443/"),
            ("/ip4/1.1.1.1/tcp/443/wss", Some("no name"), "1.1.1.1", "ws://1.1.1.1:443/"),
        ] {
            let address: Multiaddr = text.parse().unwrap();
            let to =
                Destination { target: Addresses::Any.socket(&address).unwrap(), address: &address, name };
            assert_eq!(to.server_name().to_str(), asked, "{text}");
            assert_eq!(to.uri(), uri, "{text}");
        }
    }
}
