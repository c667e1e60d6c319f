//! All numbers of holders' lives in a study.

use serde::{Deserialize, Serialize};

use super::{
    census::{HolderCensus, RoundMeans},
    curves::LifeCurve,
    pairs::ArmPair,
    rows::LifeRows,
    ttl::TtlNumbers,
};

/// The section of a report on what became of records where they were put. Every number has an interval and what it stands on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LifeSection {
    /// How many holders are in which state, by arm.
    pub census: Vec<HolderCensus>,
    /// How long records, addresses and holders last, by arm and kind of holder.
    pub curves: Vec<LifeCurve>,
    /// When programs drop records and addresses, by arm and program.
    pub times: Vec<TtlNumbers>,
    /// Arms beside each other, where they published the same keys.
    pub pairs: Vec<ArmPair>,
    /// What rounds saw, by arm.
    pub rounds: Vec<RoundMeans>,
}

impl LifeSection {
    /// Of these holders; empty of none.
    pub fn of(rows: &LifeRows) -> Self {
        Self {
            census: rows.census(),
            curves: rows.curves(),
            times: rows.times(),
            pairs: rows.pairs(),
            rounds: rows.round_means(),
        }
    }
}
