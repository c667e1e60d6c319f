//! Estimates from what was observed: pure functions, which whoever has observed something calls.
//!
//! What comes in are observations in the words of statistics; what goes out says how sure it is: an interval, the number of
//! observations, or by a closed name why there is no number. There is no IO here, no clock and no randomness. The pages in
//! `docs/methodology` have the formulas, their sources, what they assume, and how wrong they were where the truth is known.

mod clustered;
mod common_time;
mod completeness;
mod difference;
mod draw;
mod interval_censored;
mod mean;
mod missed;
mod normal;
mod proportion;
mod survival;
#[cfg(test)]
mod trials;

pub use clustered::{ClusterSum, ClusteredValue, clustered_mean, clustered_quantile};
pub use common_time::{CommonTime, NoCommonTime, common_time, common_times};
pub use completeness::{Capture, Completeness, Evidence, InDegree, InDegrees};
pub use difference::{LogRank, QuantileDifference, log_rank, quantile_difference};
pub use interval_censored::{Bracketed, BracketedQuantile, BracketedStep, BracketedSurvival, ShareGoingOn};
pub use mean::Mean;
pub use missed::{Estimate, Method, NoEstimate, missed};
pub use proportion::{ClusterShare, Proportion};
pub use survival::{BoxStatistics, NoSurvival, Quantile, Survival, SurvivalStep, Timed};
