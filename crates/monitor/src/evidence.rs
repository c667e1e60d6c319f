//! What one visit, of a crawl or of a monitor, says about whether its peer was up: the rule of
//! [the page on sessions](../../../docs/methodology/sessions.md), whose table a test reads row by row.
//!
//! What follows from several visits of a peer is [`session`](crate::session)'s; which of them the observer itself spoiled, its gaps say.

use std::cmp::Ordering;

use kad::{
    failure::{Failure, FailureClass, Phase, SkipReason, furthest},
    network::AddressOutcome,
};
use schema::{ObserverGap, OnlineCriterion, PrefixOutcome, Timestamp, Visit, VisitKind};

kad::named! {
    /// What a visit says of its peer.
    pub enum UptimeEvidence {
        /// The peer was up.
        Up = "up",
        /// The peer was not up.
        Down = "down",
        /// Nothing.
        Unclear = "unclear",
    }
}

/// One visit, reduced to what follows from it for the peer's uptime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerLook {
    /// When the visit began, before anything was sent.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What it says of the peer.
    pub evidence: UptimeEvidence,
    /// What it met, without a text; `None` if the peer was up, or if nothing was dialled.
    pub failure: Option<Failure>,
    /// Whether anybody answered, the peer or somebody else: then the observer's network stood.
    pub is_answered: bool,
    /// Whether the peer being down needs no second look: every address that was dialled gave an answer that it is not there.
    pub is_sure: bool,
}

impl PeerLook {
    /// The same, if the observer was not hindered meanwhile. A look that found the peer down while the observer itself could not see
    /// says nothing, unless an answer said so.
    #[must_use]
    pub fn beside(self, gap: &ObserverGap) -> Self {
        let is_spoiled = self.evidence == UptimeEvidence::Down
            && !self.is_sure
            && gap
                .overlaps(self.started_at, self.ended_at.max(Timestamp(self.started_at.0.saturating_add(1))));
        if is_spoiled { Self { evidence: UptimeEvidence::Unclear, ..self } } else { self }
    }

    /// The order in which looks at a peer are taken: by their end; of those that end together, who was up first.
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |look: &Self| (look.ended_at, look.evidence, look.started_at, look.is_sure);
        key(self).cmp(&key(other))
    }
}

kad::named! {
    /// What one failure says of the peer that was looked for.
    pub(crate) enum FailureSays {
        /// The visit was hindered by a cause of ours: it says nothing, whatever other addresses say.
        Hindered = "hindered",
        /// Nothing; other addresses may say more.
        Nothing = "nothing",
        /// The peer is not up at this address, as nothing came from there.
        Silent = "silent",
        /// The peer is not up at this address, as an answer says.
        Absent = "absent",
        /// Somebody is there and has no room for us: the peer may be up.
        Full = "full",
    }
}

impl FailureSays {
    /// The row of the table for this failure.
    pub(crate) const fn of(failure: &Failure) -> Self {
        match failure.class {
            FailureClass::LocalResources | FailureClass::Cancelled => Self::Hindered,
            FailureClass::NetworkUnreachable
            | FailureClass::AddressNotAvailable
            | FailureClass::PermissionDenied
            | FailureClass::NameServerFailed
            | FailureClass::NoAddress
            | FailureClass::Other => Self::Nothing,
            FailureClass::Timeout
            | FailureClass::HostUnreachable
            | FailureClass::HostDown
            | FailureClass::NameNotFound => Self::Silent,
            FailureClass::ResourceLimit | FailureClass::StreamReset | FailureClass::StreamClosed => {
                Self::Full
            }
            FailureClass::ConnectionReset | FailureClass::ConnectionClosed => match failure.phase {
                Phase::Dns | Phase::Connect => Self::Absent,
                _ => Self::Full,
            },
            FailureClass::ConnectionRefused
            | FailureClass::PeerIdMismatch
            | FailureClass::IdentifyKeyMismatch
            | FailureClass::SecurityNotSupported
            | FailureClass::HandshakeFailed
            | FailureClass::KeyNotSupported
            | FailureClass::MultiplexerNotSupported
            | FailureClass::ProtocolNotSupported
            | FailureClass::Malformed
            | FailureClass::MessageTooLarge
            | FailureClass::ProtocolViolation => Self::Absent,
        }
    }

