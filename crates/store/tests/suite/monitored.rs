//! Rows of a monitor of which everything is there, and of which nothing is.

use std::time::Duration;

use kad::failure::{Failure, FailureClass, Phase};
use schema::{
    GapCause, ObserverGap, OnlineCriterion, PeerDay, PeerNumber, PeerSession, Row, SeenSession, SessionEnd,
    SessionState, Timestamp,
};

/// Of each kind a row of which nothing is absent, and of a session also one that has just begun.
pub(crate) fn monitored(at: Timestamp) -> Vec<Row> {
    let after = |seconds| at.after(Duration::from_secs(seconds));
    let begun = SeenSession {
        criterion: OnlineCriterion::Identify,
        state: SessionState::Open,
        began_after: None,
        first_successful: after(1),
        began_by: after(2),
        ended_after: after(1),
        first_failed: None,
        ended_by: None,
        successes: 1,
        failures: 0,
        recoveries: 0,
        gaps: 0,
        unwatched: Duration::ZERO,
        end: None,
        failure: None,
    };
    let over = SeenSession {
        state: SessionState::Closed,
        began_after: Some(at),
        ended_after: after(60),
        first_failed: Some(after(90)),
        ended_by: Some(after(95)),
        successes: 3,
        failures: 4,
        recoveries: 1,
        gaps: 2,
        unwatched: Duration::from_millis(1_500),
        end: Some(SessionEnd::Gone),
        failure: Some(Failure::new(Phase::Connect, FailureClass::Timeout)),
        ..begun.clone()
    };
    let peer = PeerNumber(1);
    let day = PeerDay {
        peer,
        day: Timestamp(0),
        up: Duration::from_secs(58),
        down: Duration::from_micros(7),
        looks: 5,
        begun: 1,
        ended: 1,
    };
    vec![
        PeerSession { peer, seen: begun, next_dial: Some(after(30)) }.into(),
        PeerSession { peer, seen: over, next_dial: None }.into(),
        day.into(),
        ObserverGap { cause: GapCause::NetworkGone, from: at, until: after(600) }.into(),
    ]
}
