//! One round of one key: holders and lookups beside each other, then holders where they are now.

use std::{sync::Arc, time::Duration};

use kad::{Contact, Multiaddr, PeerId, fabric::Member};
use multiaddr::Protocol;
use schema::{HoardLookup, RoundEnd};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::Observer;
use crate::{
    HolderSight, KeyRound, KnownHolder, ProviderDial, RoundLookup, RoundOrder, RoundParts, WatchedKey,
    WhereSeen,
    round::{
        seeking::SaidToBe,
        walking::{Walk, within},
    },
    sight::looking::{Look, RecordAsk},
    whereabouts,
};

/// The most current addresses of a holder that are dialled and kept.
const MAX_CURRENT: usize = 16;

/// What a round came to so far.
#[derive(Debug, Default)]
struct Done {
    sights: Vec<HolderSight>,
    lookups: Vec<RoundLookup>,
    dials: Vec<ProviderDial>,
    is_cut_short: bool,
}

/// Where a holder is now, and what came of looking there.
#[derive(Debug, Default)]
struct Elsewhere {
    said: SaidToBe,
    look: Option<Look>,
}

impl<M: Member> Observer<M> {
    /// Makes one round of one key. It ends by itself, and soon once it is cancelled; nothing of it stays behind but connections of
    /// lookups.
    pub async fn round(&self, key: &WatchedKey, order: &RoundOrder, cancel: &CancellationToken) -> KeyRound {
        let mut round = KeyRound::begun(key, order, self.now());
        round.in_flight = self.config().in_flight.now();
        let _under_way = self.config().in_flight.round();
        let over = cancel.child_token();
        let work = Box::pin(self.work(key, order, &over));
        let done = within(self.config().round, work, &over).await;
        round.end = match (done.is_cut_short, cancel.is_cancelled()) {
            (false, _) => RoundEnd::Whole,
            (true, false) => RoundEnd::Partial,
            (true, true) => RoundEnd::Stopped,
        };
        (round.sights, round.lookups, round.dials) = (done.sights, done.lookups, done.dials);
        round.ended_at = self.now();
        round
    }

    /// Asks all holders of a key at each of these times from now on, at their first addresses: whether they have what they were given
    /// just now. All of it is round 0 of the key.
    pub async fn read_back(
        &self,
        key: &WatchedKey,
        after: &[Duration],
        cancel: &CancellationToken,
    ) -> KeyRound {
        let (begun, now) = (Instant::now(), self.now());
        let order = RoundOrder { round: 0, planned_at: now, parts: RoundParts::Holders };
        let mut round = KeyRound::begun(key, &order, now);
        round.in_flight = self.config().in_flight.now();
        let _under_way = self.config().in_flight.round();
        for &after in after {
            let wait = (begun + after).saturating_duration_since(Instant::now());
            if cancel.run_until_cancelled(sleep(wait)).await.is_none() {
                break;
            }
            let order = RoundOrder { planned_at: now.after(after), ..order };
            let over = cancel.child_token();
            let work = Box::pin(self.work(key, &order, &over));
            let done = within(self.config().round, work, &over).await;
            round.sights.extend(done.sights);
            if done.is_cut_short {
                round.end = RoundEnd::Partial;
            }
        }
        if cancel.is_cancelled() {
            round.end = RoundEnd::Stopped;
        }
        round.ended_at = self.now();
        round
    }

