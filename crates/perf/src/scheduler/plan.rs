//! A round before it begins: who does what, in which order, with which content. Pure.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use schema::RunId;
use sha2::{Digest as _, Sha256};

use super::{
    config::ProbeTerms,
    rota::{FleetPair, Rota},
    seat::Seat,
};

/// How many bytes are published (Parsec, `scheduler.go`).
pub const CONTENT_BYTES: usize = 1024;

/// The code and length of a multihash of SHA-256.
const SHA_256: [u8; 2] = [0x12, 0x20];

/// A round before it begins. Numbers of servers are those of the list that it was planned with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundPlan {
    /// Its number, from 0.
    pub number: u64,
    /// Which fleets meet.
    pub pair: FleetPair,
    /// Who publishes.
    pub publisher: usize,
    /// Who retrieves, in the order in which they are asked.
    pub retrievers: Vec<usize>,
    /// Whether it is measured from when on the content is findable.
    pub is_findable: bool,
    /// Where everything random in it comes from.
    pub seed: RoundSeed,
}

/// Where everything random in a round comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundSeed([u8; 32]);

/// What the streams of a round are for.
#[derive(Debug, Clone, Copy)]
enum RoundStream {
    Content,
    Name,
    Nobodys,
}

impl RoundPlan {
    /// The next round among these servers, which are sorted; `None` if no two of them can meet.
    pub fn next(
        rota: &mut Rota,
        seats: &[Seat],
        (number, probes): (u64, &ProbeTerms),
        seed: RoundSeed,
    ) -> Option<Self> {
        let turn = rota.next(seats)?;
        let every = probes.findable_every;
        let is_findable = every > 0 && number % every == every - 1;
        Some(Self {
            number,
            pair: turn.pair,
            publisher: turn.publisher,
            retrievers: turn.retrievers,
            is_findable,
            seed,
        })
    }
}

impl RoundSeed {
    /// That of a round of a run.
    pub fn of(seed: u64, run: RunId, round: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"kadscope round");
        hash.update(seed.to_be_bytes());
        hash.update(run.0);
        hash.update(round.to_be_bytes());
        Self(hash.finalize().into())
    }

    /// What is published.
    pub fn content(self) -> Vec<u8> {
        self.bytes::<CONTENT_BYTES>(RoundStream::Content, 0).to_vec()
    }

    /// The name of the attempt at a place of the round.
    pub fn name(self, position: u32) -> [u8; 16] {
        self.bytes(RoundStream::Name, position)
    }

    /// A multihash of content that nobody has, for the attempt at a place of the round.
    pub fn nobodys(self, position: u32) -> Vec<u8> {
        [&SHA_256[..], &self.bytes::<32>(RoundStream::Nobodys, position)].concat()
    }

    fn bytes<const N: usize>(self, stream: RoundStream, position: u32) -> [u8; N] {
        let mut rng = ChaCha8Rng::from_seed(self.0);
        rng.set_stream((stream as u64) << 32 | u64::from(position));
        let mut bytes = [0; N];
        rng.fill_bytes(&mut bytes);
        bytes
    }
}

/// The multihash of content, as servers publish it.
pub(super) fn multihash(content: &[u8]) -> Vec<u8> {
    [&SHA_256[..], &Sha256::digest(content)].concat()
}

/// The CID of a multihash as Go's servers write it: of version 0, which is the multihash in base58.
pub(super) fn cid(multihash: &[u8]) -> String {
    multibase::Base::Base58Btc.encode(multihash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunId = RunId([7; 16]);

    #[test]
    fn the_cid_of_content_is_gos() {
        // testdata/parsec/http/07: `gold`, asked of a Go server.
        assert_eq!(cid(&multihash(b"gold")), "QmQpUN3mMkXMAxbKuKtS42mh9ieoLLdqbUrXaBAPvuFQgr");
    }

    #[test]
    fn every_round_of_every_run_publishes_something_else_and_the_same_again_from_its_seed() {
        let content = |seed, run, round| RoundSeed::of(seed, RunId([run; 16]), round).content();
        let all = [content(1, 1, 0), content(1, 1, 1), content(1, 2, 0), content(2, 1, 0)];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.len(), CONTENT_BYTES);
            assert!(all[..at].iter().all(|other| other != one));
        }
        assert_eq!(content(1, 1, 1), all[1]);
    }

    #[test]
    fn names_and_what_nobody_has_are_of_their_own() {
        let seed = RoundSeed::of(1, RUN, 0);
        assert_ne!(seed.name(0), seed.name(1));
        assert_ne!(seed.nobodys(0), seed.nobodys(1));
        assert_eq!((seed.nobodys(0).len(), &seed.nobodys(0)[..2]), (34, &SHA_256[..]));
        assert_ne!(seed.nobodys(0), multihash(&seed.content()));
    }
}
