//! Who heads are: identities that one seed determines, spread over the key space.
//!
//! The identity with index i is the i-th of the sequence that a [`HeadSeed`] begins: bit for bit that of hydra-booster with two
//! choices. It depends on the seed, its index and the number of choices alone, so any set of indices can be taken in any process.
//! Each choice hangs on all that were made before, so whoever wants index i replays the sequence from 0. Keys that no seed
//! determines are kept by `state`.

mod candidate;
mod indices;
mod seed;
mod sequence;
mod spread;

pub use self::{
    indices::{IndexSet, IndexSetError, MAX_INDEX},
    seed::{HeadSeed, SeedError},
    sequence::{Choices, HeadIdentity, HeadSequence, IdentityError, identities},
    spread::Spread,
};
