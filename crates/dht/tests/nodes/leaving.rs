//! A node that leaves, or is dropped, leaves nothing behind, whenever that is.

use std::time::Duration;

use kad::{
    failure::FailureClass,
    network::{AddressOutcome, Network as _},
};
use tokio::{runtime::Handle, time::Instant};

use super::settlement::Settlement;

/// No longer than this it takes until all tasks of a node have ended.
const SOON: Duration = Duration::from_secs(5);

/// Waits until so many tasks are alive as before.
async fn until_tasks(count: usize) {
    let begun = Instant::now();
    let alive = || Handle::current().metrics().num_alive_tasks();
    while alive() != count {
        assert!(begun.elapsed() < SOON, "{} tasks, {count} before", alive());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_leaves_at_any_moment_is_nowhere_and_nothing_of_it_runs() {
    let settlement = Settlement::of("peers = 200\n[[states]]\nstate = 'dropping'\nshare = 0.2\n");
    let before = Handle::current().metrics().num_alive_tasks();
    for after_ms in [0, 1, 40, 300, 2_000, 9_000, 599_000, 600_100, 3_000_000] {
        let node = settlement.join(1).await;
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        let own = node.contact().clone();
        let begun = Instant::now();
        node.leave().await;
        assert!(begun.elapsed() < SOON, "{after_ms}: it took {:?}", begun.elapsed());
        until_tasks(before).await;
        // Nobody is there, and the addresses are free for the one who comes after it.
        let other = settlement.join(2).await;
        let dial = other.member().connect(own.peer, own.addrs.clone()).await;
        for attempt in dial.attempts {
            let AddressOutcome::Failed(failure) = attempt.outcome else { panic!("{:?}", attempt.outcome) };
            let classes = [FailureClass::ConnectionRefused, FailureClass::PeerIdMismatch];
            assert!(classes.contains(&failure.class), "{failure:?}");
        }
        drop(other);
        until_tasks(before).await;
    }
}
