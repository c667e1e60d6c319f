//! What an observer says of a peer's identity and addresses, beside what is true.

use multiaddr::Multiaddr;

use super::Truth;
use crate::{
    address,
    state::{Stage, State},
    world::World,
};

/// What an observer knows of a peer beside its reachability.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Its agent version; `None` if it did not identify itself.
    pub agent: Option<String>,
    /// Its protocols, in any order.
    pub protocols: Vec<String>,
    /// Every address that the observer knows of it.
    pub addresses: Vec<Multiaddr>,
}

/// What is wrong with what was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Doubts {
    pub(super) identity: bool,
    pub(super) addresses: bool,
}

/// Compares what was said of a peer with what is true.
pub(super) fn doubts(truth: &Truth, number: u32, reached: bool, said: &Said) -> Doubts {
    let world = &truth.world;
    Doubts {
        identity: !is_identity(world, number, reached, said),
        addresses: !are_addresses(truth, number, said),
    }
}

/// Peers that answer identify are known by what they answer; others by nothing.
fn is_identity(world: &World, number: u32, reached: bool, said: &Said) -> bool {
    let says_it = reached
        && !matches!(
            world.state(number),
            State::Silent(_) | State::Reset(Stage::Multiplex | Stage::Stream) | State::WrongPeerId
        );
    let Some(agent) = &said.agent else { return !says_it };
    let mut protocols: Vec<&str> = said.protocols.iter().map(String::as_str).collect();
    let mut own = world.protocols(number);
    protocols.sort_unstable();
    own.sort_unstable();
    agent == world.agent(number) && protocols == own
}

/// No address is made up, and none is missing that an honest peer announces. Of a crowd some are enough, and a name of
/// the world stands for all.
fn are_addresses(truth: &Truth, number: u32, said: &Said) -> bool {
    let (current, former) = (truth.world.addresses(number), truth.world.former_addresses(number));
    let is_known = |address: &Multiaddr| {
        current.contains(address) || former.contains(address) || address::is_name_of_world(address)
    };
    let is_crowd = matches!(truth.world.state(number), State::Crowded(_));
    let needed = truth.standing[number as usize].located
        && !is_crowd
        && !said.addresses.iter().any(address::is_name_of_world);
    said.addresses.iter().all(is_known)
        && (!needed || current.iter().all(|address| said.addresses.contains(address)))
}
