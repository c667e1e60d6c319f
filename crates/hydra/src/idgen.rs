//! Identities from another hydra: which are handed out, and the wire that they go over.
//!
//! A server hands out identities of its own sequence, lowest free index first: as private keys over the old wire of hydra-booster
//! (`POST /idgen/add`, `POST /idgen/remove`), or as indices (`POST /idgen/lease`, `POST /idgen/release`), of which whoever has the
//! seed makes the keys. A lease ends by itself; a key that a crash kept from being given back stays taken until somebody
//! gives it back. Who may ask is left to the listener; both wires are refused where it asks for no token.

mod allotment;
mod client;
mod kept;
mod routes;
mod server;
mod wire;

pub use self::{
    allotment::{AllotmentError, Allotments, LEASE_TIME},
    client::{IdgenClient, IdgenError},
    kept::KeptAllotments,
    routes::{idgen_refused, idgen_routes},
    server::IdgenServer,
    wire::{LeaseAnswer, LeaseOrder, ReleaseOrder, key_of_wire, key_on_wire},
};
