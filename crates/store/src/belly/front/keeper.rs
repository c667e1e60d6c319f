//! Collects what has expired, if this process is the one that does; whoever has the lease is.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::{super::Inner, Front};

/// How long a lease lasts, in collections. If whoever has it ends without a word, another one collects that much later.
const LEASE_INTERVALS: u32 = 3;

/// How long a step may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// Pauses between steps: others are asked for meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Steps until the lease is renewed.
const STEPS: u32 = 100;

/// Lists in memory that are looked at in a step.
const LISTS: usize = 64;

/// Collects in small steps.
pub(crate) async fn keep(inner: Arc<Inner>) {
    let Some(front) = &inner.front else { return };
    loop {
        if !front.is_away() && front.now_us() > 0 && leads(front).await {
            for _ in 0..STEPS {
                if !collect(front).await {
                    break;
                }
                sleep(PAUSE).await;
            }
        }
        trim(front).await;
        inner.providers.sweep(LISTS, Duration::from_micros(front.now_us()));
        sleep(front.config.collect_interval).await;
    }
}

/// Whoever met a key with too many providers deletes the oldest.
async fn trim(front: &Front) {
    let crowded = front.take_crowded();
    if crowded.is_empty() || front.is_away() {
        return;
    }
    front.turn().await;
    let answer = timeout(DEADLINE, front.backend.trim(Arc::new(crowded), front.config.per_key)).await.ok();
    if front.came(answer, "delete records").is_err() {
        tracing::debug!("keys with too many providers are left until they are met again");
    }
}

async fn leads(front: &Front) -> bool {
    front.turn().await;
    let answer =
        timeout(DEADLINE, front.backend.lease(front.config.collect_interval * LEASE_INTERVALS)).await.ok();
    front.came(answer, "take the lease").unwrap_or(false)
}

async fn collect(front: &Front) -> bool {
    front.turn().await;
    let answer = timeout(DEADLINE, front.backend.collect(front.now_us())).await.ok();
    front.came(answer, "collect what has expired").unwrap_or(false)
}
