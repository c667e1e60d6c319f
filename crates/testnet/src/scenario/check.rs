//! Checks of a scenario that concern more than one value.

use super::{Region, Scenario};
use crate::{ground::SLOTS, secrets::MAX_RSA_KEYS};

/// The most peers of a world: each has its own address in 127.0.0.0/8, and an index of 32 bits with room to spare.
pub(super) const MAX_PEERS: u32 = 4_000_000;

/// The continents that worlds have ranges of addresses on.
const CONTINENTS: [&str; 6] = ["AF", "AS", "EU", "NA", "OC", "SA"];

/// How far shares may miss their sum by rounding.
pub(super) const SLACK: f64 = 1e-6;

/// The offending key and what is wrong with it.
type Problem = (&'static str, String);

/// Checks what single values cannot show.
pub(super) fn check(scenario: &Scenario) -> Result<(), Problem> {
    if !(1..=MAX_PEERS).contains(&scenario.peers) {
        return Err(("peers", format!("a number from 1 to {MAX_PEERS}, not {}", scenario.peers)));
    }
    if !(1..=scenario.peers).contains(&scenario.bootstrap) {
        return Err(("bootstrap", format!("a number from 1 to `peers`, not {}", scenario.bootstrap)));
    }
    if !scenario.protocol.starts_with('/') {
        return Err(("protocol", "a protocol begins with `/`".to_owned()));
    }
    if !(1..=20).contains(&scenario.tables.k) {
        return Err(("k", format!("a bucket holds 1 to 20 peers, not {}", scenario.tables.k)));
    }
    if scenario.tables.stale.get() > 0.9 {
        return Err(("stale", "at most 0.9 of the entries can name departed peers".to_owned()));
    }
    if !(1..=16).contains(&scenario.tables.poor.bits) {
        return Err(("bits", format!("a prefix has 1 to 16 bits here, not {}", scenario.tables.poor.bits)));
    }
    if !(1..=SLOTS).contains(&scenario.addresses.per_ip) {
        let given = scenario.addresses.per_ip;
        return Err(("per_ip", format!("1 to {SLOTS} peers can share an address, not {given}")));
    }
    check_sums(scenario)?;
    let rsa = scenario.keys.rsa.get() * f64::from(scenario.peers);
    if rsa > f64::from(MAX_RSA_KEYS) {
        return Err(("rsa", format!("at most {MAX_RSA_KEYS} peers can have RSA keys, not {rsa:.0}")));
    }
    super::holder::check(&scenario.holders, &scenario.agents)?;
    scenario.life.as_ref().map_or(Ok(()), super::life::LifeTable::check)?;
    check_regions(scenario)
}

fn check_sums(scenario: &Scenario) -> Result<(), Problem> {
    for (key, shares) in [
        ("transports", &scenario.transports.shares()[..]),
        ("securities", &scenario.securities.shares()),
        ("keys", &scenario.keys.shares()),
        ("addresses", &[scenario.addresses.ip4, scenario.addresses.ip6, scenario.addresses.dual]),
    ] {
        let sum: f64 = shares.iter().map(|share| share.get()).sum();
        if (sum - 1.0).abs() > SLACK {
            return Err((key, format!("the shares add up to {sum}, not to 1")));
        }
    }
    let states: f64 = scenario.states.iter().map(|entry| entry.share.get()).sum();
    if states > 1.0 + SLACK {
        return Err((
            "states",
            format!("the shares add up to {states}; at most 1 is allowed, the rest is online"),
        ));
    }
    let agents: f64 = scenario.agents.iter().map(|agent| agent.share.get()).sum();
    if !scenario.agents.is_empty() && (agents - 1.0).abs() > SLACK {
        return Err(("agents", format!("the shares add up to {agents}, not to 1")));
    }
    if scenario.agents.len() > usize::from(u8::MAX) {
        return Err(("agents", "at most 255 agents are allowed".to_owned()));
    }
    Ok(())
}

fn check_regions(scenario: &Scenario) -> Result<(), Problem> {
    let regions = &scenario.regions;
    if regions.is_empty() {
        return match &scenario.observer {
            Some(_) => Err(("observer", "an observer's region needs `regions`".to_owned())),
            None => Ok(()),
        };
    }
    if regions.len() > usize::from(u8::MAX) {
        return Err(("regions", "at most 255 regions are allowed".to_owned()));
    }
    let sum: f64 = regions.iter().map(|region| region.share.get()).sum();
    if (sum - 1.0).abs() > SLACK {
        return Err(("regions", format!("the shares add up to {sum}, not to 1")));
    }
    let known = regions.iter().map(|region| region.name.as_str()).collect::<Vec<_>>().join(", ");
    let is_known = |name: &str| regions.iter().any(|region| region.name == name);
    if let Some(observer) = scenario.observer.as_deref().filter(|observer| !is_known(observer)) {
        return Err(("observer", format!("`{observer}` is no region; the regions are {known}")));
    }
    for region in regions {
        if let Some(other) = region.rtt_ms.keys().find(|other| !is_known(other)) {
            return Err(("rtt_ms", format!("`{other}` is no region; the regions are {known}")));
        }
    }
    for (index, a) in regions.iter().enumerate() {
        if let Some(other) = a.continents.iter().find(|name| !CONTINENTS.contains(&name.as_str())) {
            let known = CONTINENTS.join(", ");
            return Err(("continents", format!("`{other}` is no continent of a world; there are {known}")));
        }
        if regions[..index].iter().any(|b| b.name == a.name) {
            return Err(("regions", format!("the region `{}` is there twice", a.name)));
        }
        for b in &regions[index..] {
            if rtt_ms(a, b).is_none() {
                return Err((
                    "rtt_ms",
                    format!("the delay between `{}` and `{}` is missing", a.name, b.name),
                ));
            }
        }
    }
    Ok(())
}

/// The round trip between two regions in milliseconds, wherever of the two it is written.
pub(super) fn rtt_ms(a: &Region, b: &Region) -> Option<u32> {
    a.rtt_ms.get(&b.name).or_else(|| b.rtt_ms.get(&a.name)).copied()
}

/// The first line (from 1) on which `key` stands, as a key or as a table; 1 if it stands nowhere.
pub(super) fn line_of(text: &str, key: &str) -> usize {
    let stands = |line: &str| {
        let rest = line.trim_start().trim_start_matches('[').strip_prefix(key);
        rest.is_some_and(|rest| rest.trim_start().starts_with(['=', ']', '.']))
    };
    text.lines().position(stands).map_or(1, |index| index + 1)
}

impl Scenario {
    /// The region that the observer is in, by its number; 0 without regions.
    pub(crate) fn observer_region(&self) -> usize {
        let name = self.observer.as_ref();
        let named = name.and_then(|name| self.regions.iter().position(|region| region.name == *name));
        named.unwrap_or(0)
    }

    /// Milliseconds from a region to another one and back; 0 without regions.
    pub(crate) fn rtt_between_ms(&self, from: usize, to: usize) -> u32 {
        let pair = self.regions.get(from).zip(self.regions.get(to));
        pair.and_then(|(from, to)| rtt_ms(from, to)).unwrap_or(0)
    }
}
