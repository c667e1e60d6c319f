//! Who the heads are: by a seed, by keys that are kept, or by keys of another hydra.

use hydra::{Choices, HeadIdentity, HeadSeed, IndexSet, KeptHeads, identities};
use kad::Keypair;

use crate::{args::HeadsArgs, exit::Failed, output};

/// From how many candidates on it is said that they take a while: some seconds.
const MANY_CANDIDATES: u64 = 300_000;

/// How many candidates are looked at in a second, as it is said to people. Source: `crates/hydra/src/identity`, measured.
const CANDIDATES_PER_S: u64 = 60_000;

/// The indices that were asked for.
pub(super) fn indices(args: &HeadsArgs) -> Result<IndexSet, Failed> {
    if let Some(indices) = &args.indices {
        return Ok(indices.clone());
    }
    let (offset, count) = (args.offset.unwrap_or(0), args.heads.unwrap_or(1));
    IndexSet::contiguous(offset, count.into())
        .map_err(|error| Failed::usage(format!("--offset {offset}: {error}")))
}

/// Those that a seed determines.
pub(super) fn of_seed(
    seed: &HeadSeed,
    choices: Choices,
    indices: &IndexSet,
) -> Result<Vec<HeadIdentity>, Failed> {
    let candidates = indices.highest().map_or(0, |highest| (highest + 1) * u64::from(choices.count()));
    if candidates > MANY_CANDIDATES {
        output::note(&format!(
            "{candidates} candidates of the seed are replayed, which takes about {} s",
            candidates / CANDIDATES_PER_S
        ));
    }
    identities(seed, choices, indices).map_err(|error| Failed::usage(error.to_string()))
}

/// Those whose keys are kept, and new ones for the rest.
pub(super) fn of_keys(kept: &KeptHeads, indices: &IndexSet) -> Vec<HeadIdentity> {
    let of = |index| {
        let keypair = kept.keypair(index).cloned().unwrap_or_else(Keypair::generate_ed25519);
        HeadIdentity { index, keypair }
    };
    indices.iter().map(of).collect()
}
