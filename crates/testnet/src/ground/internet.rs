//! The internet that worlds are laid out on: ranges of public addresses, with what the databases say of them.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::OnceLock,
};

use serde::{Deserialize, Serialize};

/// The ranges, with their source.
const RANGES: &str = include_str!("../../data/internet.toml");

/// The first of 2^20 routed addresses where there never was anybody.
const NOWHERE: Ipv4Addr = Ipv4Addr::new(59, 16, 0, 0);

/// All ranges that there are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Internet {
    range: Vec<Range>,
}

/// A range of addresses, and what is true of each of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The addresses, in the notation of RFC 4632.
    pub prefix: Prefix,
    /// Where it is: `AF`, `AS`, `EU`, `NA`, `OC` or `SA`. Regions of a scenario name continents.
    pub continent: String,
    /// The country (ISO 3166-1), as the database of cities has it; `None` where that says nothing.
    pub country: Option<String>,
    /// The number of the autonomous system, as the database of networks has it.
    pub asn: Option<u32>,
    /// The name of that network, from the same database.
    pub network: Option<String>,
    /// The cloud provider whose network it is; `None` for all others.
    pub cloud: Option<String>,
    /// Its part of the peers on its continent, beside the parts of the others.
    #[serde(default)]
    pub weight: u32,
    /// Who is there.
    #[serde(default)]
    pub purpose: RangePurpose,
}

/// Who is in a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RangePurpose {
    /// Peers of the world.
    #[default]
    Peers,
    /// Programs that bind no address: they come from here.
    Observer,
    /// Programs that are run in the world and choose an address.
    Guests,
    /// Nobody, though there is a route.
    Nobody,
    /// Nobody, and there is no route.
    Unrouted,
}

impl Internet {
    /// The one that is built in.
    pub fn get() -> &'static Self {
        static INTERNET: OnceLock<Internet> = OnceLock::new();
        // A test reads it: it is never empty.
        INTERNET.get_or_init(|| toml::from_str(RANGES).unwrap_or_default())
    }

    /// All ranges.
    pub fn ranges(&self) -> &[Range] {
        &self.range
    }

    /// The range of an address; `None` for addresses that no world uses.
    pub fn of(&self, ip: IpAddr) -> Option<&Range> {
        self.range.iter().find(|range| range.prefix.contains(ip))
    }

    /// The ranges of one purpose.
    pub fn with(&self, purpose: RangePurpose) -> impl Iterator<Item = &Range> {
        self.range.iter().filter(move |range| range.purpose == purpose)
    }

    /// What is made local in the namespace of a world, beside the observers' addresses.
    pub fn routed(&self) -> impl Iterator<Item = Prefix> {
        let is_routed =
            |range: &&Range| !matches!(range.purpose, RangePurpose::Unrouted | RangePurpose::Observer);
        self.range.iter().filter(is_routed).map(|range| range.prefix)
    }

    /// Where programs come from that bind no address: one of IPv4, one of IPv6.
    pub fn observers(&self) -> impl Iterator<Item = IpAddr> {
        self.with(RangePurpose::Observer).map(|range| range.prefix.ip)
    }
}

/// A routed address at which there never was anybody, one of 2^20.
pub(super) fn nowhere(random: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(NOWHERE.to_bits() + (random & 0xf_ffff))
}

/// An address range: the addresses that share so many leading bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix {
    /// Its first address.
    pub ip: IpAddr,
    /// How many bits its addresses share.
    pub bits: u8,
}

impl Prefix {
    /// Whether an address is in it.
    pub fn contains(self, ip: IpAddr) -> bool {
        let alike = match (self.ip, ip) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => (own.to_bits() ^ ip.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(ip)) => (own.to_bits() ^ ip.to_bits()).leading_zeros(),
            _ => return false,
        };
        alike >= u32::from(self.bits)
    }

    /// How many hosts it is good for: 2^n. Of IPv6 a host is a network of 64 bits, and at most 2^32 are counted.
    pub(super) fn host_bits(self) -> u32 {
        match self.ip {
            IpAddr::V4(_) => 32 - u32::from(self.bits),
            IpAddr::V6(_) => (64_u32.saturating_sub(self.bits.into())).min(32),
        }
    }

    /// The address of a host of it.
    pub(super) fn host(self, number: u32) -> IpAddr {
        match self.ip {
            IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() | number)),
            IpAddr::V6(ip) => {
                let below = 128 - u32::from(self.bits) - self.host_bits();
                IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() | u128::from(number) << below | 1))
            }
        }
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no range of addresses, as in `192.0.2.0/24`");
        let (ip, bits) = text.split_once('/').ok_or_else(wrong)?;
        let (ip, bits): (IpAddr, u8) = (ip.parse().map_err(|_| wrong())?, bits.parse().map_err(|_| wrong())?);
        if bits > if ip.is_ipv4() { 32 } else { 128 } { Err(wrong()) } else { Ok(Self { ip, bits }) }
    }
}

impl TryFrom<String> for Prefix {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Prefix> for String {
    fn from(Prefix { ip, bits }: Prefix) -> Self {
        format!("{ip}/{bits}")
    }
}
