//! What happens in a study as rows, and whom they name.
//!
//! Of each fact the row that says that it is done is the last one: what stands of a round or a publication without it was never done.

mod published;
mod round;

use kad::PeerId;
use schema::{HoardPublisher, PeerNumber, Row};

use crate::HoardFact;

/// Everybody whom the rows of a fact name, each once: who keeps them introduces each and numbers it.
pub fn hoard_peers(fact: &HoardFact) -> Vec<PeerId> {
    let mut peers = match fact {
        HoardFact::Published(published) => published::peers(published),
        HoardFact::Round(round) => round::peers(round),
        HoardFact::PublisherLeft(left) => vec![left.peer],
    };
    peers.sort_unstable();
    peers.dedup();
    peers
}

/// The rows of a fact, in the order in which they are to be kept. A peer without a number is left out; without one of the key's provider
/// a publication has no rows, and nobody who left one.
pub fn hoard_rows(fact: &HoardFact, number_of: &impl Fn(&PeerId) -> Option<PeerNumber>) -> Vec<Row> {
    match fact {
        HoardFact::Published(published) => published::rows(published, number_of),
        HoardFact::Round(round) => round::rows(round, number_of),
        HoardFact::PublisherLeft(left) => {
            let row = |peer| HoardPublisher { peer, arm: left.arm, closed_at: left.closed_at };
            number_of(&left.peer).map(row).map(Row::from).into_iter().collect()
        }
    }
}

/// A number as a row has room for it.
fn count<T: TryFrom<usize>>(number: usize, most: T) -> T {
    T::try_from(number).unwrap_or(most)
}
