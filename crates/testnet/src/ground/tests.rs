//! The internet of worlds beside the databases that it was taken from.

use std::path::Path;

use maxminddb::{Reader, geoip2};

use super::*;

fn database(name: &str) -> Reader<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/mmdb").join(name);
    Reader::open_readfile(path).expect("a database")
}

#[test]
fn the_internet_is_what_the_databases_say() {
    let (cities, networks) = (database("GeoLite2-City-Test.mmdb"), database("GeoLite2-ASN-Test.mmdb"));
    assert!(Internet::get().ranges().len() > 30);
    for range in Internet::get().ranges() {
        let last = range.prefix.host(u32::try_from((1_u64 << range.prefix.host_bits()) - 1).unwrap());
        for ip in [range.prefix.ip, last] {
            assert!(range.prefix.contains(ip), "{ip}");
            let city = cities.lookup(ip).expect("a lookup").decode::<geoip2::City<'_>>().expect("a city");
            let country = city.and_then(|city| city.country.iso_code.map(str::to_owned));
            assert_eq!(country, range.country, "{ip}");
            let network =
                networks.lookup(ip).expect("a lookup").decode::<geoip2::Asn<'_>>().expect("a network");
            let asn = network.as_ref().and_then(|network| network.autonomous_system_number);
            assert_eq!(asn, range.asn, "{ip}");
            let name = network.and_then(|network| network.autonomous_system_organization);
            assert_eq!(name, range.network.as_deref(), "{ip}");
        }
    }
}

#[test]
fn ranges_are_public_and_do_not_overlap() {
    let ranges = Internet::get().ranges();
    for (index, range) in ranges.iter().enumerate() {
        assert_eq!(kad::scope::scope(range.prefix.ip), kad::scope::Scope::Public, "{range:?}");
        for other in &ranges[index + 1..] {
            let (a, b) = (range.prefix, other.prefix);
            assert!(!a.contains(b.ip) && !b.contains(a.ip), "{range:?} {other:?}");
        }
    }
}

#[test]
fn a_prefix_holds_its_addresses_and_no_others() {
    let prefix: Prefix = "81.2.69.160/27".parse().unwrap();
    let holds = |ip: &str| prefix.contains(ip.parse().unwrap());
    assert_eq!(
        ["81.2.69.160", "81.2.69.191", "81.2.69.192", "81.2.69.159", "2001:218::1"].map(holds),
        [true, true, false, false, false]
    );
    for wrong in ["81.2.69.160", "81.2.69.160/33", "2001:218::/129", "x/8", "1.2.3.4/a"] {
        assert!(wrong.parse::<Prefix>().unwrap_err().contains(wrong));
    }
}

#[test]
fn every_slot_has_ports_of_its_own() {
    let ports = Ports::STANDARD;
    let mut taken = vec![ports.dead, ports.dropping];
    for slot in 0..u16::from(SLOTS) {
        taken.extend([Transport::Tcp, Transport::Ws, Transport::Wss].map(|of| ports.of(of, slot)));
        assert_eq!(ports.slot(Transport::Quic, ports.of(Transport::Quic, slot)), Some(slot));
    }
    let count = taken.len();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!((taken.len(), ports.slot(Transport::Tcp, ports.dead)), (count, None));
}

#[test]
fn at_one_address_each_peer_has_ports_of_its_own() {
    for (websocket, each) in [(false, 1), (true, 3)] {
        let ports = Ports::of_one_address(20_000, 1000, websocket).unwrap();
        let mut taken = vec![ports.dead, ports.dropping];
        for slot in 0..1000 {
            let transports = [Transport::Tcp, Transport::Ws, Transport::Wss];
            for &transport in &transports[..each] {
                taken.push(ports.of(transport, slot));
                assert_eq!(ports.slot(transport, ports.of(transport, slot)), Some(slot));
            }
        }
        let count = taken.len();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!((taken.len(), taken[0], taken[count - 1]), (count, 20_000, ports.dropping));
        assert_eq!(usize::from(ports.dropping - 20_000) + 1, count);
    }
    assert_eq!(Ports::of_one_address(15_000, 17_000, true), None);
}
