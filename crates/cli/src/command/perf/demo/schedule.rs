//! The days of a demonstration: each fleet by its own scheduler with warm connections, then with cold ones, then one scheduler across fleets.

use std::{sync::Arc, time::Duration};

use ::perf::{
    CallAttempt, CallDeadlines, ConnectionPolicy, Pairing, ProbeTerms, RoundPace, Scheduler, SchedulerConfig,
};
use schema::RunId;
use store::{SchedulerEntry, SchedulerId};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::scene::{START, Scene, fleets};
use crate::args::PerfDemoArgs;

/// How often servers say that they live.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Attempts that may wait to be counted.
const QUEUE: usize = 256;

/// Rounds across fleets for each round of a fleet: there are as many rounds a day as if each fleet had its own.
const ACROSS: u32 = 4;

const DAY: Duration = Duration::from_secs(86_400);

/// A part of the time.
#[derive(Debug, Clone)]
struct Phase {
    /// How many rounds each scheduler has.
    rounds: u64,
    /// The fleets of each scheduler.
    schedulers: Vec<Vec<String>>,
    gap: Duration,
    pairing: Pairing,
    probes: ProbeTerms,
}

/// Carries all of it out; `took` is told of each attempt as it is over.
pub(super) async fn carry_out(
    scene: &Arc<Scene>,
    args: &PerfDemoArgs,
    stop: &CancellationToken,
    mut took: impl FnMut(&CallAttempt),
) -> anyhow::Result<()> {
    let mut beside = JoinSet::new();
    beside.spawn(stay_alive(Arc::clone(scene)));
    for (number, phase) in (0_u8..).zip(phases(args)) {
        if stop.is_cancelled() {
            break;
        }
        let (sender, mut attempts) = mpsc::channel(QUEUE);
        let mut schedulers = JoinSet::new();
        for (place, fleets) in (0_u8..).zip(&phase.schedulers) {
            let id = enter(scene, fleets).await?;
            let config = config(&phase, fleets, (args.seed, [number, place]), id);
            let (calls, register) = (scene.calls.clone(), scene.register.clone());
            let scheduler = Scheduler::new(calls, register, scene.clock, config, sender.clone());
            schedulers.spawn(scheduler.run(stop.clone()));
        }
        drop(sender);
        while let Some(attempt) = attempts.recv().await {
            took(&attempt);
        }
        while schedulers.join_next().await.is_some() {}
    }
    Ok(())
}

fn phases(args: &PerfDemoArgs) -> [Phase; 3] {
    let each: Vec<Vec<String>> = fleets().map(|fleet| vec![fleet]).collect();
    let probes = ProbeTerms::default();
    let warm = Phase {
        rounds: u64::from(args.days.saturating_sub(2) * args.rounds),
        schedulers: each.clone(),
        gap: DAY / args.rounds,
        pairing: Pairing::Mixed,
        probes: ProbeTerms {
            negatives: 1,
            findable_every: 6,
            connections: Some(ConnectionPolicy::Warm),
            ..probes.clone()
        },
    };
    let cold = Phase {
        rounds: u64::from(args.rounds),
        probes: ProbeTerms { connections: Some(ConnectionPolicy::Cold), ..probes.clone() },
        ..warm.clone()
    };
    let across = Phase {
        rounds: u64::from(args.rounds * ACROSS),
        schedulers: vec![fleets().collect()],
        gap: DAY / (args.rounds * ACROSS),
        pairing: Pairing::Matrix,
        probes: ProbeTerms { connections: Some(ConnectionPolicy::Warm), ..probes },
    };
    [warm, cold, across]
}

fn config(
    phase: &Phase,
    fleets: &[String],
    (seed, place): (u64, [u8; 2]),
    scheduler: SchedulerId,
) -> SchedulerConfig {
    let mut run = [0; 16];
    run[..8].copy_from_slice(&seed.to_be_bytes());
    run[8..10].copy_from_slice(&place);
    SchedulerConfig {
        fleets: fleets.to_vec(),
        pairing: phase.pairing,
        seed: seed ^ u64::from(u16::from_be_bytes(place)),
        run: RunId(run),
        scheduler,
        pace: RoundPace { gap: phase.gap, rounds: Some(phase.rounds), ..RoundPace::default() },
        probes: phase.probes.clone(),
        deadlines: CallDeadlines::default(),
        marks_offline: false,
        lease: Duration::from_secs(60),
    }
}

async fn enter(scene: &Scene, fleets: &[String]) -> anyhow::Result<SchedulerId> {
    let entry = SchedulerEntry {
        fleets: fleets.to_vec(),
        version: super::MADE_BY.to_owned(),
        dependencies: serde_json::json!({}),
        entered_at: START,
    };
    Ok(scene.register.enter_scheduler(&entry).await?)
}

/// Has every server say that it lives, as long as the demonstration goes on.
async fn stay_alive(scene: Arc<Scene>) {
    loop {
        let now = scene.clock.at(Instant::now());
        for id in &scene.servers {
            if let Err(error) = scene.register.heartbeat(*id, now).await {
                tracing::warn!(%error, "a server of the demonstration is not in the register");
            }
        }
        sleep(HEARTBEAT).await;
    }
}
