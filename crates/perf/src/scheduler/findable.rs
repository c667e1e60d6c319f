//! From when on something can be found: others look for it while it is published, each again and again until it finds it.
//!
//! Each look is by a server that has closed its connections before, so that none that was left over leads to the publisher; one that finds
//! its own copy, or comes over such a connection all the same, says nothing. Who has found it looks no more: it knows its publisher now.
//! So it is known of each server between which two of its looks it was findable from there.

use std::sync::Arc;

use schema::{ConnectionPolicy, OperationKind, OperationOutcome};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    desk::Made,
    round::{About, Came, Published, Publishing, Round, too_late},
};
use crate::{CallAttempt, OperationAnswer, Poll, ServerCalls, calls::outcome};

/// How often a server looks at most.
const MAX_POLLS: u32 = 4096;

impl<C: ServerCalls> Round<C> {
    /// Has all retrievers look for what is being published, beside each other.
    pub(super) fn poll_all(
        self: Arc<Self>,
        published: &Published,
        publishing: &watch::Receiver<Publishing>,
        polling: &mut JoinSet<Vec<Came>>,
    ) {
        for turn in 0..self.plan.retrievers.len() {
            let (round, published, publishing) = (Arc::clone(&self), published.clone(), publishing.clone());
            polling.spawn(async move { round.poll(turn, published, publishing).await });
        }
    }

    /// One retriever, until it finds it or there is no sense in looking.
    async fn poll(
        &self,
        turn: usize,
        published: Published,
        mut publishing: watch::Receiver<Publishing>,
    ) -> Vec<Came> {
        let is_known = |publishing: &Publishing| *publishing != Publishing::default();
        let asked_at = publishing.wait_for(is_known).await.ok().and_then(|publishing| publishing.asked_at);
        let server = &self.servers[self.plan.retrievers[turn]];
        let position = self.position(turn, 0);
        let about = About {
            id: self.name(position),
            position,
            probe: 0,
            kind: OperationKind::Findable,
            key: published.key,
            cid: published.cid,
        };
        let Some(asked_at) = asked_at else {
            self.desk.watch.not_asked(1);
            return Vec::new();
        };
        let attempt = self.polled(turn, about, (asked_at, publishing)).await;
        let attempt = CallAttempt { publication: Some(published.id), server: Arc::clone(server), ..attempt };
        let came = (attempt.outcome() == OperationOutcome::Done).then(|| attempt.took());
        self.desk.keep(attempt).await;
        vec![came]
    }

    async fn polled(
        &self,
        turn: usize,
        about: About,
        (asked_at, publishing): (Instant, watch::Receiver<Publishing>),
    ) -> CallAttempt {
        let server = &self.servers[self.plan.retrievers[turn]];
        let mut polls = Vec::new();
        let mut last = Made::never(too_late());
        for number in 1..=MAX_POLLS {
            let is_over = || self.is_over(*publishing.borrow());
            if self.end.ending.is_cancelled() || is_over() {
                break;
            }
            let mut terms = self.desk.lookup_terms(self.name(self.position(turn, number)));
            terms.connections = Some(ConnectionPolicy::Cold);
            let made = self.desk.retrieve(server, &about.cid, &terms, &self.end).await;
            let poll = self.as_poll(&made);
            let is_found = poll.outcome == OperationOutcome::Done && !poll.is_spoiled;
            if !poll.is_spoiled {
                last = made;
            }
            polls.push(poll);
            if is_found {
                break;
            }
            sleep(self.desk.config.probes.poll_gap).await;
        }
        let made = Made { asked_at: Some(asked_at), ..last };
        CallAttempt { polls, ..self.attempt(about, server, None, made) }
    }

    /// Whether whoever has not found it by now looks no more.
    fn is_over(&self, publishing: Publishing) -> bool {
        let after = self.desk.config.probes.poll_after;
        publishing.ended_at.is_some_and(|ended| Instant::now() > ended + after)
    }

    fn as_poll(&self, made: &Made) -> Poll {
        let result = made.result.clone().map(|called| called.said);
        let is_spoiled = result.as_ref().is_ok_and(is_spoiled);
        let asked_at = made.asked_at.unwrap_or(made.ended_at);
        let took = made.ended_at.saturating_duration_since(asked_at);
        Poll { asked_at: self.desk.clock.at(asked_at), took, outcome: outcome(&result), is_spoiled }
    }
}

/// Whether what was found says nothing of who else would find it.
fn is_spoiled(answer: &OperationAnswer) -> bool {
    answer.operation.as_ref().is_some_and(|operation| operation.own_record || operation.left_over)
}
