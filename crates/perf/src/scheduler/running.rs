//! Begins each round at its moment, and ends what is under way.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    arrivals::{ArrivalLaw, Arrivals},
    desk::{RoundEnd, SharedDesk},
    lead::Lead,
    plan::{RoundPlan, RoundSeed},
    roster::Servers,
    rota::Rota,
    round::Round,
    seat::Seat,
    tally::RoundReport,
};
use crate::ServerCalls;

/// The rounds of a scheduler.
pub(super) struct Running<C> {
    desk: SharedDesk<C>,
    lead: watch::Receiver<Lead>,
    servers: watch::Receiver<Servers>,
    rota: Rota,
    /// How many rounds were planned.
    planned: u64,
    under_way: JoinSet<Option<RoundReport>>,
    waiting: VecDeque<Round<C>>,
    end: RoundEnd,
}

/// The moments of rounds, as long as we lead.
struct Term {
    began: Instant,
    arrivals: Arrivals,
    next: Duration,
}

impl Term {
    fn next_at(&self) -> Instant {
        self.began + self.next
    }

    /// Takes the moment that has come, and says how many before it have passed as well: on a grid they are skipped.
    fn take(&mut self, is_grid: bool) -> (Instant, u64) {
        let (mut moment, mut passed) = (self.next_at(), 0);
        self.step();
        // A machine that slept has missed them.
        while is_grid && self.next_at() <= Instant::now() {
            moment = self.next_at();
            passed += 1;
            self.step();
        }
        (moment, passed)
    }

    fn step(&mut self) {
        self.next = self.arrivals.next().unwrap_or(Duration::MAX / 4);
    }
}

impl<C: ServerCalls> Running<C> {
    pub(super) fn new(
        desk: SharedDesk<C>,
        lead: watch::Receiver<Lead>,
        servers: watch::Receiver<Servers>,
    ) -> Self {
        let rota = Rota::new(desk.config.pairing, desk.config.seed);
        let (under_way, waiting) = (JoinSet::new(), VecDeque::new());
        Self { desk, lead, servers, rota, planned: 0, under_way, waiting, end: RoundEnd::new() }
    }

