//! The list of all peers that are known: a page of it, in an order and by what is searched for.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use kad::{PeerId, failure::FailureClass, network::Transport};
use schema::{NatClass, Timestamp};

use super::{KnownNode, NetworkView, NodeStanding};

kad::named! {
    /// By what a list is sorted. Whatever is not known of a peer comes last.
    pub enum NodeOrder {
        /// Who was seen last comes first.
        LastSeen = "last_seen",
        /// Who has stayed for longest; those that are gone come behind those that are up.
        Stay = "stay",
        /// Who is nearest.
        Rtt = "rtt",
        /// By what peers call their programs.
        Agent = "agent",
        /// By how they stand: up, gone, behind address translation, unreached.
        Standing = "standing",
        /// By their ids.
        Peer = "peer",
    }
}

impl NodeOrder {
    /// The next one, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeQuery<'a> {
    /// In which order.
    pub order: NodeOrder,
    /// Whether the other way round.
    pub is_reversed: bool,
    /// Only those whose id, program, standing or NAT class has this in it, in letters of either case; empty for all.
    pub search: &'a str,
    /// How many of those come before the first one that is wanted.
    pub skip: usize,
    /// How many are wanted.
    pub take: usize,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeList {
    /// How many there are in all of it.
    pub matching: usize,
    /// Those that were wanted.
    pub lines: Vec<NodeLine>,
}

/// What is known of one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLine {
    /// Who.
    pub peer: PeerId,
    /// How it stands.
    pub standing: NodeStanding,
    /// When it was last seen up; `None` if never.
    pub last_seen: Option<Timestamp>,
    /// How long its present or last stay was seen; `None` if there was none.
    pub stay: Option<Duration>,
    /// Why it is not reached though it may be up; `None` if it is reached, or down.
    pub nat: Option<NatClass>,
    /// Why the last look failed; `None` if it did not.
    pub failure: Option<FailureClass>,
    /// The last round trip that was measured.
    pub rtt: Option<Duration>,
    /// The transport of the last connection.
    pub transport: Option<Transport>,
    /// What it calls its program, as it said it: not to be shown as it is.
    pub agent: Option<Arc<str>>,
}

type Entry<'a> = (&'a PeerId, &'a KnownNode);

impl NetworkView {
    /// A part of the list of all peers that are known.
    pub fn list(&self, query: &NodeQuery<'_>) -> NodeList {
        let search = query.search.to_lowercase();
        let by_agent: Vec<bool> =
            self.agents.names().iter().map(|name| name.to_lowercase().contains(&search)).collect();
        let has_agent = |node: &KnownNode| {
            node.agent().and_then(|agent| by_agent.get(usize::from(agent)).copied()).unwrap_or(false)
        };
        let is_wanted = |(peer, node): &Entry<'_>| {
            search.is_empty() || has_agent(node) || is_named(node, &search) || is_called(peer, &search)
        };
        let mut entries: Vec<Entry<'_>> = self.nodes.iter().filter(is_wanted).collect();
        let matching = entries.len();
        let compare = |a: &Entry<'_>, b: &Entry<'_>| self.compare(query, *a, *b);
        // Nobody needs the order of those that are not shown.
        let end = query.skip.saturating_add(query.take);
        if end < matching {
            entries.select_nth_unstable_by(end, compare);
            entries.truncate(end);
        }
        entries.sort_unstable_by(compare);
        let lines = entries.into_iter().skip(query.skip).map(|entry| self.line(entry)).collect();
        NodeList { matching, lines }
    }

    /// What is not known comes last either way, and peers that are alike stand in the order of their ids.
    fn compare(&self, query: &NodeQuery<'_>, a: Entry<'_>, b: Entry<'_>) -> Ordering {
        let known = |is_known: fn(&KnownNode) -> bool| is_known(b.1).cmp(&is_known(a.1));
        let by_order = match query.order {
            NodeOrder::LastSeen => {
                (known(|node| node.last_seen().is_some()), b.1.last_seen().cmp(&a.1.last_seen()))
            }
            NodeOrder::Stay => (
                known(|node| node.standing() == NodeStanding::Up)
                    .then(known(|node| node.last_seen().is_some())),
                b.1.watched().cmp(&a.1.watched()),
            ),
            NodeOrder::Rtt => (known(|node| node.rtt().is_some()), a.1.rtt().cmp(&b.1.rtt())),
            NodeOrder::Agent => {
                let name = |entry: Entry<'_>| self.agents.names().get(usize::from(entry.1.agent()?));
                (known(|node| node.agent().is_some()), name(a).cmp(&name(b)))
            }
            NodeOrder::Standing => (Ordering::Equal, a.1.standing().cmp(&b.1.standing())),
            NodeOrder::Peer => (Ordering::Equal, Ordering::Equal),
        };
        let alike = a.0.cmp(b.0);
        let (unknown_last, by_value) = (by_order.0, by_order.1.then(alike));
        unknown_last.then(if query.is_reversed { by_value.reverse() } else { by_value })
    }

    fn line(&self, (peer, node): Entry<'_>) -> NodeLine {
        NodeLine {
            peer: *peer,
            standing: node.standing(),
            last_seen: node.last_seen(),
            stay: node.last_seen().map(|_| node.watched()),
            nat: node.nat(),
            failure: node.failure(),
            rtt: node.rtt(),
            transport: node.transport(),
            agent: self.agents.name(node.agent()),
        }
    }
}

/// Whether one of the closed names that are shown of a peer has the text in it.
fn is_named(node: &KnownNode, search: &str) -> bool {
    let names = [
        Some(node.standing().name()),
        node.nat().map(NatClass::name),
        node.failure().map(FailureClass::name),
        node.transport().map(Transport::name),
    ];
    names.into_iter().flatten().any(|name| name.contains(search))
}

/// Whether its id has the text in it.
fn is_called(peer: &PeerId, search: &str) -> bool {
    peer.to_base58().to_lowercase().contains(search)
}
