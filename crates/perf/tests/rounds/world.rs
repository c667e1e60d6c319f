//! A register, servers that are in it and live, and schedulers over them.

use std::time::Duration;

use crawl::Clock;
use kad::Keypair;
use kadscope_perf::{
    ArrivalLaw, CallAttempt, CallDeadlines, Pairing, ProbeTerms, RoundPace, Scheduler, SchedulerConfig,
    SchedulerNow,
};
use schema::{RunId, Timestamp};
use store::{Register, SchedulerId, ServerEntry};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{interval, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::manners::Servers;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// The second before so many minutes are over.
pub(crate) const fn just_before(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60 - 1)
}

/// A world in virtual time.
pub(crate) struct World {
    pub(crate) register: Register,
    pub(crate) servers: Servers,
    pub(crate) clock: Clock,
}

/// What a scheduler did.
pub(crate) struct Done {
    pub(crate) attempts: Vec<CallAttempt>,
    pub(crate) now: SchedulerNow,
}

impl World {
    /// Servers of these fleets, so many of each, on ports from 7000 on.
    pub(crate) async fn of(fleets: &[(&str, u16)]) -> Self {
        let clock = Clock::started_at(Timestamp(1_795_000_000_000_000));
        let world = Self { register: Register::memory(), servers: Servers::default(), clock };
        let all = fleets.iter().flat_map(|&(fleet, count)| (0..count).map(move |_| fleet));
        for (port, fleet) in (7000..).zip(all) {
            world.enter(fleet, port).await;
        }
        world
    }

    /// A server that says every minute that it lives, even while the register does not hear it.
    pub(crate) async fn enter(&self, fleet: &str, port: u16) {
        let entry = entry(fleet, port);
        let id = self.register.enter_server(&entry).await.unwrap();
        let (register, clock) = (self.register.clone(), self.clock);
        tokio::spawn(async move {
            let mut beats = interval(MINUTE);
            loop {
                beats.tick().await;
                drop(register.heartbeat(id, clock.at(tokio::time::Instant::now())).await);
            }
        });
        tokio::task::yield_now().await;
    }

    /// Begins a scheduler; what it did is there once it has ended.
    pub(crate) fn begin(&self, config: SchedulerConfig, stop: &CancellationToken) -> JoinHandle<Done> {
        let (sender, mut receiver) = mpsc::channel(64);
        let (register, calls) = (self.register.clone(), self.servers.clone());
        let scheduler = Scheduler::new(calls, register, self.clock, config, sender);
        let stop = stop.clone();
        tokio::spawn(async move {
            let taken = tokio::spawn(async move {
                let mut attempts = Vec::new();
                while let Some(attempt) = receiver.recv().await {
                    attempts.push(attempt);
                }
                attempts
            });
            let now = scheduler.run(stop).await;
            Done { attempts: taken.await.unwrap(), now }
        })
    }

    /// Has a scheduler go on for so long.
    pub(crate) async fn run(&self, config: SchedulerConfig, time: Duration) -> Done {
        let stop = CancellationToken::new();
        let done = self.begin(config, &stop);
        sleep(time).await;
        stop.cancel();
        done.await.unwrap()
    }
}

/// One round a minute, each retriever once.
pub(crate) fn config(fleets: &[&str]) -> SchedulerConfig {
    SchedulerConfig {
        fleets: fleets.iter().map(|&fleet| fleet.to_owned()).collect(),
        pairing: Pairing::Mixed,
        seed: 7,
        run: RunId([1; 16]),
        scheduler: SchedulerId(1),
        pace: RoundPace { law: ArrivalLaw::Interval, gap: MINUTE, ..RoundPace::default() },
        probes: ProbeTerms::default(),
        deadlines: CallDeadlines::default(),
        marks_offline: false,
        lease: MINUTE,
    }
}

pub(crate) fn entry(fleet: &str, port: u16) -> ServerEntry {
    let mut seed = [0; 32];
    seed[..2].copy_from_slice(&port.to_be_bytes());
    let peer = Keypair::ed25519_from_bytes(seed).unwrap().public().to_peer_id();
    ServerEntry {
        fleet: fleet.to_owned(),
        region: format!("region-{port}"),
        peer,
        http: ([127, 0, 0, 1], port).into(),
        peer_port: None,
        cpu: 1,
        memory: 1,
        strategy: None,
        version: String::new(),
        command: String::new(),
        dependencies: serde_json::json!({}),
        entered_at: Timestamp(0),
    }
}
