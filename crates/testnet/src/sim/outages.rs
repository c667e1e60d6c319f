//! The observer's own network, and when it is away: what its dials meet then, and how long what is under way is held up.
//!
//! What is sent into an outage arrives after it, as what TCP and QUIC send again. Who waits for it decides how long.

use std::time::Duration;

use kad::{
    failure::{Failure, FailureClass, Phase},
    policy::Target,
};
use libp2p_identity::PeerId;
use tokio::time::Instant;

use super::{
    Caller,
    fate::{self, Fate, timeout},
};
use crate::{World, life::Away, living::LifeClock, scenario::life::Cut};

/// By when what was lost is sent again once there is a network.
const RESEND: Duration = Duration::from_millis(200);

/// All outages of a world's observer, by the clock.
#[derive(Debug, Default)]
pub(super) struct Outages {
    /// Where the observer is.
    region: usize,
    spans: Vec<Span>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Instant,
    until: Instant,
    cut: Cut,
}

impl Outages {
    /// Those of a world that lives by this clock.
    pub(super) fn of(world: &World, clock: LifeClock) -> Self {
        let span =
            |Away { from, until, cut }| Span { from: clock.instant(from), until: clock.instant(until), cut };
        Self { region: world.scenario().observer_region(), spans: world.outages().map(span).collect() }
    }

    /// What dials from or to a region meet at an instant; `None` while its network is there.
    fn at(&self, region: usize, instant: Instant) -> Option<Cut> {
        let span = self.first_until(region, instant)?;
        (span.from <= instant).then_some(span.cut)
    }

    /// Whether an outage of a region begins within an interval.
    fn begins_within(&self, region: usize, from: Instant, to: Instant) -> bool {
        self.first_until(region, from).is_some_and(|span| from < span.from && span.from <= to)
    }

    /// When what is sent between two regions arrives that takes so long.
    pub(super) fn arrival(&self, between: [usize; 2], sent: Instant, takes: Duration) -> Instant {
        let mut sent = sent;
        for span in self.spans.iter().filter(|_| between.contains(&self.region)) {
            if span.from <= sent + takes && sent < span.until {
                sent = span.until + RESEND;
            }
        }
        sent + takes
    }

    /// The first that ends after an instant.
    fn first_until(&self, region: usize, instant: Instant) -> Option<&Span> {
        self.spans.iter().find(|span| region == self.region && instant < span.until)
    }
}

/// What comes of dialling `peer` at a socket at an instant.
pub(super) fn fate(
    caller: &Caller,
    began: Instant,
    peer: &PeerId,
    (position, target): (usize, Target),
) -> Fate {
    let outages = &caller.shared.outages;
    let other = caller.shared.members.at(target).map_or_else(|| caller.ours.region(), |other| other.region());
    let cut = outages.at(caller.ours.region(), began);
    match cut.or_else(|| outages.at(other, began).map(|_| Cut::NoAnswer)) {
        Some(Cut::NoRoute) => {
            Fate::Failed(Duration::ZERO, Failure::new(Phase::Connect, FailureClass::NetworkUnreachable))
        }
        Some(Cut::NoAnswer) => timeout(caller, Phase::Connect),
        None => match fate::fate(caller, peer, position, target) {
            Fate::Reached(took, reached) => {
                let ends = [caller.ours.region(), caller.region_of(reached.who)];
                let is_cut = ends.iter().any(|&end| outages.begins_within(end, began, began + took));
                if is_cut { timeout(caller, Phase::Connect) } else { Fate::Reached(took, reached) }
            }
            failed @ Fate::Failed(..) => failed,
        },
    }
}

#[cfg(test)]
mod tests;
