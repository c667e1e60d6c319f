//! Network sizes as lookups show them, beside the truth.

use super::{Net, third_dead};

/// How far an estimate is off, as a share of the truth.
fn off(estimate: f64, truth: f64) -> f64 {
    estimate / truth - 1.0
}

#[tokio::test(start_paused = true)]
async fn estimates_lie_close_to_the_truth_whatever_the_size() {
    for peers in [100, 1_000, 10_000] {
        let net = Net::new(&format!("peers = {peers}"));
        net.learn_size(40).await;
        let size = net.size.estimate().expect("enough lookups");
        let truth = f64::from(peers);
        assert!(off(f64::from(size.go), truth).abs() < 0.15, "{peers}: {size:?}");
        assert!(off(size.named.peers, truth).abs() < 0.12, "{peers}: {size:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_third_is_dead_one_estimate_counts_all_and_one_those_who_answer() {
    let net = Net::new(&third_dead(2_000));
    net.learn_size(60).await;
    let size = net.size.estimate().expect("enough lookups");
    let living =
        net.world().peers().filter(|&peer| net.world().state(peer).is_honest_server()).count() as f64;
    // Go's counts whoever is named: 30 % dead peers are 43 % too many.
    assert!(off(f64::from(size.go), living) > 0.2, "{size:?}");
    assert!(off(f64::from(size.go), 2_000.0).abs() < 0.15, "{size:?}");
    let answering = size.answering.expect("somebody answers");
    assert!(off(answering.peers, living).abs() < 0.12, "{size:?}");
}
