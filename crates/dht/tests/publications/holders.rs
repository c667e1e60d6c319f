//! Who has a record in truth, when its publication returns and when it has settled.

use kad::{Persistence, network::Network};
use kadscope_dht::Publication;

use super::{K, Net, third_dead};

const KEYS: u32 = 20;

/// What publications of several keys came to, in sums.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    /// Of the true closest, sent the record when the publication returned.
    pub(crate) at_return: usize,
    /// Of the true closest, with the record once all was done.
    pub(crate) settled: usize,
    took_ms: u128,
    gifts: usize,
    requests: usize,
}

pub(crate) async fn shares<N: Network>(
    net: &Net<N>,
    keys: u32,
    (optimistic, persistence): (bool, Persistence),
) -> Shares {
    let mut all = Shares::default();
    for number in 0..keys {
        let key = format!("{optimistic} {persistence} {number}").into_bytes();
        let mut publication: Publication = if optimistic {
            net.publish_optimistic(&key, persistence).await
        } else {
            net.publish(&key, persistence).await
        };
        assert_eq!(publication.outcome, Ok(()));
        all.took_ms += publication.took.as_millis();
        all.at_return += net.sent(&key, &publication);
        publication.settle().await;
        assert!(publication.gifts.iter().all(|gift| gift.sent.is_some() && gift.ended_after.is_some()));
        all.settled += net.holders(&key).await;
        all.gifts += publication.gifts.len();
        all.requests += publication.lookups.iter().map(|found| found.trace.rpcs.len()).sum::<usize>();
    }
    all
}

#[tokio::test(start_paused = true)]
async fn where_a_third_is_dead_thoroughness_reaches_all_and_go_what_go_reaches() {
    let net = Net::new(&third_dead(1_000));
    net.learn_size(10).await;
    let all = KEYS as usize * K;
    let go = shares(&net, KEYS, (false, Persistence::Go)).await;
    let thorough = shares(&net, KEYS, (false, Persistence::Thorough)).await;
    assert!(thorough.settled * 100 >= all * 99, "{thorough:?}");
    assert!(thorough.settled >= go.settled);
    let go_optimistic = shares(&net, KEYS, (true, Persistence::Go)).await;
    let optimistic = shares(&net, KEYS, (true, Persistence::Thorough)).await;
    assert!(optimistic.settled * 100 >= all * 99, "{optimistic:?}");
    assert!(optimistic.settled >= go_optimistic.settled);
    assert!(optimistic.at_return >= go_optimistic.at_return, "{optimistic:?} {go_optimistic:?}");
}

#[tokio::test(start_paused = true)]
async fn where_all_is_well_everybody_who_should_has_the_record() {
    let net = Net::new("peers = 1000");
    net.learn_size(10).await;
    let all = KEYS as usize * K;
    for persistence in Persistence::ALL {
        let classic = shares(&net, KEYS, (false, *persistence)).await;
        assert_eq!(classic.settled, all, "{persistence}");
        let optimistic = shares(&net, KEYS, (true, *persistence)).await;
        assert!(optimistic.took_ms < classic.took_ms, "{persistence}");
        let least = if *persistence == Persistence::Go { 90 } else { 100 };
        assert!(optimistic.settled * 100 >= all * least, "{persistence}: {optimistic:?}");
    }
}
