//! Who the heads are to be and where, before any of them lives.

use std::{env, path::PathBuf, sync::Arc};

use hydra::{HeadIdentity, HeadSeed, KeptHead, KeptHeads, StateDirectory};
use kad::{Keypair, Multiaddr};

use super::{
    HeadRow, PlanRow,
    borrowed::{self, Borrowed},
    identities, of_state, places,
    places::Places,
    seed,
};
use crate::{
    args::{HeadsArgs, HydraArgs, StatePlace},
    exit::Failed,
    network::Network,
    output,
};

/// Who the heads are to be and where.
#[derive(Debug)]
pub(super) struct Plan {
    /// In the order of their indices.
    pub(super) heads: Vec<PlannedHead>,
    /// By which they are determined; `None` if by none.
    pub(super) seed: Option<HeadSeed>,
    /// `None` where nothing is kept.
    pub(super) state: Option<Arc<StateDirectory>>,
    /// What was kept of heads before.
    pub(super) kept: KeptHeads,
    /// Whether the keys are another hydra's, which has them back at the end.
    pub(super) is_lent: bool,
}

/// A head that is to live.
#[derive(Debug)]
pub(super) struct PlannedHead {
    /// Its index.
    pub(super) index: u64,
    /// Its key.
    pub(super) keypair: Keypair,
    /// Where it listens; a port of 0 is the system's choice.
    pub(super) listen: Vec<Multiaddr>,
    /// Where peers are told that it is; empty for where it listens.
    pub(super) announce: Vec<Multiaddr>,
}

impl Plan {
    /// What would be: nothing is written, nobody asked, and a directory that another hydra uses may be looked at.
    pub(super) fn looked_at(args: &HydraArgs, network: &Network) -> Result<Self, Failed> {
        let seed = seed::find(&args.heads)?;
        check(args, seed.is_some())?;
        let state = directory(&args.heads).map(|path| Arc::new(StateDirectory::look(&path)));
        let kept = kept(state.as_deref())?;
        let indices = identities::indices(&args.heads)?;
        let found = match &seed {
            Some(seed) => identities::of_seed(seed, args.heads.choices, &indices)?,
            None => identities::of_keys(&kept, &indices),
        };
        if seed.is_none() && found.iter().any(|identity| kept.of(&identity.peer_id()).is_none()) {
            output::note(
                "keys that are not kept yet are drawn anew each time: the first start without --dry-run keeps them",
            );
        }
        Self { heads: Vec::new(), seed, state, kept, is_lent: false }.with(found, (&args.heads, network))
    }

    /// What is to be, with what another hydra lends for it. The directory is this process's from now on.
    pub(super) async fn made(args: &HydraArgs, network: &Network) -> Result<(Self, Borrowed), Failed> {
        let seed = seed::find(&args.heads)?;
        check(args, seed.is_some())?;
        let state = directory(&args.heads);
        if state.is_none() && seed.is_none() && args.heads.state.is_none() && args.idgen.idgen.is_none() {
            return Err(Failed::usage(
                "there is no home directory to keep the heads' keys in: --state DIR says where, --state none that they are lost",
            ));
        }
        let state = state
            .map(|path| StateDirectory::open(&path).map(Arc::new))
            .transpose()
            .map_err(|error| of_state(&error))?;
        let kept = kept(state.as_deref())?;
        let is_lent = args.idgen.idgen.is_some();
        let (found, borrowed) = found(args, seed.as_ref(), &kept).await?;
        let plan = Self { heads: Vec::new(), seed, state, kept, is_lent }.with(found, (&args.heads, network));
        match plan {
            Ok(plan) => Ok((plan, borrowed)),
            Err(error) => {
                borrowed.give_back().await;
                Err(error)
            }
        }
    }

    /// With these heads, at the places that were asked for.
    fn with(
        mut self,
        found: Vec<HeadIdentity>,
        (args, network): (&HeadsArgs, &Network),
    ) -> Result<Self, Failed> {
        let places = Places::of(args, found.len(), network)?;
        let planned = found.into_iter().enumerate().map(|(position, identity)| {
            let kept = self.kept.of(&identity.peer_id());
            PlannedHead {
                listen: places.listen(position, kept.map_or(&[], |kept: &KeptHead| &kept.listens)),
                announce: places.announce(position),
                index: identity.index,
                keypair: identity.keypair,
            }
        });
        self.heads = planned.collect();
        if let Some(note) = places::crowded(self.heads.iter().map(PlannedHead::addrs)) {
            output::note(&note);
        }
        Ok(self)
    }

