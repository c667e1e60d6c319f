//! Sweeps: one exploration for all keys of a region.

use std::collections::BTreeSet;

use kad::{PeerId, Persistence, network::Network};
use kadscope_dht::{ManyPublished, ManyRecords, PublishFailure, SweepTerms};
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use super::known::{DEAD, Known};

pub(crate) fn keys(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
}

pub(crate) async fn sweep<N: Network>(
    known: &Known<N>,
    keys: &[Vec<u8>],
    terms: impl Into<SweepTerms>,
) -> ManyPublished {
    let records = ManyRecords { provider: &known.provider(), keys };
    let go_on = CancellationToken::new();
    known.finder.publish_sweep(records, |_| known.bootstrap(), &terms.into(), &go_on).await
}

/// How many of the closest 20 that live were sent each key; some keys are asked for, too.
pub(crate) async fn placed<N: Network>(known: &Known<N>, published: &ManyPublished) -> f64 {
    let mut sum = 0;
    for (number, key) in published.keys.iter().enumerate() {
        let closest = known.closest(key);
        let sent: BTreeSet<PeerId> = published.holders(number).map(|contact| contact.peer).collect();
        let hit = closest.intersection(&sent).count();
        if number % 200 == 0 {
            assert_eq!(known.holders(key).await, hit, "who was sent it has it");
        }
        sum += hit;
    }
    sum as f64 / published.keys.len() as f64
}

#[tokio::test(start_paused = true)]
async fn thoroughly_every_key_comes_to_the_twenty_closest_that_live() {
    let known = Known::of(&format!("peers = 1000\n{DEAD}"));
    for count in [1, 2, 100, 2000] {
        let published = sweep(&known, &keys(count), Persistence::Thorough).await;
        assert_eq!((published.outcome, published.keys.len()), (Ok(()), count as usize));
        let placed = placed(&known, &published).await;
        assert!((placed - 20.0).abs() < 1e-9, "{count}: {placed}");
        assert_eq!(published.failed_regions, 0);
        // One a key would be thousands; around a single key some more than one are needed, since dead peers stand among the closest.
        let most = if count > 2 { 120 } else { 4 * u64::from(count) };
        assert!(published.lookups.lookups <= most, "{count}: {:?}", published.lookups);
    }
}

#[tokio::test(start_paused = true)]
async fn by_gos_rules_keys_of_a_region_come_to_peers_that_are_not_the_closest() {
    let known = Known::of("peers = 1000");
    let one = sweep(&known, &[b"alone".to_vec()], Persistence::Go).await;
    let alone = placed(&known, &one).await;
    assert!((alone - 20.0).abs() < 1e-9, "a key that is looked up for itself: {alone}");
    let published = sweep(&known, &keys(300), Persistence::Go).await;
    let placed = placed(&known, &published).await;
    // Every key is given to twenty, and nobody says that these are others than the closest.
    assert!(published.outcome.is_ok() && published.sent().iter().all(|&sent| sent == 20));
    assert!((10.0..16.0).contains(&placed), "{placed} of 20");
}

#[tokio::test(start_paused = true)]
async fn by_gos_rules_dead_peers_take_the_places_of_living_ones() {
    let known = Known::of(&format!("peers = 1000\n{DEAD}"));
    let published = sweep(&known, &keys(2), Persistence::Go).await;
    let placed = placed(&known, &published).await;
    assert!((13.0..20.0).contains(&placed), "{placed}");
    assert!(published.recipients.iter().any(|recipient| recipient.failure.is_some()), "who is dead is named");
}

#[tokio::test(start_paused = true)]
async fn of_one_key_every_lookup_and_every_gift_is_told() {
    let known = Known::of(&format!("peers = 1000\n{DEAD}"));
    let go_on = CancellationToken::new();
    for &persistence in Persistence::ALL {
        let record = known.record(persistence.name().as_bytes());
        let (from, terms) = (known.bootstrap(), SweepTerms::from(persistence));
        let mut published = known.finder.publish_sweep_one(&record, &from, &terms, &go_on).await;
        published.settle().await;
        assert_eq!(published.outcome, Ok(()));
        let lookups = published.lookups.len();
        assert!(lookups == 1 || persistence == Persistence::Thorough && lookups <= 5, "{lookups}");
        let first = &published.gifts[0];
        let looked: Duration = published.lookups.iter().map(|found| found.took).sum();
        assert!(first.begun_after >= looked, "{first:?}");
        let taken = published.gifts.iter().filter(|gift| gift.sent == Some(Ok(()))).count();
        let holders = known.holders(&record.key).await;
        assert!(taken >= holders && published.gifts.iter().all(|gift| gift.ended_after.is_some()));
        match persistence {
            Persistence::Go => assert!((13..=20).contains(&holders), "{holders}"),
            Persistence::Thorough => assert_eq!((taken, holders), (20, 20)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_prefix_length_is_measured_once_in_five_minutes() {
    let known = Known::of("peers = 300");
    let terms = SweepTerms::from(Persistence::Thorough);
    let first = sweep(&known, &keys(3), terms.clone()).await.lookups.lookups;
    assert!(terms.prefix_len.get().is_some_and(|bits| (2..=4).contains(&bits)), "{terms:?}");
    let second = sweep(&known, &keys(3), terms.clone()).await.lookups.lookups;
    assert_eq!(second + 4, first);
    tokio::time::sleep(Duration::from_secs(301)).await;
    assert_eq!(terms.prefix_len.get(), None);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_answers_nobody_is_found_and_a_cancelled_sweep_says_so() {
    let known = Known::of("peers = 50\n[[states]]\nshare = 1.0\nstate = 'refusing'");
    let nobody = sweep(&known, &keys(5), Persistence::Thorough).await;
    assert_eq!((nobody.outcome, nobody.placements.len()), (Err(PublishFailure::NobodyFound), 0));
    let (cancel, keys) = (CancellationToken::new(), keys(50));
    cancel.cancel();
    let records = ManyRecords { provider: &known.provider(), keys: &keys };
    let terms = Persistence::Thorough.into();
    let given_up = known.finder.publish_sweep(records, |_| known.bootstrap(), &terms, &cancel).await;
    assert_eq!(given_up.outcome, Err(PublishFailure::Cancelled));
    let nothing = sweep(&known, &[], Persistence::Thorough).await;
    assert_eq!((nothing.outcome, nothing.keys.len()), (Ok(()), 0));
}
