//! Gifts that are under way when their publication has returned take places, and where there is none they are waited for.

use std::{sync::Arc, time::Duration};

use kad::{Key, Persistence};
use kadscope_dht::{BACKGROUND_SLOTS, OptimisticTerms};
use testnet::State;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{K, Net};

/// A dial that nobody answers takes so long.
const DIAL: Duration = Duration::from_secs(5);

/// A key of whose closest peers so many drop attempts to connect that the others are enough to return.
fn key_with_few_gone(net: &Net) -> Vec<u8> {
    let gone = |key: &[u8]| {
        let (world, target) = (net.world(), Key::of(key));
        let mut all: Vec<u32> = world.peers().collect();
        all.sort_by_key(|&peer| world.key(peer).distance(&target));
        all.into_iter().take(K).filter(|&peer| world.state(peer) == State::Dropping).count()
    };
    let mut keys = (0_u32..).map(|number| number.to_be_bytes().to_vec());
    keys.find(|key| (1..=4).contains(&gone(key))).expect("a key")
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_place_waits_for_the_last_gift() {
    let healthy = Net::new("peers = 300");
    healthy.learn_size(10).await;
    let dropping = "peers = 300\n[[states]]\nstate = 'dropping'\nshare = 0.1";
    let net = Net { size: healthy.size, ..Net::new(dropping) };
    let (key, go_on) = (key_with_few_gone(&net), CancellationToken::new());
    for (slots, waits) in [(BACKGROUND_SLOTS, false), (0, true)] {
        let slots = Arc::new(Semaphore::new(slots));
        let terms = OptimisticTerms { slots: Arc::clone(&slots), ..net.optimistic_terms(Persistence::Go) };
        let quest = net.quest_from_table(&key);
        let mut publication = net.finder.publish_optimistic(&net.record(&key), quest, &terms, &go_on).await;
        assert_eq!(publication.outcome, Ok(()));
        assert_eq!(publication.took >= DIAL, waits, "{:?}", publication.took);
        let under_way = publication.gifts.iter().filter(|gift| gift.sent_after.is_none()).count();
        let failed = publication.gifts.iter().filter(|gift| gift.sent.as_ref().is_some_and(Result::is_err));
        assert_eq!(failed.count() > 0, waits);
        let taken = if waits { 0 } else { BACKGROUND_SLOTS - slots.available_permits() };
        assert!(taken <= under_way && (taken > 0) != waits, "{taken} places for {under_way} gifts");
        publication.settle().await;
        tokio::task::yield_now().await;
        assert_eq!(slots.available_permits(), if waits { 0 } else { BACKGROUND_SLOTS });
    }
}
