//! What goes on at once in a monitor: looks that are due, looks that end, what a crawl sees. One task, which alone tells what happens, so
//! that it is told in order.

use std::{collections::HashMap, time::Duration};

use kad::network::Network;
use schema::{GapCause, ObserverGap, PeerNumber, PeerSession, Timestamp, Visit, VisitType};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    Crawler, Monitor, MonitorEnd, MonitorFact, MonitorOutlets, MonitorState, MonitorSummary, PeerLooked,
    RememberedPeer, UntoldRows,
    arrived::ArrivedLooks,
    crawling::{CrawlSaw, CrawlUnderWay},
    now::MonitorNow,
    peers::MonitoredPeers,
    untold::{Untold, UntoldSession},
};
use crate::{
    LookTerms, Prober,
    due::{DuePeer, LookLane},
    evidence::{PeerLook, evidence, met_another},
    gap::{Heartbeat, OutageDecision, OutageRules, OutageWatch},
    session::SessionChange,
};

/// How long at most until the picture of the monitor is made anew.
const SHOWN_EVERY: Duration = Duration::from_secs(1);

/// When nothing happened for so long that should have, the observer saw nothing meanwhile.
const STALLED_AFTER: Duration = Duration::from_secs(15);

/// How long looks under way are waited for at the end: who hangs up in the midst of a handshake may leave something half open behind.
const LINGER: Duration = Duration::from_secs(2);

/// Over how much time the looks that were due in a gap are spread after it.
const SPREAD_OVER: Duration = Duration::from_secs(60);

/// After how long a crawl that reached nobody is made again.
const LOST_CRAWL_AGAIN: Duration = Duration::from_secs(60);

/// Days of peers that are told at once, between two looks.
const DAYS_AT_ONCE: usize = 64;

/// A monitor under way.
pub(super) struct MonitorDriver<N, C> {
    monitor: Monitor<N, C>,
    outlets: MonitorOutlets,
    prober: Prober<N>,
    peers: MonitoredPeers,
    looks: JoinSet<Box<Visit>>,
    /// Whom each look is at, and where the peer waited.
    of: HashMap<Id, (PeerNumber, LookLane)>,
    crawl: Option<CrawlUnderWay>,
    next_crawl: Timestamp,
    now: MonitorNow,
    /// Whether it runs.
    heartbeat: Heartbeat,
    /// Whether its network stands.
    outage: OutageWatch<u32>,
    is_kept: bool,
    arrived: ArrivedLooks,
    untold: Untold,
}

/// Something that the monitor waited for.
enum MonitorEvent {
    Stopped,
    Look(Result<(Id, Box<Visit>), JoinError>),
    Crawl(CrawlSaw),
    Due,
}

impl<N: Network, C: Crawler> MonitorDriver<N, C> {
    pub(super) fn new(monitor: Monitor<N, C>, known: Vec<RememberedPeer>, outlets: MonitorOutlets) -> Self {
        let config = &monitor.config;
        let terms = LookTerms {
            dial: config.dial_timeout,
            answer: config.answer_timeout,
            ..LookTerms::new(monitor.protocols.clone(), config.sessions.criterion)
        };
        let start = monitor.clock.start();
        let mut peers = MonitoredPeers::new(config);
        peers.resume(known, &monitor.opt_out, start);
        Self {
            prober: Prober::new(monitor.network.clone(), terms, monitor.clock),
            peers,
            looks: JoinSet::new(),
            of: HashMap::new(),
            crawl: None,
            next_crawl: start,
            now: MonitorNow::default(),
            heartbeat: Heartbeat::new(start, STALLED_AFTER),
            outage: OutageWatch::new(OutageRules::default(), start),
            is_kept: true,
            arrived: ArrivedLooks::default(),
            untold: Untold::new(start),
            monitor,
            outlets,
        }
    }

