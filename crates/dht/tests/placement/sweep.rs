//! Sweeps: one exploration for all keys of a region.

use std::collections::BTreeSet;

use kad::{PeerId, Persistence};
use kadscope_dht::{ManyPublished, ManyRecords, SweepTerms};
use tokio_util::sync::CancellationToken;

use super::known::{DEAD, Known};

fn keys(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
}

async fn sweep(known: &Known, keys: &[Vec<u8>], terms: impl Into<SweepTerms>) -> ManyPublished {
    let records = ManyRecords { provider: &known.provider(), keys };
    let go_on = CancellationToken::new();
    known.finder.publish_sweep(records, |_| known.bootstrap(), &terms.into(), &go_on).await
}

/// How many of the closest 20 that live were sent each key; some keys are asked for, too.
async fn placed(known: &Known, published: &ManyPublished) -> f64 {
    let mut sum = 0;
    for (number, key) in published.keys.iter().enumerate() {
        let closest = known.closest(key);
        let sent: BTreeSet<PeerId> = published.holders(number).map(|contact| contact.peer).collect();
        let hit = closest.intersection(&sent).count();
        if number % 100 == 0 {
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
async fn by_gos_rules_dead_peers_take_the_places_of_living_ones() {
    let known = Known::of(&format!("peers = 1000\n{DEAD}"));
    for count in [1, 100] {
        let published = sweep(&known, &keys(count), Persistence::Go).await;
        let placed = placed(&known, &published).await;
        assert!((13.0..20.0).contains(&placed), "{count}: {placed}");
    }
}
