//! What is true of a peer that nobody can dial.

use serde::Serialize;

use crate::{World, state::State};

/// How a peer behind address translation calls each server of others that it has heard of. Times are seconds by the
/// clock, since the network began.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CallsTruth {
    /// When it would call for the first time, if there was somebody to call.
    pub first_s: f64,
    /// From one call to the next.
    pub every_s: u32,
    /// How long it stays connected.
    pub stays_s: u32,
}

impl CallsTruth {
    /// Of this peer; `None` for one that can be dialled.
    pub(super) fn of(world: &World, peer: u32) -> Option<Self> {
        let State::BehindNat(calls) = world.state(peer) else { return None };
        let first_s = world.first_call(peer)?.as_secs_f64();
        Some(Self { first_s, every_s: calls.every_s, stays_s: calls.stays_s })
    }
}
