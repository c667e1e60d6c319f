//! Drives lookups: asks whom the rules say, and tells them what came of it.
//!
//! What is decided is `kad::lookup`'s; how peers are reached is the pool's. Requests of one lookup run beside each other; when
//! the lookup is over, or its future is dropped, those under way are given up and leave nothing behind.

mod reading;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kad::{
    Contact, Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    lookup::{
        Candidate, FollowUp, Lookup, LookupKind, LookupOutcome, LookupTarget, Rules, Start, Step, Trace,
    },
    message::{Message, MessageType},
    network::Network,
};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use self::reading::Reading;
pub use self::reading::{FoundValue, GivenAddress, Provider};
use crate::{
    addresses::KnownAddresses,
    conversation::{Ask, Awaits},
    pool::{Exchange, Pool},
};

/// How long go-libp2p-kad-dht waits for an answer (`dhtReadMessageTimeout`).
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// How many notices that a request is on its way may wait. A request whose notice has no room is known to have been sent when
/// it ends.
const MAX_SENT: usize = 256;

/// Makes lookups. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Finder<N> {
    pool: Pool<N>,
    terms: Arc<FinderTerms>,
    /// The ids of peers that its lookups do without.
    ignored: Arc<BTreeSet<Vec<u8>>>,
}

/// What all lookups of a finder have in common.
#[derive(Debug)]
pub struct FinderTerms {
    /// Who looks: it is never asked.
    pub own: PeerId,
    /// The names of the network's kad protocol, in the order in which they are tried.
    pub protocols: Arc<[String]>,
    /// How long each answer is awaited, once the question was sent.
    pub patience: Duration,
}

/// What is looked for, and from where.
#[derive(Debug, Clone)]
pub struct Quest {
    /// What.
    pub kind: LookupKind,
    /// The key that is asked for: the bytes of a peer id, a multihash or the key of a record.
    pub key: Vec<u8>,
    /// The peers to begin with, with their addresses.
    pub from: Vec<Contact>,
    /// How it is decided whom to ask, and when it is over.
    pub rules: Rules,
}

/// What a lookup found.
#[derive(Debug)]
pub struct Found {
    /// What it came to.
    pub outcome: LookupOutcome,
    /// Every request.
    pub trace: Trace,
    /// Where peers are that were heard of.
    pub addresses: KnownAddresses,
    /// Who provides the key, the first heard of first.
    pub providers: Vec<Provider>,
    /// The values that hold, in the order in which they came.
    pub values: Vec<FoundValue>,
    /// When it began.
    pub begun: Instant,
    /// How long it took.
    pub took: Duration,
}

/// Something that happened in a lookup under way: its trace has the row of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened {
    /// The position of the request in the trace.
    pub rpc: usize,
}

impl<N: Network> Finder<N> {
    /// Lookups over the connections of a pool.
    pub fn new(pool: Pool<N>, terms: FinderTerms) -> Self {
        Self { pool, terms: Arc::new(terms), ignored: Arc::default() }
    }

    /// The same, but its lookups do as if these peers were not there: whoever names them, they are not asked, and are never among the
    /// closest.
    #[must_use]
    pub fn ignoring<'a>(self, peers: impl IntoIterator<Item = &'a PeerId>) -> Self {
        Self { ignored: Arc::new(peers.into_iter().map(|peer| peer.to_bytes()).collect()), ..self }
    }

    /// The connections.
    pub const fn pool(&self) -> &Pool<N> {
        &self.pool
    }

    /// What its lookups have in common.
    pub fn terms(&self) -> &FinderTerms {
        &self.terms
    }

    /// Looks something up. `holds` says whether a value under the key is one; `watch` is shown the trace whenever a request
    /// has ended. Cancelled, it ends at once with what it has.
    pub async fn find(
        &self,
        quest: Quest,
        holds: impl Fn(&[u8]) -> bool,
        watch: impl FnMut(&Trace, Happened),
        cancel: &CancellationToken,
    ) -> Found {
        let mut search = Search::new(self, quest, holds, watch);
        while search.ask_all() {
            tokio::select! {
                biased;
                _ = search.next() => {}
                () = cancel.cancelled() => search.lookup.cancel(),
            }
        }
        search.end()
    }
}

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
pub(crate) struct Search<'a, N, H, W> {
    finder: &'a Finder<N>,
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
}

impl<'a, N: Network, H: Fn(&[u8]) -> bool, W: FnMut(&Trace, Happened)> Search<'a, N, H, W> {
    pub(crate) fn new(finder: &'a Finder<N>, quest: Quest, holds: H, watch: W) -> Self {
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
        Self {
            finder,
            ask,
            begun: Instant::now(),
            lookup,
            trace,
            reading: Reading::new(addresses, holds, Arc::clone(&finder.ignored)),
            watch,
            under_way: JoinSet::new(),
            sent: mpsc::channel(MAX_SENT),
            give_up_dials: CancellationToken::new(),
            waits_for_answers_only: rules.follow_up == FollowUp::Go,
        }
    }

    /// Asks everybody who is to be asked now. `false` once the lookup is over.
    pub(crate) fn ask_all(&mut self) -> bool {
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
                Step::Wait => return true,
                Step::Done => return false,
            }
        }
    }

    fn ask(&mut self, candidate: Candidate) {
        let at = self.begun.elapsed();
        let rpc = self.trace.ask(&self.lookup, candidate, at);
        let (Some(peer), Some(rpc)) = (self.lookup.peer(candidate), rpc) else {
            return self.lookup.failed(candidate);
        };
        let to = Contact { peer, addrs: self.reading.addresses.of(&peer.to_bytes()).to_vec() };
        let (pool, ask, notify) = (self.finder.pool.clone(), self.ask.clone(), self.sent.0.clone());
        // The follow-up's dials are not those of the search.
        let give_up = match self.lookup.termination() {
            None => self.give_up_dials.clone(),
            Some(_) => CancellationToken::new(),
        };
        let begun = self.begun;
        self.under_way.spawn(async move {
            let sent = || drop(notify.try_send(Sent { rpc, candidate, at: begun.elapsed() }));
            let exchange = pool.request(&to, ask, &give_up, sent).await;
            Ended { rpc, candidate, exchange }
        });
    }

    /// Waits until something comes of a request, and takes it in. Gives whether a peer has answered that was asked; `None` if one was
    /// sent its request. Cancel-safe.
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

    pub(crate) fn end(mut self) -> Found {
        let took = self.begun.elapsed();
        self.trace.close(took);
        let Reading { addresses, providers, values, .. } = self.reading;
        let (outcome, trace, begun) = (self.lookup.outcome(), self.trace, self.begun);
        Found { outcome, trace, addresses, providers, values, begun, took }
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
