//! The peers that all heads know, once: what one head learns, every other answers with.
//!
//! Servers of the network that answered, the heads themselves, which are servers like others, and whoever else said who it is.
//! A server is tested once for all heads, by a dial, before it is taken in; one that is silent is tested once, and goes for all.
//! Pure: times are given, as the time since the Unix epoch. Who asks whom, and when, is left to the heads' tasks.

mod index;
mod peer;
#[cfg(test)]
mod tests;
mod view;
mod visitors;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use kad::{
    Contact, Key, Multiaddr,
    answer::Findings,
    message::K,
    table::{AddressGroup, MAX_ADMISSION_TESTS, TableRules},
};

use self::visitors::Visitors;
pub use self::{index::KeyIndex, peer::CommonPeer};

/// The most servers that are known by default: twice as many as the public IPFS network has.
pub const MAX_PEERS: usize = 32 * 1024;

/// What all heads know of peers.
#[derive(Debug)]
pub struct Commons {
    rules: TableRules,
    max_peers: usize,
    /// Servers and heads.
    servers: KeyIndex<Box<CommonPeer>>,
    heads: BTreeSet<Key>,
    visitors: Visitors,
    tested: BTreeSet<Key>,
}

impl Commons {
    /// Nobody. `rules` are those of the table that each head would have: the size of its buckets, and how many peers of a group of
    /// addresses there may be among so many that are closest to each other (of each prefix; the limit of a whole table means
    /// nothing here). `max_peers` is how many servers are known.
    pub fn new(rules: TableRules, max_peers: usize) -> Self {
        Self {
            rules,
            max_peers,
            servers: KeyIndex::default(),
            heads: BTreeSet::new(),
            visitors: Visitors::default(),
            tested: BTreeSet::new(),
        }
    }

    /// How many servers are known, the heads apart.
    pub fn len(&self) -> usize {
        self.servers.len() - self.heads.len()
    }

    /// Whether no server is known but the heads.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many peers are known that are no servers.
    pub fn visitors(&self) -> usize {
        self.visitors.len()
    }

    /// A head joins, or is somewhere else from now on.
    pub fn enter(&mut self, head: &Contact) {
        let key = Key::of_peer(&head.peer);
        self.heads.insert(key);
        self.servers.insert(key, Box::new(CommonPeer::head(head)));
    }

    /// A head leaves.
    pub fn leave(&mut self, head: &Key) {
        if self.heads.remove(head) {
            self.servers.remove(head);
        }
    }

