//! Studies as whoever runs one has them, from their plan: what the loop, its publishers and its observers come to beside the truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crawl::Clock;
use dht::{NodeConfig, NodeProfile};
use kad::{Keypair, PeerId, message::AMINO_PROTOCOL};
use kadscope_hoard::{
    Arm, Hoard, HoardEnd, HoardFact, HoardNow, HoardOutlets, HoardPlan, KeyPublished, KeyRound, KeySource,
    Preset, RoundTimes,
};
use schema::{HolderAnswer, PublisherEnd, RoundEnd, Timestamp};
use testnet::{HolderGives, RecordTold, Scenario, scenario::Share};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    figures::Shown,
    ground::{Ground, NEVER, NOW},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Fewer than the 100 of RFM17.1.
const KEYS: u32 = 20;

/// By which keys and peers of ours the preset is made. Of holders that answer a key has eight or so, of which half keep addresses for half an hour: by
/// another seed a key may have one such holder alone, and lookups that end without it, which no rule of lookups changes.
const SEED: u64 = 1;

/// When the studies begin, by their clock.
const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// Everything that a study told.
async fn studied(ground: &Ground, plan: HoardPlan) -> Vec<HoardFact> {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: "study/1".to_owned(), protocols, announce: Vec::new() };
    let node = NodeConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
        bootstrap: ground.bootstrap(),
        refresh: NEVER,
        ..NodeConfig::new(Keypair::generate_ed25519(), profile, NOW)
    };
    let (facts, mut told) = mpsc::channel(1024);
    let (now, _) = watch::channel(HoardNow::default());
    let outlets = HoardOutlets { facts, now, cancel: CancellationToken::new() };
    let study = Hoard::new(ground.fabric.clone(), plan, node, Clock::started_at(START));
    let run = tokio::spawn(study.run(None, outlets));
    let mut all = Vec::new();
    while let Some(fact) = told.recv().await {
        all.push(fact);
    }
    let summary = run.await.expect("no panic").expect("a study");
    assert_eq!(
        (summary.end, summary.missed_rounds, summary.failed_keys),
        (HoardEnd::Done, 0, 0),
        "{summary:?}"
    );
    all
}

