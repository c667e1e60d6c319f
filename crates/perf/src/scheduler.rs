//! When servers are told to publish and to look up, and who: rounds, of which every attempt is kept.
//!
//! What is decided stands apart from what is done. Pure are: whose turn it is ([`Rota`]), when rounds begin ([`Arrivals`]), and what is in one
//! ([`RoundPlan`]). A [`Scheduler`] drives them: it leads its fleets by leases, knows who can be measured, and begins each round at its moment.
//! A round that is under way holds up nobody: as many may be at once as is said, and one for which there is no room is skipped, late or
//! shed, and counted as that. How servers are called is left to [`ServerCalls`], and what becomes of attempts to whoever takes them.

mod arrivals;
mod config;
mod desk;
mod findable;
mod foreseen;
mod lead;
mod metrics;
mod plan;
mod roster;
mod rota;
mod round;
mod running;
mod seat;
mod tally;

use std::sync::Arc;

use crawl::Clock;
use schema::Timestamp;
use store::{Register, RegisteredServer};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

pub use self::{
    arrivals::{ArrivalLaw, Arrivals},
    config::{CallDeadlines, ProbeTerms, RoundPace, SchedulerConfig},
    foreseen::{ForeseenRound, foreseen},
    lead::Lead,
    metrics::{PARSEC_SCHEDULER_COUNTERS, scheduler_metrics},
    plan::{CONTENT_BYTES, RoundPlan, RoundSeed},
    rota::{FleetPair, Pairing, Rota, RoundTurn},
    seat::Seat,
    tally::{AttemptCount, IssuedCounts, RoundCounts, RoundReport, SchedulerNow, SchedulerWatch},
};
use self::{
    desk::Desk,
    lead::FleetLeases,
    roster::{ALIVE_FOR, Roster, Servers},
    running::Running,
};
use crate::{CallAttempt, ServerCalls};

/// How often the register is asked who can be measured.
const ROSTER_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// How long it may take to say so.
const ROSTER_TIME: std::time::Duration = std::time::Duration::from_secs(3);

/// Tells servers when to publish and to look up.
#[derive(Debug)]
pub struct Scheduler<C> {
    desk: Arc<Desk<C>>,
    /// Who holds the leases: a name that no other process has.
    holder: String,
}

impl<C: ServerCalls> Scheduler<C> {
    /// One that has done nothing yet. Attempts go to `attempts`, which is waited for when it is full; times are by `clock`.
    pub fn new(
        calls: C,
        register: Register,
        clock: Clock,
        config: SchedulerConfig,
        attempts: mpsc::Sender<CallAttempt>,
    ) -> Self {
        let holder = config.run.to_string();
        let watch = SchedulerWatch::default();
        Self { desk: Arc::new(Desk { calls, clock, config, register, attempts, watch }), holder }
    }

    /// Shows how it stands.
    pub fn watch(&self) -> SchedulerWatch {
        self.desk.watch.clone()
    }

    /// Goes on until `stop` is cancelled, nobody takes attempts any more, or all rounds have been; ends what is under way within its bound, and
    /// says how it stands then.
    pub async fn run(self, stop: CancellationToken) -> SchedulerNow {
        let over = CancellationToken::new();
        let (lead_said, lead) = watch::channel(Lead::Others(None));
        let (roster_said, servers) = watch::channel::<Servers>(Arc::new([]));
        let leases = self.leases().keep(lead_said, over.clone());
        let roster = over.run_until_cancelled(self.know(roster_said));
        let rounds = async {
            Running::new(Arc::clone(&self.desk), lead, servers).go(&stop).await;
            over.cancel();
        };
        // On the heap, so that its callers' futures are no larger than they must be.
        Box::pin(async { tokio::join!(leases, roster, rounds) }).await;
        self.desk.watch.now()
    }

    fn leases(&self) -> FleetLeases {
        let Desk { config, register, clock, .. } = &*self.desk;
        let mut fleets = config.fleets.clone();
        fleets.sort();
        fleets.dedup();
        let (register, holder) = (register.clone(), self.holder.clone());
        FleetLeases { register, fleets, holder, time: config.lease, clock: *clock }
    }

    /// Has `said` say who can be measured, as long as somebody wants to know.
    async fn know(&self, said: watch::Sender<Servers>) {
        let mut roster = Roster::default();
        while !said.is_closed() {
            let since = alive_since(self.desk.clock.at(Instant::now()));
            let listed =
                timeout(ROSTER_TIME, self.desk.register.servers(&self.desk.config.fleets, since)).await;
            let was_away = roster.is_away();
            roster.told(answered(listed), Instant::now());
            if roster.is_away() != was_away {
                let is_away = roster.is_away();
                tracing::warn!(
                    is_away,
                    "the register of servers: rounds go on with the servers that it knew"
                );
            }
            let servers = roster.servers();
            self.desk.watch.servers(servers.len(), roster.is_away());
            said.send_replace(servers);
            sleep(ROSTER_EVERY).await;
        }
    }
}

/// From when on a heartbeat says that a server lives now.
pub fn alive_since(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(ALIVE_FOR.as_micros()).unwrap_or(i64::MAX)))
}

fn answered<E: std::fmt::Display, L>(
    listed: Result<Result<Vec<RegisteredServer>, E>, L>,
) -> Option<Vec<RegisteredServer>> {
    match listed {
        Ok(Ok(servers)) => Some(servers),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the register does not say who can be measured");
            None
        }
        Err(_) => None,
    }
}
