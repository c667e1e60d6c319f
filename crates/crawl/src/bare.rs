//! The one form of an address in which it is compared, kept and counted: without the name of its own peer at the end.
//!
//! Some programs announce `/ip4/1.2.3.4/tcp/4001/p2p/ID` of themselves where others leave the end out. Who is dialled is
//! known without it.

use kad::{Multiaddr, PeerId};
use multiaddr::Protocol;

/// The code of `/p2p` as a varint (<https://github.com/multiformats/multicodec>, 0x01a5).
const P2P: [u8; 2] = [0xa5, 0x03];

/// An address of this peer without its own `/p2p` part at the end.
pub(crate) fn bare(mut address: Multiaddr, peer: &PeerId) -> Multiaddr {
    while address.iter().last() == Some(Protocol::P2p(*peer)) {
        address.pop();
    }
    address
}

/// The same of the bytes of an address, unchecked: `id` are the canonical bytes of the peer's id. Bytes in another form
/// of the same id are left as they are.
pub(crate) fn bare_bytes<'a>(address: &'a [u8], id: &[u8]) -> &'a [u8] {
    let strip = |address: &'a [u8]| {
        let before = address.strip_suffix(id)?;
        let (&length, before) = before.split_last()?;
        before.strip_suffix(&P2P).filter(|_| usize::from(length) == id.len())
    };
    strip(address).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_name_goes_and_all_others_stay() {
        let (peer, other) = (PeerId::random(), PeerId::random());
        let cases = [
            (format!("/ip4/1.2.3.4/tcp/1/p2p/{peer}"), "/ip4/1.2.3.4/tcp/1".to_owned()),
            (format!("/ip4/1.2.3.4/tcp/1/ws/p2p/{peer}"), "/ip4/1.2.3.4/tcp/1/ws".to_owned()),
            (format!("/ip4/1.2.3.4/tcp/1/p2p/{other}"), format!("/ip4/1.2.3.4/tcp/1/p2p/{other}")),
            (
                format!("/ip4/1.2.3.4/tcp/1/p2p/{other}/p2p-circuit/p2p/{peer}"),
                format!("/ip4/1.2.3.4/tcp/1/p2p/{other}/p2p-circuit"),
            ),
            ("/dnsaddr/a.b".to_owned(), "/dnsaddr/a.b".to_owned()),
        ];
        for (given, expected) in cases {
            let (given, expected): (Multiaddr, Multiaddr) =
                (given.parse().unwrap(), expected.parse().unwrap());
            assert_eq!(bare_bytes(given.as_ref(), &peer.to_bytes()), expected.as_ref());
            assert_eq!(bare(given, &peer), expected);
        }
    }
}
