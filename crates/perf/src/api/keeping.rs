//! What a server did, handed to whoever keeps it: each operation, unless whoever asked for it keeps it already.

use std::sync::Arc;

use schema::{OperationKind, Timestamp};
use store::RegisteredServer;
use tokio::{sync::mpsc, time::Instant};

use super::cid::Cid;
use crate::{CallAttempt, CallFailure, CallFailureClass, OperationAnswer, OperationTerms};

/// Where attempts go, and whose they are.
#[derive(Debug, Clone)]
pub(super) struct AttemptKeeper {
    pub(super) server: Arc<RegisteredServer>,
    pub(super) attempts: mpsc::Sender<CallAttempt>,
}

/// An operation under way. If it is dropped before it is answered, it is kept as cut off: it would have taken longer.
#[derive(Debug)]
pub(super) struct OwedAttempt {
    attempts: mpsc::Sender<CallAttempt>,
    begun: Instant,
    attempt: Option<CallAttempt>,
}

impl AttemptKeeper {
    /// An operation begins now.
    pub(super) fn begin(
        self,
        kind: OperationKind,
        cid: &Cid,
        terms: &OperationTerms,
        now: Timestamp,
    ) -> OwedAttempt {
        let gone = "whoever asked for it went away, or the server was to end";
        let attempt = CallAttempt {
            id: terms.id,
            publication: (kind == OperationKind::Provide).then_some(terms.id),
            round: 0,
            position: 0,
            probe: 0,
            kind,
            server: self.server,
            publisher: None,
            key: cid.key().to_vec(),
            cid: cid.to_string(),
            connections: Some(terms.policy),
            planned_at: now,
            asked_at: Some(now),
            ended_at: now,
            result: Err(CallFailure::new(CallFailureClass::CutOff, gone)),
            clock_offset_us: None,
            polls: Vec::new(),
        };
        OwedAttempt { attempts: self.attempts, begun: Instant::now(), attempt: Some(attempt) }
    }
}

impl OwedAttempt {
    /// It has ended. Waits for room; whoever keeps nothing any more says why at its own end.
    pub(super) async fn ended(mut self, answer: &OperationAnswer) {
        if let Some(attempt) = &mut self.attempt {
            attempt.ended_at = attempt.planned_at.after(self.begun.elapsed());
            attempt.result = Ok(answer.clone());
        }
        // What is dropped while it waits is handed on by that, with its answer.
        if let Ok(place) = self.attempts.reserve().await
            && let Some(attempt) = self.attempt.take()
        {
            place.send(attempt);
        }
    }
}

impl Drop for OwedAttempt {
    fn drop(&mut self) {
        let Some(mut attempt) = self.attempt.take() else { return };
        if attempt.result.is_err() {
            attempt.ended_at = attempt.planned_at.after(self.begun.elapsed());
        }
        if self.attempts.try_send(attempt).is_err() {
            tracing::warn!("an operation that was cut off is not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use kad::Persistence;
    use schema::{ConnectionPolicy, OperationOutcome};
    use store::{ServerEntry, ServerId};

    use super::*;
    use crate::OperationId;

    fn keeper(attempts: mpsc::Sender<CallAttempt>) -> AttemptKeeper {
        let entry = ServerEntry {
            fleet: "test".to_owned(),
            region: String::new(),
            peer: kad::PeerId::random(),
            http: SocketAddr::from(([127, 0, 0, 1], 7070)),
            peer_port: None,
            cpu: 1,
            memory: 1,
            strategy: None,
            version: String::new(),
            command: String::new(),
            dependencies: serde_json::Value::Null,
            entered_at: Timestamp(0),
        };
        let server = RegisteredServer { id: ServerId(1), entry, last_heartbeat: None, offline_since: None };
        AttemptKeeper { server: Arc::new(server), attempts }
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_is_kept_with_its_answer_and_what_is_dropped_as_cut_off() {
        let (sender, mut kept) = mpsc::channel(2);
        let cid: Cid = "QmcKQvvP6dNPsjLTPdv6AJXAFPwuroRGfVaoHWwNhjuG6n".parse().unwrap();
        let terms = OperationTerms {
            id: OperationId([7; 16]),
            deadline: None,
            policy: ConnectionPolicy::Warm,
            persistence: Persistence::Go,
            read_back: Vec::new(),
            is_kept: false,
        };
        let begin = || keeper(sender.clone()).begin(OperationKind::Provide, &cid, &terms, Timestamp(1000));
        let (ends, dropped) = (begin(), begin());
        tokio::time::advance(Duration::from_secs(2)).await;
        let step =
            crate::StepMeasurement { step: "provide".to_owned(), duration_ns: 9, error: String::new() };
        let answer = OperationAnswer {
            cid: cid.to_string(),
            measurements: vec![step],
            routing_table_size: 3,
            operation: None,
        };
        ends.ended(&answer).await;
        drop(dropped);
        let (ended, cut) = (kept.recv().await.unwrap(), kept.recv().await.unwrap());
        assert_eq!((ended.outcome(), ended.key.as_slice()), (OperationOutcome::Done, cid.key()));
        assert_eq!((cut.outcome(), cut.is_censored()), (OperationOutcome::Cancelled, true));
        assert_eq!((cut.took(), cut.ended_at), (Duration::from_secs(2), Timestamp(2_001_000)));
        drop(begin());
        assert!(kept.try_recv().is_ok() && kept.try_recv().is_err(), "each once");
    }
}
