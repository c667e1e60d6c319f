//! One round: a server publishes, and others look for it.
//!
//! Every server is asked whether it is ready when the round begins, all at once; who is not, or hangs, is an attempt like any other, and
//! keeps nobody else waiting: the publication waits for its publisher's readiness alone, and each retriever for its own.

use std::{sync::Arc, time::Duration};

use kad::written::WrittenKey;
use schema::{OperationKind, OperationOutcome, Timestamp};
use store::RegisteredServer;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::Instant,
};

use super::{
    desk::{Made, RoundEnd, SharedDesk},
    plan::{RoundPlan, cid, multihash},
    roster::Servers,
    seat::Seat,
    tally::{RoundReport, median_s},
};
use crate::{
    CallAttempt, CallFailure, CallFailureClass, OperationAnswer, OperationId, ServerCalls, calls::Called,
};

/// A round that is under way.
#[derive(Debug)]
pub(super) struct Round<C> {
    pub(super) desk: SharedDesk<C>,
    pub(super) plan: RoundPlan,
    /// Those that it was planned with.
    pub(super) servers: Servers,
    pub(super) planned_at: Timestamp,
    pub(super) end: RoundEnd,
}

/// How far a publication is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Publishing {
    /// When its server was asked; `None` before, and if it never was.
    pub(super) asked_at: Option<Instant>,
    /// When it was over; `None` before.
    pub(super) ended_at: Option<Instant>,
}

/// What a publication left behind.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) id: OperationId,
    pub(super) key: Vec<u8>,
    pub(super) cid: String,
}

/// What one attempt is about.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) id: OperationId,
    pub(super) position: u32,
    pub(super) probe: u32,
    pub(super) kind: OperationKind,
    pub(super) key: Vec<u8>,
    pub(super) cid: String,
}

/// What an attempt comes to, for the report: whether it went as it should, and how long it took if it did.
pub(super) type Came = Option<Duration>;

impl<C: ServerCalls> Round<C> {
    /// Does it, and keeps every attempt.
    pub(super) async fn run(self) -> RoundReport {
        let round = Arc::new(self);
        let content = round.plan.seed.content();
        let key = multihash(&content);
        let published = Published { id: round.name(0), cid: cid(&key), key };
        let (told, publishing) = watch::channel(Publishing::default());
        let mut retrieving = JoinSet::new();
        if round.plan.is_findable {
            round.clone().poll_all(&published, &publishing, &mut retrieving);
        }
        let ready = round.retrievers_ready();
        let provided = round.provide(&content, &published, told).await;
        let (outcome, took) = (provided.outcome(), provided.took());
        if !round.plan.is_findable {
            let found = round.findable_under(&provided, published);
            round.clone().retrieve_all(found, ready, &mut retrieving).await;
        }
        round.desk.keep(provided).await;
        let came: Vec<Came> = retrieving.join_all().await.into_iter().flatten().collect();
        let found: Vec<_> = came.iter().filter_map(|came| *came).collect();
        RoundReport {
            number: round.plan.number,
            publisher: Seat::of(round.publisher()),
            provided: outcome,
            provide_s: took.as_secs_f64(),
            asked: came.len(),
            as_expected: found.len(),
            median_s: median_s(found),
        }
    }

    /// A round that is planned and never begins is one attempt.
    pub(super) async fn shed(self, why: &str) {
        let key = multihash(&self.plan.seed.content());
        let failure = CallFailure::new(CallFailureClass::Shed, why);
        let about = Published { id: self.name(0), cid: cid(&key), key }.about();
        let attempt = self.attempt(about, self.publisher(), None, Made::never(failure));
        self.desk.keep(attempt).await;
    }

    /// Asks all retrievers whether they are ready, beside each other.
    fn retrievers_ready(self: &Arc<Self>) -> Vec<Readying> {
        let ask = |&at: &usize| {
            let (round, server) = (Arc::clone(self), Arc::clone(&self.servers[at]));
            let asked = tokio::spawn(async move { round.desk.ready(&server, &round.end).await });
            Readying(asked)
        };
        if self.plan.is_findable { Vec::new() } else { self.plan.retrievers.iter().map(ask).collect() }
    }