    /// Goes on until all is over, or until it is stopped.
    pub(super) async fn run(
        mut self,
        gaps: Vec<ObserverGap>,
        untold: UntoldRows,
    ) -> (MonitorSummary, MonitorState) {
        for gap in gaps {
            self.gap(gap).await;
        }
        for session in self.peers.untold(untold) {
            self.tell_session(session).await;
        }
        self.peers.spread(self.time(), SPREAD_OVER);
        let end = self.drive().await;
        self.wind_down().await;
        self.untold.days.extend(self.peers.take_days());
        self.tell_untold(None, usize::MAX).await;
        self.show();
        let end = if self.is_kept { end } else { MonitorEnd::NotKept };
        let (started_at, finished_at) = (self.monitor.clock.start(), self.time());
        let summary = MonitorSummary { end, started_at, finished_at, counts: self.now.clone() };
        (summary, self.peers.into_state())
    }

    async fn drive(&mut self) -> MonitorEnd {
        loop {
            self.begin_crawl();
            self.begin_looks();
            self.show();
            if let Some(end) = self.end() {
                return end;
            }
            let happened = self.next().await;
            self.notice_stall().await;
            self.conclude().await;
            self.tell_due().await;
            match happened {
                MonitorEvent::Stopped | MonitorEvent::Due => {}
                MonitorEvent::Look(look) => self.look_ended(look).await,
                MonitorEvent::Crawl(saw) => self.crawl_saw(saw).await,
            }
        }
    }

    /// How it ends, if it does now.
    fn end(&self) -> Option<MonitorEnd> {
        let lasts = self.monitor.config.lasts;
        let is_over = lasts.is_some_and(|lasts| self.time().since(self.monitor.clock.start()) >= lasts);
        match () {
            () if !self.is_kept => Some(MonitorEnd::NotKept),
            () if self.outlets.cancel.is_cancelled() => Some(MonitorEnd::Stopped),
            () if self.outlets.renew.is_cancelled() => Some(MonitorEnd::Renewed),
            () if is_over => Some(MonitorEnd::Done),
            () => None,
        }
    }

    /// Waits for what happens next.
    async fn next(&mut self) -> MonitorEvent {
        let at = self.time();
        let longest = self.arrived.next_after(at).map_or(SHOWN_EVERY, |wait| wait.min(SHOWN_EVERY));
        let due = self.peers.queue().next_at().map_or(longest, |next| next.since(at).min(longest));
        tokio::select! {
            biased;
            () = self.outlets.cancel.cancelled() => MonitorEvent::Stopped,
            () = self.outlets.renew.cancelled() => MonitorEvent::Stopped,
            Some(look) = self.looks.join_next_with_id() => MonitorEvent::Look(look),
            saw = CrawlUnderWay::next_of(&mut self.crawl) => MonitorEvent::Crawl(saw),
            () = sleep(due) => MonitorEvent::Due,
        }
    }

    /// Everything is given up; looks under way may come to their ends within a short time.
    async fn wind_down(&mut self) {
        if let Some(crawl) = self.crawl.as_ref() {
            crawl.stop();
        }
        let until = Instant::now() + LINGER;
        while let Ok(Some(look)) = timeout_at(until, self.looks.join_next_with_id()).await {
            self.look_ended(look).await;
        }
        self.looks.shutdown().await;
        while self.crawl.is_some() {
            // A crawl that was stopped ends at once; what it keeps, it keeps itself.
            match timeout(STALLED_AFTER, CrawlUnderWay::next_of(&mut self.crawl)).await {
                Ok(saw) => self.crawl_saw(saw).await,
                Err(_) => self.crawl = None,
            }
        }
        self.conclude().await;
        let decided = self.outage.over(self.time());
        self.decided(decided).await;
    }

    /// Begins a crawl whose time has come; if the one before is not over yet, right after it.
    fn begin_crawl(&mut self) {
        let at = self.time();
        if self.crawl.is_some() || at < self.next_crawl || self.end().is_some() {
            return;
        }
        let mut begin_with = self.monitor.bootstrap.clone();
        begin_with.extend(self.peers.some_up(self.monitor.config.begin_with));
        self.crawl = Some(CrawlUnderWay::begin(&self.monitor.crawler, begin_with));
        self.next_crawl = at.after(self.monitor.config.crawl_every);
    }

