//! One lookup under way: what was asked, what came of it, and what is to be done next.

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Multiaddr,
    failure::{Failure, FailureClass, Phase},
    lookup::{Candidate, FollowUp, Lookup, LookupKind, LookupTarget, Start, Step, Trace},
    message::{Message, MessageType},
    network::Network,
    optimistic::OptimisticRules,
};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Finder, FinderTerms, Found, Happened, Quest, reading::Reading};
use crate::{
    addresses::KnownAddresses,
    conversation::{Ask, Awaits},
    pool::Exchange,
};

/// How many notices that a request is on its way may wait. A request whose notice has no room is known to have been sent when
/// it ends.
const MAX_SENT: usize = 256;

/// A request is on its way.
#[derive(Debug)]
struct Sent {
    rpc: usize,
    candidate: Candidate,
    at: Duration,
}

/// What came of a request.
struct Ended {
    rpc: usize,
    candidate: Candidate,
    exchange: Exchange,
}

/// A lookup under way.
pub(crate) struct Search<N, H, W> {
    finder: Finder<N>,
    ask: Ask,
    pub(crate) begun: Instant,
    pub(crate) lookup: Lookup,
    trace: Trace,
    reading: Reading<H>,
    watch: W,
    under_way: JoinSet<Ended>,
    /// Tells which requests are on their way. Each tells once, so there is room for all that are under way.
    sent: (mpsc::Sender<Sent>, mpsc::Receiver<Sent>),
    give_up_dials: CancellationToken,
    /// By Go's rules dials end with the search, while answers are awaited; by others what is awaited may be a dial.
    waits_for_answers_only: bool,
    /// A request whose stream broke or stayed silent is made once more, as by go-libp2p-kad-dht.
    asks_again: bool,
    /// When it was over.
    over_after: Option<Duration>,
}

/// What is to be done, beside asking, before anything else comes.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Who is to be given a record, in this order.
    pub(crate) give: Vec<Candidate>,
    /// Whoever publishes may go on.
    pub(crate) may_return: bool,
    /// All is over.
    pub(crate) is_over: bool,
}

/// A lookup without values that nobody watches.
pub(crate) type BareSearch<N> = Search<N, fn(&[u8]) -> bool, fn(&Trace, Happened)>;

impl<N: Network> BareSearch<N> {
    /// One that has asked nobody yet.
    pub(crate) fn bare(finder: &Finder<N>, quest: Quest) -> Self {
        Self::new(finder.clone(), quest, |_| false, |_, _| {})
    }
}

impl<N: Network, H: Fn(&[u8]) -> bool, W: FnMut(&Trace, Happened)> Search<N, H, W> {
    pub(crate) fn new(finder: Finder<N>, quest: Quest, holds: H, watch: W) -> Self {
        let Quest { kind, key, mut from, rules } = quest;
        from.retain(|contact| !finder.ignored.contains(&contact.peer.to_bytes()));
        let FinderTerms { own, protocols, patience } = &*finder.terms;
        let mut addresses = KnownAddresses::default();
        for contact in &from {
            addresses.add(contact, &|addr| finder.pool.network().admits(addr).is_ok());
        }
        let ids: Vec<Vec<u8>> = from.iter().map(|contact| contact.peer.to_bytes()).collect();
        let peers: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
        let target = LookupTarget { kind, preimage: &key };
        let lookup = Lookup::new(target, Start { own: &own.to_bytes(), peers: &peers }, rules);
        let trace = Trace::new(&lookup);
        let message = Message::new(question(kind), key).encode().into();
        let ask = Ask {
            protocols: Arc::clone(protocols),
            message: Some(message),
            awaits: Awaits::Message,
            patience: *patience,
        };
        let ignored = Arc::clone(&finder.ignored);
        Self {
            finder,
            ask,
            begun: Instant::now(),
            lookup,
            trace,
            reading: Reading::new(addresses, holds, ignored),
            watch,
            under_way: JoinSet::new(),
            sent: mpsc::channel(MAX_SENT),
            give_up_dials: CancellationToken::new(),
            waits_for_answers_only: rules.follow_up == FollowUp::Go,
            asks_again: false,
            over_after: None,
        }
    }

    /// The same, which asks once more where a stream broke or stayed silent.
    pub(crate) fn asking_again(self, asks_again: bool) -> Self {
        Self { asks_again, ..self }
    }

    /// The same, which gives while it looks.
    pub(crate) fn giving(self, rules: OptimisticRules) -> Self {
        Self { lookup: self.lookup.giving(rules), ..self }
    }

    /// Looks until it is over, or cancelled.
    pub(crate) async fn run(mut self, cancel: &CancellationToken) -> Found {
        while !self.ask_all().is_over {
            tokio::select! {
                biased;
                _ = self.next() => {}
                () = cancel.cancelled() => self.lookup.cancel(),
            }
        }
        self.end()
    }

    /// Waits until something comes of a request, and takes it in. Gives whether a peer has answered that was asked; `None` if one was
    /// sent its request. Nothing is lost if it is dropped.
    pub(crate) async fn next(&mut self) -> Option<bool> {
        tokio::select! {
            // Who was asked is connected, before it answers.
            biased;
            Some(sent) = self.sent.1.recv() => {
                self.on_sent(&sent);
                None
            }
            Some(done) = self.under_way.join_next() => self.on_end(done.ok()),
        }
    }

