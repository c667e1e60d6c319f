//! Looks that are due 500 times a second: how late the latest began, and what all of it took.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crawl::Clock;
use schema::{OnlineCriterion, PeerNumber, Timestamp};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    cost::Meter,
    looking::{Looking, host, prober},
};

/// How many looks are due each second.
const A_SECOND: u32 = 500;

pub(crate) async fn run(carried: &str, looking: &Looking, lasts: Duration) {
    let prober = prober(&host(), Clock::started_at(Timestamp(0)), OnlineCriterion::Handshake);
    let looks = A_SECOND * u32::try_from(lasts.as_secs()).expect("a short time");
    let (peers, latest_us) = (looking.peers(), Arc::new(AtomicU64::new(0)));
    let (mut meter, began, mut under_way, mut most) = (Meter::new(0), Instant::now(), JoinSet::new(), 0);
    for number in 0..looks {
        let due = began + Duration::from_secs(1) / A_SECOND * number;
        sleep_until(due).await;
        let (prober, peers, latest_us) = (prober.clone(), Arc::clone(&peers), Arc::clone(&latest_us));
        under_way.spawn(async move {
            let late_us = due.elapsed().as_micros().try_into().expect("a short time");
            latest_us.fetch_max(late_us, Relaxed);
            let visit = prober.probe(PeerNumber(1), &peers[number as usize % peers.len()]).await;
            u32::from(visit.is_reachable())
        });
        most = most.max(under_way.len());
        while under_way.try_join_next().is_some_and(|answered| answered.expect("no panic") == 1) {}
    }
    under_way.join_all().await;
    let cost = meter.lap(looks, 0);
    let us = |what: &str| cost[what].as_f64().expect("a number");
    println!(
        "{carried}: {looks} looks in {:.1} s; the latest began {:.1} ms after it was due, at most {most} at a time; {:.0} us CPU each, \
         {:.0} % of a core; at most {:.1} MB",
        began.elapsed().as_secs_f64(),
        latest_us.load(Relaxed) as f64 / 1e3,
        us("user_us") + us("system_us"),
        (us("user_us") + us("system_us")) * f64::from(A_SECOND) / 1e4,
        resident_mb(),
    );
}

/// The most memory that was resident, in MB.
fn resident_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("a process");
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a field");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}