    /// Begins every look whose time has come, as far as so many may be under way.
    fn begin_looks(&mut self) {
        while let Some(DuePeer { peer, planned, lane }) = self.peers.take_due(self.time()) {
            let at = self.time();
            self.now.worst_lag = self.now.worst_lag.max(at.since(planned));
            let peer = PeerNumber(peer);
            let Some(contact) = self.peers.contact(peer) else {
                // Until a crawl says where it is there is nothing to look at.
                self.peers.look_ended(lane);
                continue;
            };
            let prober = self.prober.clone();
            let task = self.looks.spawn(async move { Box::new(prober.probe(peer, &contact).await) });
            self.of.insert(task.id(), (peer, lane));
        }
    }

    async fn look_ended(&mut self, look: Result<(Id, Box<Visit>), JoinError>) {
        let id = look.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some((peer, lane)) = self.of.remove(&id) else { return };
        self.peers.look_ended(lane);
        match look {
            Ok((_, visit)) => self.looked(peer, visit).await,
            Err(error) => {
                // A look is made of total functions; a peer whose look panics after all is looked at again.
                tracing::error!(%error, "a look did not come to its end");
                self.peers.plan(peer, self.time());
            }
        }
    }

    async fn crawl_saw(&mut self, saw: CrawlSaw) {
        match saw {
            CrawlSaw::Visit(id, visit) if !self.monitor.opt_out.has_peer(&id) => {
                match self.peers.take_in(&id) {
                    Some(peer) => self.looked(peer, visit).await,
                    None => self.now.left_out += 1,
                }
            }
            CrawlSaw::Visit(..) => {}
            CrawlSaw::End(ended) => {
                self.crawl = None;
                self.now.crawls += u64::from(ended.is_whole);
                if ended.reached == 0 {
                    // Nobody was found: looks may know better where to begin by then.
                    self.next_crawl = self.next_crawl.min(self.time().after(LOST_CRAWL_AGAIN));
                }
                self.tell(MonitorFact::Crawled { is_whole: ended.is_whole, reached: ended.reached }).await;
            }
        }
    }

    /// A visit is told at once, and what it says as soon as that is known.
    async fn looked(&mut self, peer: PeerNumber, mut visit: Box<Visit>) {
        let look = evidence(&visit, self.monitor.config.sessions.criterion);
        self.peers.learn(peer, &visit);
        match visit.kind.visit_type() {
            VisitType::Crawl => self.now.crawl_visits.count(look.evidence),
            VisitType::Monitor => {
                self.now.looks.count(look.evidence);
                self.now.met_others += u64::from(met_another(&visit));
            }
        }
        visit.peer = self.named(peer).await;
        self.tell(MonitorFact::Visited(visit)).await;
        self.arrived.push(peer, look);
        self.conclude().await;
    }

    /// What looks say is taken in the order of their ends: while a crawl goes on, whose visits come by a longer way, a little later.
    async fn conclude(&mut self) {
        let by = self.crawl.is_some().then(|| self.time());
        while let Some((peer, look)) = self.arrived.pop(by) {
            let decided = self.outage.looked(peer.0, look, self.peers.expected_silence(peer));
            if decided.looks.iter().all(|(other, _)| *other != peer.0) {
                self.peers.plan_anew(peer, self.time());
            }
            self.decided(decided).await;
        }
    }

    /// What looks say is known.
    async fn decided(&mut self, decided: OutageDecision<u32>) {
        if let Some(gap) = decided.gap {
            self.peers.spread(gap.until, SPREAD_OVER);
            self.gap(gap).await;
        }
        for (peer, look) in decided.looks {
            self.concluded(PeerNumber(peer), look).await;
        }
    }

    async fn concluded(&mut self, peer: PeerNumber, look: PeerLook) {
        let (change, next_dial) = self.peers.looked(peer, &look);
        self.now.concluded(look.evidence, &change);
        let waiting = match &change {
            SessionChange::Began => Some(None),
            SessionChange::Ended(session) => Some(Some((**session).clone())),
            _ => None,
        };
        if let Some(ended) = waiting {
            self.untold.session(self.time(), UntoldSession { peer, ended, next_dial });
        }
        let peer = self.named(peer).await;
        self.tell(MonitorFact::Looked(Box::new(PeerLooked { peer, look, change }))).await;
    }

