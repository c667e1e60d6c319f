//! What one round saw of one holder: where it is, and what it says of the record.
//!
//! What is to be made of dials and answers is decided in `rules`, without IO; `looking` dials and asks.

pub(crate) mod looking;
mod rules;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use kad::{
    Contact, Multiaddr, PeerId,
    failure::{Failure, FailureClass},
    network::{AddressOutcome, Transport},
};
use schema::{HolderAnswer, Whereabouts};

pub use self::{
    looking::SightTerms,
    rules::{WhereSeen, answer_of_failure, whereabouts},
};

/// A holder of a key, as it was known when it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHolder {
    /// Who it is.
    pub peer: PeerId,
    /// The addresses under which it was known then: it is looked for there as long as the study lasts.
    pub addresses: Arc<[Multiaddr]>,
    /// What it called its program; `None` if nobody was told.
    pub agent: Option<Arc<str>>,
}

/// What one round saw of one holder.
#[derive(Debug, Clone, PartialEq)]
pub struct HolderSight {
    /// Who it is.
    pub peer: PeerId,
    /// When it was to be looked at, from the beginning of the key's publication.
    pub planned_after: Duration,
    /// When it was, likewise.
    pub after: Duration,
    /// Where it is, beside where it was.
    pub whereabouts: Whereabouts,
    /// The dial at its first addresses; `None` if there was none.
    pub first: Option<HolderDial>,
    /// The dial at its current ones; `None` if there was none: it has no others than the first, as far as anybody says.
    pub current: Option<HolderDial>,
    /// Where it is now, as others say, beside its first addresses.
    pub current_addresses: Vec<Multiaddr>,
    /// The transport of the connection over which it was asked; `None` without one.
    pub transport: Option<Transport>,
    /// The shortest round trip of it; `None` if none was seen.
    pub round_trip: Option<Duration>,
    /// What it calls its program; `None` if it did not say now.
    pub agent: Option<Arc<str>>,
    /// What it said of the record.
    pub said: HolderSaid,
    /// How often it was dialled.
    pub attempts: u8,
}

/// What a holder said of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct HolderSaid {
    /// What, in a word.
    pub answer: HolderAnswer,
    /// Why it did not answer; `None` if it did, and if there was no connection: then a dial says why.
    pub error: Option<Failure>,
    /// How long it was waited for; `None` if it was not asked.
    pub took: Option<Duration>,
    /// How many addresses of the key's provider it gave.
    pub provider_addresses: u16,
    /// How many others it named as providers.
    pub other_providers: u16,
    /// How many closer peers it named.
    pub closer: u16,
    /// Who provides the key by its answer, and by how many addresses each; as many as are taken of one answer.
    pub providers: Vec<NamedProvider>,
}

/// A provider in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedProvider {
    /// Who.
    pub peer: PeerId,
    /// How many addresses came with it.
    pub addresses: u16,
}

/// A dial of a holder at some of its addresses.
#[derive(Debug, Clone, PartialEq)]
pub struct HolderDial {
    /// The addresses, and what came of each the last time that it was dialled.
    pub attempts: Vec<(Multiaddr, AddressOutcome)>,
    /// Where it was reached; `None` if it was not.
    pub connected: Option<ReachedAt>,
    /// Why it was not reached; `None` if it was.
    pub failure: Option<Failure>,
    /// How long the last dial took. A connection is never there before: this is what a dial takes.
    pub took: Duration,
    /// How often it was dialled.
    pub times: u8,
}

/// Where a holder was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedAt {
    /// Its address.
    pub address: Multiaddr,
    /// The socket: where a name led to, if the address has one.
    pub socket: SocketAddr,
    /// The transport.
    pub transport: Transport,
}

impl KnownHolder {
    /// As it may be dialled.
    pub fn contact(&self) -> Contact {
        Contact { peer: self.peer, addrs: self.addresses.to_vec() }
    }
}

impl HolderSaid {
    /// Nothing, for this reason.
    pub(crate) const fn nothing(answer: HolderAnswer) -> Self {
        Self {
            answer,
            error: None,
            took: None,
            provider_addresses: 0,
            other_providers: 0,
            closer: 0,
            providers: Vec::new(),
        }
    }
}

impl HolderDial {
    /// Whether it says something of the holder: not that we gave up, could not dial, or had nothing to dial.
    pub fn tells(&self) -> bool {
        !self.failure.as_ref().is_some_and(|failure| {
            matches!(
                failure.class,
                FailureClass::Cancelled
                    | FailureClass::NoAddress
                    | FailureClass::LocalResources
                    | FailureClass::AddressNotAvailable
                    | FailureClass::PermissionDenied
            )
        })
    }
}