    /// Goes on until it is to end, or all rounds have been.
    pub(super) async fn go(mut self, stop: &CancellationToken) {
        // Whoever leads waits until it is known who can be measured.
        let mut term = None;
        let attempts = self.desk.attempts.clone();
        while !self.is_done() {
            self.desk.watch.under_way(self.under_way.len(), self.waiting.len());
            let next_at = term.as_ref().map(Term::next_at);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = attempts.closed() => break,
                changed = self.lead.changed() => {
                    if changed.is_err() { break }
                    term = self.led().await;
                }
                Some(ended) = self.under_way.join_next() => self.ended(ended),
                () = until(next_at) => {
                    if let Some(term) = &mut term { self.moment(term).await; }
                }
            }
        }
        self.finish().await;
    }

    fn is_done(&self) -> bool {
        let is_last = self.desk.config.pace.rounds.is_some_and(|rounds| self.planned >= rounds);
        is_last && self.under_way.is_empty() && self.waiting.is_empty()
    }

    /// Takes in who leads: rounds begin when we do, and end when others do.
    async fn led(&mut self) -> Option<Term> {
        let lead = self.lead.borrow_and_update().clone();
        self.desk.watch.lead(&lead);
        self.cut().await;
        let Lead::Ours(number) = lead else { return None };
        // The first list may be on its way.
        drop(timeout(super::ROSTER_TIME, self.servers.wait_for(|servers| !servers.is_empty())).await);
        let pace = &self.desk.config.pace;
        let arrivals = Arrivals::new(pace.law, pace.gap, self.desk.config.seed ^ number);
        let mut term = Term { began: Instant::now(), arrivals, next: Duration::ZERO };
        term.step();
        Some(term)
    }

    /// The moment of a round has come.
    async fn moment(&mut self, term: &mut Term) {
        let pace = self.desk.config.pace;
        let is_grid = pace.law == ArrivalLaw::Interval;
        let (moment, passed) = term.take(is_grid);
        let is_full = self.under_way.len() >= pace.at_once.max(1);
        let skipped = passed + u64::from(is_grid && is_full);
        self.desk.watch.rounds(|rounds| rounds.skipped += skipped);
        if (is_grid && is_full) || pace.rounds.is_some_and(|rounds| self.planned >= rounds) {
            return;
        }
        let Some(round) = self.planned_at(moment) else {
            self.desk.watch.rounds(|rounds| rounds.alone += 1);
            return;
        };
        if !is_full {
            self.begin(round);
        } else if self.waiting.len() < pace.backlog {
            self.waiting.push_back(round);
        } else {
            self.desk.watch.rounds(|rounds| rounds.shed += 1);
            round.shed(&format!("{} rounds waited already", self.waiting.len())).await;
        }
    }

    /// The next round, at a moment; `None` if no two servers can meet.
    fn planned_at(&mut self, moment: Instant) -> Option<Round<C>> {
        let config = &self.desk.config;
        let servers = self.servers.borrow_and_update().clone();
        let seats: Vec<_> = servers.iter().map(|server| Seat::of(server)).collect();
        let seed = RoundSeed::of(config.seed, config.run, self.planned);
        let plan = RoundPlan::next(&mut self.rota, &seats, (self.planned, &config.probes), seed)?;
        self.planned += 1;
        let (desk, end) = (Arc::clone(&self.desk), self.end.clone());
        Some(Round { planned_at: desk.clock.at(moment), desk, plan, servers, end })
    }

    fn begin(&mut self, round: Round<C>) {
        self.desk.watch.rounds(|rounds| rounds.begun += 1);
        let cut = round.end.cut.clone();
        self.under_way.spawn(async move {
            let report = round.run().await;
            (!cut.is_cancelled()).then_some(report)
        });
    }

    /// A round came to its end: one that waited for it begins.
    fn ended(&mut self, ended: Result<Option<RoundReport>, tokio::task::JoinError>) {
        match ended {
            Ok(Some(report)) => self.desk.watch.ended(report),
            Ok(None) => self.desk.watch.rounds(|rounds| rounds.cut_off += 1),
            Err(error) => {
                tracing::error!(%error, "a round ended before its time");
                self.desk.watch.rounds(|rounds| rounds.cut_off += 1);
            }
        }
        if self.under_way.len() < self.desk.config.pace.at_once.max(1)
            && let Some(round) = self.waiting.pop_front()
        {
            self.desk.watch.rounds(|rounds| rounds.late += 1);
            self.begin(round);
        }
    }

    /// Ends what is under way, and waits for nobody.
    async fn cut(&mut self) {
        self.end.ending.cancel();
        self.end.cut.cancel();
        while let Some(round) = self.waiting.pop_front() {
            self.desk.watch.rounds(|rounds| rounds.shed += 1);
            round.shed("the scheduler waits no longer").await;
        }
        while let Some(ended) = self.under_way.join_next().await {
            self.ended(ended);
        }
        self.end = RoundEnd::new();
    }

    /// Ends what is under way: nobody else is asked, and who was asked has its time to answer.
    async fn finish(&mut self) {
        self.end.ending.cancel();
        let within = self.desk.config.deadlines.ending;
        let ended = async {
            while let Some(ended) = self.under_way.join_next().await {
                match ended {
                    Ok(Some(report)) => self.desk.watch.ended(report),
                    _ => self.desk.watch.rounds(|rounds| rounds.cut_off += 1),
                }
            }
        };
        // What has not ended by then is cut off below, and kept as that.
        drop(timeout(within, ended).await);
        self.cut().await;
        self.desk.watch.under_way(0, 0);
    }
}

impl RoundEnd {
    fn new() -> Self {
        Self { ending: CancellationToken::new(), cut: CancellationToken::new() }
    }
}

/// Waits for a moment; for ever without one.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
