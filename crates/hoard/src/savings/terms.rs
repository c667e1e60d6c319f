//! What is tried on the walks of a study: which rules, on which addresses, and with what the caller does then.

use std::time::Duration;

use super::replay::{AddressSource, Change, LookAgain};
use crate::{PeerSetRule, Policy, PolicyRule};

/// The most changes that are tried at once: what is beyond them is left out.
pub(super) const MAX_CHANGES: usize = 256;

/// What is tried on the walks of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct SavingsTerms {
    /// By which rules a caller takes answers. The first answer is tried always: it is what all others are compared with.
    pub rules: Vec<PolicyRule>,
    /// When the caller walks a second time.
    pub look_again: Vec<LookAgain>,
    /// How many providers a caller of go-libp2p-kad-dht wants: 0 is all there are.
    pub count: usize,
    /// How long who waits for addresses waits, once the provider was named.
    pub wait: Duration,
    /// How long servers would give addresses with a record that they keep, counted from its publication. As they gave them is tried always.
    pub address_lifetimes: Vec<Duration>,
    /// How long a dial of addresses takes at which the provider is no longer.
    pub failed_dial: Duration,
    /// The ages of records that are told apart: each is the end of one group and the beginning of the next, ascending.
    pub ages: Vec<Duration>,
    /// The arm whose keys are meant, by its number in the plan; `None`: those of all arms.
    pub arm: Option<u16>,
    /// The seed of the intervals.
    pub seed: u64,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Default for SavingsTerms {
    /// What RFM17.1 asked: all providers that there are; addresses for 30 minutes, 24 and 48 hours.
    fn default() -> Self {
        Self {
            rules: PolicyRule::ALL.to_vec(),
            look_again: LookAgain::ALL.to_vec(),
            count: 0,
            wait: Duration::from_secs(2),
            address_lifetimes: [HOUR / 2, 24 * HOUR, 48 * HOUR].map(Duration::from_secs).to_vec(),
            failed_dial: Duration::from_secs(10),
            ages: [10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 48 * HOUR]
                .map(Duration::from_secs)
                .to_vec(),
            arm: None,
            seed: 1,
        }
    }
}

impl SavingsTerms {
    /// Everything that is tried, each once, the first of it as things are without any change.
    pub fn changes(&self) -> Vec<Change> {
        let kept = self.address_lifetimes.iter().map(|&lifetime| AddressSource::KeptFor(lifetime));
        let sources: Vec<AddressSource> = std::iter::once(AddressSource::AsSeen).chain(kept).collect();
        let rules = std::iter::once(PolicyRule::FirstAnswer).chain(self.rules.iter().copied());
        let mut changes = Vec::new();
        for rule in rules {
            for &addresses in &sources {
                let change = Change { policy: self.policy(rule), addresses };
                if !changes.contains(&change) && changes.len() < MAX_CHANGES {
                    changes.push(change);
                }
            }
        }
        changes
    }

    /// A rule with its numbers.
    pub(super) const fn policy(&self, rule: PolicyRule) -> Policy {
        match rule {
            PolicyRule::FirstAnswer => Policy::FirstAnswer,
            PolicyRule::PeerSetBefore => Policy::PeerSet { rule: PeerSetRule::Before, count: self.count },
            PolicyRule::PeerSetAfter => Policy::PeerSet { rule: PeerSetRule::After, count: self.count },
            PolicyRule::WaitForAddresses => Policy::WaitForAddresses { at_most: self.wait },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_tried_the_first_answer_on_addresses_as_seen_is_what_it_is_compared_with() {
        let lifetime = Duration::from_secs(1800);
        let terms = SavingsTerms {
            rules: vec![PolicyRule::WaitForAddresses, PolicyRule::WaitForAddresses],
            address_lifetimes: vec![lifetime, lifetime],
            ..SavingsTerms::default()
        };
        let waits = Policy::WaitForAddresses { at_most: terms.wait };
        let of = |policy, addresses| Change { policy, addresses };
        let kept = AddressSource::KeptFor(lifetime);
        assert_eq!(
            terms.changes(),
            [
                of(Policy::FirstAnswer, AddressSource::AsSeen),
                of(Policy::FirstAnswer, kept),
                of(waits, AddressSource::AsSeen),
                of(waits, kept),
            ]
        );
        assert_eq!(SavingsTerms::default().changes().len(), 16);
    }

    #[test]
    fn more_than_are_tried_at_once_are_left_out() {
        let address_lifetimes = (1..1000).map(Duration::from_secs).collect();
        let terms = SavingsTerms { address_lifetimes, ..SavingsTerms::default() };
        assert_eq!(terms.changes().len(), MAX_CHANGES);
    }
}