    /// What there is to say of the peers closest to a key, and of the peer whose id it is.
    pub fn findings<'a>(&'a self, key: &[u8], place: &Key, now: Duration) -> Findings<'a> {
        // The head that answers stands among them, and the asker may.
        let closest = self.servers.closest(place, K + 2, |_, peer| peer.known());
        let target = closest.first().copied().filter(|peer| peer.id == key);
        let visitor = || self.visitors.get(place, now).map(CommonPeer::known).filter(|peer| peer.id == key);
        Findings { target: target.or_else(visitor), closest, ..Findings::default() }
    }

    /// The servers closest to a key, without the heads.
    pub fn closest(&self, place: &Key, count: usize) -> Vec<Contact> {
        // Heads are among them by chance, or are very many.
        let more = count + self.heads.len().min(4 * count);
        let closest = self.servers.closest(place, more, |_, peer| peer);
        closest
            .into_iter()
            .filter(|peer| !peer.is_head)
            .filter_map(|peer| peer.contact())
            .take(count)
            .collect()
    }

    /// Every server, without the heads.
    pub fn contacts(&self) -> impl Iterator<Item = Contact> {
        self.servers.iter().filter(|(_, peer)| !peer.is_head).filter_map(|(_, peer)| peer.contact())
    }

    /// Some of the servers, without the heads, in the order of their keys, behind one of these.
    pub fn page(&self, after: Option<&Key>, count: usize) -> Vec<Contact> {
        let behind = self.servers.behind(after).filter(|(_, peer)| !peer.is_head);
        behind.filter_map(|(_, peer)| peer.contact()).take(count).collect()
    }

    /// Whether a peer is known, as what it has said that it is, and need not be asked.
    pub fn knows(&self, key: &Key, now: Duration) -> bool {
        self.servers.get(key).is_some() || self.visitors.get(key, now).is_some()
    }

    /// A peer has said where it is.
    pub fn meet(&mut self, contact: &Contact, now: Duration) {
        let key = Key::of_peer(&contact.peer);
        match self.servers.get_mut(&key) {
            Some(known) if known.is_head => {}
            Some(known) => **known = CommonPeer::new(contact, known.answered),
            None => self.visitors.meet(key, CommonPeer::new(contact, now)),
        }
    }

    /// Begins to test a peer; `false` if it is not to be tested: it is known, being tested, or too many are.
    pub fn begin_test(&mut self, key: &Key) -> bool {
        self.tested.len() < MAX_ADMISSION_TESTS && self.servers.get(key).is_none() && self.tested.insert(*key)
    }

    /// Ends a test of a peer, which is taken in if it passed; whether it was. `named` is how many peers it named when it was asked
    /// for itself, `None` if it did not answer.
    pub fn end_test(&mut self, contact: &Contact, named: Option<usize>, now: Duration) -> bool {
        let key = Key::of_peer(&contact.peer);
        self.tested.remove(&key) && self.passes(named) && self.answered(contact, now)
    }

    /// What came of asking a server that had been silent for long: it stays, or goes.
    pub fn judge(&mut self, key: &Key, named: Option<usize>, now: Duration) {
        if !self.passes(named) {
            self.remove(key);
        } else if let Some(known) = self.servers.get_mut(key) {
            known.answered = now;
        }
    }

    /// A server has answered, at these addresses: it is taken in, or known for longer. `false` if there is no room for it.
    pub fn answered(&mut self, contact: &Contact, now: Duration) -> bool {
        let (key, peer) = (Key::of_peer(&contact.peer), CommonPeer::new(contact, now));
        if let Some(known) = self.servers.get_mut(&key) {
            if !known.is_head && known.is_said_as(&peer) {
                known.answered = now;
            } else if !known.is_head {
                **known = peer;
            }
            return true;
        }
        // What is beyond the bound goes when somebody has the time for it.
        if self.len() >= self.max_peers + self.max_peers.div_ceil(8) || self.is_crowded(&key, &contact.addrs)
        {
            return false;
        }
        self.visitors.forget(&key);
        self.servers.insert(key, Box::new(peer));
        true
    }

    /// A server does not answer, or is none any more.
    pub fn remove(&mut self, key: &Key) {
        if !self.heads.contains(key) {
            self.servers.remove(key);
        }
    }

    /// The servers that have not answered for longer than `grace`.
    pub fn overdue(&self, now: Duration, grace: Duration) -> Vec<Contact> {
        let is_overdue = |peer: &CommonPeer| !peer.is_head && now.saturating_sub(peer.answered) > grace;
        let overdue = self.servers.iter().filter(|(_, peer)| is_overdue(peer));
        overdue.filter_map(|(_, peer)| peer.contact()).collect()
    }

    /// Those of the servers that a head would have in a table of its own, with so many of each bucket, without the other heads: the
    /// closest to it first.
    pub fn view(&self, head: &Key, per_bucket: usize) -> Vec<Contact> {
        let seen = view::view(&self.servers, head, per_bucket).into_iter();
        seen.filter(|(_, peer)| !peer.is_head).filter_map(|(_, peer)| peer.contact()).collect()
    }

    /// How many peers a head would have in a table of its own, the other heads with them.
    pub fn table_size(&self, head: &Key) -> usize {
        view::table_size(&self.servers, head, self.rules.bucket_size)
    }

    /// Who goes because there are more servers than the bound: those first that no head would have in a table of its own, and of
    /// these the longest silent. Some more than need be, so that it is not asked with every one that comes. Takes time.
    pub fn surplus(&self) -> Vec<Key> {
        if self.len() <= self.max_peers {
            return Vec::new();
        }
        let views =
            self.heads.iter().flat_map(|head| view::view(&self.servers, head, self.rules.bucket_size));
        let needed: BTreeSet<&Key> = views.map(|(key, _)| key).collect();
        let servers = self.servers.iter().filter(|(_, peer)| !peer.is_head);
        let mut order: Vec<_> =
            servers.map(|(key, peer)| (needed.contains(key), peer.answered, *key)).collect();
        order.sort_unstable();
        let excess = order.len() - self.max_peers * 7 / 8;
        order.into_iter().take(excess).map(|(_, _, key)| key).collect()
    }

    /// Forgets these servers.
    pub fn forget(&mut self, keys: &[Key]) {
        let gone: BTreeSet<&Key> = keys.iter().filter(|key| !self.heads.contains(key)).collect();
        self.servers.retain(|key, _| !gone.contains(key));
    }

    /// Whether such an answer to a question for its own id lets a peer in: as in a table ([`RoutingTable::passes`](kad::table::RoutingTable::passes)).
    fn passes(&self, named: Option<usize>) -> bool {
        named.is_some_and(|count| count > 0 || self.len() < self.rules.bucket_size)
    }

    /// Whether there are too many peers of one of its groups of addresses around it.
    fn is_crowded(&self, key: &Key, addrs: &[Multiaddr]) -> bool {
        let Some(limits) = self.rules.groups else { return false };
        let own: BTreeSet<AddressGroup> = AddressGroup::of(addrs).into_iter().collect();
        let mut around: BTreeMap<AddressGroup, usize> = BTreeMap::new();
        for peer in self.servers.closest(key, self.rules.bucket_size, |_, peer| peer) {
            let groups = peer.contact().map(|contact| AddressGroup::of(&contact.addrs)).unwrap_or_default();
            for group in groups.into_iter().collect::<BTreeSet<_>>() {
                *around.entry(group).or_default() += 1;
            }
        }
        own.is_empty() || own.iter().any(|group| around.get(group).is_some_and(|&n| n >= limits.per_prefix))
    }
}
