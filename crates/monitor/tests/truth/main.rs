//! What a monitor says of a network whose truth is known, in virtual time: peers come and go, and every session that is told must be one
//! that was.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

mod ground;
mod judging;

use std::time::Duration;

use kadscope_monitor::{gap::between_runs, running::MonitorState};
use schema::{GapCause, Timestamp};
use testnet::{
    Scenario,
    scenario::life::{Cut, Outage},
};
use tokio::time::{Instant, sleep};

use crate::{
    ground::{Ground, Order, START, monitored},
    judging::{gaps, judge, sessions},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The peers of `churn`, as they come and go in a network of this size.
fn churning(peers: u32) -> Scenario {
    let mut scenario = Scenario::named("churn").expect("a scenario").with_peers(peers);
    if let Some(life) = &mut scenario.life {
        life.speed = 1.0;
    }
    scenario
}

#[tokio::test(start_paused = true)]
async fn sessions_are_those_of_the_event_log() {
    let seen = monitored(&churning(300), 24 * HOUR).await;
    let verdict = judge(&seen);
    assert!(verdict.told > 500, "{verdict:?}");
    assert_eq!((verdict.invented, verdict.split), (0, 0), "{verdict:?}");
    // A crawl that heard of a peer where it no longer was found it down there, until somebody said where it is.
    assert!(verdict.late * 100 < verdict.told * 5, "{verdict:?}");
    // What is shorter than the interval can be missed, and nothing else.
    assert!(verdict.longest_missed < 30 * MINUTE && verdict.longest_joined < 30 * MINUTE, "{verdict:?}");
    assert!(verdict.missed * 100 < verdict.all * 20, "{verdict:?}");
    assert!(seen.summary.counts.worst_lag < 2 * SECOND, "{:?}", seen.summary);
}

#[tokio::test(start_paused = true)]
async fn a_network_of_the_observers_that_is_gone_is_a_gap_and_ends_nobodys_session() {
    let mut scenario = churning(150);
    let outages = &mut scenario.life.as_mut().expect("a life").outages;
    outages.push(Outage { from_s: 4.0 * 3600.0, lasts_s: 1800.0, dials: Cut::NoAnswer });
    let seen = monitored(&scenario, 8 * HOUR).await;
    let verdict = judge(&seen);
    assert_eq!((verdict.invented, verdict.split), (0, 0), "{verdict:?}");
    let gaps = gaps(&seen);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].cause, GapCause::NetworkGone);
    let near = |at: Timestamp, hours: f64| at.since(START).abs_diff(HOUR.mul_f64(hours)) < 3 * MINUTE;
    assert!(near(gaps[0].from, 4.0) && near(gaps[0].until, 4.5), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_ten_minutes_is_a_gap_and_nothing_grows_meanwhile() {
    let (ground, order) =
        (Ground::of(&churning(150)), Order { lasts: 6 * HOUR, has_bootstrap: true, queue: 8 });
    let began = Instant::now();
    let is_away = std::cell::Cell::new(false);
    let take = async |_| {
        if began.elapsed() > 3 * HOUR && !is_away.replace(true) {
            sleep(10 * MINUTE).await;
        }
    };
    let seen = ground.monitored(order, MonitorState::default(), take).await;
    let verdict = judge(&seen);
    assert_eq!((verdict.invented, verdict.split), (0, 0), "{verdict:?}");
    assert!(gaps(&seen).iter().any(|gap| gap.cause == GapCause::StoreAway && gap.length() > 5 * MINUTE));
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_after_a_pause_splits_no_session_and_needs_nobody_to_begin_with() {
    let ground = Ground::of(&churning(150));
    let nobody = async |_| {};
    let order = Order { lasts: 5 * HOUR, has_bootstrap: true, queue: 256 };
    let first = ground.monitored(order, MonitorState::default(), nobody).await;
    sleep(20 * MINUTE).await;
    let mut state = first.state.clone();
    let until = START.after(5 * HOUR + 20 * MINUTE);
    state.gaps.extend(between_runs(first.summary.finished_at, until));
    let order = Order { lasts: 3 * HOUR, has_bootstrap: false, queue: 256 };
    let mut second = ground.monitored(order, state, nobody).await;
    assert!(second.summary.counts.crawls > 0, "{:?}", second.summary);
    assert!(second.summary.counts.up > first.summary.counts.up / 2, "{:?}", second.summary);
    second.facts.splice(0..0, first.facts);
    let verdict = judge(&second);
    assert_eq!((verdict.invented, verdict.split), (0, 0), "{verdict:?}");
    let twice = sessions(&second).iter().map(|(id, seen)| (*id, seen.first_successful)).collect::<Vec<_>>();
    let once: std::collections::BTreeSet<_> = twice.iter().collect();
    assert_eq!(twice.len(), once.len(), "a session is told once");
}
