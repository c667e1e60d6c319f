//! What all rounds of a scheduler share: how servers are called within bounds, and where attempts go.

use std::{sync::Arc, time::Duration};

use crawl::Clock;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{config::SchedulerConfig, tally::SchedulerWatch};
use crate::{
    CallAttempt, CallFailure, CallFailureClass, OperationAnswer, OperationId, ServerCalls,
    calls::{CallTerms, Called},
};
use store::{Register, RegisteredServer};

/// What all rounds share.
#[derive(Debug)]
pub(super) struct Desk<C> {
    pub(super) calls: C,
    pub(super) clock: Clock,
    pub(super) config: SchedulerConfig,
    pub(super) register: Register,
    pub(super) attempts: mpsc::Sender<CallAttempt>,
    pub(super) watch: SchedulerWatch,
}

/// How a round is told to end. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct RoundEnd {
    /// Cancelled when nobody else is to be asked.
    pub(super) ending: CancellationToken,
    /// Cancelled when nobody is waited for any more.
    pub(super) cut: CancellationToken,
}

/// A call that was made: when it was, and what came of it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) asked_at: Option<Instant>,
    pub(super) ended_at: Instant,
    pub(super) result: Result<Called<OperationAnswer>, CallFailure>,
}

impl Made {
    /// None was: the server was not asked.
    pub(super) fn never(failure: CallFailure) -> Self {
        Self { asked_at: None, ended_at: Instant::now(), result: Err(failure) }
    }
}

impl<C: ServerCalls> Desk<C> {
    /// Asks whether a server is ready, within bounds.
    pub(super) async fn ready(&self, server: &RegisteredServer, end: &RoundEnd) -> Result<(), CallFailure> {
        let within = self.config.deadlines.readiness;
        let ready = bounded(within, self.calls.ready(server), end).await.map(|_| ());
        if let Err(failure) = &ready
            && self.config.marks_offline
            && failure.class() != CallFailureClass::CutOff
        {
            let marked = self.register.offline(server.id, self.clock.at(Instant::now()));
            // A register that is away hears nothing of it, and nobody waits for it.
            drop(timeout(within, marked).await);
        }
        ready
    }

    /// Has a server publish, within bounds.
    pub(super) async fn provide(
        &self,
        server: &RegisteredServer,
        content: &[u8],
        (id, end): (OperationId, &RoundEnd),
    ) -> Made {
        let probes = &self.config.probes;
        let terms = CallTerms {
            id,
            deadline: self.config.deadlines.provide,
            connections: probes.connections,
            persistence: probes.persistence,
            read_back: probes.read_back.clone(),
        };
        made(terms.patience(), self.calls.provide(server, content, &terms), end).await
    }

    /// Has a server look something up, within bounds.
    pub(super) async fn retrieve(
        &self,
        server: &RegisteredServer,
        cid: &str,
        terms: &CallTerms,
        end: &RoundEnd,
    ) -> Made {
        made(terms.patience(), self.calls.retrieve(server, cid, terms), end).await
    }

    /// By which terms something is looked up.
    pub(super) fn lookup_terms(&self, id: OperationId) -> CallTerms {
        CallTerms {
            id,
            deadline: self.config.deadlines.retrieve,
            connections: self.config.probes.connections,
            persistence: None,
            read_back: Vec::new(),
        }
    }

    /// Counts an attempt, and hands it on: to Parsec's tables, where the register has them, and to whoever takes attempts, who says at the
    /// end why it does no longer.
    pub(super) async fn keep(&self, attempt: CallAttempt) {
        self.watch.attempt(&attempt);
        for row in attempt.parsec_rows(self.config.scheduler) {
            if let Err(error) = self.register.keep(row).await {
                tracing::warn!(%error, "a measurement is not in Parsec's tables");
            }
        }
        drop(self.attempts.send(attempt).await);
    }
}

async fn made(
    patience: Duration,
    call: impl Future<Output = Result<Called<OperationAnswer>, CallFailure>>,
    end: &RoundEnd,
) -> Made {
    let asked_at = Some(Instant::now());
    let result = bounded(patience, call, end).await;
    Made { asked_at, ended_at: Instant::now(), result }
}

/// What comes of a call, whatever the server does: no longer than `patience`, and than the round goes on.
async fn bounded<T>(
    patience: Duration,
    call: impl Future<Output = Result<Called<T>, CallFailure>>,
    end: &RoundEnd,
) -> Result<Called<T>, CallFailure> {
    let late = || {
        let why = format!("no answer within {} s", patience.as_secs_f64());
        Err(CallFailure::new(CallFailureClass::TimedOut, why))
    };
    let cut = || Err(CallFailure::new(CallFailureClass::CutOff, "the scheduler waits no longer"));
    let done = end.cut.run_until_cancelled(timeout(patience, call)).await;
    done.map_or_else(cut, |done| done.unwrap_or_else(|_| late()))
}

/// One who shares it.
pub(super) type SharedDesk<C> = Arc<Desk<C>>;
