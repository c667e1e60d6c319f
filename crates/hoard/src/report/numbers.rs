//! The numbers of a report on a study: what its JSON has.

use estimate::{BoxStatistics, ClusteredValue, Mean, Proportion, Quantile, SurvivalStep};
use schema::{PublisherEnd, RoundEnd, Strategy, Timestamp, run::RunState};
use serde::Serialize;

use super::counts::CountNumbers;
use crate::{content::ContentSection, life::LifeSection, savings::SavingsSection, study::PassedOver};

/// Everything that a report on a study says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoardSection {
    /// The runs that the study is made of, in the order in which they continued one another.
    pub runs: Vec<String>,
    /// When the first key was published; `None` without any.
    pub from: Option<Timestamp>,
    /// When the last look began; `None` without any.
    pub to: Option<Timestamp>,
    /// How the last of its runs stands; `None` of a study that was put together by hand.
    pub state: Option<RunState>,
    /// What of its rows was passed over.
    pub passed_over: PassedOver,
    /// The agents that are counted apart: all whose name holds this text; `None` if none are.
    pub apart: Option<String>,
    /// Of each arm.
    pub arms: Vec<HoardArmNumbers>,
    /// What became of records where they were put.
    pub life: LifeSection,
    /// What changes would save; `None` without a walk that nothing cut short and whose answers are in memory.
    pub savings: Option<SavingsSection>,
    /// The life of what others published; `None` where nobody else did.
    pub content: Option<ContentSection>,
}

/// The numbers of one arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoardArmNumbers {
    /// What it is called.
    pub name: String,
    /// How its keys were published; `None` if somebody else did.
    pub strategy: Option<Strategy>,
    /// How long publications persisted; `None` if somebody else published.
    pub persistence: Option<&'static str>,
    /// To how many peers each record was to go.
    pub k: u32,
    /// What became of the publisher.
    pub publisher_end: PublisherEnd,
    /// How many keys there are.
    pub keys: u64,
    /// Where its keys lie.
    pub key_space: KeySpaceNumbers,
    /// How the rounds went.
    pub course: CourseNumbers,
    /// Publications.
    pub publication: PublicationNumbers,
    /// By age of the records, from the youngest on.
    pub ages: Vec<AgeNumbers>,
    /// Whether looks stand by their own age, since rounds overlap; else by their round.
    pub is_by_age: bool,
    /// How far lookups went; `None` without one.
    pub hops: Option<HopNumbers>,
    /// How much the closest peers differ from lookup to lookup.
    pub noise: NoiseNumbers,
    /// Its closest peers beside those of a crawl; `None` without a crawl.
    pub against_crawl: Option<CrawlNumbers>,
    /// The programs of its holders, the most frequent first.
    pub agents: Vec<AgentNumbers>,
}

/// Where keys lie in the space of keys, of which the places go from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct KeySpaceNumbers {
    /// How many keys lie in each of the equal parts of the space, from 0 on.
    pub parts: Vec<u64>,
    /// The mean of these.
    pub mean: f64,
    /// The first part with the fewest; `None` without a key.
    pub fewest: Option<KeySpacePart>,
    /// The first part with the most; `None` without a key.
    pub most: Option<KeySpacePart>,
    /// By how much at most the share of keys up to a place differs from the place; `None` without a key.
    pub uneven_by: Option<f64>,
    /// Of as many keys that are drawn evenly 95 in 100 sets differ by no more; `None` without a key.
    pub even_within: Option<f64>,
}

/// One part of the space of keys.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KeySpacePart {
    /// Where it begins, from 0 to 1.
    pub at: f64,
    /// How many keys are in it.
    pub keys: u64,
}

/// How the rounds of an arm went.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CourseNumbers {
    /// How many looks at a key ended in which way.
    pub ends: Vec<(RoundEnd, u64)>,
    /// By how many seconds looks began later than planned, of all of them: half, nine tenths, 99 of 100, and the latest. It is no sample,
    /// so it has no interval. `None` without a look.
    pub lag_s: Option<[f64; 4]>,
}

/// Publications of an arm.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PublicationNumbers {
    /// How many keys were published to nobody at all.
    pub to_nobody: u64,
    /// How many holders of a key were sent the record.
    pub sent: CountNumbers,
    /// The share of keys with more holders that were sent it than each number, from the lowest on.
    pub sent_curve: Vec<SurvivalStep>,
    /// How many holders of a key gave the record when it was read back; `None` if none was.
    pub read_back: Option<CountNumbers>,
    /// The share of keys with more such holders than each number.
    pub read_back_curve: Vec<SurvivalStep>,
    /// The share of all gifts that were sent; `None` without any.
    pub gifts: Option<Proportion>,
    /// Why gifts were not sent, each of all gifts.
    pub gift_failures: Vec<NamedShare>,
    /// The seconds of a publication: 5, 25, 50, 75 and 90 of 100. One that failed never ends.
    pub took: Vec<Quantile>,
    /// The share of publications that go on after so many seconds.
    pub took_curve: Vec<SurvivalStep>,
    /// What a box plot of the seconds shows.
    pub took_boxed: Option<BoxStatistics>,
    /// How many peers hold a record of any key.
    pub distinct_holders: u64,
}

