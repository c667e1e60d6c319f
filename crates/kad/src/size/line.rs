//! Go's estimate: a line through the origin, fitted to the mean distance of each rank (`netsize.NetworkSize`).

use std::collections::VecDeque;

use super::Observed;
use crate::message::K;

/// The size of the network by the slope of the line, as a whole number like Go's. There is at least one lookup.
///
/// Each rank weighs as much as its distances deviate, which is the wrong way round: it gives the most weight to the most
/// uncertain. Where no distance deviates Go divides 0 by 0; here all ranks weigh the same then.
#[expect(clippy::cast_possible_truncation, reason = "Go cuts to a whole number")]
pub(super) fn size(lookups: &VecDeque<Observed>) -> i32 {
    let ranks: [(f64, f64); K] = std::array::from_fn(|rank| mean_and_deviation(lookups, rank));
    let is_exact = ranks.iter().all(|&(_, deviation)| deviation == 0.0);
    let (mut squares, mut products) = (0.0, 0.0);
    for (rank, (mean, deviation)) in (1_u32..).zip(ranks) {
        let (x, weight) = (f64::from(rank), if is_exact { 1.0 } else { deviation });
        products += weight * x * mean;
        squares += weight * x * x;
    }
    let slope: f64 = products / squares;
    (1.0 / slope - 1.0) as i32
}

/// Of one rank's distances. The order of the sums is Go's, so that they are the same to the last bit.
fn mean_and_deviation(lookups: &VecDeque<Observed>, rank: usize) -> (f64, f64) {
    let (mut distances, mut weights) = (0.0, 0.0);
    for lookup in lookups {
        distances += lookup.weight * lookup.distances[rank];
        weights += lookup.weight;
    }
    let mean = distances / weights;
    let mut squares = 0.0;
    for lookup in lookups {
        let difference = lookup.distances[rank] - mean;
        squares += lookup.weight * difference * difference;
    }
    let count = lookups.len() as f64;
    let variance: f64 = squares / ((count - 1.0) / count * weights);
    (mean, variance.sqrt())
}
