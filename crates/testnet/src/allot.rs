//! Sharing peers out exactly: a share of 5 % of 1,000 peers is 50 of them, not 50 on average.

use crate::scenario::Share;

/// Below this many peers for each share, small shares may be empty.
const PEERS_PER_SHARE: usize = 4;

/// For each of `total` peers the number of the share that it is in, ascending; `shares.len()` for the rest.
///
/// What rounding leaves over goes to the largest remainders. A share above 0 has at least one peer wherever there
/// are peers enough, so that a small copy of a scenario still has all of its faults.
pub(crate) fn allot(shares: &[Share], total: u32) -> Vec<usize> {
    let rest = (1.0 - shares.iter().map(|share| share.get()).sum::<f64>()).max(0.0);
    let exact: Vec<f64> =
        shares.iter().map(|share| share.get()).chain([rest]).map(|share| share * f64::from(total)).collect();
    let mut counts: Vec<u32> = exact.iter().map(|&share| floor(share)).collect();
    let mut by_remainder: Vec<usize> = (0..exact.len()).collect();
    by_remainder.sort_by(|&a, &b| remainder(exact[b]).total_cmp(&remainder(exact[a])).then(a.cmp(&b)));
    let left = total.saturating_sub(counts.iter().sum());
    for &class in by_remainder.iter().cycle().take(left as usize) {
        counts[class] += 1;
    }
    if total as usize >= PEERS_PER_SHARE * shares.len() {
        fill_empty(&exact, &mut counts);
    }
    let classes = counts.iter().enumerate();
    classes
        .flat_map(|(class, &count)| std::iter::repeat_n(class, count as usize))
        .take(total as usize)
        .collect()
}

/// Gives each empty class that has a share one peer of the largest class.
fn fill_empty(exact: &[f64], counts: &mut [u32]) {
    for class in 0..counts.len() {
        let largest = (0..counts.len()).max_by_key(|&other| counts[other]).unwrap_or(class);
        // Sums of shares miss 1 by rounding: a billionth of a peer is none.
        if counts[class] == 0 && exact[class] > 1e-6 && counts[largest] > 1 {
            counts[largest] -= 1;
            counts[class] = 1;
        }
    }
}

fn remainder(value: f64) -> f64 {
    value - value.floor()
}

fn floor(value: f64) -> u32 {
    // A hair below a whole number is that number: 0.07 of 100 is 7.000000000000001 or 6.999999999999999.
    round((value + 1e-9).floor())
}

/// The nearest whole number of peers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
pub(crate) fn round(value: f64) -> u32 {
    value.round().clamp(0.0, f64::from(u32::MAX)) as u32
}
