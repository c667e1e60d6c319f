//! How long a session or an absence lasts, as a distribution. The draws are made in `life::law`.
//!
//! Stutzbach and Rejaie ("Understanding Churn in Peer-to-Peer Networks", IMC 2006) found that session lengths in three
//! networks, a Kademlia among them, are neither exponential nor heavy-tailed but fit Weibull or log-normal laws. Of the
//! IPFS network, `ProbeLab`'s RFM 2 says that half of the peers that come are gone after two hours.

use serde::Deserialize;

/// The longest median: a year.
pub(super) const MAX_MEDIAN_S: f64 = 31_557_600.0;

/// The shortest median: a millisecond.
const MIN_MEDIAN_S: f64 = 0.001;

/// Shapes of Weibull laws. Below, the mean is more than a thousand times the median; above, all draws are the median.
const SHAPES: std::ops::RangeInclusive<f64> = 0.2..=20.0;

/// Spreads of log-normal laws: at the end of it the mean is ninety times the median.
const SIGMAS: std::ops::RangeInclusive<f64> = 0.01..=3.0;

/// The distribution of a length of time. Medians are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "Entry")]
pub enum Law {
    /// Ends at any moment with the same probability, however long it lasted.
    Exponential {
        /// Half of the draws are shorter.
        median_s: f64,
    },
    /// The logarithm is normally distributed.
    LogNormal {
        /// Half of the draws are shorter.
        median_s: f64,
        /// The standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// With a shape below 1, what lasted long lasts on.
    Weibull {
        /// Half of the draws are shorter.
        median_s: f64,
        /// The exponent: 1 is the exponential law.
        shape: f64,
    },
}

/// A law as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    law: String,
    median_s: f64,
    sigma: Option<f64>,
    shape: Option<f64>,
}

impl TryFrom<Entry> for Law {
    type Error = String;

    fn try_from(entry: Entry) -> Result<Self, String> {
        let Entry { law, median_s, sigma, shape } = entry;
        if !(MIN_MEDIAN_S..=MAX_MEDIAN_S).contains(&median_s) {
            return Err(format!("`median_s` is from {MIN_MEDIAN_S} to {MAX_MEDIAN_S}, not {median_s}"));
        }
        match (law.as_str(), sigma, shape) {
            ("exponential", None, None) => Ok(Self::Exponential { median_s }),
            ("log_normal", Some(sigma), None) if SIGMAS.contains(&sigma) => {
                Ok(Self::LogNormal { median_s, sigma })
            }
            ("weibull", None, Some(shape)) if SHAPES.contains(&shape) => {
                Ok(Self::Weibull { median_s, shape })
            }
            ("exponential", ..) => Err("the law `exponential` takes `median_s` alone".to_owned()),
            ("log_normal", ..) => Err(format!(
                "the law `log_normal` takes `median_s` and `sigma`, from {} to {}",
                SIGMAS.start(),
                SIGMAS.end()
            )),
            ("weibull", ..) => Err(format!(
                "the law `weibull` takes `median_s` and `shape`, from {} to {}",
                SHAPES.start(),
                SHAPES.end()
            )),
            _ => Err(format!("`{law}` is no law; the laws are exponential, log_normal, weibull")),
        }
    }
}
