//! Numbers of peers and programs within a study, whatever they are in each of its runs.

use std::{collections::HashMap, sync::Arc};

use kad::{Address, PeerId};
use schema::PeerNumber;
use store::{RunInfo, Store};

use crate::study::{StudyAgent, StudyPeer, read::StudyError};

/// Everybody whom the runs of a study heard of.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Of each run, by their numbers in it.
    runs: Vec<Vec<StudyPeer>>,
    by_peer: HashMap<PeerId, StudyPeer>,
    agents: Vec<Arc<str>>,
    by_agent: HashMap<Arc<str>, StudyAgent>,
    /// The addresses that peers had last, so that those of one peer are in memory once.
    addresses: HashMap<StudyPeer, Arc<[Address]>>,
}

impl Numbers {
    /// Of these runs, with who they are.
    pub(super) fn of(store: &Store, runs: &[RunInfo]) -> Result<(Self, Vec<PeerId>), StudyError> {
        Self::beside(store, runs, Vec::new())
    }

    /// The same, where some have their numbers already.
    pub(super) fn beside(
        store: &Store,
        runs: &[RunInfo],
        mut peers: Vec<PeerId>,
    ) -> Result<(Self, Vec<PeerId>), StudyError> {
        let mut numbers = Self::default();
        let mut known: HashMap<PeerId, StudyPeer> = peers.iter().copied().zip((0..).map(StudyPeer)).collect();
        for run in runs {
            let heard = store.peers(run.start.id)?;
            let of_run = heard.iter().map(|(_, peer)| {
                *known.entry(peer).or_insert_with(|| {
                    peers.push(peer);
                    StudyPeer(u32::try_from(peers.len() - 1).unwrap_or(u32::MAX))
                })
            });
            numbers.runs.push(of_run.collect());
        }
        numbers.by_peer = known;
        Ok((numbers, peers))
    }

    /// A peer by its number in a run; `None` if the run never heard of it, which no store takes.
    pub(super) fn peer(&self, run: usize, number: PeerNumber) -> Option<StudyPeer> {
        // Numbers are given from 0 without gaps.
        self.runs.get(run)?.get(usize::try_from(number.0).ok()?).copied()
    }

    /// The number of somebody; `None` if no run heard of it.
    pub(super) fn known(&self, peer: &PeerId) -> Option<StudyPeer> {
        self.by_peer.get(peer).copied()
    }

    /// The number of a program; `None` where there are too many.
    pub(super) fn agent(&mut self, agent: &str) -> Option<StudyAgent> {
        if let Some(known) = self.by_agent.get(agent) {
            return Some(*known);
        }
        let number = u16::try_from(self.agents.len()).ok().filter(|&number| number < u16::MAX)?;
        let name: Arc<str> = agent.into();
        self.agents.push(Arc::clone(&name));
        self.by_agent.insert(name, StudyAgent(number));
        Some(StudyAgent(number))
    }

    /// The name of a program as it is kept.
    pub(super) fn agent_name(&mut self, agent: &str) -> Arc<str> {
        let number = self.agent(agent);
        let known = number.and_then(|number| self.agents.get(usize::from(number.0)));
        known.map_or_else(|| agent.into(), Arc::clone)
    }

    /// The addresses of a peer: the same list as the last time if they are the same.
    pub(super) fn addresses(&mut self, peer: StudyPeer, addresses: Vec<Address>) -> Arc<[Address]> {
        match self.addresses.get(&peer) {
            Some(known) if **known == *addresses => Arc::clone(known),
            _ => {
                let kept: Arc<[Address]> = addresses.into();
                self.addresses.insert(peer, Arc::clone(&kept));
                kept
            }
        }
    }

    pub(super) fn into_agents(self) -> Vec<Arc<str>> {
        self.agents
    }
}
