//! A network built to the numbers of RFM17.1 gives its figures back: rounds of 3 minutes, lookups until 20 providers are found, which are
//! never there, as there.

use std::{collections::BTreeSet, time::Duration};

use kadscope_hoard::{KeyRound, RoundParts};
use schema::HoardLookup;
use testnet::Scenario;

use crate::{
    ground::Ground,
    watching::{Order, watch},
};

/// Fewer than the 100 of RFM17.1: bounds are wider than what that changes.
const KEYS: u32 = 40;

/// What RFM17.1 shows, of one round over all keys.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Figure 1: holders that have the record.
    keeping: Vec<usize>,
    /// Figure 2: those that give addresses with it.
    located: Vec<usize>,
    /// Figure 3: who named the provider during the lookup.
    responders: Vec<usize>,
    /// Figure 4: those of them that gave addresses.
    responders_located: Vec<usize>,
    /// Who named it and was none of the key's holders, over all keys.
    others: usize,
    /// Lookups that came to the id alone, by the first answer and with the change.
    pub(crate) bare: [usize; 2],
    /// Figure 5: what the lookup came to, by the first answer.
    by_first: BTreeSet<u8>,
    /// Figure 7: the same with the change of Go's set of peers.
    by_set: BTreeSet<u8>,
}

impl Shown {
    /// How many rounds it is of.
    pub(crate) fn rounds(&self) -> usize {
        self.keeping.len()
    }

    pub(crate) fn add(&mut self, round: &KeyRound) {
        let lookup =
            round.lookups.iter().find(|lookup| lookup.lookup == HoardLookup::Count).expect("a lookup");
        let of_it = || lookup.named.iter().filter(|mention| mention.provider == round.provider);
        let located = || of_it().filter(|mention| !mention.addresses.is_empty());
        let distinct =
            |responders: &mut dyn Iterator<Item = kad::PeerId>| responders.collect::<BTreeSet<_>>().len();
        self.keeping.push(round.keeping());
        self.located.push(round.with_addresses());
        self.responders.push(distinct(&mut of_it().map(|mention| mention.responder)));
        self.responders_located.push(distinct(&mut located().map(|mention| mention.responder)));
        let is_holder = |peer: &kad::PeerId| round.sights.iter().any(|sight| sight.peer == *peer);
        self.others += of_it().filter(|mention| !is_holder(&mention.responder)).count();
        for (bare, combo) in self.bare.iter_mut().zip([lookup.first_combo, lookup.upgraded_combo]) {
            *bare += usize::from(combo == 1);
        }
        self.by_first.insert(lookup.first_combo);
        self.by_set.insert(lookup.upgraded_combo);
    }
}

fn median(all: &[usize]) -> usize {
    let mut all = all.to_vec();
    all.sort_unstable();
    all[all.len() / 2]
}

/// What is shown of each round, from the first on.
async fn shown(scenario: &str) -> Vec<Shown> {
    let ground = Ground::of(&Scenario::named(scenario).expect("built in"));
    let rounds: Vec<Duration> = (1..=16).map(|round| Duration::from_secs(180 * round)).collect();
    let order = Order {
        keys: KEYS,
        rounds: rounds.clone(),
        lookups: vec![HoardLookup::Count],
        parts: RoundParts::All,
        gap: Duration::ZERO,
    };
    let watching = watch(&ground, &order).await;
    let mut shown: Vec<Shown> = rounds.iter().map(|_| Shown::default()).collect();
    for round in watching.keys.iter().flat_map(|watched| &watched.rounds) {
        shown[round.round as usize - 1].add(round);
    }
    shown
}

/// What both years have in common.
fn assert_common(shown: &[Shown]) {
    for (round, shown) in (1..).zip(shown) {
        let (first, set) = (
            shown.by_first.iter().copied().collect::<Vec<_>>(),
            shown.by_set.iter().copied().collect::<Vec<_>>(),
        );
        match round {
            // Rounds of 3 to 9 minutes: everybody still gives addresses.
            1..=3 => {
                assert_eq!(shown.keeping, shown.located, "round {round}");
                assert_eq!((first, set), (vec![2], vec![2]), "round {round}");
            }
            // Until 30 minutes: mixed, but never with the change.
            4..=9 => assert_eq!((first, set), (vec![1, 2], vec![2]), "round {round}"),
            // At 30 minutes itself either is true.
            10 => {}
            _ => {
                assert!(shown.located.iter().all(|&count| count == 0), "round {round}");
                assert_eq!((first, set), (vec![1], vec![1]), "round {round}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_figures_of_2023_come_back() {
    let shown = shown("rfm17-1-2023").await;
    assert_common(&shown);
    for (round, shown) in (1..).zip(&shown) {
        assert!((6..=10).contains(&median(&shown.keeping)), "{round}: {:?}", shown.keeping);
        assert!((6..=10).contains(&median(&shown.responders)), "{round}: {:?}", shown.responders);
        if (4..=9).contains(&round) {
            assert!((4..=5).contains(&median(&shown.located)), "{round}: {:?}", shown.located);
            assert!(
                (4..=5).contains(&median(&shown.responders_located)),
                "{round}: {:?}",
                shown.responders_located
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_figures_of_2022_come_back() {
    let shown = shown("rfm17-1-2022").await;
    assert_common(&shown);
    for (round, shown) in (1..).zip(&shown) {
        assert!((16..=17).contains(&median(&shown.keeping)), "{round}: {:?}", shown.keeping);
        // There it was 20: its lookups met more of the heads that have one store.
        assert!((15..=20).contains(&median(&shown.responders)), "{round}: {:?}", shown.responders);
        if (4..=9).contains(&round) {
            assert!((6..=8).contains(&median(&shown.located)), "{round}: {:?}", shown.located);
        }
    }
    assert!(shown.iter().any(|shown| shown.others > 0), "heads of one store answer for others");
}
