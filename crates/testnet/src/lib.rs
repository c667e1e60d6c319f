//! Kademlia networks on this machine with known truth: the same scenario in virtual time or on real sockets.
//!
//! A [`Scenario`] (a TOML file, or one that is built in) and its seed determine a [`World`]: keys, addresses, agents,
//! states and routing tables. The world has two faces that show the same peers and answer with the same bytes:
//!
//! * [`SimFabric`] and [`SimNetwork`] stand behind the seams of `kad::fabric` and `kad::network`, on tokio's paused clock;
//! * [`WireTestnet`] listens on sockets: of loopback addresses, or of public ones in a namespace that nothing leaves.
//!
//! What is true of a world ([`Truth`]) is read off the world, never off the code that answers, so that it can judge
//! both that code and whoever observed it.

mod address;
mod allot;
mod answers;
mod calls;
mod carrier;
mod config;
#[cfg(test)]
mod crawler;
pub mod event_log;
mod fake;
mod generate;
pub mod ground;
pub mod guests;
mod holding;
mod id;
pub mod life;
mod living;
mod luck;
mod making;
mod memory;
pub mod names;
mod parallel;
mod random;
pub mod scenario;
mod secrets;
mod sightings;
pub mod sim;
pub mod state;
mod tables;
pub mod truth;
pub mod wire;
pub mod world;

pub use crate::{
    carrier::TransportSet,
    config::TestnetConfig,
    guests::Guest,
    life::{History, Life},
    living::LifeClock,
    making::Making,
    scenario::{BUILT_IN, Scenario, ScenarioError},
    secrets::KeyType,
    sim::{SimConfig, SimError, SimFabric, SimLimits, SimNetwork},
    state::{Calls, Stage, State},
    truth::{
        DuringVerdict, HolderGives, HolderPlace, Observed, ObservedDuring, ObservedPeer, RecordTold, Truth,
        Verdict, VisitDuring,
    },
    wire::{LifeOutlets, PacketFate, Rerouted, RouteChange, WireConfig, WireError, WireTestnet},
    world::World,
};
