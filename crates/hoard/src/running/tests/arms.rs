//! Ways of publishing, and what becomes of who published.

use std::collections::BTreeSet;

use schema::{HolderAnswer, Strategy};
use testnet::State;

use super::*;

fn arm(name: &str, strategy: Strategy, end: PublisherEnd) -> Arm {
    Arm { name: name.to_owned(), strategy, end, ..Arm::usual() }
}

/// The living peers of the world that are closest to a key.
fn closest(stage: &Stage, key: &[u8], k: usize) -> BTreeSet<PeerId> {
    let world = stage.fabric.world();
    let mut all: Vec<_> = world.peers().filter(|&peer| world.state(peer) == State::Online).collect();
    all.sort_by_key(|&peer| world.key(peer).distance(&kad::Key::of(key)));
    all.iter().take(k).map(|&peer| world.peer_id(peer)).collect()
}

#[tokio::test(start_paused = true)]
async fn strategies_publish_the_same_keys_and_are_told_apart_by_who_provides() {
    let stage = Stage::of(HEALTHY);
    let all = [Strategy::Default, Strategy::OptProv, Strategy::FullRt, Strategy::Sweep];
    let mut plan = plan(3, MINUTE, 2 * MINUTE);
    plan.disjoint = false;
    plan.arms = all.map(|strategy| arm(strategy.name(), strategy, PublisherEnd::Closed)).into();
    let (told, summary) = stage.whole(&plan).await;
    assert_eq!(summary.expect("a summary").end, HoardEnd::Done);
    assert_whole(&told, 12, 2);
    let keys: BTreeSet<_> = told.published().map(|published| published.watched.key.clone()).collect();
    let providers: BTreeSet<_> =
        told.published().map(|published| (published.watched.arm, published.watched.provider)).collect();
    assert_eq!((keys.len(), providers.len()), (3, 4));
    for published in told.published() {
        let chosen: BTreeSet<PeerId> = published.watched.holders.iter().map(|holder| holder.peer).collect();
        let truth = closest(&stage, &published.watched.key, 20);
        // Optimistically the record goes to whoever is near enough as the network's size is taken to be.
        let least = if published.strategy == Some(Strategy::OptProv) { 8 } else { 15 };
        let right = chosen.intersection(&truth).count();
        assert!(right >= least, "{}: {right} of {}", published.arm_name, chosen.len());
        assert_eq!(published.outcome, Ok(()), "{}", published.arm_name);
    }
    for round in told.rounds() {
        assert!(
            round.keeping() >= 15,
            "arm {}: each looks for the record of its own: {}",
            round.arm,
            round.keeping()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn k_above_twenty_is_given_to_those_of_whom_the_lookup_hears_and_their_number_is_told() {
    let stage = Stage::of(HEALTHY);
    let mut plan = plan(3, MINUTE, MINUTE);
    let ks = [15, 20, 25, 40];
    let thorough =
        |k| Arm { name: format!("thorough{k}"), persistence: kad::Persistence::Thorough, ..Arm::of_k(k) };
    plan.arms = ks.map(Arm::of_k).into_iter().chain(ks.map(thorough)).collect();
    let (told, _) = stage.whole(&plan).await;
    assert_eq!(told.published().count(), 24);
    for published in told.published() {
        let chosen: BTreeSet<PeerId> = published.watched.holders.iter().map(|holder| holder.peer).collect();
        let (k, name) = (usize::from(published.k), &published.arm_name);
        let truth = closest(&stage, &published.watched.key, k);
        // Every server names the 20 closest that it knows: of those behind them only whoever is farther away tells. Go's lookup ends when
        // the three closest have answered, the thorough one asks everybody of whom it hears.
        let right = chosen.intersection(&truth).count();
        let is_thorough = published.persistence == Some(kad::Persistence::Thorough);
        let least = if is_thorough && k > 20 { k * 3 / 4 } else { k.min(20) };
        assert!(right >= least, "{name}: {right} of {}", chosen.len());
        if is_thorough {
            assert!(
                chosen.len() == k && heard_of(&stage, &published.watched.key, &chosen).is_subset(&chosen),
                "{name}"
            );
        }
    }
}

/// Whom these would be given besides, if they are all asked for a key: of the 20 closest whom each of them knows, those that are closer
/// than the farthest of them. Read off the world's tables.
fn heard_of(stage: &Stage, key: &[u8], of: &BTreeSet<PeerId>) -> BTreeSet<PeerId> {
    let (world, target) = (stage.fabric.world(), kad::Key::of(key));
    let distance = |peer: u32| world.key(peer).distance(&target);
    let asked: Vec<u32> = of.iter().filter_map(|peer| world.find(peer)).collect();
    let farthest = asked.iter().map(|&peer| distance(peer)).max().expect("somebody");
    let named = asked.iter().flat_map(|&peer| {
        let mut known = world.neighbors(peer).to_vec();
        known.sort_by_key(|&peer| distance(peer));
        known.truncate(20);
        known
    });
    named.filter(|&peer| distance(peer) < farthest).map(|peer| world.peer_id(peer)).collect()
}

#[tokio::test(start_paused = true)]
async fn publishers_end_as_their_arms_say() {
    let stage = Stage::of(HEALTHY);
    let mut plan = plan(3, MINUTE, 3 * MINUTE);
    let ends = [PublisherEnd::Closed, PublisherEnd::ClosedEach, PublisherEnd::Connected];
    plan.arms = ends.map(|end| arm(end.name(), Strategy::Default, end)).into();
    plan.pace.gap = 30 * SECOND;
    let (told, _) = stage.whole(&plan).await;
    let of = |arm: u16| told.published().filter(move |published| published.watched.arm == arm);
    let left: BTreeMap<PeerId, Timestamp> = told.left().collect();
    let ended = |published: &KeyPublished| published.watched.published_at.after(published.took);
    let closed = left[&of(0).next().expect("a key").watched.provider];
    let last = of(0).map(ended).max().expect("keys");
    assert!(closed >= last && closed.since(last) < 2 * SECOND);
    let each: BTreeSet<PeerId> = of(1).map(|published| published.watched.provider).collect();
    assert_eq!(each.len(), 3, "each key has a publisher of its own");
    for published in of(1) {
        assert!(left[&published.watched.provider].since(ended(published)) < 2 * SECOND);
        assert_eq!((published.outcome, published.watched.holders.len()), (Ok(()), 20));
    }
    let stayed = left[&of(2).next().expect("a key").watched.provider];
    let last = told.rounds().map(|round| round.ended_at).max().expect("rounds");
    assert!(stayed >= last, "until the last round was over");
    assert_eq!(told.left().count(), 5);
    assert_whole(&told, 9, 3);
}

#[tokio::test(start_paused = true)]
async fn fewer_holders_than_k_keep_nobody_waiting() {
    let stage = Stage::of("peers = 8\nseed = 3");
    let (told, summary) = stage.whole(&plan(2, MINUTE, MINUTE)).await;
    assert_eq!(summary.expect("a summary").whole_rounds, 2);
    for published in told.published() {
        assert!(published.took < 10 * SECOND, "{:?}", published.took);
        assert_eq!(published.watched.holders.len(), 8);
    }
}

#[tokio::test(start_paused = true)]
async fn several_publishers_and_many_gifts_at_once_come_to_their_end() {
    let stage = Stage::of(HEALTHY);
    let mut plan = plan(30, MINUTE, MINUTE);
    plan.pace.gap = Duration::ZERO;
    plan.arms = (0..4).map(|at| arm(&format!("{at}"), Strategy::OptProv, PublisherEnd::Closed)).collect();
    let (told, summary) = stage.whole(&plan).await;
    assert_eq!(summary.expect("a summary").end, HoardEnd::Done);
    assert_whole(&told, 120, 1);
}

/// By Go's rules the record goes to those of whom the lookup has heard, too: some are not there. Others swallow what they are given.
#[tokio::test(start_paused = true)]
async fn a_gift_that_failed_is_told_from_a_record_that_was_lost() {
    let stage = Stage::of(
        "peers = 120\nseed = 3\n[[agents]]\nname = 'x/1'\nshare = 1.0\n[[states]]\nstate = 'refusing'\nshare = 0.3\n\
         [[holders]]\nname = 'keeps nothing'\nagent = 'x/1'\nshare = 0.4\nswallows = true\n",
    );
    let (told, _) = stage.whole(&plan(3, 3 * MINUTE, 3 * MINUTE)).await;
    let world = stage.fabric.world();
    let is_there = |peer: &PeerId| world.state(world.find(peer).expect("of the world")) == State::Online;
    let mut fates: BTreeMap<(bool, HolderAnswer), usize> = BTreeMap::new();
    for published in told.published() {
        let read_back = told.rounds().find(|round| round.round == 0 && round.key == published.watched.key);
        let read_back = read_back.expect("holders are asked at once");
        assert_eq!(published.given.len(), published.watched.holders.len(), "the fate of each is told");
        for (_, holder, given) in published.holders() {
            let given = given.expect("a fate");
            let was_taken = given.failure.is_none() && given.sent_after.is_some();
            assert_eq!(was_taken, is_there(&holder.peer), "{given:?}");
            let sight =
                read_back.sights.iter().find(|sight| sight.peer == holder.peer).expect("it was asked");
            *fates.entry((was_taken, sight.said.answer)).or_default() += 1;
        }
    }
    let kinds: Vec<_> = fates.keys().copied().collect();
    assert_eq!(
        kinds,
        [
            (false, HolderAnswer::Unreached),
            (true, HolderAnswer::WithAddresses),
            (true, HolderAnswer::WithoutRecord)
        ],
        "{fates:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_knows_nobody_says_so_at_once() {
    let stage = Stage::of("peers = 20\nseed = 3\n[[states]]\nstate = \"refusing\"\nshare = 1.0\n");
    let (told, ended) = stage.whole(&plan(2, MINUTE, MINUTE)).await;
    let said = ended.expect_err("nobody is there").to_string();
    assert!(said.contains("knows nobody"), "{said}");
    assert!(told.facts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn keys_of_others_are_taken_in_with_who_holds_them() {
    let stage = Stage::of(HEALTHY);
    let mut ours = plan(3, MINUTE, MINUTE);
    ours.arms[0].end = PublisherEnd::Connected;
    let keys: Vec<_> = (0..3).filter_map(|position| ours.key(0, position)).collect();
    let publishing = stage.begin(&ours, None, 64);
    let publisher = tokio::spawn(async move {
        let mut publishing = publishing;
        publishing.told().await
    });
    tokio::time::sleep(20 * SECOND).await;
    let mut theirs = plan(3, MINUTE, 2 * MINUTE);
    theirs.seed = 8;
    theirs.keys = KeySource::Foreign { keys: keys.into_iter().map(crate::StudyKeyBytes).collect() };
    theirs.arms[0].end = PublisherEnd::Foreign;
    let (told, summary) = stage.whole(&theirs).await;
    assert_eq!(summary.expect("a summary").end, HoardEnd::Done);
    let by_others = publisher.await.expect("it ends");
    let truth: BTreeMap<_, _> =
        by_others.published().map(|it| (it.watched.key.clone(), &it.watched)).collect();
    for taken in told.published() {
        let truth = truth[&taken.watched.key];
        assert_eq!((taken.strategy, taken.watched.provider), (None, truth.provider));
        let holders = |of: &WatchedKey| of.holders.iter().map(|holder| holder.peer).collect::<BTreeSet<_>>();
        assert_eq!(holders(&taken.watched), holders(truth));
    }
    assert_whole(&told, 3, 2);
}
