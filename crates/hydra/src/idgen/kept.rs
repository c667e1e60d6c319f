//! What was handed out, as it is kept over a restart of the server.

use serde::{Deserialize, Serialize};

use crate::state::{StateDirectory, StateError, StateFile};

const FILE: StateFile = StateFile {
    name: "idgen.json",
    remedy: "put a copy of it back; without one move it away, and stop the hydras whose ids are from here first, or two heads can have one id",
};

/// What others have of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptAllotments {
    /// The fingerprint of the sequence's seed.
    pub seed: String,
    /// Among how many candidates its identities were chosen.
    pub choices: u32,
    /// Who has what.
    pub(super) held: Vec<KeptHolder>,
}

/// Who has an index: whoever was given the key of a peer, or the holder of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptHolder {
    pub(super) index: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) peer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<String>,
    /// When the lease ends, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until_s: Option<u64>,
}

impl StateDirectory {
    /// What was handed out from here; `None` if nothing ever was.
    pub fn allotments(&self) -> Result<Option<KeptAllotments>, StateError> {
        self.read(FILE)
    }

    /// Keeps it from now on.
    pub fn keep_allotments(&self, kept: &KeptAllotments) -> Result<(), StateError> {
        self.write(FILE, kept)
    }

    /// The error for what was handed out of another sequence than the one that is asked for now.
    pub fn of_another_seed(&self) -> StateError {
        self.damaged(FILE, "what it says is of another seed, or of another number of choices".to_owned())
    }
}