    async fn work(&self, key: &WatchedKey, order: &RoundOrder, over: &CancellationToken) -> Done {
        let parts = order.parts;
        let ask = RecordAsk::new(&key.key, key.provider);
        let looks = async {
            match parts {
                RoundParts::Lookups => Vec::new(),
                RoundParts::All | RoundParts::Holders => self.looks(key, &ask, over).await,
            }
        };
        let lookups = async {
            match parts {
                RoundParts::Holders => Vec::new(),
                RoundParts::All | RoundParts::Lookups => self.walks(key, over).await,
            }
        };
        let (looks, lookups) = tokio::join!(looks, lookups);
        let elsewhere = async {
            match parts {
                RoundParts::All => self.elsewhere(key, (&ask, &looks, &lookups), over).await,
                RoundParts::Holders | RoundParts::Lookups => Vec::new(),
            }
        };
        let dials = self.dial_providers((&key.key, key.published_at), &lookups, over);
        let (elsewhere, dials) = tokio::join!(elsewhere, dials);
        let is_cut_short = over.is_cancelled();
        let mut elsewhere = elsewhere.into_iter();
        let sights = key.holders.iter().zip(looks).map(|(holder, look)| {
            let seen = (look, elsewhere.next().unwrap_or_default());
            self.sight((key, order), holder, seen, is_cut_short)
        });
        Done { sights: sights.collect(), lookups, dials, is_cut_short }
    }

    /// Looks at all holders where they were first, in the order of the holders.
    async fn looks(&self, key: &WatchedKey, ask: &RecordAsk, over: &CancellationToken) -> Vec<Look> {
        let attempts = self.config().sights.attempts;
        let contacts = key.holders.iter().map(|holder| Some(holder.contact()));
        let looks = self.looks_at(contacts, (ask, attempts), over).await;
        let began = Instant::now();
        looks.into_iter().map(|look| look.unwrap_or_else(|| Look::given_up(began))).collect()
    }

    /// Looks at these peers beside each other. In their order.
    pub(super) async fn looks_at(
        &self,
        contacts: impl Iterator<Item = Option<Contact>>,
        (ask, attempts): (&RecordAsk, u8),
        over: &CancellationToken,
    ) -> Vec<Option<Look>> {
        let mut under_way = JoinSet::new();
        let mut looks = Vec::new();
        for (position, contact) in contacts.enumerate() {
            looks.push(None);
            let Some(contact) = contact else { continue };
            let (looking, ask, over) = (self.0.looking.clone(), ask.clone(), over.clone());
            under_way.spawn(async move { (position, looking.look(contact, &ask, attempts, &over).await) });
        }
        while let Some(done) = under_way.join_next().await {
            if let Ok((position, look)) = done {
                looks[position] = Some(look);
            }
        }
        looks
    }

    /// Makes the lookups of a round.
    async fn walks(&self, key: &WatchedKey, over: &CancellationToken) -> Vec<RoundLookup> {
        let terms = &self.config().walks;
        let mut done = Vec::with_capacity(terms.lookups.len());
        if !terms.beside {
            for &lookup in &terms.lookups {
                done.push(self.walk((&key.key, key.provider), lookup, over).await);
            }
            return done;
        }
        let mut under_way = JoinSet::new();
        for (position, &lookup) in terms.lookups.iter().enumerate() {
            let (observer, (of, provider), over) =
                (self.clone(), (Arc::clone(&key.key), key.provider), over.clone());
            under_way.spawn(async move { (position, observer.walk((&of, provider), lookup, &over).await) });
        }
        let mut walks: Vec<(usize, RoundLookup)> = Vec::with_capacity(terms.lookups.len());
        while let Some(walk) = under_way.join_next().await {
            walks.extend(walk);
        }
        walks.sort_by_key(|(position, _)| *position);
        done.extend(walks.into_iter().map(|(_, walk)| walk));
        done
    }

    pub(super) async fn walk(
        &self,
        (key, provider): (&[u8], PeerId),
        lookup: HoardLookup,
        over: &CancellationToken,
    ) -> RoundLookup {
        let config = self.config();
        let _under_way = config.in_flight.request();
        let walk = Walk {
            terms: &config.walks,
            filters: &config.filters,
            agents: &config.agents,
            unasked: self.unasked(),
            rules: config.node.rules,
            key,
            provider,
        };
        walk.run(self.node(), lookup, |moment| config.clock.at(moment), over).await
    }

