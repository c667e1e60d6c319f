//! What a holder of a provider record would give out of it at a time, and where it is then: read off the scenario and the
//! history, for whoever judges an observer of holders.

use std::time::Duration;

use super::{Truth, expected};
use crate::{
    life::{History, HostPlace, Moment, Stay},
    scenario::holder::AddressesSince,
    state::State,
};

/// What befell a record, as who published it knows. Times are counted from any moment that they have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTold {
    /// When the holder was last given it: or, where holders have one store, when any of them was.
    pub announced: Duration,
    /// When the provider last asked the holder anything.
    pub asked: Duration,
    /// When the provider hung up on the holder; `None` as long as it has a connection on which it has asked something.
    pub hung_up: Option<Duration>,
}

kad::named! {
    /// What a holder that answers gives out of a record.
    pub enum HolderGives {
        /// It has no such record.
        Nothing = "nothing",
        /// The id of the provider alone.
        IdOnly = "id_only",
        /// Its addresses as well.
        WithAddresses = "with_addresses",
    }
}

kad::named! {
    /// Where a peer is, as who dials the address finds at which it once was, and others.
    pub enum HolderPlace {
        /// Where it was.
        Same = "same",
        /// At another address.
        Moved = "moved",
        /// Nowhere, and nobody is where it was.
        Gone = "gone",
        /// Another peer is where it was, and it is nowhere.
        OtherId = "other_id",
    }
}

impl Truth {
    /// What a peer gives out at a time of a record that befell this; `None` if it answers nobody truthfully. Whether it is there
    /// at all, is [`places`](Self::places).
    pub fn given(&self, peer: u32, told: &RecordTold, at: Duration) -> Option<HolderGives> {
        if !self.world.state(peer).is_honest_server() {
            return None;
        }
        let age = |since: Duration| at.saturating_sub(since);
        let Some(holder) = self.world.holder(peer) else {
            return Some(match age(told.announced) {
                age if age > kad::records::PROVIDE_VALIDITY => HolderGives::Nothing,
                age if age > kad::records::PROVIDER_ADDRESS_LIFETIME => HolderGives::IdOnly,
                _ => HolderGives::WithAddresses,
            });
        };
        if holder.swallows || age(told.announced).as_secs_f64() > holder.keep_s {
            return Some(HolderGives::Nothing);
        }
        let since = match holder.addresses_since {
            AddressesSince::Announced => told.announced,
            AddressesSince::Seen => told.announced.max(told.asked),
            AddressesSince::HungUp => told.hung_up.map_or(at, |hung_up| told.announced.max(hung_up)),
        };
        let is_located = holder.addresses_s > 0.0 && age(since).as_secs_f64() <= holder.addresses_s;
        Some(if is_located { HolderGives::WithAddresses } else { HolderGives::IdOnly })
    }

    /// Where a peer is in an interval, its ends included, beside where it was at an earlier moment: each place at which it is at some
    /// moment of it, in the order of [`HolderPlace`]. Without a history everyone is as their state says.
    pub fn places(
        &self,
        history: Option<&History>,
        peer: u32,
        (was, from, to): (Moment, Moment, Moment),
    ) -> Vec<HolderPlace> {
        let state = self.world.state(peer);
        if !expected(state, self.world.carrier(peer)).reachable {
            let other = state == State::WrongPeerId;
            return vec![if other { HolderPlace::OtherId } else { HolderPlace::Gone }];
        }
        let lived = history.and_then(|history| Some((history, history.sessions(peer, from, to)?)));
        let Some((history, sessions)) = lived else { return vec![HolderPlace::Same] };
        let first = history.presence(peer, was).map_or(HostPlace(0), |presence| presence.last.place);
        let mut places: Vec<HolderPlace> = sessions
            .iter()
            .map(|stay| if stay.place == first { HolderPlace::Same } else { HolderPlace::Moved })
            .collect();
        let siblings = self.world.siblings(peer).unwrap_or_default().iter();
        let others: Vec<Stay> = siblings
            .filter(|&&sibling| sibling != peer)
            .flat_map(|&sibling| history.sessions(sibling, from, to).unwrap_or_default())
            .filter(|stay| stay.place == first)
            .copied()
            .collect();
        if !others.is_empty() {
            places.push(HolderPlace::OtherId);
        }
        let is_other_throughout = others.iter().any(|stay| stay.from <= from && to < stay.to);
        if !history.was_up_throughout(peer, from, to) && !is_other_throughout {
            places.push(HolderPlace::Gone);
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

#[cfg(test)]
mod tests;