    /// Has the publisher publish, if it is ready.
    async fn provide(
        &self,
        content: &[u8],
        published: &Published,
        told: watch::Sender<Publishing>,
    ) -> CallAttempt {
        let server = self.publisher();
        let made = match self.desk.ready(server, &self.end).await {
            Err(failure) => Made::never(failure),
            Ok(()) if self.end.ending.is_cancelled() => Made::never(too_late()),
            Ok(()) => {
                let asked_at = Some(Instant::now());
                told.send_modify(|publishing| publishing.asked_at = asked_at);
                self.desk.provide(server, content, (published.id, &self.end)).await
            }
        };
        told.send_modify(|publishing| publishing.ended_at = Some(made.ended_at));
        self.attempt(published.clone().about(), server, Some(published.id), made)
    }

    /// What is to be looked for after a publication; `None` if nothing is.
    fn findable_under(&self, provided: &CallAttempt, published: Published) -> Option<Published> {
        let has_steps = |answer: &OperationAnswer| !answer.measurements.is_empty();
        let is_published = match &provided.result {
            // Who answers without a measurement may have published: Go's scheduler asks on, too.
            Ok(answer) => provided.outcome() == OperationOutcome::Done || !has_steps(answer),
            Err(_) => false,
        };
        (is_published || self.desk.config.probes.retrieves_failed)
            .then(|| Published { cid: provided.cid.clone(), ..published })
    }

    /// Has all retrievers look for it, and for what nobody has, beside each other.
    async fn retrieve_all(
        self: Arc<Self>,
        published: Option<Published>,
        ready: Vec<Readying>,
        retrieving: &mut JoinSet<Vec<Came>>,
    ) {
        if published.is_none() {
            let retrievals = u64::from(self.desk.config.probes.retrievals);
            self.desk.watch.not_asked(retrievals * self.plan.retrievers.len() as u64);
        }
        let places = Arc::new(Semaphore::new(self.desk.config.probes.at_once.max(1)));
        for (turn, ready) in ready.into_iter().enumerate() {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let (round, published) = (Arc::clone(&self), published.clone());
            retrieving.spawn(async move {
                let came = round.retrieve(turn, published, ready).await;
                drop(place);
                came
            });
        }
    }

    /// One retriever, one attempt after the other.
    async fn retrieve(&self, turn: usize, published: Option<Published>, ready: Readying) -> Vec<Came> {
        let server = &self.servers[self.plan.retrievers[turn]];
        let ready = ready.answer().await;
        let probes = &self.desk.config.probes;
        let publication = published.as_ref().map(|published| published.id);
        let retrievals = published.iter().flat_map(|published| {
            (0..probes.retrievals).map(move |probe| self.retrieval(turn, probe, published))
        });
        let negatives = (0..probes.negatives).map(|probe| self.negative(turn, probe));
        let mut came = Vec::new();
        for about in retrievals.chain(negatives) {
            if self.end.ending.is_cancelled() {
                break;
            }
            let publication = publication.filter(|_| about.kind == OperationKind::Retrieve);
            let made = if let Err(failure) = &ready {
                Made::never(failure.clone())
            } else {
                let terms = self.desk.lookup_terms(about.id);
                self.desk.retrieve(server, &about.cid, &terms, &self.end).await
            };
            let attempt = self.attempt(about, server, publication, made);
            came.push(is_as_expected(&attempt).then(|| attempt.took()));
            self.desk.keep(attempt).await;
        }
        came
    }

    pub(super) fn publisher(&self) -> &Arc<RegisteredServer> {
        &self.servers[self.plan.publisher]
    }

    /// The place of what is asked of a retriever in its so manieth turn.
    pub(super) fn position(&self, turn: usize, probe: u32) -> u32 {
        let (turn, retrievers) = (turn as u64, self.plan.retrievers.len() as u64);
        u32::try_from(1 + turn + retrievers * u64::from(probe)).unwrap_or(u32::MAX)
    }

    pub(super) fn name(&self, position: u32) -> OperationId {
        OperationId(self.plan.seed.name(position))
    }

    fn retrieval(&self, turn: usize, probe: u32, published: &Published) -> About {
        let position = self.position(turn, probe);
        let Published { key, cid, .. } = published.clone();
        About { id: self.name(position), position, probe, kind: OperationKind::Retrieve, key, cid }
    }

