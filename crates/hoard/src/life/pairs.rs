//! Two arms beside each other, on the keys that both published: what differs from key to key is the same for both.

use std::{collections::BTreeMap, time::Duration};

use estimate::Mean;
use serde::{Deserialize, Serialize};

use super::{
    aspects::{LifeAspect, Lifespan},
    rows::{LifeRow, LifeRows},
    states::HolderRecord,
};

/// At which parts of the time that was watched arms are compared.
const PARTS: [f64; 4] = [0.25, 0.5, 0.75, 1.0];

/// By how much the share of holders that have a record differs between two arms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmPair {
    /// The arms.
    pub arms: [String; 2],
    /// What is compared: of the holders of a key of which it is known, the share with which it still lasts; with whom it never began is
    /// without.
    pub aspect: LifeAspect,
    /// When, in seconds since publication began.
    pub at_s: f64,
    /// The mean over keys of the second's share less the first's; `None` without a key of both.
    pub difference: Option<Mean>,
    /// How many keys both published of which one says nothing then: they are left out.
    pub left_out: u64,
}

/// With how many holders it lasts, of how many.
type Share = (u32, u32);

impl LifeRows {
    /// Each two arms that published the same keys, beside each other.
    pub fn pairs(&self) -> Vec<ArmPair> {
        let mut keys: BTreeMap<u32, BTreeMap<u32, Vec<&LifeRow>>> = BTreeMap::new();
        for row in &self.rows {
            keys.entry(row.key).or_default().entry(row.arm).or_default().push(row);
        }
        let mut both: BTreeMap<[u32; 2], Vec<[&Vec<&LifeRow>; 2]>> = BTreeMap::new();
        for arms in keys.values() {
            for (first, one) in arms {
                for (second, other) in arms.range(first + 1..) {
                    both.entry([*first, *second]).or_default().push([one, other]);
                }
            }
        }
        let pairs = both.into_iter().flat_map(|(arms, keys)| {
            let arms = arms.map(|arm| self.arms.name(arm).to_owned());
            compared(&keys).map(move |pair| ArmPair { arms: arms.clone(), ..pair }).collect::<Vec<_>>()
        });
        pairs.collect()
    }
}

fn compared(keys: &[[&Vec<&LifeRow>; 2]]) -> impl Iterator<Item = ArmPair> {
    let rows = keys.iter().flatten().flat_map(|rows| rows.iter());
    let last = rows.filter_map(|row| row.life.kept).map(|span| span.until).max().unwrap_or_default();
    let aspects = [LifeAspect::Record, LifeAspect::Addresses].into_iter();
    aspects.flat_map(move |aspect| {
        PARTS.map(|part| {
            let at = last.mul_f64(part);
            let shares = keys.iter().map(|key| key.map(|rows| share(aspect, rows, at)));
            let told: Vec<f64> = shares
                .filter_map(|[one, other]| match (one, other) {
                    ((_, 0), _) | (_, (_, 0)) => None,
                    ((hits, n), (more, of)) => {
                        Some(f64::from(more) / f64::from(of) - f64::from(hits) / f64::from(n))
                    }
                })
                .collect();
            ArmPair {
                arms: Default::default(),
                aspect,
                at_s: at.as_secs_f64(),
                left_out: (keys.len() - told.len()) as u64,
                difference: Mean::of(told),
            }
        })
    })
}

/// Of the holders of one key of which it is known at a time.
fn share(aspect: LifeAspect, rows: &[&LifeRow], at: Duration) -> Share {
    let known = rows.iter().filter_map(|row| lasts(row, aspect, at));
    known.fold((0, 0), |(hits, n), lasts| (hits + u32::from(lasts), n + 1))
}

/// Whether it lasts with a holder at a time; `None` where nothing says so.
fn lasts(row: &LifeRow, aspect: LifeAspect, at: Duration) -> Option<bool> {
    match row.life.lifespan(aspect) {
        Some(Lifespan { after, .. }) if at <= after => Some(true),
        Some(Lifespan { by: Some(by), .. }) if by <= at => Some(false),
        Some(_) => None,
        None => (row.life.record == HolderRecord::NeverStored).then_some(false),
    }
}
