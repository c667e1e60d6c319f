//! What looks at one age count together.

use std::{collections::BTreeMap, time::Duration};

use estimate::Proportion;
use kad::{Key, failure::FailureClass};
use schema::{HoardLookup, HolderAnswer, Whereabouts};

use super::{
    counts::Counts,
    looks::{self, Look, PeerBook},
    numbers::{AgeNumbers, FinalShares, HolderNumbers, InDegreeNumbers, WalkNumbers},
    shares::Shares,
};
use crate::{
    policy::{PeerSetRule, Policy},
    study::{StudyHolder, StudyLookup, StudyPeer, StudyResponse, StudySight},
};

/// Shares and means of ranks are told apart by so much.
const PARTS: u32 = 1000;

/// Looks at one age, as they come.
#[derive(Debug, Default)]
pub(super) struct AgeTally {
    rounds: Option<[u32; 2]>,
    ages: Vec<f32>,
    left_out: u64,
    all: HolderTally,
    apart: HolderTally,
    others: HolderTally,
    whereabouts: Shares<Whereabouts>,
    answers: Shares<HolderAnswer>,
    dial_failures: Shares<FailureClass>,
    walks: WalkTally,
    in_degree: InDegreeTally,
}

/// Holders of one key by what they do.
#[derive(Debug, Default)]
struct HolderTally {
    online: Counts,
    at_first_addresses: Counts,
    keeping: Counts,
    with_addresses: Counts,
}

#[derive(Debug, Default)]
struct WalkTally {
    returned: Counts,
    returned_with_addresses: Counts,
    first: [u64; 3],
    upgraded: [u64; 3],
}

#[derive(Debug)]
struct InDegreeTally {
    failed: u64,
    without_holder: u64,
    overlap: Counts,
    jaccard: Counts,
    displacement: Counts,
    last_bits: Counts,
}

impl Default for InDegreeTally {
    fn default() -> Self {
        let [jaccard, displacement, last_bits] = [0; 3].map(|_| Counts::in_parts(PARTS));
        Self { failed: 0, without_holder: 0, overlap: Counts::default(), jaccard, displacement, last_bits }
    }
}

impl AgeTally {
    /// Takes one look at a key whose record was to go to `k` peers; `apart` says which holders are counted apart.
    pub(super) fn take(
        &mut self,
        look: &Look<'_>,
        (k, peers): (usize, &PeerBook),
        apart: Option<&dyn Fn(&StudyHolder) -> bool>,
    ) {
        let round = look.round.round;
        self.rounds = Some(self.rounds.map_or([round; 2], |[low, high]| [low.min(round), high.max(round)]));
        self.ages.push(single(look.age()));
        if look.is_whole() {
            self.all.take(look, |_| true);
            if let Some(is_apart) = apart {
                self.apart.take(look, is_apart);
                self.others.take(look, |holder| !is_apart(holder));
            }
        } else {
            self.left_out += 1;
        }
        let (all, sights) = (look.sights.len(), || look.sights.iter().map(|(_, sight)| *sight));
        self.whereabouts.take(all, sights().map(|sight| sight.whereabouts));
        self.answers.take(all, sights().map(|sight| sight.answer));
        self.dial_failures.take(all, sights().filter_map(|sight| sight.first_failure));
        self.walks.take(look, peers);
        self.in_degree.take(look, (k, peers));
    }

    /// All numbers of these looks; `None` without one.
    pub(super) fn numbers(&self, has_apart: bool) -> Option<AgeNumbers> {
        let mut ages = self.ages.clone();
        ages.sort_by(f32::total_cmp);
        let (first, middle, last) = (*ages.first()?, *ages.get(ages.len() / 2)?, *ages.last()?);
        Some(AgeNumbers {
            rounds: self.rounds?,
            age_s: f64::from(middle),
            ages_s: [f64::from(first), f64::from(last)],
            looks: ages.len() as u64,
            left_out: self.left_out,
            holders: self.all.numbers(),
            holders_apart: has_apart.then(|| self.apart.numbers()),
            holders_others: has_apart.then(|| self.others.numbers()),
            whereabouts: self.whereabouts.named(Whereabouts::name),
            answers: self.answers.named(HolderAnswer::name),
            dial_failures: self.dial_failures.named(FailureClass::name),
            lookups: self.walks.numbers(),
            in_degree: self.in_degree.numbers(),
        })
    }
}

/// Ages are kept by the hundreds of thousands, and told to hundredths of a second.
#[expect(
    clippy::cast_possible_truncation,
    reason = "seconds of a study are far from the ends of what a number holds"
)]
const fn single(value: f64) -> f32 {
    value as f32
}

impl HolderTally {
    fn take(&mut self, look: &Look<'_>, is_meant: impl Fn(&StudyHolder) -> bool) {
        let count = |has: &dyn Fn(&StudySight) -> bool| {
            look.sights.iter().filter(|(holder, sight)| is_meant(holder) && has(sight)).count()
        };
        self.online.count(count(&|sight| sight.whereabouts.is_reached()));
        self.at_first_addresses.count(count(&|sight| sight.whereabouts == Whereabouts::SameAddress));
        self.keeping.count(count(&|sight| sight.answer.has_record()));
        self.with_addresses.count(count(&|sight| sight.answer == HolderAnswer::WithAddresses));
    }