    /// The number of a peer in this run, which is told before it is used.
    async fn named(&mut self, peer: PeerNumber) -> PeerNumber {
        let (number, introduced) = self.peers.name(peer);
        if let Some(id) = introduced {
            self.tell(MonitorFact::Peer(number, id)).await;
        }
        number
    }

    /// Whether it stood still: timers that should have rung did not.
    async fn notice_stall(&mut self) {
        let at = self.time();
        if let Some(gap) = self.heartbeat.beat(at) {
            self.peers.spread(at, SPREAD_OVER);
            self.gap(gap).await;
        }
    }

    async fn gap(&mut self, gap: ObserverGap) {
        self.take_gap(gap);
        self.tell(MonitorFact::Gap(gap)).await;
    }

    /// Everybody's sessions have a gap. One of the network is known to who watches over that.
    fn take_gap(&mut self, gap: ObserverGap) {
        if gap.cause != GapCause::NetworkGone {
            self.outage.gap(gap);
        }
        self.peers.gap(&gap);
        self.now.gaps += 1;
    }

    /// Tells what follows from looks and waited for its time: sessions, and when a day is over days, little by little.
    async fn tell_due(&mut self) {
        let at = self.time();
        if self.untold.is_new_day(at) {
            self.untold.days.extend(self.peers.take_days());
        }
        self.tell_untold(Some(at), DAYS_AT_ONCE).await;
    }

    async fn tell_untold(&mut self, by: Option<Timestamp>, most_days: usize) {
        while let Some(UntoldSession { peer, ended, next_dial }) = self.untold.next_session(by) {
            // One that began, and is over again by now, is told then.
            if let Some(seen) = ended.or_else(|| self.peers.session(peer)) {
                self.tell_session(PeerSession { peer, seen, next_dial }).await;
            }
        }
        for _ in 0..most_days {
            let Some(mut day) = self.untold.days.pop_front() else { return };
            day.peer = self.named(day.peer).await;
            self.tell(MonitorFact::Day(day)).await;
        }
    }

    async fn tell_session(&mut self, mut session: PeerSession) {
        session.peer = self.named(session.peer).await;
        self.tell(MonitorFact::Session(Box::new(session))).await;
    }

    /// Tells what happened, as soon as there is room: meanwhile nothing else is begun, and nobody looks.
    async fn tell(&mut self, fact: MonitorFact) {
        let before = self.time();
        self.is_kept &= self.outlets.facts.send(fact).await.is_ok();
        let after = self.time();
        if after.since(before) >= STALLED_AFTER {
            let gap = ObserverGap { cause: GapCause::StoreAway, from: before, until: after };
            self.take_gap(gap);
            self.peers.spread(after, SPREAD_OVER);
            self.is_kept &= self.outlets.facts.send(MonitorFact::Gap(gap)).await.is_ok();
        }
        // What was waited for is no standstill besides.
        self.heartbeat = Heartbeat::new(self.time(), STALLED_AFTER);
    }

    fn time(&self) -> Timestamp {
        self.monitor.clock.at(Instant::now())
    }

    fn show(&mut self) {
        let at = self.time();
        let queue = self.peers.queue();
        let lag = [LookLane::Up, LookLane::Doubtful, LookLane::Down].map(|lane| queue.lag(lane, at));
        self.now.lag = lag.into_iter().max().unwrap_or_default();
        (self.now.wanted_per_s, self.now.stretch) = (queue.wanted_per_s(), queue.stretch());
        self.now.known = self.peers.len() as u64;
        (self.now.up, self.now.doubtful) = (self.peers.up() as u64, self.peers.doubtful() as u64);
        (self.now.is_crawling, self.now.under_way) = (self.crawl.is_some(), self.looks.len() as u64);
        let facts = &self.outlets.facts;
        self.now.facts_waiting = (facts.max_capacity() - facts.capacity()) as u64;
        self.outlets.now.send_replace(self.now.clone());
    }
}
