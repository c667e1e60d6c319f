//! Who the heads of a hydra are and where, as it is printed.

use serde::Serialize;

/// The heads of a hydra.
#[derive(Debug, Serialize)]
pub(crate) struct PlanRow {
    /// The network's name.
    pub(crate) network: String,
    /// What tells the seed apart from others; `None` if no seed determines the heads.
    pub(crate) seed_fingerprint: Option<String>,
    /// Among how many candidates each identity is chosen; `None` if no seed determines the heads.
    pub(crate) choices: Option<u32>,
    /// Where keys, ports and known peers are kept; `None` for nowhere.
    pub(crate) state: Option<String>,
    /// Where the records are kept, without its password.
    pub(crate) belly: String,
    /// The heads, in the order of their indices.
    pub(crate) heads: Vec<HeadRow>,
}

/// A head.
#[derive(Debug, Serialize)]
pub(crate) struct HeadRow {
    /// Its index: with a seed, its place in the sequence.
    pub(crate) index: u64,
    /// Who it is.
    pub(crate) peer_id: String,
    /// Where it can be dialled. A port of 0 is one that the system chooses when it begins.
    pub(crate) addrs: Vec<String>,
}
