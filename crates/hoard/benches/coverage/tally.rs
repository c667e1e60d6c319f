//! How often intervals hold what is known to be true.

/// An estimate with its interval; what has no upper end is not bounded.
pub(super) type Said = (f64, f64, Option<f64>);

/// How often the intervals of an estimand hold the truth; sums of widths and of what the estimates are off by.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) name: &'static str,
    pub(super) truth: f64,
    pub(super) n: u64,
    pub(super) held: u64,
    pub(super) width: f64,
    pub(super) bias: f64,
}

impl Tally {
    const fn of((name, truth): (&'static str, f64), seeds: u64) -> Self {
        Self { name, truth, n: seeds, held: 0, width: 0.0, bias: 0.0 }
    }

    fn take(&mut self, (value, low, high): Said) {
        self.held += u64::from(low <= self.truth && high.is_none_or(|high| self.truth <= high));
        self.width += high.map_or(0.0, |high| high - low);
        self.bias += value - self.truth;
    }

    /// The share of studies whose interval holds the truth.
    pub(super) fn share(&self) -> f64 {
        self.held as f64 / self.n as f64
    }
}

/// Of so many studies, each by its seed. Where nothing is said of an estimand, its truth is not held.
pub(super) fn tallies(
    estimands: &[(&'static str, f64)],
    seeds: u64,
    of: impl Fn(u64) -> Vec<Option<Said>>,
) -> Vec<Tally> {
    let mut tallies: Vec<Tally> = estimands.iter().map(|estimand| Tally::of(*estimand, seeds)).collect();
    for seed in 0..seeds {
        for (tally, said) in tallies.iter_mut().zip(of(seed)) {
            if let Some(said) = said {
                tally.take(said);
            }
        }
    }
    tallies
}
