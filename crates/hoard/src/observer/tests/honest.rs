//! Where everybody is honest.

use super::*;

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
