//! The lives of a study's holders.

use std::net::IpAddr;

use places::{Clouds, Standing};

use super::{
    history::LifeSight,
    rows::{LifeHolder, LifeRows},
    section::LifeSection,
};
use crate::{Study, StudyHolder, StudyKey, StudySight};

impl LifeRows {
    /// Of all holders of a study; where they are is told by these ranges.
    pub fn of_study(study: &Study, ranges: Clouds) -> Self {
        let mut rows = Self::new(ranges);
        for key in &study.keys {
            rows.add(study, key);
        }
        rows
    }

    fn add(&mut self, study: &Study, key: &StudyKey) {
        let arm = study.arm(key.arm).map_or_else(|| key.arm.to_string(), |arm| arm.name.to_string());
        let mut lives = self.key(&arm, &key.key, key.closed_after);
        for holder in &key.holders {
            // Whom the study does not name has no row in it.
            let Some(peer) = study.peer(holder.peer) else { continue };
            let ips = ips(holder);
            let facts = LifeHolder {
                peer,
                rank: u32::from(holder.rank),
                agent: study.agent_of(holder),
                ips: &ips,
                sent: holder.sent.filter(|_| holder.was_given()),
            };
            lives.holder(&facts, holder.sights.iter().map(LifeSight::from));
        }
        lives.done();
    }
}

impl LifeSection {
    /// Of all holders of a study; where they are is told by these ranges.
    pub fn of_study(study: &Study, ranges: Clouds) -> Self {
        Self::of(&LifeRows::of_study(study, ranges))
    }
}

impl From<&StudySight> for LifeSight {
    fn from(sight: &StudySight) -> Self {
        Self {
            round: sight.round,
            after: sight.after(),
            answer: sight.answer,
            whereabouts: sight.whereabouts,
        }
    }
}

/// The IPs of the first addresses of a holder; those of relays are not its own.
fn ips(holder: &StudyHolder) -> Vec<IpAddr> {
    let ip = |address| match Standing::of(address) {
        Standing::Ip(ip, _) => Some(ip),
        Standing::Name | Standing::Relayed | Standing::Placeless | Standing::Malformed => None,
    };
    holder.first_addresses.iter().filter_map(ip).collect()
}
