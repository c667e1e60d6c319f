//! What a crawl came to, as numbers: the JSON that is printed and kept.

use std::{collections::BTreeMap, ops::AddAssign};

use estimate::Completeness;
use kad::network::Traffic;
use schema::{RunId, RunState, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{strategy::CrawlStrategyName, walked::WalkSummary};

/// How often each name was counted.
pub type Counts = BTreeMap<String, u64>;

/// The numbers of one crawl. Counts of peers add up: `discovered = reachable + turned_away + unreachable + unvisited`,
/// `unreachable` is the sum of `errors`, and `turned_away` that of the evidence for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The crawl's name in its store.
    pub crawl_id: RunId,
    /// The network's name.
    pub network: String,
    /// How it ended; `interrupted` if rows were lost on the way to the store, where it then has no end either.
    pub state: RunState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How long it took, in seconds.
    pub duration_s: f64,
    /// The seed of the order of visits.
    pub seed: u64,
    /// How peers were found.
    #[serde(default)]
    pub strategy: CrawlStrategyName,
    /// What walks came to; `None` if none were made.
    #[serde(default)]
    pub walk: Option<WalkSummary>,
    /// Peers, each counted once.
    pub peers: PeerCounts,
    /// Visits, of which a peer can have several.
    pub visits: VisitCounts,
    /// Who knows whom: the distinct peers in the answers of each peer, itself left out, summed over all peers.
    pub edges: u64,
    /// FIND_NODE requests.
    pub requests: RequestCounts,
    /// Unreachable peers by what their last visit met.
    pub errors: Counts,
    /// Peers that turned us away by what their last visit met: the evidence that somebody is there.
    pub turned_away: Counts,
    /// Unreachable peers that are not called down, since address translation or a firewall speaks for itself, by
    /// class: `relayed_only`, `private_only`, `not_from_here`. They are in `errors` too.
    pub nat: Counts,
    /// Requests that failed at reachable peers, by class.
    pub request_errors: Counts,
    /// Reachable peers that did not answer everything, by the class of what went wrong first.
    pub crawl_errors: Counts,
    /// Reachable peers whose routing table may be longer than what was read of it.
    pub longer_tables: u64,
    /// Reachable peers that did not identify themselves, or with whose identity something was wrong beside, by class. The
    /// latter are in `agents` too.
    pub identify_errors: Counts,
    /// Addresses in all visits by their outcome: `connected`, `not_tried`, `abandoned`, the class of a failure, or
    /// `skipped_` and the reason.
    pub addresses: Counts,
    /// Reachable peers by agent version; the empty name stands for those that gave none.
    pub agents: Counts,
    /// Reachable peers by protocol; a peer speaks many.
    pub protocols: Counts,
    /// Connections by transport.
    pub transports: Counts,
    /// Connections by what secured them.
    pub security: Counts,
    /// Connections over secure WebSocket by what is known of the server's certificate.
    pub certificates: Counts,
    /// Connections by version of IP: `ip4`, `ip6`.
    pub ip_versions: Counts,
    /// Round trips as the connections' handshakes showed them, in milliseconds; `None` if none was seen.
    pub rtt_ms: Option<Quantiles>,
    /// Bytes on the wire above the transport.
    pub bytes: ByteCounts,
    /// How complete the crawl is.
    pub completeness: Completeness,
    /// What peers said and is not in the numbers above, by the bound that it was beyond.
    pub left_out: LeftOut,
    /// Entries of opt-out lists that were in force: peers and ranges of addresses, each counted once.
    pub opt_out_entries: u64,
    /// Visits that are in the store: all of them, unless rows were lost. `None` if nothing was to be kept. Filled in by
    /// who keeps them.
    pub kept_visits: Option<u64>,
    /// CPU time of this process during the crawl, in seconds; filled in by who can ask the system.
    pub cpu_s: Option<f64>,
    /// The most memory that this process had, in bytes; likewise.
    pub peak_rss_bytes: Option<u64>,
}

/// Peers, each counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerCounts {
    /// Heard of.
    pub discovered: u64,
    /// A connection stood: the peer proved its identity.
    pub reachable: u64,
    /// Reachable, and answered at least one request.
    pub crawled: u64,
    /// Not reached, and not down: somebody is there and turned us away whenever we asked, as peers do that are at their
    /// limits.
    pub turned_away: u64,
    /// No connection came about.
    pub unreachable: u64,
    /// Not visited: the run ended before their turn.
    pub unvisited: u64,
}

/// Visits by their kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitCounts {
    /// The first one of each peer.
    pub first: u64,
    /// Repeated because of addresses that no visit had tried.
    pub new_addresses: u64,
    /// Second chances.
    pub second_pass: u64,
    /// Repeated once more, since the peer turned us away.
    pub turned_away: u64,
    /// Peers that a repeated visit reached.
    pub recovered: u64,
}

/// FIND_NODE requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCounts {
    /// Sent, on a stream that the peer had agreed to.
    pub sent: u64,
    /// How many of them were for parts of buckets that may hold more than one answer names.
    pub further: u64,
    /// Not sent, since earlier answers proved that they would bring nothing new.
    pub saved: u64,
    /// Sent, and not answered.
    pub failed: u64,
}