    /// Asks everybody who is to be asked now.
    pub(crate) fn ask_all(&mut self) -> Turn {
        let mut turn = Turn::default();
        loop {
            let step = self.lookup.step();
            if self.lookup.termination().is_some() {
                self.trace.searched(self.begun.elapsed());
                if self.waits_for_answers_only {
                    self.give_up_dials.cancel();
                }
            }
            match step {
                Step::Ask(candidate) => self.ask(candidate),
                Step::Give(candidate) => turn.give.push(candidate),
                Step::MayReturn => turn.may_return = true,
                Step::Wait => break,
                Step::Done => {
                    turn.is_over = true;
                    break;
                }
            }
        }
        if self.lookup.is_over() {
            self.over_after.get_or_insert(self.begun.elapsed());
        }
        turn
    }

    /// A candidate, and where it is.
    pub(crate) fn contact(&self, candidate: Candidate) -> Option<Contact> {
        let peer = self.lookup.peer(candidate)?;
        Some(Contact { peer, addrs: self.reading.addresses.of(&peer.to_bytes()).to_vec() })
    }

    fn ask(&mut self, candidate: Candidate) {
        let at = self.begun.elapsed();
        let rpc = self.trace.ask(&self.lookup, candidate, at);
        let (Some(to), Some(rpc)) = (self.contact(candidate), rpc) else {
            return self.lookup.failed(candidate);
        };
        let (pool, ask, notify) = (self.finder.pool.clone(), self.ask.clone(), self.sent.0.clone());
        // The follow-up's dials are not those of the search.
        let give_up = match self.lookup.termination() {
            None => self.give_up_dials.clone(),
            Some(_) => CancellationToken::new(),
        };
        let (begun, asks_again) = (self.begun, self.asks_again);
        self.under_way.spawn(async move {
            let sent = || drop(notify.try_send(Sent { rpc, candidate, at: begun.elapsed() }));
            let mut exchange = pool.request(&to, ask.clone(), &give_up, sent).await;
            if asks_again && exchange.is_broken() {
                let again = pool.request(&to, ask, &give_up, || {}).await;
                exchange = exchange.and_again(again);
            }
            Ended { rpc, candidate, exchange }
        });
    }

    fn on_sent(&mut self, &Sent { rpc, candidate, at }: &Sent) {
        self.trace.sent(rpc, at);
        self.lookup.connected(candidate);
    }

    /// A request has ended; `None` if its task did not come to its end. Gives whether it was answered.
    fn on_end(&mut self, ended: Option<Ended>) -> Option<bool> {
        let Ended { rpc, candidate, exchange } = ended?;
        let now = self.begun.elapsed();
        let dial = exchange.dialled.as_ref().map(|dialled| dialled.row(now.saturating_sub(exchange.took)));
        self.trace.carried(rpc, dial, exchange.traffic);
        if let Some(after) = exchange.sent_after {
            let took = exchange.took.saturating_sub(after);
            self.on_sent(&Sent { rpc, candidate, at: now.saturating_sub(took) });
        }
        let answer = exchange.outcome.and_then(|messages| {
            let empty = Failure::new(Phase::Request, FailureClass::StreamClosed);
            messages.into_iter().next().ok_or(empty)
        });
        let admits = |addr: &Multiaddr| self.finder.pool.network().admits(addr).is_ok();
        let at = (rpc, candidate, now);
        let read = answer
            .and_then(|answer| self.reading.take(&answer, at, (&mut self.lookup, &mut self.trace), &admits));
        let has_answered = read.is_ok();
        if let Err(failure) = read {
            self.lookup.failed(candidate);
            match failure.class {
                FailureClass::Cancelled => self.trace.cancelled(rpc, now),
                _ => self.trace.failed(rpc, now, failure),
            }
        }
        (self.watch)(&self.trace, Happened { rpc });
        Some(has_answered)
    }

    /// What it found.
    pub(crate) fn end(mut self) -> Found {
        let took = self.over_after.unwrap_or_else(|| self.begun.elapsed());
        self.trace.close(took);
        let Reading { addresses, providers, values, .. } = self.reading;
        let (outcome, trace, begun) = (self.lookup.outcome(), self.trace, self.begun);
        Found { outcome, trace, addresses, providers, values, begun, took }
    }

    /// What it has found so far.
    pub(crate) fn as_it_stands(&self) -> Found {
        let took = self.over_after.unwrap_or_else(|| self.begun.elapsed());
        let (outcome, mut trace) = (self.lookup.clone().outcome(), self.trace.clone());
        trace.close(took);
        let Reading { addresses, providers, values, .. } = &self.reading;
        Found {
            outcome,
            trace,
            addresses: addresses.clone(),
            providers: providers.clone(),
            values: values.clone(),
            begun: self.begun,
            took,
        }
    }
}

/// What is asked in a lookup.
const fn question(kind: LookupKind) -> MessageType {
    match kind {
        LookupKind::Closest | LookupKind::Peer => MessageType::FindNode,
        LookupKind::Providers => MessageType::GetProviders,
        LookupKind::Value => MessageType::GetValue,
    }
}
