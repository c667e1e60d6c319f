//! IP addresses with many ids, and peers that changed their program.

use estimate::Proportion;
use kad::Address;
use multiaddr::{Multiaddr, Protocol};
use schema::Veil;

use super::{
    RotatingIp, UpdatingNumbers,
    agents::{counted, program},
};
use crate::gathered::{Gathered, SeenPeer};

/// How many addresses are told.
const MAX_TOLD: usize = 10;

/// How many programs of each.
const MAX_AGENTS: usize = 3;

/// The addresses with most ids; those with a single one are not told.
pub(super) fn rotating(gathered: &Gathered, veil: &Veil) -> Vec<RotatingIp> {
    let mut most: Vec<_> = gathered.ips.iter().filter(|(_, peers)| peers.len() > 1).collect();
    most.sort_by(|one, other| other.1.len().cmp(&one.1.len()).then(one.0.cmp(&other.0)));
    let told = most.into_iter().take(MAX_TOLD);
    told.map(|(ip, peers)| {
        let there = peers.iter().filter_map(|at| gathered.peers.get(*at as usize));
        let agents = counted(there.filter_map(|peer| gathered.agent(peer)).map(program));
        let ip = Multiaddr::empty().with(Protocol::from(*ip));
        RotatingIp {
            ip: veil.address(&Address::from(ip)),
            peers: peers.len() as u64,
            agents: agents.into_iter().take(MAX_AGENTS).map(|(name, _)| name).collect(),
        }
    })
    .collect()
}

impl UpdatingNumbers {
    pub(super) fn of(gathered: &Gathered) -> Self {
        let known = || gathered.peers.iter().filter(|peer| peer.agent.is_some());
        let changed = |peer: &&SeenPeer| peer.agent_changes > 0;
        Self {
            peers: Proportion::of(known().filter(changed).count() as u64, known().count() as u64),
            changes: known().map(|peer| u64::from(peer.agent_changes)).sum(),
            most: known().map(|peer| peer.agent_changes).max().unwrap_or_default(),
        }
    }
}
