//! The protocol of libp2p Kademlia with no IO and no clock: keys, messages, routing table, answering rules, and the
//! one seam between deciding and talking.
//!
//! Start with [`network`] (what a network must offer to those who ask), [`fabric`] (and to those who are asked) and
//! [`failure`] (the closed names of what goes wrong). The wire is [`message`] and [`mod@identify`], with [`address`] and
//! [`peer_id`] in them; [`answer`], [`records`], [`values`], [`table`], [`mod@lookup`], [`mod@key`] and [`preimage`] are the
//! protocol's arithmetic, and [`fullrt`] publishes with the whole network at hand, [`sweep`] region by region. [`policy`], [`opt_out`] and [`scope`] say what may
//! be dialled, [`plan`] in which order. [`bitswap`] and [`gateway`] ask providers for blocks, and [`retrieval`] says what their
//! answers come to. [`Persistence`] is how far a publication goes, [`optimistic`] how one gives while it looks, and [`size`] how many
//! peers a network has, as its lookups show it. [`mod@parse`] and [`written`] read what people write.

pub mod address;
pub mod answer;
pub mod autonat;
pub mod bitswap;
pub mod contact;
pub mod date;
pub mod delegated;
pub mod fabric;
pub mod failure;
pub mod fullrt;
mod gamma;
pub mod gateway;
pub mod identify;
pub mod key;
pub mod lookup;
pub mod message;
mod named;
pub mod network;
pub mod opt_out;
pub mod optimistic;
pub mod parse;
pub mod peer_id;
mod persistence;
pub mod plan;
pub mod policy;
pub mod preimage;
pub mod protobuf;
pub mod records;
pub mod retrieval;
pub mod scope;
pub mod size;
pub mod sweep;
pub mod table;
pub mod values;
pub mod written;

pub use libp2p_identity::{Keypair, PeerId};
pub use multiaddr::Multiaddr;

pub use crate::{address::Address, contact::Contact, key::Key, persistence::Persistence};
