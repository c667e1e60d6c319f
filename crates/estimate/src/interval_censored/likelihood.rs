//! How much weight each atom has where what was observed is most likely.
//!
//! Turns of two steps: J. A. Wellner and Y. Zhan, "A Hybrid Algorithm for Computation of the Nonparametric Maximum Likelihood Estimator
//! from Censored Data", J. Am. Stat. Assoc. 92 (1997) 945-959. The one is Turnbull's self-consistency (EM), which never makes it less likely, the
//! other a Newton step on the distribution with the diagonal of the curvature, kept rising by the pooling of adjacent violators
//! (P. Groeneboom's iterative convex minorant), halved until it does not either. It ends by a bound, not when it slows down: the log-likelihood is concave, so it
//! is below its maximum by no more than the steepest way up, and that is known (R. Gentleman and C. J. Geyer, Biometrika 81 (1994) 618-623).

/// The most turns; with the masses at that point comes how far they are off.
const MAX_TURNS: usize = 2000;

/// The most halvings of a step.
const MAX_HALVINGS: u32 = 30;

/// The log-likelihood of weights, for observations that leave runs of atoms open.
#[derive(Debug)]
pub(super) struct Likelihood {
    pairs: Vec<[usize; 2]>,
    atoms: usize,
    /// By atom: how steeply it gets likelier with weight there.
    slopes: Vec<f64>,
}

/// Weights, and how far the log-likelihood is below its maximum at most.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) masses: Vec<f64>,
    pub(super) shortfall: f64,
}

impl Likelihood {
    pub(super) fn new(pairs: Vec<[usize; 2]>, atoms: usize) -> Self {
        Self { pairs, atoms, slopes: vec![0.0; atoms] }
    }

    pub(super) const fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The masses where observations of these weights are most likely, from a first guess on, until the mean log-likelihood of one is
    /// within `tolerance` of its maximum.
    pub(super) fn maximum(&mut self, weights: &[f64], guess: Option<&[f64]>, tolerance: f64) -> Fit {
        let n: f64 = weights.iter().sum();
        let even = 1.0 / self.atoms.max(1) as f64;
        let mut masses: Vec<f64> = match guess {
            // An atom without weight gets some: self-consistency gives none back.
            Some(guess) => guess.iter().map(|mass| 0.95 * mass + 0.05 * even).collect(),
            None => vec![even; self.atoms],
        };
        let mut turns = 0;
        loop {
            let risen = risen(&masses);
            self.take_slopes(weights, &risen);
            let steepest = self.slopes.iter().copied().fold(0.0, f64::max);
            let shortfall = (steepest - n).max(0.0);
            if shortfall <= tolerance * n || turns == MAX_TURNS {
                return Fit { masses, shortfall };
            }
            for (mass, slope) in masses.iter_mut().zip(&self.slopes) {
                *mass *= slope / n;
            }
            self.step_convexly(weights, &mut masses);
            turns += 1;
        }
    }

    /// The log-likelihood; `None` where something observed would be impossible.
    fn of(&self, weights: &[f64], risen: &[f64]) -> Option<f64> {
        let mut sum = 0.0;
        for (pair, weight) in self.pairs.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            let open = open(risen, *pair);
            if open <= 0.0 {
                return None;
            }
            sum += weight * open.ln();
        }
        Some(sum)
    }

    /// By atom, the sum over the observations that leave it open of one over what they leave open in all.
    fn take_slopes(&mut self, weights: &[f64], risen: &[f64]) {
        self.slopes.fill(0.0);
        for (pair, weight) in self.pairs.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            let steep = weight / open(risen, *pair).max(f64::MIN_POSITIVE);
            let [first, behind] = *pair;
            add(&mut self.slopes, first, steep);
            add(&mut self.slopes, behind, -steep);
        }
        let mut sum = 0.0;
        for slope in &mut self.slopes {
            sum += *slope;
            *slope = sum;
        }
    }

    /// One Newton step on the distribution at the end of each atom but the last, where it makes things likelier.
    fn step_convexly(&self, weights: &[f64], masses: &mut Vec<f64>) {
        let from = risen(masses);
        let free = self.atoms.saturating_sub(1);
        let (mut slopes, mut bends) = (vec![0.0; free], vec![0.0; free]);
        for (pair, weight) in self.pairs.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            let open = open(&from, *pair).max(f64::MIN_POSITIVE);
            let (steep, bend) = (weight / open, weight / (open * open));
            let [first, behind] = *pair;
            for (at, sign) in [(first, -1.0), (behind, 1.0)] {
                // Before the first atom it is 0 and behind the last 1, whatever the weights.
                if let Some(index) = at.checked_sub(1) {
                    add(&mut slopes, index, sign * steep);
                    add(&mut bends, index, bend);
                }
            }
        }
        let bends: Vec<f64> = bends.into_iter().map(|bend: f64| bend.max(1e-9)).collect();
        let aims = from.iter().zip(slopes.iter().zip(&bends)).map(|(now, (slope, bend))| now + slope / bend);
        let mut aims = rising(&aims.collect::<Vec<f64>>(), &bends);
        aims.push(1.0);
        let Some(now) = self.of(weights, &from) else { return };
        let mut part = 1.0;
        for _ in 0..MAX_HALVINGS {
            let tried: Vec<f64> =
                from.iter().zip(&aims).map(|(from, aim)| from + part * (aim - from)).collect();
            if self.of(weights, &tried).is_some_and(|then| then >= now) {
                let before = std::iter::once(0.0).chain(tried.iter().copied());
                *masses = tried.iter().zip(before).map(|(at, before)| (at - before).max(0.0)).collect();
                return;
            }
            part /= 2.0;
        }
    }
}

/// The distribution at the end of each atom.
fn risen(masses: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut risen: Vec<f64> = masses
        .iter()
        .map(|mass| {
            sum += mass;
            sum
        })
        .collect();
    for at in &mut risen {
        *at /= sum;
    }
    risen
}

/// The weight of a run of atoms.
fn open(risen: &[f64], [first, behind]: [usize; 2]) -> f64 {
    let at = |index: usize| index.checked_sub(1).and_then(|index| risen.get(index)).copied().unwrap_or(0.0);
    at(behind) - at(first)
}

fn add(list: &mut [f64], index: usize, more: f64) {
    if let Some(value) = list.get_mut(index) {
        *value += more;
    }
}

/// The numbers between 0 and 1 that do not fall and are nearest to these by weighted squares: adjacent ones that fall share their mean.
fn rising(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(values.len());
    for (value, weight) in values.iter().zip(weights) {
        let mut block = (*value, *weight, 1);
        while let Some((mean, heavy, count)) = blocks.pop_if(|(mean, ..)| *mean >= block.0) {
            let both = heavy + block.1;
            block = ((mean * heavy + block.0 * block.1) / both, both, count + block.2);
        }
        blocks.push(block);
    }
    blocks.iter().flat_map(|(mean, _, count)| std::iter::repeat_n(mean.clamp(0.0, 1.0), *count)).collect()
}
