//! Where random numbers come from: of each purpose a stream of its own, so that changing one part of a scenario leaves
//! the others as they were.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The purposes of random streams. A stream's number is its purpose in the upper half and a peer in the lower.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    States = 1,
    Agents,
    Regions,
    Transports,
    Bootstrap,
    Secret,
    Impostor,
    Table,
    Copied,
    Poor,
    Shy,
    Keys,
    Securities,
    Locations,
    Cast,
    LifeStart,
    Life,
    Holders,
    Calendar,
    Calls,
}

/// The random numbers of one purpose.
pub(crate) fn stream(seed: u64, purpose: Stream, peer: u32) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((purpose as u64) << 32 | u64::from(peer));
    rng
}
