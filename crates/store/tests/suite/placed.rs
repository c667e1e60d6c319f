//! Where addresses are: rows of which everything is there, and of which nothing is.

use kad::{
    Address,
    failure::{Failure, FailureClass, Phase},
};
use schema::{AddressKind, AddressPlace, CloudEvidence, Row};

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
