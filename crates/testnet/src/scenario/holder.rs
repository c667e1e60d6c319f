//! What peers do with the provider records that they are given: the `[[holders]]` tables of a scenario.
//!
//! Servers of the field differ in it: how long they keep a record, whether they keep it at all, and above all how long they
//! give out the addresses of a provider, and from when on that is counted.

use std::time::Duration;

use serde::Deserialize;

use super::{Agent, Share};

/// The most kinds of holders.
pub(super) const MAX_HOLDERS: usize = 64;

/// Who kept a record for the longest time: as long as `kad::records` does.
const MAX_KEEP_S: f64 = kad::records::PROVIDE_VALIDITY.as_secs() as f64;

/// Peers that hold provider records alike. Who is in none of these shares keeps them as go-libp2p-kad-dht does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderShare {
    /// Its name, in the truth.
    pub name: String,
    /// The program whose peers they are: one of the scenario's agents. `None`: those of programs that no other kind names.
    #[serde(default)]
    pub agent: Option<String>,
    /// The share of these peers; those of them that answer requests truthfully hold records so.
    pub share: Share,
    /// Takes records, as it seems to who gives them, and keeps none.
    #[serde(default)]
    pub swallows: bool,
    /// How long a record is kept, in seconds by the clock, from its last announcement on.
    #[serde(default = "two_days")]
    pub keep_s: f64,
    /// How long the addresses of a provider are given out, likewise; 0: records have no addresses.
    #[serde(default = "a_day")]
    pub addresses_s: f64,
    /// From when on that is counted.
    #[serde(default)]
    pub addresses_since: AddressesSince,
    /// All peers of the share have one store: what one of them was told, all of them know.
    #[serde(default)]
    pub shared: bool,
}

kad::named! {
    /// From when on the time is counted for which the addresses of a provider are given out.
    #[derive(Default)]
    pub enum AddressesSince: serde {
        /// From the record's last announcement on.
        #[default]
        Announced = "announced",
        /// From the provider's last request to the holder on, of whatever kind.
        Seen = "seen",
        /// From when the provider hung up on. As long as it has a connection on which it has asked something, its addresses are
        /// given out.
        HungUp = "hung_up",
    }
}

const fn two_days() -> f64 {
    MAX_KEEP_S
}

const fn a_day() -> f64 {
    kad::records::PROVIDER_ADDRESS_LIFETIME.as_secs() as f64
}

impl HolderShare {
    /// How long a record is kept.
    pub fn keep(&self) -> Duration {
        Duration::try_from_secs_f64(self.keep_s).unwrap_or_default()
    }

    /// How long the addresses of a provider are given out.
    pub fn addresses(&self) -> Duration {
        Duration::try_from_secs_f64(self.addresses_s).unwrap_or_default()
    }
}

/// Checks what single values cannot show: the offending key and what is wrong with it.
pub(super) fn check(holders: &[HolderShare], agents: &[Agent]) -> Result<(), (&'static str, String)> {
    if holders.len() > MAX_HOLDERS {
        return Err(("holders", format!("at most {MAX_HOLDERS} kinds are allowed")));
    }
    for (index, holder) in holders.iter().enumerate() {
        let of_one_group = holders.iter().filter(|other| other.agent == holder.agent);
        let sum: f64 = of_one_group.map(|other| other.share.get()).sum();
        if sum > 1.0 + super::check::SLACK {
            return Err(("holders", format!("the shares add up to {sum}; at most 1 is allowed")));
        }
        if let Some(unknown) = holder.agent.as_ref().filter(|name| agents.iter().all(|a| a.name != **name)) {
            return Err(("holders", format!("`{unknown}` is none of the scenario's agents")));
        }
        if holders[..index].iter().any(|other| other.name == holder.name) {
            return Err(("holders", format!("the kind `{}` is there twice", holder.name)));
        }
        for (key, seconds) in [("keep_s", holder.keep_s), ("addresses_s", holder.addresses_s)] {
            // Not a number is in no range.
            if !(0.0..=MAX_KEEP_S).contains(&seconds) {
                return Err((key, format!("from 0 to {MAX_KEEP_S} seconds, not {seconds}")));
            }
        }
    }
    Ok(())
}
