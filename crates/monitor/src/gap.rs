//! When the observer itself could not see, told from peers that went: pure, as its readings of clocks and its looks come in.
//!
//! What follows for a peer's session is [`session`](crate::session)'s. When clocks are read and which rows are written is left to whoever runs.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use kad::failure::FailureClass;
use schema::{ClockStep, GapCause, ObserverGap, StepCause, Timestamp};

use crate::evidence::{PeerLook, UptimeEvidence};

/// The time between two runs, in which no program ran; `None` if they follow each other at once.
pub fn between_runs(last_seen: Timestamp, next_begins: Timestamp) -> Option<ObserverGap> {
    let gap = ObserverGap { cause: GapCause::NotRunning, from: last_seen, until: next_begins };
    (last_seen < next_begins).then_some(gap)
}

/// The time for which the machine slept, by the wall clock; `None` for a clock that was set, which hindered nobody.
pub fn sleep(step: &ClockStep) -> Option<ObserverGap> {
    let gap = ObserverGap { cause: GapCause::Suspended, from: step.expected, until: step.wall };
    (step.cause == StepCause::Suspended).then_some(gap)
}

/// Notices that the program stood still, by beats that come at a steady pace while it does not.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    last: Timestamp,
    longest: Duration,
}

impl Heartbeat {
    /// Begins to beat; beats that are further apart than `longest` are a gap.
    pub const fn new(now: Timestamp, longest: Duration) -> Self {
        Self { last: now, longest }
    }

    /// The gap since the last beat; `None` if there is none.
    pub fn beat(&mut self, now: Timestamp) -> Option<ObserverGap> {
        let from = std::mem::replace(&mut self.last, now);
        let gap = ObserverGap { cause: GapCause::Stopped, from, until: now };
        (gap.length() > self.longest).then_some(gap)
    }
}

/// When silence is taken for an outage of the observer's network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutageRules {
    /// The largest share of peers, from 0 to 1, that is taken to leave at once. More than that cannot be told from an outage.
    pub largest_departure: f64,
    /// The probability that a run of silence which begins with some look is taken for an outage, though that share left.
    pub false_alarm: f64,
    /// How many looks are held back while it is not known; the oldest silence is believed after that.
    pub most_held: usize,
}

/// Four of five peers leaving at once is an assumption: nobody has published how many ever did. With it and one in a million 62 peers in a
/// row are silent before an outage is believed (ln 10⁻⁶ / ln 0.8). What is held back is what 500 looks a second bring in 8 s.
impl Default for OutageRules {
    fn default() -> Self {
        Self { largest_departure: 0.8, false_alarm: 1e-6, most_held: 4096 }
    }
}

/// How many of the last gaps are remembered, more than a look overlaps.
const RECENT_GAPS: usize = 16;

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutageDecision<K> {
    /// The outage that is over; it comes before the looks.
    pub gap: Option<ObserverGap>,
    /// The looks of which it is known now what they say, in their order.
    pub looks: Vec<(K, PeerLook)>,
}

/// Tells an outage of the observer's network from peers that went. Silence of many peers that were up is held back until somebody
/// answers: an answer from anybody shows that the network stands. If so many were silent in a row that it cannot be chance, nor a
/// departure of as many peers as the rules know, then it was an outage, and their silence says nothing. Looks for which there was no way out
/// (no route, no address of our own, no server of names) say nothing of their peers, and count as silence here.
#[derive(Debug, Clone)]
pub struct OutageWatch<K> {
    rules: OutageRules,
    /// When the network was last known to stand.
    stood_at: Timestamp,
    /// The last gaps: looks that began in them may still end.
    recent: VecDeque<ObserverGap>,
    held: Vec<(K, PeerLook)>,
    /// Who is silent since then, each once.
    silent: BTreeSet<K>,
    /// How surprising their silence is, in nats.
    surprise: f64,
}

impl<K: Copy + Ord> OutageWatch<K> {
    /// Of a network that stands now.
    pub const fn new(rules: OutageRules, now: Timestamp) -> Self {
        Self {
            rules,
            stood_at: now,
            recent: VecDeque::new(),
            held: Vec::new(),
            silent: BTreeSet::new(),
            surprise: 0.0,
        }
    }

    /// Takes a look in, in the order of their ends, at a peer that was expected to be silent with a
    /// [probability](crate::PeerUptime::expected_silence).
    pub fn looked(&mut self, peer: K, look: PeerLook, expected_silence: f64) -> OutageDecision<K> {
        let look = self.recent.iter().fold(look, PeerLook::beside);
        if look.is_answered {
            let mut decided = self.over(look.ended_at);
            let look = decided.gap.iter().fold(look, PeerLook::beside);
            decided.looks.push((peer, look));
            return decided;
        }
        if is_silence(&look) && self.is_counted(peer) {
            self.surprise -= expected_silence.max(self.rules.largest_departure).min(1.0).ln();
        }
        self.held.push((peer, look));
        let looks = if self.is_gone() {
            // Its end is not known yet, and later than all of these.
            let outage = self.outage(Timestamp(i64::MAX));
            self.held.drain(..).map(|(peer, look)| (peer, look.beside(&outage))).collect()
        } else if self.held.len() > self.rules.most_held {
            self.held.drain(..).collect()
        } else {
            Vec::new()
        };
        OutageDecision { gap: None, looks }
    }

    /// The network stands again, or nobody looks any more: what is held is decided.
    pub fn over(&mut self, now: Timestamp) -> OutageDecision<K> {
        let gap = self.is_gone().then(|| self.outage(now));
        let beside = |look| gap.iter().fold(look, PeerLook::beside);
        let looks = self.held.drain(..).map(|(peer, look)| (peer, beside(look))).collect();
        if let Some(gap) = gap {
            self.gap(gap);
        }
        self.stood_at = self.stood_at.max(now);
        self.silent.clear();
        self.surprise = 0.0;
        OutageDecision { gap, looks }
    }

    /// The observer did not see for another reason: looks that overlap that time and end later say nothing of who was down.
    pub fn gap(&mut self, gap: ObserverGap) {
        if self.recent.len() == RECENT_GAPS {
            self.recent.pop_front();
        }
        self.recent.push_back(gap);
    }

    fn outage(&self, until: Timestamp) -> ObserverGap {
        ObserverGap { cause: GapCause::NetworkGone, from: self.stood_at, until }
    }

    /// Whether an outage is believed to be under way.
    pub fn is_gone(&self) -> bool {
        self.surprise >= -self.rules.false_alarm.ln()
    }

    /// Whether there is more silence than one run in ten has: peers that surely stand are worth a look now.
    pub fn is_suspected(&self) -> bool {
        self.surprise >= 10_f64.ln()
    }

    /// Whether this peer's silence counts: once in a run, and of no more peers than are held.
    fn is_counted(&mut self, peer: K) -> bool {
        self.silent.len() < self.rules.most_held && self.silent.insert(peer)
    }
}

/// Whether a look was met by silence as whoever has no network meets it: nothing came back, or there was no way out.
fn is_silence(look: &PeerLook) -> bool {
    let has_no_way = look.failure.as_ref().is_some_and(|failure| {
        matches!(
            failure.class,
            FailureClass::NetworkUnreachable
                | FailureClass::AddressNotAvailable
                | FailureClass::NameServerFailed
        )
    });
    look.evidence == UptimeEvidence::Down || (look.evidence == UptimeEvidence::Unclear && has_no_way)
}

#[cfg(test)]
mod tests;
