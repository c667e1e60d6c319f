//! What a box plot shows, of observations some of which were cut short.
//!
//! J. W. Tukey, "Exploratory Data Analysis" (1977): the quartiles, whiskers to the last value within 1.5 times their distance, and
//! what is beyond. Quartiles are those of the product-limit estimator; whiskers and outliers are of what ended.

use serde::{Deserialize, Serialize};

use super::Survival;

/// How far whiskers go, in distances between quartiles.
const REACH: f64 = 1.5;

/// What a box plot shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoxStatistics {
    /// How many were watched.
    pub n: u64,
    /// How many of these were cut short.
    pub censored: u64,
    /// The first of those that ended within reach of the lower quartile.
    pub low: Option<f64>,
    /// The lower quartile; this and the next are `None` where too many were cut short before.
    pub q1: Option<f64>,
    /// The median.
    pub median: Option<f64>,
    /// The upper quartile.
    pub q3: Option<f64>,
    /// The last of those that ended within reach of the upper quartile.
    pub high: Option<f64>,
    /// Those beyond the whiskers that are kept: the ends, and evenly between them.
    pub outliers: Vec<f64>,
    /// How many beyond the whiskers are not kept.
    pub outliers_left_out: u64,
}

impl Survival {
    /// What a box plot shows, with at most so many outliers.
    pub fn box_statistics(&self, most: usize) -> BoxStatistics {
        let [q1, median, q3] = [0.25, 0.5, 0.75].map(|share| self.quantile(share).value);
        let reach = q1.zip(q3).map_or(f64::INFINITY, |(q1, q3)| REACH * (q3 - q1));
        let within = |at: f64| {
            at >= q1.map_or(f64::NEG_INFINITY, |q1| q1 - reach)
                && at <= q3.map_or(f64::INFINITY, |q3| q3 + reach)
        };
        let mut inside = self.steps.iter().map(|step| step.at).filter(|at| within(*at));
        let low = inside.next();
        let beyond = self.steps.iter().filter(|step| !within(step.at));
        let beyond: Vec<f64> = beyond
            .flat_map(|step| std::iter::repeat_n(step.at, usize::try_from(step.ended).unwrap_or(1)))
            .collect();
        let outliers = spread(&beyond, most);
        BoxStatistics {
            n: self.n,
            censored: self.censored,
            low,
            q1,
            median,
            q3,
            high: inside.next_back().or(low).filter(|_| q3.is_some()),
            outliers_left_out: (beyond.len() - outliers.len()) as u64,
            outliers,
        }
    }
}

/// The ends and evenly between them, at most so many.
fn spread(values: &[f64], most: usize) -> Vec<f64> {
    if values.len() <= most {
        return values.to_vec();
    }
    let last = values.len() - 1;
    (0..most).filter_map(|index| values.get(index * last / most.saturating_sub(1).max(1)).copied()).collect()
}
