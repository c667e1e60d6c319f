//! Where addresses are: rows of which everything is there, and of which nothing is.

use std::collections::BTreeSet;

use kad::{
    Address,
    failure::{Failure, FailureClass, Phase},
};
use kadscope_store::Store;
use schema::{AddressKind, AddressPlace, CloudEvidence, Row, RunId, RunStart, Tool, Visit};

use super::keep;
use crate::rows;

/// A row of which all is there that can be, an IPv6 one, a name that led nowhere, and bytes that are no address.
pub(crate) fn placed() -> Vec<Row> {
    let address = |text: &str| Address::from(text.parse::<kad::Multiaddr>().unwrap());
    let text = |text: &str| Some(text.to_owned());
    let whole = AddressPlace {
        ip: Some("9.0.0.1".parse().unwrap()),
        continent: text("EU"),
        country: text("FR"),
        city: text("Saint-Étienne\u{0}'\""),
        asn: Some(u32::MAX),
        organisation: text("Some \u{1f642} network"),
        cloud: text("a cloud"),
        cloud_by: Some(CloudEvidence::Range),
        ..AddressPlace::of_kind(address("/ip4/9.0.0.1/tcp/4001"), AddressKind::Public)
    };
    let ipv6 = AddressPlace {
        ip: Some("2a01::7".parse().unwrap()),
        cloud_by: Some(CloudEvidence::Asn),
        ..AddressPlace::of_kind(address("/dns6/example.org/tcp/1"), AddressKind::Public)
    };
    let nowhere = AddressPlace {
        name_error: Some(Failure::with_detail(Phase::Dns, FailureClass::NameNotFound, "no such name")),
        ..AddressPlace::of_kind(address("/dns4/nowhere.example/tcp/1"), AddressKind::Name)
    };
    let malformed = AddressPlace::of_kind(Address::from_bytes(&[4, 1, 2]), AddressKind::Malformed);
    [whole, ipv6, nowhere, malformed].map(Row::from).to_vec()
}

/// What two crawls saw is there once; what a run said the place of is left out for whoever asks so, and stays when the crawls go.
pub(crate) async fn each_address_comes_once_until_its_place_is_said(open: &dyn Fn() -> Store) {
    let mut store = open();
    for n in [1, 2] {
        keep(&store, &rows::start(n), rows::crawl(50, 5, false)).await;
    }
    let seen: BTreeSet<Vec<u8>> = rows::crawl(50, 5, false).flat_map(|row| of_row(&row)).collect();
    assert_eq!(read(&store, &[]), seen);
    let enrich = RunStart { tool: Tool::Enrich, ..rows::start(3) };
    let half: BTreeSet<_> = seen.iter().step_by(2).cloned().collect();
    let place = |bytes: &Vec<u8>| AddressPlace::of_kind(Address::from_bytes(bytes), AddressKind::Public);
    keep(&store, &enrich, half.iter().map(|bytes| place(bytes).into())).await;
    assert_eq!(read(&store, &[enrich.id]), seen.difference(&half).cloned().collect());
    assert_eq!(read(&store, &[]), seen);
    for n in [1, 2] {
        store.delete_run(rows::start(n).id).unwrap();
    }
    assert_eq!(read(&store, &[]), half);
    assert_eq!(read(&store, &[enrich.id]), BTreeSet::new());
    assert!(store.addresses(&[rows::start(1).id]).is_err(), "a run that is not there");
    store.check().unwrap();
}

/// The addresses of a row of a visit.
fn of_row(row: &Row) -> Vec<Vec<u8>> {
    let Row::Visit(visit) = row else { return Vec::new() };
    let Visit { met, .. } = visit.as_ref();
    let addresses = met.addresses.iter().map(|visited| &visited.address).chain(&met.listen_addrs);
    addresses.map(|address| address.as_bytes().to_vec()).collect()
}

/// The addresses of a store, each of which comes once.
fn read(store: &Store, placed_by: &[RunId]) -> BTreeSet<Vec<u8>> {
    let addresses = store.addresses(placed_by).unwrap();
    let total = addresses.total();
    let all: Vec<Address> = addresses.flat_map(Result::unwrap).collect();
    let distinct: BTreeSet<Vec<u8>> = all.iter().map(|address| address.as_bytes().to_vec()).collect();
    assert_eq!((all.len(), distinct.len() as u64), (distinct.len(), total));
    distinct
}
