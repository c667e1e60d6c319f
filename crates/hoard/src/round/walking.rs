//! The lookups of a round, and what is read off their traces.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dht::{Found, Node};
use kad::{
    PeerId,
    fabric::Member,
    lookup::{Enough, LookupKind, RpcFate, Rules, Trace},
    message::K,
};
use schema::{HoardLookup, Timestamp};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{ProviderMention, RoundLookup, hops::hop_counts};
use crate::{AgentBook, Filters, PeerSetRule, Policy};

/// How a key is looked up in a round.
#[derive(Debug, Clone)]
pub struct WalkTerms {
    /// Which lookups a round has, each once, in the order in which they are made. Default the closest, and providers exhaustively: those
    /// that stop earlier are beginnings of that one, and can be replayed on its trace.
    pub lookups: Vec<HoardLookup>,
    /// Whether they run beside each other. Default one after the other: requests of two lookups to one peer share a connection, and
    /// each would make the other one slower.
    pub beside: bool,
    /// How many providers a lookup by count looks for. Default 20, as RFM17.1's.
    pub count: usize,
    /// When each lookup is given up. Default 120 s, as RFM17.1's of 2023.
    pub deadline: Duration,
}

impl Default for WalkTerms {
    fn default() -> Self {
        Self {
            lookups: vec![HoardLookup::Closest, HoardLookup::Exhaustive],
            beside: false,
            count: K,
            deadline: Duration::from_secs(120),
        }
    }
}

impl WalkTerms {
    /// By which rules a lookup is made, where the observer's are these. One for all providers never has enough: whoever may know of
    /// one is asked until the walk has come as close as it can.
    pub fn rules(&self, lookup: HoardLookup, rules: Rules) -> Rules {
        match lookup {
            HoardLookup::Closest | HoardLookup::Exhaustive => rules.until(Enough::All),
            HoardLookup::First => rules.until(Enough::FIRST),
            HoardLookup::Count => rules.until(Enough::Count(self.count)),
        }
    }

    /// How many providers a caller of a lookup wants; 0 is all there are.
    const fn wanted(&self, lookup: HoardLookup) -> usize {
        match lookup {
            HoardLookup::First => 1,
            HoardLookup::Count => self.count,
            HoardLookup::Closest | HoardLookup::Exhaustive => 0,
        }
    }
}

/// What a lookup is made for.
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a> {
    pub(crate) terms: &'a WalkTerms,
    pub(crate) filters: &'a Filters,
    pub(crate) agents: &'a AgentBook,
    /// Who is never asked.
    pub(crate) unasked: Arc<BTreeSet<Vec<u8>>>,
    pub(crate) rules: Rules,
    pub(crate) key: &'a [u8],
    pub(crate) provider: PeerId,
}

impl Walk<'_> {
    /// Makes a lookup, and gives it up when its time is over. `at` is the time of a moment.
    pub(crate) async fn run<M: Member>(
        &self,
        node: &Node<M>,
        lookup: HoardLookup,
        at: impl Fn(Instant) -> Timestamp,
        cancel: &CancellationToken,
    ) -> RoundLookup {
        let kind = match lookup {
            HoardLookup::Closest => LookupKind::Closest,
            HoardLookup::First | HoardLookup::Count | HoardLookup::Exhaustive => LookupKind::Providers,
        };
        let over = cancel.child_token();
        let mut rules = self.terms.rules(lookup, self.rules);
        if lookup == HoardLookup::Closest {
            rules.k = self.filters.wanted(rules.k);
        }
        let found = node.find_without(Arc::clone(&self.unasked), rules, (kind, self.key.to_vec()), &over);
        let found = within(self.terms.deadline, found, &over).await;
        self.read(lookup, at(found.begun), found)
    }

    fn read(&self, lookup: HoardLookup, began_at: Timestamp, found: Found) -> RoundLookup {
        let closest = self.filters.closest(&found.trace, self.rules.k, self.agents);
        let count = self.terms.wanted(lookup);
        let combo = |policy: Policy| combo(policy, &found.trace, &self.provider, found.took);
        RoundLookup {
            lookup,
            began_at,
            took: found.took,
            ending: found.outcome.termination,
            hops: hop_counts(&found.trace, &closest),
            first_combo: combo(Policy::FirstAnswer),
            upgraded_combo: combo(Policy::PeerSet { rule: PeerSetRule::After, count }),
            closest,
            named: mentions(&found),
            found,
        }
    }
}

/// What a future comes to that ends soon once it is told that its time is over.
pub(crate) async fn within<T>(
    time: Duration,
    future: impl Future<Output = T>,
    over: &CancellationToken,
) -> T {
    let mut future = std::pin::pin!(future);
    tokio::select! {
        biased;
        done = &mut future => return done,
        () = sleep(time) => over.cancel(),
    }
    future.await
}

fn combo(policy: Policy, trace: &Trace, provider: &PeerId, took: Duration) -> u8 {
    let Some(provider) = trace.number_of(&provider.to_bytes()) else { return 0 };
    let mut answers: Vec<_> = trace.rpcs.iter().filter(|rpc| rpc.fate == RpcFate::Answered).collect();
    answers.sort_by_key(|rpc| rpc.rank);
    let answers = answers.into_iter().map(|rpc| {
        let named = rpc.providers.iter().map(|named| (named.peer, named.has_addresses));
        (rpc.ended.unwrap_or(took), named)
    });
    policy.read(provider, answers, took).combo()
}

/// Every provider of every answer. A peer that was asked twice counts as it answered first.
fn mentions(found: &Found) -> Vec<ProviderMention> {
    let trace = &found.trace;
    let mut mentions: Vec<ProviderMention> = Vec::new();
    for provider in &found.providers {
        for (responder, _) in &provider.holders {
            let is_it = |rpc: &&kad::lookup::Rpc| rpc.peer == responder.number() && !rpc.providers.is_empty();
            let answered_after = trace.rpcs.iter().find(is_it).and_then(|rpc| rpc.ended);
            let (Some(answered_after), Some(by)) = (answered_after, trace.peer(responder.number())) else {
                continue;
            };
            let given = provider.given.iter().filter(|given| given.by.contains(responder));
            mentions.push(ProviderMention {
                provider: provider.peer,
                responder: by,
                answered_after,
                addresses: given.map(|given| given.addr.clone()).collect(),
            });
        }
    }
    mentions.sort_by_key(|mention| mention.answered_after);
    mentions
}
