//! Publishing and finding by a table of the whole network.

use std::collections::BTreeSet;

use kad::{
    Contact, Key, PeerId, Persistence,
    failure::FailureClass,
    lookup::{Enough, Termination},
    message::K,
    network::Network,
};
use kadscope_dht::{
    FullSearch, FullTable, FullTerms, Gift, ManyRecords, PlacementFate, Publication, PublishFailure,
};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::known::{DEAD, Known, REGIONS};

pub(crate) async fn publish<N: Network>(
    known: &Known<N>,
    key: &[u8],
    persistence: Persistence,
) -> Publication {
    let (record, go_on) = (known.record(key), CancellationToken::new());
    known.finder.publish_full(&record, &known.table, persistence, &go_on).await
}

#[tokio::test(start_paused = true)]
async fn a_table_gives_back_what_it_was_given() {
    let known = Known::of("peers = 500");
    let contact = |peer| Contact { peer: known.world.peer_id(peer), addrs: known.world.addresses(peer) };
    let twice = FullTable::of(known.world.peers().chain(known.world.peers()).map(contact));
    assert_eq!((twice.len(), twice.is_empty()), (500, false));
    let mut all: Vec<Contact> = known.world.peers().map(contact).collect();
    all.sort_by_key(|contact| Key::of_peer(&contact.peer));
    assert!(twice.contacts().eq(all.iter().cloned()));
    all.sort_by_key(|contact| Key::of_peer(&contact.peer).distance(&Key::of(b"key")));
    assert_eq!(twice.closest(b"key", 30), all[..30]);
    assert_eq!(twice.closest(b"key", 900).len(), 500);
    assert!(twice.size_bytes() < 150 * 500, "{}", twice.size_bytes());
    let nobody = FullTable::default();
    assert_eq!((nobody.closest(b"key", 20), nobody.len()), (Vec::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn by_gos_rules_fifteen_of_twenty_are_given_it_and_nobody_says_so() {
    let known = Known::of("peers = 1000");
    for n in 0..20_u8 {
        let mut published = publish(&known, &[n], Persistence::Go).await;
        assert_eq!((published.outcome, published.gifts.len()), (Ok(()), 20));
        published.settle().await;
        let taken = published.gifts.iter().filter(|gift| gift.sent == Some(Ok(()))).count();
        // Everybody is as far away as everybody else: they stand ready at the same time. Go's share is 15.2 (12 to 20).
        assert_eq!((taken, known.holders(&[n]).await), (15, 15));
        let given_up = |gift: &&Gift| matches!(&gift.sent, Some(Err(failure)) if failure.class == FailureClass::Cancelled);
        assert_eq!(published.gifts.iter().filter(given_up).count(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn by_gos_rules_whoever_is_farther_away_than_half_of_them_is_not_waited_for() {
    let known = Known::of(&format!("peers = 1000\n{REGIONS}"));
    let mut holders = 0;
    for n in 0..20_u8 {
        let mut published = publish(&known, &[n], Persistence::Go).await;
        assert!(published.took < Duration::from_millis(700), "{:?}", published.took);
        published.settle().await;
        holders += known.holders(&[n]).await;
    }
    assert!((10 * 20..=15 * 20).contains(&holders), "{holders} of 400");
}

#[tokio::test(start_paused = true)]
async fn thoroughly_all_of_the_closest_that_live_are_given_it_whoever_is_dead() {
    let known = Known::of(&format!("peers = 1000\n{DEAD}"));
    let (mut dead, mut go) = (0, 0);
    for n in 0..20_u8 {
        let published = publish(&known, &[n], Persistence::Thorough).await;
        assert_eq!((published.outcome, known.holders(&[n]).await), (Ok(()), 20));
        dead += published.gifts.iter().filter(|gift| matches!(gift.sent, Some(Err(_)))).count();
        publish(&known, &[n, 1], Persistence::Go).await.settle().await;
        go += known.holders(&[n, 1]).await;
    }
    // For 20 that live some 8.6 that do not are tried.
    assert!((100..250).contains(&dead), "{dead}");
    // Of the closest 14 live on average; of them half of 20 and the stragglers are sent it, and it says success.
    assert!((20 * 10..=20 * 14).contains(&go), "{go} of 400");
}

#[tokio::test(start_paused = true)]
async fn only_the_closest_of_the_table_are_given_it_if_nobody_is_to_stand_in() {
    let known = Known::of(&format!("peers = 300\n{DEAD}"));
    let terms = FullTerms { stand_ins: 0, ..Persistence::Thorough.into() };
    let (record, go_on) = (known.record(b"key"), CancellationToken::new());
    let published = known.finder.publish_full(&record, &known.table, terms, &go_on).await;
    let asked: Vec<PeerId> = published.gifts.iter().map(|gift| gift.to.peer).collect();
    let closest: Vec<PeerId> =
        known.table.closest(b"key", K).into_iter().map(|contact| contact.peer).collect();
    assert_eq!(asked, closest);
    assert!(published.gifts.iter().any(|gift| matches!(gift.sent, Some(Err(_)))), "who is dead is named");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_lives_nobody_took_it_and_that_takes_no_longer_than_go() {
    let known = Known::of("peers = 100\n[[states]]\nshare = 1.0\nstate = 'dropping'");
    let begun = Instant::now();
    let published = publish(&known, b"key", Persistence::Go).await;
    assert_eq!(published.outcome, Err(PublishFailure::NobodyTook));
    assert!(begun.elapsed() <= Duration::from_secs(5), "{:?}", begun.elapsed());
    let published = publish(&known, b"key", Persistence::Thorough).await;
    assert_eq!(published.outcome, Err(PublishFailure::NobodyTook));
    assert_eq!(published.gifts.len(), 60, "the closest, and as many again twice");
    let (record, go_on) = (known.record(b"key"), CancellationToken::new());
    for persistence in Persistence::ALL {
        let nobody = known.finder.publish_full(&record, &FullTable::default(), *persistence, &go_on).await;
        assert_eq!((nobody.outcome, nobody.gifts.len()), (Err(PublishFailure::NoPeers), 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_publication_that_is_cancelled_says_what_was_given_up() {
    let known = Known::of("peers = 100\n[[states]]\nshare = 1.0\nstate = 'dropping'");
    for persistence in Persistence::ALL {
        let cancel = CancellationToken::new();
        let (record, begun) = (known.record(b"key"), Instant::now());
        let publication = known.finder.publish_full(&record, &known.table, *persistence, &cancel);
        let stop = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            cancel.cancel();
        };
        let (published, ()) = tokio::join!(publication, stop);
        assert_eq!(published.outcome, Err(PublishFailure::Cancelled));
        assert!(published.gifts.iter().all(|gift| matches!(gift.sent, Some(Err(_)))));
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_given_is_found_and_a_search_by_gos_rules_stops_with_half() {
    let known = Known::of(&format!("peers = 1000\n{DEAD}"));
    publish(&known, b"key", Persistence::Thorough).await;
    let go_on = CancellationToken::new();
    let find = async |key: &'static [u8], enough, persistence: Persistence| {
        let search = FullSearch { key, enough, table: &known.table };
        known.finder.find_providers_full(search, persistence, &go_on).await
    };
    let first = find(b"key", Enough::FIRST, Persistence::Go).await;
    assert_eq!((first.outcome.termination, first.providers.len()), (Termination::Stopped, 1));
    let go = find(b"other", Enough::FIRST, Persistence::Go).await;
    let counts = go.trace.counts();
    assert_eq!((go.outcome.termination, go.providers.len()), (Termination::Completed, 0));
    assert!(counts.cancelled + counts.unsent > 0 && counts.asked == 20, "{counts:?}");
    assert!(go.took <= Duration::from_secs(5));
    let all = find(b"key", Enough::All, Persistence::Thorough).await;
    let holders = all.providers[0].holders.len();
    assert_eq!(all.trace.counts().answered, holders, "whoever of the closest answers has it");
    assert!(all.outcome.hops == Some(0) && all.trace.rpcs.iter().all(|rpc| rpc.heard_by.is_none()));
    let search = FullSearch { key: b"key", enough: Enough::FIRST, table: &FullTable::default() };
    let nobody = known.finder.find_providers_full(search, Persistence::Go, &go_on).await;
    assert_eq!(nobody.trace.rpcs.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_keys_are_given_to_whoever_is_closest_to_each() {
    let known = Known::of(&format!("peers = 1000\n{DEAD}"));
    let keys: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![n, 9]).collect();
    let go_on = CancellationToken::new();
    let publish = async |persistence: Persistence| {
        let records = ManyRecords { provider: &known.provider(), keys: &keys };
        known.finder.publish_full_many(records, &known.table, persistence, &go_on).await
    };
    let go = publish(Persistence::Go).await;
    assert_eq!((go.outcome, go.keys.len()), (Ok(()), 100));
    assert!(go.sent().iter().all(|&sent| (7..=20).contains(&sent)), "{:?}", go.sent());
    assert_eq!(go.placements.len(), 2000, "who was left out is said");
    let all = publish(Persistence::Thorough).await;
    assert!(all.sent().iter().all(|&sent| sent == 20), "{:?}", all.sent());
    for (number, key) in keys.iter().enumerate().step_by(10) {
        let holders: BTreeSet<PeerId> = all.holders(number).map(|contact| contact.peer).collect();
        assert_eq!((holders, known.holders(key).await), (known.closest(key), 20));
    }
    let failed = all.placements.iter().filter(|placement| placement.fate == PlacementFate::Failed).count();
    let stood_in = all.placements.iter().filter(|placement| placement.stands_in).count();
    assert!(failed > 400 && stood_in >= failed.min(100), "{failed} {stood_in}");
    assert!(all.recipients.iter().filter(|recipient| recipient.failure.is_some()).count() > 200);
}
