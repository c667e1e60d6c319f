//! The numbers of what changes would save: what the JSON of a report has.

use estimate::{ClusteredValue, Proportion};
use serde::Serialize;

use super::replay::LookAgain;

/// What changes of lookups and servers would save.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SavingsSection {
    /// How many walks there were that nothing cut short: each is a retrieval under every change.
    pub retrievals: u64,
    /// Of how many keys.
    pub keys: u64,
    /// Walks that were cut short, and so say nothing of what came after.
    pub cut_short: u64,
    /// Walks of whose requests none is kept, and so nothing that came of them.
    pub without_requests: u64,
    /// Retrievals whose provider nobody dialled, as if it had stayed where it published.
    pub assumed_there: u64,
    /// Retrievals of which nobody knows what a second walk costs.
    pub unknown_second_walks: u64,
    /// How many requests a second walk makes; `None` without any.
    pub second_walk_requests: Option<ClusteredValue>,
    /// How many seconds it takes; `None` without any.
    pub second_walk_s: Option<ClusteredValue>,
    /// What the numbers stand on, a sentence each.
    pub assumptions: Vec<String>,
    /// By change, the first as things are.
    pub changes: Vec<ChangeNumbers>,
    /// Each change against the first, by the same walks.
    pub differences: Vec<SavingsDifference>,
    /// What longer addresses bring beside telling of a provider again.
    pub interactions: Vec<AddressInteraction>,
}

/// What one change comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeNumbers {
    /// The name of the rule by which the caller takes answers.
    pub policy: &'static str,
    /// How many seconds from the publication on servers give addresses; `None` as they did.
    pub address_lifetime_s: Option<u64>,
    /// Of all retrievals.
    pub all: SavingsNumbers,
    /// By the age of the record, the youngest first; ages without retrievals are left out.
    pub ages: Vec<AgeSavings>,
}

/// What a change comes to for retrievals of records of one age.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgeSavings {
    /// From this age on, in seconds.
    pub from_s: u64,
    /// To below this age, in seconds; `None` without end.
    pub to_s: Option<u64>,
    /// The numbers.
    pub numbers: SavingsNumbers,
}

/// What a change comes to for some retrievals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SavingsNumbers {
    /// How many there are, at least 1.
    pub n: u64,
    /// How often the walk did not name the provider.
    pub nothing: Proportion,
    /// How often it named the provider without addresses: a second walk is needed.
    pub id_only: Proportion,
    /// How often it brought addresses.
    pub with_addresses: Proportion,
    /// How many requests it made until the caller had addresses, or knew that it would bring none.
    pub requests: ClusteredValue,
    /// How many seconds that took.
    pub settled_s: ClusteredValue,
    /// By when the caller walks again.
    pub ways: Vec<WayNumbers>,
}

/// What a change comes to with what the caller does after the walk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WayNumbers {
    /// When the caller walks a second time.
    pub look_again: LookAgain,
    /// How often it does.
    pub second_walk: Proportion,
    /// How often it has addresses in the end at which the provider is; `None` where nobody knows what second walks come to.
    pub reached: Option<Proportion>,
    /// How many requests it makes in all; `None` where nobody knows.
    pub requests: Option<ClusteredValue>,
    /// How many seconds until it has such addresses, of those that have them in the end; `None` without any.
    pub mean_s: Option<ClusteredValue>,
    /// How many seconds until half of all have such addresses: who never has them is later than anything. Only of all ages.
    pub median_s: Option<ClusteredValue>,
}

/// A change against none, over the same walks: what is below zero is saved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SavingsDifference {
    /// The name of the rule.
    pub policy: &'static str,
    /// How many seconds from the publication on servers give addresses; `None` as they did.
    pub address_lifetime_s: Option<u64>,
    /// When the caller walks a second time.
    pub look_again: LookAgain,
    /// Second walks a retrieval.
    pub second_walks: ClusteredValue,
    /// Requests a retrieval; `None` where nobody knows.
    pub requests: Option<ClusteredValue>,
    /// Seconds until the caller has addresses at which the provider is, of retrievals that come to that both ways; `None` without any.
    pub seconds: Option<ClusteredValue>,
}

/// Whether addresses that are kept longer and telling of a provider again bring the same, or each what the other does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AddressInteraction {
    /// How many seconds from the publication on servers give addresses.
    pub address_lifetime_s: u64,
    /// Second walks a retrieval with neither.
    pub neither: Proportion,
    /// With the caller told again alone.
    pub told_again: Proportion,
    /// With addresses kept so long alone.
    pub kept_longer: Proportion,
    /// With both.
    pub both: Proportion,
    /// What both save together less than the sum of what each saves alone: second walks a retrieval.
    pub overlap: ClusteredValue,
}
