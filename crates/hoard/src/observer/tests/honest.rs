//! Where everybody is honest.

use std::sync::atomic::Ordering;

use schema::{PeerNumber, Row};

use super::*;
use crate::{HoardFact, hoard_peers, hoard_rows};

const HEALTHY: &str = r#"
peers = 150
seed = 3
[[regions]]
name = "here"
share = 1.0
rtt_ms = { here = 20 }
"#;

#[tokio::test(start_paused = true)]
async fn every_holder_is_found_where_it_was_with_what_it_was_given() {
    let stage = Stage::of(HEALTHY).await;
    let key = stage.publish("content").await;
    let mut config = stage.config();
    config.walks.lookups = HoardLookup::ALL.to_vec();
    let observer = stage.observer(config).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let round = observer.round(&key, &stage.due(1), &CancellationToken::new()).await;
    assert_eq!((round.end, round.sights.len(), round.lag()), (RoundEnd::Whole, 20, Duration::ZERO));
    assert!(places(&round).iter().all(|&place| place == Whereabouts::SameAddress), "{:?}", places(&round));
    assert!(answers(&round).iter().all(|&answer| answer == HolderAnswer::WithAddresses));
    assert_eq!((round.reached(), round.keeping(), round.with_addresses()), (20, 20, 20));
    for sight in &round.sights {
        let dial = sight.first.as_ref().expect("a dial");
        assert!(sight.attempts == 1 && sight.current.is_none(), "its current addresses are its first ones");
        assert!(sight.said.provider_addresses == 1 && sight.agent.is_some());
        assert!(dial.took >= Duration::from_millis(20), "no connection was there before: {:?}", dial.took);
    }
    let lookups: Vec<HoardLookup> = round.lookups.iter().map(|walk| walk.lookup).collect();
    assert_eq!(lookups, HoardLookup::ALL);
    let closest = &round.lookups[0];
    assert_eq!(closest.closest, stage.closest(&key.key, |_| true));
    for walk in &round.lookups[1..] {
        assert_eq!((walk.first_combo, walk.upgraded_combo), (2, 2), "{}", walk.lookup);
    }
    let ending = |at: usize| round.lookups[at].ending;
    assert_eq!(
        [ending(1), ending(2), ending(3)],
        [Termination::Stopped, Termination::Completed, Termination::Completed],
        "one provider is never twenty"
    );
    assert!(round.lookups[3].named.len() >= 18, "every responder tells what it has");
    assert_eq!(round.lookups[3].named[0].addresses, stage.publisher.contact().addrs);
}

#[tokio::test(start_paused = true)]
async fn a_look_at_a_holder_neither_uses_nor_closes_a_connection_of_a_lookup() {
    let stage = Stage::of(HEALTHY).await;
    let key = stage.publish("content").await;
    let counted = stage.counted();
    let observer = Observer::join(&counted, stage.config()).await.expect("an observer");
    observer.node().refreshed(1).await;
    let cancel = CancellationToken::new();
    let walk = RoundOrder { parts: RoundParts::Lookups, ..stage.due(1) };
    observer.round(&key, &walk, &cancel).await;
    let (before, dialled) = (observer.node().connections(), counted.dials.load(Ordering::Relaxed));
    let open = Arc::strong_count(&counted.open);
    let look = RoundOrder { parts: RoundParts::Holders, ..stage.due(2) };
    let warm = observer.round(&key, &look, &cancel).await;
    assert_eq!(
        counted.dials.load(Ordering::Relaxed) - dialled,
        20,
        "each holder is dialled, connected or not"
    );
    assert_eq!(observer.node().connections(), before, "and no connection of a lookup is closed");
    assert_eq!(Arc::strong_count(&counted.open), open, "those to the holders are");
    let other =
        stage.observer(ObserverConfig { node: node_config(&stage.fabric, 3), ..stage.config() }).await;
    let cold = other.round(&key, &look, &cancel).await;
    let took = |round: &KeyRound| -> Vec<Option<Duration>> {
        round.sights.iter().map(|sight| sight.first.as_ref().map(|dial| dial.took)).collect()
    };
    assert_eq!(took(&warm), took(&cold), "a dial is never free because a lookup was there");
}

#[tokio::test(start_paused = true)]
async fn what_is_read_back_at_once_and_later_is_round_zero() {
    let stage = Stage::of(HEALTHY).await;
    let key = stage.publish("content").await;
    let observer = stage.observer(stage.config()).await;
    let after = [0, 10].map(Duration::from_secs);
    let round = observer.read_back(&key, &after, &CancellationToken::new()).await;
    assert_eq!((round.round, round.sights.len(), round.keeping(), round.end), (0, 40, 40, RoundEnd::Whole));
    assert_eq!(round.sights[20].planned_after.saturating_sub(round.sights[0].planned_after), after[1]);
}

#[tokio::test(start_paused = true)]
async fn whose_record_of_a_foreign_key_is_where_is_found_out() {
    let stage = Stage::of(HEALTHY).await;
    let key = stage.publish("content").await;
    let observer = stage.observer(stage.config()).await;
    let found = observer.find_holders(&key.key, &CancellationToken::new()).await;
    let holders: Vec<PeerId> = found.holders.iter().map(|holder| holder.known.peer).collect();
    assert_eq!(holders, stage.closest(&key.key, |_| true));
    let providers = found.holders.iter().flat_map(|holder| &holder.said.providers);
    assert!(providers.clone().count() == 20 && providers.clone().all(|named| named.peer == key.provider));
    assert!(
        found.holders.iter().all(|holder| !holder.known.addresses.is_empty() && holder.known.agent.is_some())
    );
    let none = observer.find_holders(&multihash("nothing"), &CancellationToken::new()).await;
    assert!(none.holders.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_row_that_says_that_a_round_is_done_is_the_last() {
    let stage = Stage::of(HEALTHY).await;
    let key = stage.publish("content").await;
    let observer = stage.observer(stage.config()).await;
    let round = observer.round(&key, &stage.due(1), &CancellationToken::new()).await;
    let fact = HoardFact::Round(Box::new(round));
    let peers = hoard_peers(&fact);
    let number = |peer: &PeerId| {
        let at = peers.binary_search(peer).expect("everybody is told of");
        Some(PeerNumber(u32::try_from(at).expect("few")))
    };
    let rows = hoard_rows(&fact, &number);
    let of =
        |name: &str| rows.iter().filter(|row| row.table().is_some_and(|table| table.name == name)).count();
    assert_eq!((of("hoard_sight"), of("hoard_walk"), of("hoard_round")), (20, 2, 1));
    assert!(of("hoard_provider") >= 18 && of("lookup_request") >= 40);
    let Some(Row::HoardRound(last)) = rows.last() else { panic!("the round is not the last row") };
    assert_eq!((last.holders, last.reached, last.keeping, last.with_addresses), (20, 20, 20, 20));
}
