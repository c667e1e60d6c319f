//! Plans that have a name: what CID Hoarder was run with, number by number.

use std::time::Duration;

use schema::PublisherEnd;

use super::{Arm, HoardPlan, LookupSet, ObservingTerms, PublishPace, RoundTimes};

/// How many holders each arm of RFM17 had.
const RFM17_K: [u16; 4] = [15, 20, 25, 40];

/// How often `v0.1.0`, which RFM17 and RFM17.1 ran, dialled who refused or reset (`maxDialAttempts`).
const ATTEMPTS: u8 = 3;

/// How many providers a lookup of `v0.1.0` looked for: more than there are, so that everybody on the way was asked.
const COUNT: u16 = 20;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

kad::named! {
    /// A plan that has a name.
    pub enum Preset: serde {
        /// RFM17: 10,000 keys for each of K = 15, 20, 25 and 40, every 30 min for 36 h.
        Rfm17 = "rfm17",
        /// RFM17.1: 100 keys, every 3 min for 50 min; who gives addresses, and for how long.
        Rfm17_1 = "rfm17.1",
        /// RFM17's longest run: 10,000 keys, every 30 min for 80 h; whether holders stay where they were.
        IpChurn = "ipchurn",
    }
}

impl Preset {
    /// Its plan. Publications are spread evenly over the time between two rounds, so that rounds are, too.
    pub fn plan(self) -> HoardPlan {
        match self {
            Self::Rfm17 => {
                HoardPlan { arms: RFM17_K.map(Arm::of_k).into(), ..self.of(10_000, 30 * MINUTE, 36 * HOUR) }
            }
            Self::Rfm17_1 => self.of(100, 3 * MINUTE, 50 * MINUTE),
            Self::IpChurn => self.of(10_000, 30 * MINUTE, 80 * HOUR),
        }
    }

    fn of(self, keys: u32, every: Duration, span: Duration) -> HoardPlan {
        let plan = HoardPlan::of(keys, RoundTimes::every(every, span));
        HoardPlan {
            preset: Some(self),
            arms: vec![Arm { end: PublisherEnd::Closed, ..Arm::usual() }],
            pace: PublishPace { gap: every / keys, ..PublishPace::default() },
            lookups: LookupSet { first: false, count: Some(COUNT), patience: 2 * MINUTE, ..plan.lookups },
            // Longer than a lookup may take, and shorter than it is to the next round.
            observing: ObservingTerms {
                attempts: ATTEMPTS,
                deadline: Duration::from_secs(150),
                ..plan.observing
            },
            ..plan
        }
    }
}