    /// Looks at holders where they are now, if that is not where they were; for those that nobody names, and that did not answer, it is
    /// asked around. In the order of the holders.
    async fn elsewhere(
        &self,
        key: &WatchedKey,
        (ask, looks, lookups): (&RecordAsk, &[Look], &[RoundLookup]),
        over: &CancellationToken,
    ) -> Vec<Elsewhere> {
        let mut said: Vec<SaidToBe> = key.holders.iter().map(|holder| heard(lookups, &holder.peer)).collect();
        let mut under_way = JoinSet::new();
        for (position, holder) in key.holders.iter().enumerate() {
            if !said[position].is_named && !looks[position].is_reached() && !over.is_cancelled() {
                let (observer, peer, over) = (self.clone(), holder.peer, over.clone());
                under_way.spawn(async move { (position, observer.seek(peer, &over).await) });
            }
        }
        while let Some(sought) = under_way.join_next().await {
            if let Ok((position, Some(found))) = sought {
                said[position] = found;
            }
        }
        for (holder, said) in key.holders.iter().zip(&mut said) {
            said.addresses.retain(|address| !holds(&holder.addresses, address));
            said.addresses.truncate(MAX_CURRENT);
        }
        let contacts = key.holders.iter().zip(&said).map(|(holder, said)| {
            let addrs = said.addresses.clone();
            (!addrs.is_empty()).then_some(Contact { peer: holder.peer, addrs })
        });
        let found = self.looks_at(contacts, (ask, 1), over).await;
        said.into_iter().zip(found).map(|(said, look)| Elsewhere { said, look }).collect()
    }

    pub(super) async fn seek(&self, peer: PeerId, over: &CancellationToken) -> Option<SaidToBe> {
        self.0.seeking.seek(self.node(), peer, self.unasked(), over).await
    }

    /// All that was seen of a holder.
    fn sight(
        &self,
        (key, order): (&WatchedKey, &RoundOrder),
        holder: &KnownHolder,
        (first, elsewhere): (Look, Elsewhere),
        is_cut_short: bool,
    ) -> HolderSight {
        let after = self.config().clock.at(first.began).since(key.published_at);
        let Elsewhere { said: heard, look: current } = elsewhere;
        let is_relayed = heard.is_relayed;
        let (mut asked, current) = match current {
            Some(current) if !first.is_reached() && current.is_reached() => (current.clone(), current.dial),
            current => (first.clone(), current.and_then(|current| current.dial)),
        };
        let whereabouts = whereabouts(WhereSeen {
            first_addresses: &holder.addresses,
            first: first.dial.as_ref(),
            current: current.as_ref(),
            is_relayed,
            is_cut_short,
        });
        let dials = [&first.dial, &current];
        let attempts = dials.into_iter().flatten().fold(0_u8, |sum, dial| sum.saturating_add(dial.times));
        let transport =
            asked.dial.take().and_then(|dial| dial.connected).map(|connected| connected.transport);
        HolderSight {
            peer: holder.peer,
            planned_after: order.planned_at.since(key.published_at),
            after,
            whereabouts,
            first: first.dial,
            current,
            current_addresses: heard.addresses,
            transport,
            round_trip: asked.round_trip,
            agent: asked.agent,
            said: asked.said,
            attempts,
        }
    }
}

/// What lookups heard of a peer.
fn heard(lookups: &[RoundLookup], peer: &PeerId) -> SaidToBe {
    let heard = lookups.iter().map(|lookup| SaidToBe::by(&lookup.found, peer));
    heard.reduce(SaidToBe::and).unwrap_or_default()
}

/// Whether an address is one of these, with a peer's id at its end or without.
fn holds(addresses: &[Multiaddr], address: &Multiaddr) -> bool {
    let bare = |address: &Multiaddr| -> Multiaddr {
        address.iter().take_while(|part| !matches!(part, Protocol::P2p(_))).collect()
    };
    let wanted = bare(address);
    addresses.iter().any(|known| bare(known) == wanted)
}
