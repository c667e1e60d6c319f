//! How long records, addresses and holders last, by kinds of holders.

use std::collections::BTreeMap;

use estimate::{Bracketed, BracketedQuantile, BracketedSurvival};
use serde::{Deserialize, Serialize};

use super::{
    aspects::LifeAspect,
    rows::{LifeRow, LifeRows},
};

/// To what times since publication are rounded, in seconds: rounds of many keys that were planned for one time, and done within seconds
/// of it, are one look. What is estimated is off by half of it at most.
const RESOLUTION_S: f64 = 10.0;

/// The most steps of a curve that are kept.
const MAX_STEPS: usize = 150;

/// The most kinds of holders that have curves of their own; the others are one.
const MAX_GROUPS: usize = 12;

/// The name of what is left.
const OTHERS: &str = "others";

/// Ranks that are taken together: up to these, and the rest.
const RANKS: [u32; 4] = [5, 10, 15, 20];

/// Why a draw of samples hangs on nothing but the rows: each has this seed.
const SEED: u64 = 17;

/// The shares whose times are told.
const SHARES: [f64; 3] = [0.25, 0.5, 0.75];

kad::named! {
    /// By what holders are told apart.
    pub enum LifeGrouping: serde {
        /// Not at all.
        All = "all",
        /// By program and version.
        Program = "program",
        /// By their place among those that were chosen for a key.
        Rank = "rank",
        /// By whose range of addresses they are in.
        Cloud = "cloud",
    }
}

/// How long an aspect lasts with holders of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LifeCurve {
    /// What lasts.
    pub aspect: LifeAspect,
    /// In which arm.
    pub arm: String,
    /// By what holders are told apart.
    pub by: LifeGrouping,
    /// Of which kind these are; empty of all.
    pub group: String,
    /// The curve, in seconds since publication began, of all holders with which it is known to have begun. Its clusters are peers: what one
    /// peer does with many keys hangs together.
    pub survival: BracketedSurvival,
    /// The times by which a quarter, half and three quarters had ended.
    pub quantiles: Vec<BracketedQuantile>,
    /// To what times are rounded, in seconds.
    pub resolution_s: f64,
}

impl LifeRows {
    /// How long records, addresses and holders last, by arm and kind of holder; kinds are left out where there is one.
    pub fn curves(&self) -> Vec<LifeCurve> {
        let mut curves = Vec::new();
        for arm in self.arms() {
            for by in LifeGrouping::ALL.iter().copied() {
                let groups = self.grouped(arm, by);
                if by != LifeGrouping::All && groups.len() < 2 {
                    continue;
                }
                for (group, rows) in groups {
                    let of_aspect = |aspect: &LifeAspect| curve(*aspect, &rows);
                    let all = LifeAspect::ALL.iter().filter_map(of_aspect);
                    let arm = self.arms.name(arm);
                    curves.extend(all.map(|curve| LifeCurve {
                        arm: arm.to_owned(),
                        by,
                        group: group.clone(),
                        ..curve
                    }));
                }
            }
        }
        curves
    }

    /// The holders of an arm by kind, the most first, no more than there is room for.
    fn grouped(&self, arm: u32, by: LifeGrouping) -> Vec<(String, Vec<&LifeRow>)> {
        let mut groups: BTreeMap<String, Vec<&LifeRow>> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.arm == arm) {
            let name = match by {
                LifeGrouping::All => String::new(),
                LifeGrouping::Program => self.programs.name(row.program).to_owned(),
                LifeGrouping::Rank => ranks(row.rank),
                LifeGrouping::Cloud => self.clouds.name(row.cloud).to_owned(),
            };
            groups.entry(name).or_default().push(row);
        }
        let mut groups: Vec<(String, Vec<&LifeRow>)> = groups.into_iter().collect();
        if by != LifeGrouping::Rank {
            groups.sort_by(|(one, first), (other, second)| {
                second.len().cmp(&first.len()).then_with(|| one.cmp(other))
            });
        }
        if groups.len() > MAX_GROUPS {
            let rest = groups.split_off(MAX_GROUPS - 1);
            groups.push((OTHERS.to_owned(), rest.into_iter().flat_map(|(_, rows)| rows).collect()));
        }
        groups
    }
}

/// `None` where it never began with anybody.
fn curve(aspect: LifeAspect, rows: &[&LifeRow]) -> Option<LifeCurve> {
    let observed: Vec<Bracketed> =
        rows.iter().filter_map(|row| row.bracketed(aspect)).map(|one| rounded(&one)).collect();
    let survival = BracketedSurvival::of(&observed, SEED).ok()?;
    Some(LifeCurve {
        aspect,
        arm: String::new(),
        by: LifeGrouping::All,
        group: String::new(),
        quantiles: SHARES.map(|share| survival.quantile(share)).to_vec(),
        survival: survival.thinned(MAX_STEPS),
        resolution_s: RESOLUTION_S,
    })
}

/// With times to the resolution: what ended between two looks ends between two of these still.
pub(super) fn rounded(one: &Bracketed) -> Bracketed {
    let round = |time: f64| (time / RESOLUTION_S).round() * RESOLUTION_S;
    let after = round(one.after);
    let by = one.by.map(|by| round(by).max(after + RESOLUTION_S));
    Bracketed { after, by, until: round(one.until).max(by.unwrap_or(after)), cluster: one.cluster }
}

/// The ranks that one is taken together with, such that names sort as ranks do.
fn ranks(rank: u32) -> String {
    let mut from = 1;
    for to in RANKS {
        if rank <= to {
            return format!("{from:02}-{to:02}");
        }
        from = to + 1;
    }
    format!("{from:02}-")
}
