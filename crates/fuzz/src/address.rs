//! Addresses as they stand in messages: what is a multiaddress reads back, and no policy lets through what it forbids.

use std::{net::IpAddr, sync::LazyLock};

use kad::{
    Address, Multiaddr, PeerId,
    address::MAX_ADDRESS_BYTES,
    message::{MAX_ADDRESSES, entry_addrs},
    policy::Addresses,
    scope::{Scope, scope},
};

static PEER: LazyLock<PeerId> = LazyLock::new(PeerId::random);

/// Reads the bytes as one address, and as the entry of a peer with a list of addresses.
pub fn check(bytes: &[u8]) {
    one(bytes);
    let mut count = 0;
    for address in entry_addrs(bytes) {
        assert!(address.len() <= MAX_ADDRESS_BYTES);
        one(address);
        count += 1;
    }
    assert!(count <= MAX_ADDRESSES);
}

fn one(bytes: &[u8]) {
    let given = Address::from_bytes(bytes);
    assert_eq!(given.as_bytes(), bytes);
    assert!(given.to_string().starts_with(if given.multiaddr().is_some() { "/" } else { "0x" }));
    assert!(given.multiaddr().is_none() || given.malformed_ip().is_none());
    let Ok(address) = Multiaddr::try_from(bytes.to_vec()) else { return };
    assert_eq!(address.as_ref(), bytes);
    for (policy, allowed) in [
        (Addresses::Public, &[Scope::Public][..]),
        (Addresses::Private, &[Scope::Private]),
        (Addresses::Loopback, &[Scope::Loopback]),
        (Addresses::Any, &[Scope::Public, Scope::Private, Scope::Loopback]),
    ] {
        if let Ok(target) = policy.target(&address, &PEER) {
            let ip = target.addr().ip();
            assert!(allowed.contains(&scope(ip)), "{policy:?} dials {address}");
            assert!(
                policy != Addresses::Public || !is_local(ip),
                "a crawl of a public network dials {address}"
            );
            assert_ne!(target.addr().port(), 0);
        }
    }
}

/// Whether the standard library, too, knows that an address is not for public use.
fn is_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    }
}