    /// Whether somebody answered.
    const fn is_answer(self) -> bool {
        matches!(self, Self::Absent | Self::Full)
    }
}

/// What a visit says of its peer, if a peer that fulfils the criterion is up.
pub fn evidence(visit: &Visit, criterion: OnlineCriterion) -> PeerLook {
    let look = if visit.is_reachable() { of_connection(visit, criterion) } else { of_dial(visit) };
    PeerLook { started_at: visit.met.started_at, ended_at: visit.met.ended_at, ..look }
}

/// Whether somebody else answered at an address of the peer: it went from there, or calls itself otherwise now.
pub(crate) fn met_another(visit: &Visit) -> bool {
    let mut failures = visit.met.addresses.iter().filter_map(|address| address.outcome.failure());
    failures.any(|failure| failure.class == FailureClass::PeerIdMismatch)
}

/// A look of which the times are not known yet.
const fn look(evidence: UptimeEvidence, failure: Option<Failure>, is_answered: bool) -> PeerLook {
    let at = Timestamp(0);
    PeerLook { started_at: at, ended_at: at, evidence, failure, is_answered, is_sure: false }
}

/// Of a visit without a connection, which fulfils no criterion.
fn of_dial(visit: &Visit) -> PeerLook {
    let addresses = &visit.met.addresses;
    let failures = || addresses.iter().filter_map(|address| address.outcome.failure());
    let says = |wanted: FailureSays| failures().any(|failure| FailureSays::of(failure) == wanted);
    let is_answered = failures().any(|failure| FailureSays::of(failure).is_answer());
    let is_untried = addresses.iter().any(|address| {
        matches!(address.outcome, AddressOutcome::NotTried | AddressOutcome::Skipped(SkipReason::OverLimit))
    });
    let is_to_be_continued = is_untried && matches!(visit.kind, VisitKind::First | VisitKind::NewAddresses);
    let is_silent = says(FailureSays::Silent);
    let is_down = is_silent || says(FailureSays::Absent);
    let is_spoiled = says(FailureSays::Hindered) || says(FailureSays::Full) || is_to_be_continued;
    if !is_down || is_spoiled {
        let failure = visit.met.connect_error.as_ref().map(plain);
        return look(UptimeEvidence::Unclear, failure, is_answered);
    }
    let telling = failures().filter(|failure| FailureSays::of(failure) != FailureSays::Nothing);
    let is_sure = !is_silent && !is_untried && !says(FailureSays::Nothing);
    PeerLook { is_sure, ..look(UptimeEvidence::Down, furthest(telling).map(plain), is_answered) }
}

/// Of a visit with a connection: what the criterion asks beyond it decides.
fn of_connection(visit: &Visit, criterion: OnlineCriterion) -> PeerLook {
    let (is_fulfilled, failure) = match criterion {
        OnlineCriterion::Handshake => (true, None),
        OnlineCriterion::Identify => (visit.met.agent_version.is_some(), visit.met.identify_error.as_ref()),
        OnlineCriterion::Kad => (is_answered(visit), visit.crawl_error.as_ref()),
    };
    if is_fulfilled {
        return look(UptimeEvidence::Up, None, true);
    }
    // Without a failure it was never asked.
    let Some(failure) = failure else { return look(UptimeEvidence::Unclear, None, true) };
    let says = FailureSays::of(failure);
    let evidence = match says {
        FailureSays::Silent | FailureSays::Absent => UptimeEvidence::Down,
        FailureSays::Hindered | FailureSays::Nothing | FailureSays::Full => UptimeEvidence::Unclear,
    };
    PeerLook { is_sure: says == FailureSays::Absent, ..look(evidence, Some(plain(failure)), true) }
}

/// Whether the peer answered a request of Kademlia.
fn is_answered(visit: &Visit) -> bool {
    let is_answer = |outcome: &PrefixOutcome| matches!(outcome, PrefixOutcome::Answered { .. });
    visit.prefixes.iter().any(is_answer) || visit.further.answered > 0
}

/// A failure without its text.
const fn plain(failure: &Failure) -> Failure {
    Failure::new(failure.phase, failure.class)
}

#[cfg(test)]
mod tests;
