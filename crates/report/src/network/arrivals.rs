//! How soon peers come back.

use estimate::{Survival, Timed};

use super::{
    ArrivalNumbers,
    churn::{distribution, hours},
};
use crate::{gathered::Gathered, period::Watched, stay::SeenStay};

/// The most steps of a curve that are kept.
const MAX_STEPS: usize = 400;

impl ArrivalNumbers {
    /// `None` without a stay that ended within what was watched.
    pub(super) fn of(gathered: &Gathered, watched: Watched) -> Option<Self> {
        let is_within = |at| watched.from <= at && at <= watched.until;
        let (mut starts, mut away) = (Vec::new(), Vec::new());
        for peer in &gathered.peers {
            for pair in peer.stays.windows(2) {
                if let [before, after] = pair
                    && is_within(after.first_up)
                {
                    starts.push(hours(before.first_up, after.first_up));
                }
            }
            let nexts = peer.stays.iter().skip(1).map(Some).chain([None]);
            for (stay, next) in peer.stays.iter().zip(nexts) {
                let Some(went) = stay.went().filter(|went| is_within(*went)) else { continue };
                let back = next.map(SeenStay::came);
                let until = back.unwrap_or(watched.until);
                away.push(Timed { after: hours(went, until), is_censored: back.is_none() });
            }
        }
        let away = Survival::of(away).ok()?;
        Some(Self {
            start_to_start_n: starts.len() as u64,
            start_to_start: distribution(starts),
            away_median_h: away.quantile(0.5),
            away: away.thinned(MAX_STEPS),
        })
    }
}
