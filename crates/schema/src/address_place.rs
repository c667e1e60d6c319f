//! Where an address is, by the sources that its run names.

use std::{borrow::Cow, net::IpAddr};

use kad::{Address, failure::Failure};

use crate::{
    Encounter, Reveals, RowType,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

kad::named! {
    /// What kind of address one is.
    pub enum AddressKind: serde {
        /// Its IP can be reached from everywhere.
        Public = "public",
        /// Its IP is one of a private network, a carrier's network or a link.
        Private = "private",
        /// Its IP is the machine itself.
        Loopback = "loopback",
        /// Its IP is one of documentation, benchmarks, multicast, or of a range that is not given out.
        SpecialPurpose = "special_purpose",
        /// It leads over a relay: its IP is the relay's, and where that is says nothing of the peer.
        Relayed = "relayed",
        /// It has a name, of which no IP is known: it was not asked for, or nobody answered.
        Name = "name",
        /// It has neither an IP nor a name.
        Placeless = "placeless",
        /// Its bytes are no address.
        Malformed = "malformed",
    }
}

kad::named! {
    /// What says that an address is a cloud's.
    pub enum CloudEvidence: serde {
        /// A list of ranges, that of the provider for instance.
        Range = "range",
        /// The number of its network, by a table of networks.
        Asn = "asn",
    }
}

/// Where an address is. An address with a name has a row for each IP that the name led to.
#[derive(Debug, Clone, PartialEq)]
pub struct AddressPlace {
    /// The address, as it was seen.
    pub address: Address,
    /// Its kind; that of the IP where a name led to one.
    pub kind: AddressKind,
    /// Its IP, or one that its name led to; an IPv4 address inside an IPv6 address is itself. `None` for relayed addresses, and where
    /// there is none.
    pub ip: Option<IpAddr>,
    /// Why its name led nowhere; `None` if it led somewhere, was not asked for, or if there is none.
    pub name_error: Option<Failure>,
    /// The continent: `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`; `None` if no source says it. Only public IPs are looked up.
    pub continent: Option<String>,
    /// The country, by ISO 3166-1, two letters; likewise.
    pub country: Option<String>,
    /// The city, in English; likewise.
    pub city: Option<String>,
    /// The number of the autonomous system; likewise.
    pub asn: Option<u32>,
    /// Who has that number; likewise.
    pub organisation: Option<String>,
    /// The cloud whose it is; `None` if it is none's that is known.
    pub cloud: Option<String>,
    /// What says so; there if the cloud is.
    pub cloud_by: Option<CloudEvidence>,
}

impl AddressPlace {
    /// An address of which nothing more is known than its kind.
    pub const fn of_kind(address: Address, kind: AddressKind) -> Self {
        Self {
            address,
            kind,
            ip: None,
            name_error: None,
            continent: None,
            country: None,
            city: None,
            asn: None,
            organisation: None,
            cloud: None,
            cloud_by: None,
        }
    }
}

impl RowType for AddressPlace {
    const TABLE: Table = Table {
        name: "address_place",
        doc: "Where an address is, by the sources that the run names.",
        has_encounter: false,
        columns: &[
            Column::new("address", Holds::Address, "the address, as it was seen"),
            Column::new("kind", names_of!(AddressKind), "its kind; that of the IP where a name led to one"),
            Column::or_none(
                "ip",
                Holds::Text,
                "its IP, or one that its name led to; absent for relayed addresses",
            )
            .that_says(Reveals::Address),
            Column::or_none("name_error", Holds::Failure, "why its name led nowhere"),
            Column::or_none(
                "continent",
                Holds::Text,
                "the continent: `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`",
            )
            .that_says(Reveals::Region),
            Column::or_none("country", Holds::Text, "the country, by ISO 3166-1: two letters")
                .that_says(Reveals::Region),
            Column::or_none("city", Holds::Text, "the city, in English").that_says(Reveals::Network),
            Column::or_none("asn", Holds::Count("AS number"), "the number of the autonomous system")
                .that_says(Reveals::Network),
            Column::or_none("organisation", Holds::Text, "who has that number").that_says(Reveals::Network),
            Column::or_none("cloud", Holds::Text, "the cloud whose it is").that_says(Reveals::Region),
            Column::or_none("cloud_by", names_of!(CloudEvidence), "what says that it is the cloud's"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            (&self.address).into(),
            self.kind.name().into(),
            self.ip.map(|ip| Cell::Text(Cow::Owned(ip.to_string()))).into(),
            self.name_error.as_ref().into(),
            self.continent.as_deref().map(Cell::text).into(),
            self.country.as_deref().map(Cell::text).into(),
            self.city.as_deref().map(Cell::text).into(),
            self.asn.into(),
            self.organisation.as_deref().map(Cell::text).into(),
            self.cloud.as_deref().map(Cell::text).into(),
            self.cloud_by.map(CloudEvidence::name).into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            address: cells.take()?,
            kind: cells.name(AddressKind::from_name)?,
            ip: cells.name_or_none(|ip| ip.parse().ok())?,
            name_error: cells.take()?,
            continent: cells.take()?,
            country: cells.take()?,
            city: cells.take()?,
            asn: cells.take()?,
            organisation: cells.take()?,
            cloud: cells.take()?,
            cloud_by: cells.name_or_none(CloudEvidence::from_name)?,
        })
    }
}
