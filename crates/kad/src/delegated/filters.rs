//! Which records are asked for, and which of those that come are taken: by the protocols that a provider speaks, and by its addresses.
//!
//! Source: IPIP-484, <https://specs.ipfs.tech/ipips/ipip-0484/>. Services may know nothing of it, so what comes is filtered again.

use thiserror::Error;

/// Who speaks Bitswap.
pub(super) const BITSWAP: &str = "transport-bitswap";

/// Who speaks Graphsync, of the schema that has no other protocol.
pub(super) const GRAPHSYNC: &str = "transport-graphsync-filecoinv1";

/// Who does not say what it speaks, or has no address.
const UNKNOWN: &str = "unknown";

/// The longest value of a filter, in bytes. Source: IPIP-484.
const MAX_VALUE_BYTES: usize = 63;

/// Values of one filter; more are refused.
const MAX_VALUES: usize = 32;

/// Why a text is no value of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadFilter {
    /// It has a character that does not stand in names of protocols, or is empty or too long.
    #[error("the names in a filter have letters, digits, `-`, `_` and `.`, {MAX_VALUE_BYTES} at most")]
    Value,
    /// There are more than are asked for at once.
    #[error("there are {MAX_VALUES} names in a filter at most")]
    TooMany,
}

/// What is asked for. By default nothing is said, and of what comes whoever speaks Bitswap or does not say is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingFilters {
    protocols: Vec<String>,
    addrs: Vec<String>,
}

impl RoutingFilters {
    /// What Go's client asks for unless it is told otherwise, and so Parsec. Source: boxo, `routing/http/client`.
    pub fn of_go() -> Self {
        Self { protocols: [UNKNOWN, BITSWAP].map(str::to_owned).into(), addrs: Vec::new() }
    }

    /// These names, separated by commas, of protocols of transfer and of parts of addresses; nothing is asked for where a text is empty.
    pub fn new(protocols: &str, addrs: &str) -> Result<Self, BadFilter> {
        Ok(Self { protocols: values(protocols)?, addrs: values(addrs)? })
    }

    /// What stands behind the `?`; `None` if nothing is asked for.
    pub fn query(&self) -> Option<String> {
        let said = [("filter-protocols", &self.protocols), ("filter-addrs", &self.addrs)];
        let said = said.iter().filter(|(_, values)| !values.is_empty());
        let said: Vec<_> = said.map(|(name, values)| format!("{name}={}", values.join(","))).collect();
        (!said.is_empty()).then(|| said.join("&"))
    }

    /// Whether a provider that speaks these passes.
    pub(super) fn passes<'a>(&self, mut spoken: impl Iterator<Item = &'a str> + Clone) -> bool {
        let says_nothing = spoken.clone().next().is_none();
        if self.protocols.is_empty() {
            return says_nothing || spoken.any(|protocol| protocol == BITSWAP);
        }
        let is_wanted =
            |protocol: &str| self.protocols.iter().any(|wanted| wanted.eq_ignore_ascii_case(protocol));
        if says_nothing { is_wanted(UNKNOWN) } else { spoken.any(is_wanted) }
    }
}

fn values(text: &str) -> Result<Vec<String>, BadFilter> {
    let values: Vec<_> = text.split(',').map(str::trim).filter(|value| !value.is_empty()).collect();
    if values.len() > MAX_VALUES {
        return Err(BadFilter::TooMany);
    }
    let values = values.into_iter().map(|value| {
        let name = value.strip_prefix('!').unwrap_or(value);
        let stands = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_one = (1..=MAX_VALUE_BYTES).contains(&name.len()) && name.bytes().all(stands);
        if is_one { Ok(value.to_owned()) } else { Err(BadFilter::Value) }
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_asked_for_as_go_does() {
        let query = RoutingFilters::of_go().query();
        assert_eq!(query.as_deref(), Some("filter-protocols=unknown,transport-bitswap"));
        assert_eq!(RoutingFilters::default().query(), None);
        let both = RoutingFilters::new("transport-ipfs-gateway-http", "!p2p-circuit, tls").unwrap();
        let query = "filter-protocols=transport-ipfs-gateway-http&filter-addrs=!p2p-circuit,tls";
        assert_eq!(both.query().as_deref(), Some(query));
        for wrong in ["a b", "a&b=c", "!", &"x".repeat(64)] {
            assert_eq!(RoutingFilters::new(wrong, ""), Err(BadFilter::Value), "{wrong}");
        }
        assert_eq!(RoutingFilters::new("", &"x,".repeat(40)), Err(BadFilter::TooMany));
    }

    #[test]
    fn what_comes_is_filtered_again() {
        let passes = |filters: &RoutingFilters, spoken: &[&str]| filters.passes(spoken.iter().copied());
        let gateways = RoutingFilters::new("Transport-IPFS-Gateway-HTTP", "").unwrap();
        for filters in [RoutingFilters::default(), RoutingFilters::of_go()] {
            assert!(passes(&filters, &[]) && passes(&filters, &["x", BITSWAP]) && !passes(&filters, &["x"]));
        }
        assert!(passes(&gateways, &["transport-ipfs-gateway-http"]));
        assert!(!passes(&gateways, &[]) && !passes(&gateways, &[BITSWAP]));
    }
}
