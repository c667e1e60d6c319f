//! What peers run and speak, and how they are reached.

use std::collections::HashMap;

use estimate::{Proportion, Quantile, Survival, Timed};
use kad::network::Transport;

use super::{AgentShare, MAX_GROUPS};
use crate::gathered::{Gathered, SeenPeer};

/// The most bytes of a name that is told.
const MAX_NAME: usize = 64;

/// The most protocols that are told.
const MAX_PROTOCOLS: usize = 20;

/// All that is rarer.
pub(super) const OTHERS: &str = "others";

/// What a peer calls its program, without a version: what stands before the first slash. `go-ipfs` is `kubo` under its former name.
pub(super) fn program(agent: &str) -> String {
    let name: String =
        agent.split('/').next().unwrap_or_default().trim().chars().filter(|c| !c.is_control()).collect();
    let fits = name.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= MAX_NAME).last();
    match name.get(..fits.unwrap_or(0)).unwrap_or_default() {
        "" => "unknown".to_owned(),
        "go-ipfs" => "kubo".to_owned(),
        name => name.to_owned(),
    }
}

/// The first two numbers of a version, after the first slash: `0.18` of `kubo/0.18.1/675f8bd`; `None` where there are none.
pub(super) fn minor(agent: &str) -> Option<[u32; 2]> {
    let mut numbers = agent.split('/').nth(1)?.split(['.', '-', '+']).map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
}

/// How many peers have each of these, the most frequent first; those of a name that come to the same count by their names.
pub(super) fn counted(names: impl Iterator<Item = String>) -> Vec<(String, u64)> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts
}

/// The most frequent, and all others together.
fn top(counts: Vec<(String, u64)>, most: usize, n: u64) -> Vec<AgentShare> {
    let rest: u64 = counts.iter().skip(most).map(|(_, count)| count).sum();
    let told = counts.into_iter().take(most).chain((rest > 0).then(|| (OTHERS.to_owned(), rest)));
    told.filter_map(|(name, count)| Some(AgentShare { name, share: Proportion::of(count, n)? })).collect()
}

/// Programs of peers that said theirs.
pub(super) fn shares(gathered: &Gathered) -> Vec<AgentShare> {
    let counts = counted(gathered.peers.iter().filter_map(|peer| gathered.agent(peer)).map(program));
    let n = counts.iter().map(|(_, count)| count).sum();
    top(counts, MAX_GROUPS, n)
}

/// The programs that are told apart, the most frequent first.
pub(super) fn groups(gathered: &Gathered) -> Vec<String> {
    let counts = counted(gathered.peers.iter().filter_map(|peer| gathered.agent(peer)).map(program));
    counts.into_iter().take(MAX_GROUPS).map(|(name, _)| name).collect()
}

/// What peers speak. A peer speaks several, so these do not add up, and there are no others.
pub(super) fn protocols(gathered: &Gathered) -> Vec<AgentShare> {
    let mut sets: HashMap<u32, u64> = HashMap::new();
    for set in gathered.peers.iter().filter_map(|peer| peer.protocols) {
        *sets.entry(set).or_default() += 1;
    }
    let n = sets.values().sum();
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for (set, peers) in &sets {
        for protocol in gathered.protocols.get(*set as usize).into_iter().flatten() {
            *counts.entry(protocol).or_default() += peers;
        }
    }
    let mut counts: Vec<(String, u64)> =
        counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts.truncate(MAX_PROTOCOLS);
    top(counts, MAX_PROTOCOLS, n)
}

/// By which transports peers were connected to; one may be by several.
pub(super) fn transports(gathered: &Gathered) -> Vec<AgentShare> {
    let n = gathered.peers.iter().filter(|peer| peer.transports != 0).count() as u64;
    let of = |(at, transport): (usize, &Transport)| {
        let count = gathered.peers.iter().filter(|peer| peer.transports >> at & 1 == 1).count() as u64;
        let share = Proportion::of(count, n).filter(|_| count > 0)?;
        Some(AgentShare { name: transport.name().to_owned(), share })
    };
    Transport::ALL.iter().enumerate().filter_map(of).collect()
}

/// By which version of IP peers were connected to; one may be by both.
pub(super) fn ip_versions(gathered: &Gathered) -> Vec<AgentShare> {
    let is_known = |peer: &&SeenPeer| peer.ip_versions.contains(&true);
    let n = gathered.peers.iter().filter(is_known).count() as u64;
    let of = |(at, name): (usize, &&str)| {
        let count =
            gathered.peers.iter().filter(|peer| peer.ip_versions.get(at) == Some(&true)).count() as u64;
        Some(AgentShare { name: (*name).to_owned(), share: Proportion::of(count, n)? })
    };
    ["IPv4", "IPv6"].iter().enumerate().filter_map(of).collect()
}

/// Quantiles of the shortest round trip to each peer.
pub(super) fn rtt_ms(gathered: &Gathered) -> Vec<Quantile> {
    let times = gathered.peers.iter().filter_map(|peer| peer.rtt_us);
    let times = Survival::of(times.map(|us| Timed { after: us as f64 / 1e3, is_censored: false }));
    times.map_or_else(
        |_| Vec::new(),
        |times| [0.1, 0.25, 0.5, 0.75, 0.9].map(|share| times.quantile(share)).into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_versions_are_read_as_they_are_written() {
        for (agent, name, version) in [
            ("kubo/0.18.1/675f8bd/docker", "kubo", Some([0, 18])),
            ("go-ipfs/0.8.0/48f94e2", "kubo", Some([0, 8])),
            ("kubo/0.40.0-rc1/", "kubo", Some([0, 40])),
            ("storm", "storm", None),
            ("ioi/main", "ioi", None),
            ("", "unknown", None),
            ("rust\u{7}-libp2p/0.44.1", "rust-libp2p", Some([0, 44])),
            ("a/99999999999.1", "a", None),
        ] {
            assert_eq!((&*program(agent), minor(agent)), (name, version), "{agent}");
        }
        assert_eq!(program(&"ü".repeat(100)).len(), MAX_NAME);
    }
}
