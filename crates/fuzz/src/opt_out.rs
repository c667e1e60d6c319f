//! Lists of who asked not to be measured: each entry is found again, and what is no entry is named with its line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kad::{opt_out::OptOut, parse};

/// Reads the bytes as a list.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let entries = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    match OptOut::parse(text) {
        Ok(list) => {
            let mut entries = entries.filter(|entry| !entry.is_empty()).peekable();
            assert_eq!(entries.peek().is_none(), list.is_empty());
            entries.for_each(|entry| assert!(is_in(entry, &list), "{entry} is not found again"));
        }
        Err(bad) => {
            let entry = bad.line.checked_sub(1).and_then(|index| entries.clone().nth(index));
            assert!(entry.is_some_and(|entry| !bad.text.is_empty() && entry.starts_with(&bad.text)));
            assert!(bad.text.chars().count() <= 80);
        }
    }
}

fn is_in(entry: &str, list: &OptOut) -> bool {
    if let Ok(peer) = parse::peer_id(entry) {
        return list.has_peer(&peer);
    }
    let (ip, bits) = entry.split_once('/').unwrap_or((entry, "128"));
    let Ok(ip) = ip.trim().parse::<IpAddr>() else { return false };
    list.has_ip(ip) && bits.trim().parse().is_ok_and(|bits| list.has_ip(last(ip, bits)))
}

/// The last address of the range around `ip` whose addresses share their first `bits` bits.
fn last(ip: IpAddr, bits: u32) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() | u32::MAX.checked_shr(bits).unwrap_or(0)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() | u128::MAX.checked_shr(bits).unwrap_or(0)).into(),
    }
}