/// Bytes on the wire above the transport.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteCounts {
    /// Sent.
    pub sent: u64,
    /// Received.
    pub received: u64,
    /// How many of those sent were of attempts over TCP or WebSocket that became no connection, which no row has. Those
    /// over QUIC are not known, and in no number.
    pub lost_sent: u64,
    /// Likewise of those received.
    pub lost_received: u64,
}

/// What peers said and is not in the counts, a number for each kind of bound that it was beyond.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Mentions of peers never heard of, after as many were known as `--max-peers` allows.
    pub over_max_peers: u64,
    /// Entries beyond what is kept of one visit.
    pub over_visit_size: u64,
    /// Peers beyond those that are taken from one answer.
    pub peers_in_answer: u64,
    /// Mentions of ids that no key can have.
    pub malformed_ids: u64,
    /// Addresses beyond those that are taken from one entry, and mentions of those beyond what is kept of one peer.
    pub addresses_of_peer: u64,
    /// Addresses that are too long, in answers and in identify.
    pub long_addresses: u64,
    /// Addresses that do not decode and have no row, since too much of that kind is kept.
    pub malformed_addresses: u64,
    /// Protocols beyond those that are kept of one peer.
    pub protocols: u64,
    /// Listen addresses beyond those that are kept of one peer.
    pub listen_addrs: u64,
    /// Agent versions and names of protocols that were cut.
    pub long_texts: u64,
    /// Entries of names (`/dnsaddr`, `/dns`) beyond those that are looked at or followed.
    pub dns_entries: u64,
    /// Mentions of peers that asked not to be measured.
    pub opted_out: u64,
    /// How many peers these are.
    pub opted_out_peers: u64,
}

impl ByteCounts {
    /// These of connections, and those of attempts that became none.
    #[must_use]
    pub const fn with_lost(self, lost: Traffic) -> Self {
        let Traffic { sent_bytes, received_bytes } = lost;
        Self {
            sent: self.sent + sent_bytes,
            received: self.received + received_bytes,
            lost_sent: self.lost_sent + sent_bytes,
            lost_received: self.lost_received + received_bytes,
        }
    }
}

impl From<Traffic> for ByteCounts {
    fn from(Traffic { sent_bytes, received_bytes }: Traffic) -> Self {
        Self { sent: sent_bytes, received: received_bytes, ..Self::default() }
    }
}

impl LeftOut {
    /// Every kind with its number, in the order of the fields.
    pub const fn kinds(&self) -> [(&'static str, u64); 13] {
        [
            ("over_max_peers", self.over_max_peers),
            ("over_visit_size", self.over_visit_size),
            ("peers_in_answer", self.peers_in_answer),
            ("malformed_ids", self.malformed_ids),
            ("addresses_of_peer", self.addresses_of_peer),
            ("long_addresses", self.long_addresses),
            ("malformed_addresses", self.malformed_addresses),
            ("protocols", self.protocols),
            ("listen_addrs", self.listen_addrs),
            ("long_texts", self.long_texts),
            ("dns_entries", self.dns_entries),
            ("opted_out", self.opted_out),
            ("opted_out_peers", self.opted_out_peers),
        ]
    }
}

impl AddAssign for LeftOut {
    fn add_assign(&mut self, other: Self) {
        self.over_max_peers += other.over_max_peers;
        self.over_visit_size += other.over_visit_size;
        self.peers_in_answer += other.peers_in_answer;
        self.malformed_ids += other.malformed_ids;
        self.addresses_of_peer += other.addresses_of_peer;
        self.long_addresses += other.long_addresses;
        self.malformed_addresses += other.malformed_addresses;
        self.protocols += other.protocols;
        self.listen_addrs += other.listen_addrs;
        self.long_texts += other.long_texts;
        self.dns_entries += other.dns_entries;
        self.opted_out += other.opted_out;
        self.opted_out_peers += other.opted_out_peers;
    }
}

/// Quantiles of a distribution, by the nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// 90 % are no greater.
    pub p90: f64,
    /// 99 % are no greater.
    pub p99: f64,
    /// How many values there are.
    pub n: u64,
}

impl VisitCounts {
    /// All visits.
    pub const fn all(&self) -> u64 {
        self.first + self.new_addresses + self.second_pass + self.turned_away
    }
}

impl Quantiles {
    /// The quantiles of times in microseconds, in milliseconds; `None` without values.
    pub(crate) fn of_micros(mut micros: Vec<u32>) -> Option<Self> {
        micros.sort_unstable();
        let at = |percent: usize| {
            let rank = (micros.len() * percent).div_ceil(100);
            micros.get(rank.saturating_sub(1)).map(|&us| f64::from(us) / 1000.0)
        };
        Some(Self { p50: at(50)?, p90: at(90)?, p99: at(99)?, n: micros.len() as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let quantiles = Quantiles::of_micros((1..=100).rev().map(|n| n * 1000).collect());
        assert_eq!(quantiles, Some(Quantiles { p50: 50.0, p90: 90.0, p99: 99.0, n: 100 }));
        assert_eq!(Quantiles::of_micros(vec![7]).map(|q| (q.p50, q.p99)), Some((0.007, 0.007)));
        assert_eq!(Quantiles::of_micros(Vec::new()), None);
    }
}