    /// As it is printed.
    pub(super) fn row(&self, args: &HydraArgs, network: &Network) -> PlanRow {
        let head = |head: &PlannedHead| HeadRow {
            index: head.index,
            peer_id: head.keypair.public().to_peer_id().to_string(),
            addrs: head.addrs().iter().map(Multiaddr::to_string).collect(),
        };
        PlanRow {
            network: network.name.clone(),
            seed_fingerprint: self.seed.as_ref().map(HeadSeed::fingerprint),
            choices: self.seed.as_ref().map(|_| args.heads.choices.count()),
            state: self.state.as_ref().map(|state| state.path().display().to_string()),
            belly: args.records.belly.to_string(),
            heads: self.heads.iter().map(head).collect(),
        }
    }
}

impl PlannedHead {
    /// Where others are told that it is.
    fn addrs(&self) -> &[Multiaddr] {
        if self.announce.is_empty() { &self.listen } else { &self.announce }
    }
}

/// Who the heads are, with what another hydra lends for that.
async fn found(
    args: &HydraArgs,
    seed: Option<&HeadSeed>,
    kept: &KeptHeads,
) -> Result<(Vec<HeadIdentity>, Borrowed), Failed> {
    let choices = args.heads.choices;
    Ok(match (seed, &args.idgen.idgen, &args.idgen.lease) {
        (None, Some(url), _) => {
            let borrowed = borrowed::keys(&args.idgen, url, &args.heads).await?;
            (borrowed.identities(), borrowed)
        }
        (Some(seed), _, Some(url)) => {
            let (borrowed, indices) = borrowed::indices(&args.idgen, url, (&args.heads, seed)).await?;
            (identities::of_seed(seed, choices, &indices)?, borrowed)
        }
        (Some(seed), ..) => {
            (identities::of_seed(seed, choices, &identities::indices(&args.heads)?)?, Borrowed::Nothing)
        }
        (None, ..) => (identities::of_keys(kept, &identities::indices(&args.heads)?), Borrowed::Nothing),
    })
}

/// Refuses what says in two ways, or in none, who the heads are.
fn check(args: &HydraArgs, has_seed: bool) -> Result<(), Failed> {
    let (idgen, lease) = (args.idgen.idgen.is_some(), args.idgen.lease.is_some());
    let says_indices = args.heads.indices.is_some() || args.heads.offset.is_some();
    let wrong = if idgen && has_seed {
        "--idgen and a seed should not be set both: keys come from another hydra, or from a seed (--lease has indices of a seed)"
    } else if lease && !has_seed {
        "--lease needs the seed that the other hydra has (--seed-file): it says which indices to take of it"
    } else if lease && args.heads.name.is_empty() {
        "--lease needs --name: indices are let to a name that no other hydra has"
    } else if (idgen || lease) && says_indices {
        "--indices and --offset say which heads to have, and so does the other hydra (--idgen, --lease): --heads says how many"
    } else if (idgen || lease) && args.dry_run {
        "--dry-run asks nobody, and who the heads are is said by another hydra (--idgen, --lease)"
    } else {
        return Ok(());
    };
    Err(Failed::usage(wrong))
}

/// What is kept of heads; of none, if nothing is.
fn kept(state: Option<&StateDirectory>) -> Result<KeptHeads, Failed> {
    state.map_or_else(|| Ok(KeptHeads::default()), |state| state.heads().map_err(|error| of_state(&error)))
}

/// The directory in which the state is kept; `None` for nowhere, or if there is no home to have it in.
/// Source: XDG Base Directory Specification.
fn directory(args: &HeadsArgs) -> Option<PathBuf> {
    match &args.state {
        Some(StatePlace::None) => None,
        Some(StatePlace::Directory(path)) => Some(path.clone()),
        None => {
            let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
            let home = || absolute("HOME").map(|home| home.join(".local/state"));
            absolute("XDG_STATE_HOME").or_else(home).map(|base| base.join("kadscope/hydra"))
        }
    }
}