/// What looks at records of one age showed. A count is of one look at one key; looks that did not ask everybody are left out of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AgeNumbers {
    /// The first and the last round that has a look here.
    pub rounds: [u32; 2],
    /// The median age, in seconds since publication began.
    pub age_s: f64,
    /// The lowest and the highest age.
    pub ages_s: [f64; 2],
    /// How many looks there were.
    pub looks: u64,
    /// How many of them are left out of the counts of holders, since they did not ask everybody.
    pub left_out: u64,
    /// Holders of all looks, those included that were not asked.
    pub holders: HolderNumbers,
    /// The same of agents that are counted apart; `None` if none are.
    pub holders_apart: Option<HolderNumbers>,
    /// The same of all others; `None` if none are apart.
    pub holders_others: Option<HolderNumbers>,
    /// Where holders were, each of all that were dialled or not.
    pub whereabouts: Vec<NamedShare>,
    /// What holders answered, each of all that were asked or not.
    pub answers: Vec<NamedShare>,
    /// Why they were not reached at their first addresses, each of all.
    pub dial_failures: Vec<NamedShare>,
    /// What lookups of providers showed; `None` without one.
    pub lookups: Option<WalkNumbers>,
    /// How the holders compare with the closest peers; `None` without a lookup of these.
    pub in_degree: Option<InDegreeNumbers>,
}

/// Holders of one key by what they do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HolderNumbers {
    /// Reached at whatever address.
    pub online: CountNumbers,
    /// Reached at the addresses under which they were known at publication.
    pub at_first_addresses: CountNumbers,
    /// Giving the record, with addresses or without.
    pub keeping: CountNumbers,
    /// Giving the record with addresses.
    pub with_addresses: CountNumbers,
}

/// What lookups of providers showed at one age.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct WalkNumbers {
    /// Peers that named the provider before the walk ended; `None` if no walk was kept that went on to its end.
    pub returned: Option<CountNumbers>,
    /// Those of them that gave addresses.
    pub returned_with_addresses: Option<CountNumbers>,
    /// What a lookup ends with if the first answer wins.
    pub first: Option<FinalShares>,
    /// What it ends with if addresses that come later are taken.
    pub upgraded: Option<FinalShares>,
}

/// What lookups end with, as shares of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FinalShares {
    /// Nobody named the provider.
    pub nothing: Proportion,
    /// The provider without addresses.
    pub id_only: Proportion,
    /// The provider with addresses.
    pub with_addresses: Proportion,
}

/// How the holders of a record compare with the peers that are closest at one age.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct InDegreeNumbers {
    /// Lookups of the closest peers that gave nobody: counted here and nowhere else.
    pub failed: u64,
    /// Those of the others that found no holder among the closest: their 0 is in `overlap`.
    pub without_holder: u64,
    /// Holders among the closest peers.
    pub overlap: CountNumbers,
    /// Those in both as a share of those in either.
    pub jaccard: CountNumbers,
    /// By how many ranks the holders that are still among the closest are displaced, on average.
    pub displacement: CountNumbers,
    /// How near the last of the closest is: how often the distance was halved from the longest that there is (bits).
    pub last_bits: CountNumbers,
}

/// How much the closest peers differ between two lookups of one key, as shares of K that are missing in the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NoiseNumbers {
    /// Pairs of lookups of one round.
    pub pairs: u64,
    /// Between two lookups of one round, begun one after the other: what differs without any churn. The mean of the keys' means.
    pub back_to_back: Option<Mean>,
    /// The seconds from the start of one to the start of the other: the median of all pairs; `None` without a pair.
    pub apart_s: Option<f64>,
    /// Between a round and the next.
    pub next_round: Option<Mean>,
    /// Between the holders at publication and the closest of the first round.
    pub first_round: Option<Mean>,
}

/// How often something with a closed name happened, as a share of all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NamedShare {
    /// Its stable name.
    pub name: &'static str,
    /// Of how many of all.
    #[serde(flatten)]
    pub share: Proportion,
}

/// How far lookups of the closest peers went.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HopNumbers {
    /// Lookups.
    pub lookups: u64,
    /// Peers that were contacted, answered or not.
    pub contacted: HopCountNumbers,
    /// The longest chain of who named whom.
    pub depth: HopCountNumbers,
    /// The fewest answers on the way until all of the closest were known.
    pub to_closest: HopCountNumbers,
}

/// One count of many lookups. The intervals are of keys: lookups of one key are not independent of each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HopCountNumbers {
    /// The mean; `None` of none.
    pub mean: Option<ClusteredValue>,
    /// The median; `None` of none.
    pub median: Option<ClusteredValue>,
    /// Each count with the share of lookups that have it.
    pub shares: Vec<(u32, Proportion)>,
}

/// An arm beside the closest peers of a crawl: those that it reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CrawlNumbers {
    /// Peers that the crawl reached.
    pub peers: u64,
    /// Seconds from the middle of the crawl to the publication of the keys: the median; before it where negative.
    pub apart_s: f64,
    /// Holders at publication that are among the true K closest.
    pub placed: CountNumbers,
    /// The share of the true K closest that were given the record.
    pub recall: CountNumbers,
    /// Of the lookups of the first round: the share of the true K closest that they gave.
    pub lookup_recall: CountNumbers,
    /// Holders at publication that the crawl did not reach.
    pub unknown: CountNumbers,
}

/// One program of holders.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentNumbers {
    /// Its name without its version.
    pub program: String,
    /// Of all holders of all keys.
    pub share: Proportion,
    /// How many different peers run it.
    pub peers: u64,
    /// How many holders of a key run it, keys without one included.
    pub per_key: CountNumbers,
}