    fn negative(&self, turn: usize, probe: u32) -> About {
        let position = self.position(turn, self.desk.config.probes.retrievals.saturating_add(probe));
        let key = self.plan.seed.nobodys(position);
        let (id, cid) = (self.name(position), cid(&key));
        About { id, position, probe, kind: OperationKind::Negative, key, cid }
    }

    /// What is kept of an attempt.
    pub(super) fn attempt(
        &self,
        about: About,
        server: &Arc<RegisteredServer>,
        publication: Option<OperationId>,
        made: Made,
    ) -> CallAttempt {
        let clock = &self.desk.clock;
        let (asked_at, ended_at) = (made.asked_at.map(|at| clock.at(at)), clock.at(made.ended_at));
        let clock_offset_us = asked_at.and_then(|asked| offset(&made.result, asked, ended_at));
        let result = made.result.and_then(|called| checked(called.said, &about.key));
        let said = result.as_ref().ok().map(|answer| answer.cid.clone()).filter(|cid| !cid.is_empty());
        let is_about_published = !matches!(about.kind, OperationKind::Provide | OperationKind::Negative);
        CallAttempt {
            id: about.id,
            publication,
            round: self.plan.number,
            position: about.position,
            probe: about.probe,
            kind: about.kind,
            server: Arc::clone(server),
            publisher: is_about_published.then(|| Arc::clone(self.publisher())),
            key: about.key,
            cid: said.unwrap_or(about.cid),
            connections: self.desk.config.probes.connections,
            planned_at: self.planned_at,
            asked_at,
            ended_at,
            result,
            clock_offset_us,
            polls: Vec::new(),
        }
    }
}

impl Published {
    /// The publication itself.
    fn about(self) -> About {
        let Self { id, key, cid } = self;
        About { id, position: 0, probe: 0, kind: OperationKind::Provide, key, cid }
    }
}

/// A server that is asked whether it is ready. Dropped, it is asked no longer.
#[derive(Debug)]
struct Readying(tokio::task::JoinHandle<Result<(), CallFailure>>);

impl Readying {
    async fn answer(mut self) -> Result<(), CallFailure> {
        let died = |_| Err(CallFailure::new(CallFailureClass::CutOff, "nobody asks it any more"));
        (&mut self.0).await.unwrap_or_else(died)
    }
}

impl Drop for Readying {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What becomes of an attempt for which there is no time any more.
pub(super) fn too_late() -> CallFailure {
    CallFailure::new(CallFailureClass::CutOff, "the scheduler ends")
}

/// Whether an attempt found what there is: the record, or that there is none.
fn is_as_expected(attempt: &CallAttempt) -> bool {
    match attempt.kind {
        OperationKind::Negative => attempt.outcome() == OperationOutcome::NotFound,
        _ => attempt.outcome() == OperationOutcome::Done,
    }
}

/// An answer that is about what was asked: another key in it is a mistake, however it is written.
fn checked(answer: OperationAnswer, key: &[u8]) -> Result<OperationAnswer, CallFailure> {
    let is_other = |said: &str| said.parse::<WrittenKey>().map_or(true, |said| said.bytes() != key);
    if !answer.cid.is_empty() && is_other(&answer.cid) {
        let why = format!("it answered of another key: {}", answer.cid);
        return Err(CallFailure::new(CallFailureClass::BadAnswer, why));
    }
    Ok(answer)
}

/// How far a server's clock is ahead: the middle of what it did by its clock beside the middle of the call by ours, or when it answered.
fn offset(
    result: &Result<Called<OperationAnswer>, CallFailure>,
    asked_at: Timestamp,
    ended_at: Timestamp,
) -> Option<i64> {
    let called = result.as_ref().ok()?;
    let Some(operation) = &called.said.operation else {
        return called.at.map(|at| at.0.saturating_sub(ended_at.0));
    };
    let half_us = i64::try_from(operation.took.as_micros() / 2).unwrap_or(i64::MAX);
    let its_middle = i64::try_from(operation.began_at.0 / 1000).ok()?.saturating_add(half_us);
    Some(its_middle.saturating_sub(asked_at.0 / 2 + ended_at.0 / 2))
}