/// What befell the record of a key at its holders, since the study began.
fn told(ground: &Ground, key: &KeyPublished, left: Option<Duration>) -> BTreeMap<PeerId, RecordTold> {
    let began = key.watched.published_at.since(START);
    let store = |peer: &PeerId| ground.world().find(peer).map(|peer| ground.world().store(peer));
    let sent = |peer: &PeerId| {
        let of_store = key.holders().filter(|(_, holder, _)| store(&holder.peer) == store(peer));
        of_store.filter_map(|(_, _, given)| given?.sent_after).max().map(|after| began + after)
    };
    let told = |peer: PeerId| {
        let announced = sent(&peer)?;
        Some((peer, RecordTold { announced, asked: announced, hung_up: left }))
    };
    key.holders().filter_map(|(_, holder, _)| told(holder.peer)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_stays_is_known_by_its_addresses_and_one_that_leaves_is_for_a_quarter_of_an_hour() {
    let mut scenario = Scenario::named("forgetful").expect("built in");
    (scenario.life, scenario.tables.stale) = (None, Share::NONE);
    let ground = Ground::of(&scenario);
    let arm = |name: &str, end| Arm { name: name.to_owned(), end, ..Arm::usual() };
    let mut plan = HoardPlan::of(8, RoundTimes::every(3 * MINUTE, 45 * MINUTE));
    plan.disjoint = false;
    plan.arms = vec![arm("closed", PublisherEnd::Closed), arm("connected", PublisherEnd::Connected)];
    plan.pace.gap = MINUTE / 2;
    let facts = studied(&ground, plan).await;
    let closed = facts.iter().find_map(|fact| match fact {
        HoardFact::PublisherLeft(left) if left.arm == 0 => Some(left.closed_at.since(START)),
        _ => None,
    });
    let mut keys = BTreeMap::new();
    let (mut sights, mut located) = (0, [0, 0]);
    for fact in &facts {
        match fact {
            HoardFact::Published(key) => {
                let left = closed.filter(|_| key.watched.arm == 0);
                keys.insert((key.watched.arm, key.watched.key.clone()), told(&ground, key, left));
            }
            HoardFact::Round(round) if round.round > 0 => {
                let began = round.planned_at;
                for sight in &round.sights {
                    let told = &keys[&(round.arm, round.key.clone())][&sight.peer];
                    let peer = ground.world().find(&sight.peer).expect("a peer");
                    let gives = ground.truth.given(peer, told, began.since(START)).expect("all are honest");
                    let expected = match gives {
                        HolderGives::Nothing => HolderAnswer::WithoutRecord,
                        HolderGives::IdOnly => HolderAnswer::IdOnly,
                        HolderGives::WithAddresses => HolderAnswer::WithAddresses,
                    };
                    assert_eq!(
                        sight.said.answer,
                        expected,
                        "{} {told:?} {began}",
                        ground.world().agent(peer)
                    );
                    let is_late = began.since(START) > 25 * MINUTE
                        && told.hung_up.is_none_or(|left| began.since(START) > left + 16 * MINUTE);
                    let counts = ground.world().agent(peer) == "fifteen-minutes/1" && is_late;
                    let has_addresses = counts && gives == HolderGives::WithAddresses;
                    located[usize::from(round.arm)] += usize::from(has_addresses);
                    sights += usize::from(counts);
                }
            }
            _ => {}
        }
    }
    assert_eq!(located[0], 0);
    assert!(located[1] > 0 && sights > 2 * located[1] - 2, "{located:?} of {sights}");
}

/// Somebody gives addresses, and a lookup with the change of the set of peers comes to them.
fn assert_located(round: &KeyRound) {
    let combo = round.lookups.iter().map(|lookup| lookup.upgraded_combo).max();
    let given = round.with_addresses();
    assert!(
        combo == Some(2) && given > 0,
        "round {}: {given} holders give addresses, {combo:?}",
        round.round
    );
}

#[tokio::test(start_paused = true)]
async fn the_plan_of_rfm17_1_gives_its_figures_back() {
    let ground = Ground::of(&Scenario::named("rfm17-1-2023").expect("built in"));
    let mut plan = Preset::Rfm17_1.plan();
    plan.keys = KeySource::Random { count: Some(KEYS) };
    plan.seed = SEED;
    let rounds = plan.rounds.len();
    // Where most do not answer, some publications take longer than they may.
    let mut failed = BTreeSet::new();
    let facts = studied(&ground, plan).await;
    let mut shown: Vec<Shown> = (0..rounds).map(|_| Shown::default()).collect();
    for fact in &facts {
        match fact {
            HoardFact::Published(key) if key.outcome.is_err() => {
                failed.insert(key.watched.key.clone());
            }
            HoardFact::Round(round) if round.round > 0 && !failed.contains(&round.key) => {
                assert_eq!(round.end, RoundEnd::Whole);
                if (4..=9).contains(&round.round) {
                    assert_located(round);
                }
                shown[round.round as usize - 1].add(round);
            }
            _ => {}
        }
    }
    let published = KEYS as usize - failed.len();
    assert!(published >= 15);
    for (round, Shown { bare: [first, changed], .. }) in (1..).zip(&shown) {
        match round {
            1..=3 => assert_eq!((*first, *changed), (0, 0), "round {round}"),
            4..=9 => assert!(*first > 0 && *changed == 0, "{round}: {first} {changed}"),
            10 => {}
            _ => assert_eq!((*first, *changed), (published, published), "round {round}"),
        }
    }
    let are_all = shown.iter().all(|shown| shown.rounds() == published);
    assert!(are_all, "no round is lost, the last of each key included");
}
