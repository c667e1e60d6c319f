//! Who is left out of a study, and how far: by what its program is called, or by its id.
//!
//! *At the result* somebody takes part in every walk, and is left out of what the walk found: the closest peers, and those that are given
//! a record. *At the query* it is never asked anything, as if it were not there, and so whom it alone knows is not found either. At neither
//! is it given a record. They are kept with the plan, so that whoever resumes a study leaves out the same.

use std::{collections::BTreeSet, sync::Arc};

use kad::{
    Key, PeerId,
    lookup::{RpcFate, Trace},
};

use schema::Strategy;
use serde::{Deserialize, Serialize};

use crate::AgentBook;

kad::named! {
    /// How far somebody is left out.
    #[derive(Default)]
    pub enum FilterLevel: serde {
        /// Walks ask it; it is none of the closest, and is given no record.
        #[default]
        Result = "result",
        /// It is never asked, as if it were not there.
        Query = "query",
    }
}

/// Who is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filters {
    /// Whoever calls its program by a name with one of these texts in it; capitals and small letters are told apart. An empty text is in
    /// no name.
    pub agents: Vec<String>,
    /// These peers.
    #[serde(with = "peer_ids")]
    pub peers: BTreeSet<PeerId>,
    /// How far.
    pub level: FilterLevel,
}

impl Filters {
    /// Whether nobody is left out.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.peers.is_empty()
    }

    /// Whether a peer is left out, as far as is known what its program is called.
    pub fn leaves_out(&self, peer: &PeerId, book: &AgentBook) -> bool {
        self.peers.contains(peer)
            || (!self.agents.is_empty() && book.of(peer).is_some_and(|agent| self.names(&agent)))
    }

    /// How many closest peers a walk is to ask, so that there are `k` without those who are left out of its result, as far as it hears of so
    /// many: twice as many, where somebody may be left out.
    pub fn wanted(&self, k: usize) -> usize {
        match self.level {
            FilterLevel::Result if !self.is_empty() => 2 * k,
            FilterLevel::Result | FilterLevel::Query => k,
        }
    }

    /// Everybody who is never asked, as far as is known what their programs are called: nobody, unless it is at the query.
    pub fn unasked(&self, book: &AgentBook) -> BTreeSet<PeerId> {
        match self.level {
            FilterLevel::Result => BTreeSet::new(),
            FilterLevel::Query => self.left_out(book),
        }
    }

    /// Who is not asked and who is given no record when a record is published so. Gifts of `optprov` leave while its lookup goes on, and a
    /// sweep gives to all whom it found: there who is left out is not asked, whatever the level.
    pub(crate) fn of_publications(&self, strategy: Strategy, book: &AgentBook) -> Filtered {
        let asks_all = !matches!(strategy, Strategy::OptProv | Strategy::Sweep);
        match self.level {
            FilterLevel::Result if asks_all => {
                Filtered { unasked: BTreeSet::new(), withheld: self.left_out(book) }
            }
            FilterLevel::Result | FilterLevel::Query => {
                Filtered { unasked: self.left_out(book), withheld: BTreeSet::new() }
            }
        }
    }

    /// Everybody who is left out, as far as is known what their programs are called.
    fn left_out(&self, book: &AgentBook) -> BTreeSet<PeerId> {
        if self.agents.is_empty() {
            return self.peers.clone();
        }
        let by_agent = book.those(|agent| self.names(agent));
        self.peers.iter().copied().chain(by_agent).collect()
    }

    /// The `k` closest to the key of a walk that answered in it and are not left out, the closest first: whoever is left out makes room for
    /// the next one, as far as the walk asked it. Nobody is among them who is dead.
    pub fn closest(&self, trace: &Trace, k: usize, book: &AgentBook) -> Vec<PeerId> {
        let key = Key::of(&trace.preimage);
        let answered = trace.rpcs.iter().filter(|rpc| rpc.fate == RpcFate::Answered);
        let answered: BTreeSet<u32> = answered.map(|rpc| rpc.peer).collect();
        let mut answered: Vec<_> = answered
            .into_iter()
            .filter_map(|number| trace.peer(number))
            .map(|peer| (Key::of(&peer.to_bytes()).distance(&key), peer))
            .collect();
        answered.sort_unstable();
        let kept = answered.into_iter().map(|(_, peer)| peer).filter(|peer| !self.leaves_out(peer, book));
        kept.take(k).collect()
    }

    fn names(&self, agent: &str) -> bool {
        self.agents.iter().any(|text| !text.is_empty() && agent.contains(text.as_str()))
    }
}

/// Who is left out of publications.
pub(crate) struct Filtered {
    /// Who is not asked, and so given nothing.
    pub(crate) unasked: BTreeSet<PeerId>,
    /// Who is asked, and given nothing.
    pub(crate) withheld: BTreeSet<PeerId>,
}

/// Peers as their ids are written.
mod peer_ids {
    use std::collections::BTreeSet;

    use kad::PeerId;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(peers: &BTreeSet<PeerId>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(peers.iter().map(PeerId::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<PeerId>, D::Error> {
        let written = Vec::<String>::deserialize(from)?;
        written.iter().map(|text| kad::parse::peer_id(text).map_err(D::Error::custom)).collect()
    }
}

/// The ids of peers as a walk leaves them out.
pub(crate) fn ids<'a>(peers: impl IntoIterator<Item = &'a PeerId>) -> Arc<BTreeSet<Vec<u8>>> {
    Arc::new(peers.into_iter().map(|peer| peer.to_bytes()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_a_part_of_their_name_as_it_is_written() {
        let book = AgentBook::default();
        let [hydra, kubo, silent, listed] = std::array::from_fn(|_| PeerId::random());
        book.note(hydra, "hydra-booster/0.7.4");
        book.note(kubo, "kubo/0.18.0");
        let peers = BTreeSet::from([listed]);
        let at = |agents: &[&str], level| Filters {
            agents: agents.iter().map(|&text| text.to_owned()).collect(),
            peers: peers.clone(),
            level,
        };
        let left_out =
            |filters: &Filters| [hydra, kubo, silent, listed].map(|peer| filters.leaves_out(&peer, &book));
        let filters = at(&["hydra-booster"], FilterLevel::Query);
        assert_eq!(left_out(&filters), [true, false, false, true]);
        assert_eq!(filters.unasked(&book), BTreeSet::from([hydra, listed]));
        assert_eq!(left_out(&at(&["Hydra"], FilterLevel::Query)), [false, false, false, true]);
        assert_eq!(
            left_out(&at(&[""], FilterLevel::Query)),
            [false, false, false, true],
            "nothing is in every name"
        );
        let filters = at(&["hydra-booster"], FilterLevel::Result);
        assert_eq!((left_out(&filters)[0], filters.unasked(&book)), (true, BTreeSet::new()));
    }
}