    fn numbers(&self) -> HolderNumbers {
        HolderNumbers {
            online: self.online.numbers(),
            at_first_addresses: self.at_first_addresses.numbers(),
            keeping: self.keeping.numbers(),
            with_addresses: self.with_addresses.numbers(),
        }
    }
}

impl WalkTally {
    fn take(&mut self, look: &Look<'_>, peers: &PeerBook) {
        let of_kind = |kind| look.round.lookup(kind);
        let walk = of_kind(HoardLookup::Exhaustive).or_else(|| of_kind(HoardLookup::Count));
        let Some(ended) = walk.or_else(|| of_kind(HoardLookup::First)) else { return };
        let provider = peers.number(&look.key.provider);
        if let (Some(provider), false) = (provider, ended.responses.is_empty()) {
            self.take_answers(ended, provider);
        } else {
            count(&mut self.first, ended.first_combo);
            count(&mut self.upgraded, ended.upgraded_combo);
        }
    }

    /// Replays a lookup that wants all providers on its answers.
    fn take_answers(&mut self, walk: &StudyLookup, provider: StudyPeer) {
        if walk.lookup != HoardLookup::First {
            let [returned, with_addresses] = returned(walk, provider);
            self.returned.count(returned);
            self.returned_with_addresses.count(with_addresses);
        }
        for (rule, counts) in
            [(PeerSetRule::Before, &mut self.first), (PeerSetRule::After, &mut self.upgraded)]
        {
            count(counts, replayed(walk, provider, rule));
        }
    }

    fn numbers(&self) -> Option<WalkNumbers> {
        let numbers = WalkNumbers {
            returned: self.returned.numbers_if_any(),
            returned_with_addresses: self.returned_with_addresses.numbers_if_any(),
            first: final_shares(self.first),
            upgraded: final_shares(self.upgraded),
        };
        Some(numbers).filter(|numbers| *numbers != WalkNumbers::default())
    }
}

fn count(counts: &mut [u64; 3], result: u8) {
    if let Some(count) = counts.get_mut(usize::from(result)) {
        *count += 1;
    }
}

/// What a lookup that wants all providers ends with by a rule: 0 nothing, 1 the id alone, 2 the id and addresses.
fn replayed(walk: &StudyLookup, provider: StudyPeer, rule: PeerSetRule) -> u8 {
    let mut answers: Vec<(Duration, &StudyResponse)> =
        walk.responses.iter().filter_map(|response| Some((response.answered_after?, response))).collect();
    answers.sort_by_key(|(after, _)| *after);
    let answers = answers.into_iter().map(|(after, response)| {
        (after, response.providers.iter().map(|named| (named.peer, named.addresses > 0)))
    });
    Policy::PeerSet { rule, count: 0 }.read(provider, answers, walk.took).combo()
}

fn final_shares(counts: [u64; 3]) -> Option<FinalShares> {
    let [nothing, id_only, with_addresses] = counts.map(|count| Proportion::of(count, counts.iter().sum()));
    Some(FinalShares { nothing: nothing?, id_only: id_only?, with_addresses: with_addresses? })
}

/// How many peers named a provider during a walk, and how many of these gave addresses: each peer once, whatever it said how often.
fn returned(walk: &StudyLookup, provider: StudyPeer) -> [usize; 2] {
    let mut by_peer: BTreeMap<StudyPeer, bool> = BTreeMap::new();
    for response in &walk.responses {
        for named in response.providers.iter().filter(|named| named.peer == provider) {
            *by_peer.entry(response.from).or_default() |= named.addresses > 0;
        }
    }
    [by_peer.len(), by_peer.values().filter(|with_addresses| **with_addresses).count()]
}

impl InDegreeTally {
    fn take(&mut self, look: &Look<'_>, (k, peers): (usize, &PeerBook)) {
        let Some(closest) = looks::closest(look.round, k) else { return };
        let Some(last) = closest.last() else {
            self.failed += 1;
            return;
        };
        let holders = &look.key.holders;
        let rank_of =
            |peer: StudyPeer| holders.iter().find(|holder| holder.peer == peer).map(|holder| holder.rank);
        let ranks = closest.iter().zip(1_u16..).filter_map(|(peer, now)| Some(rank_of(*peer)?.abs_diff(now)));
        let moved: Vec<f64> = ranks.map(f64::from).collect();
        let either = holders.len() + closest.len() - moved.len();
        self.overlap.count(moved.len());
        self.jaccard.add(moved.len() as f64 / either.max(1) as f64);
        if moved.is_empty() {
            self.without_holder += 1;
        } else {
            self.displacement.add(moved.iter().sum::<f64>() / moved.len() as f64);
        }
        if let Some(last) = peers.key(*last) {
            self.last_bits.add(-Key::of(&look.key.key).distance(last).normed().log2());
        }
    }

    fn numbers(&self) -> Option<InDegreeNumbers> {
        let overlap = self.overlap.numbers();
        (overlap.n + self.failed > 0).then(|| InDegreeNumbers {
            failed: self.failed,
            without_holder: self.without_holder,
            overlap,
            jaccard: self.jaccard.numbers(),
            displacement: self.displacement.numbers(),
            last_bits: self.last_bits.numbers(),
        })
    }
}
