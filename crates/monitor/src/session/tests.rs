//! Sessions from looks that are written down.

use schema::GapCause;

use super::*;

const MINUTE: i64 = 60_000_000;

/// A look at this minute, which took ten seconds.
fn look(minute: i64, evidence: UptimeEvidence) -> PeerLook {
    let started_at = Timestamp(minute * MINUTE);
    PeerLook {
        started_at,
        ended_at: started_at.after(Duration::from_secs(10)),
        evidence,
        failure: (evidence == UptimeEvidence::Down)
            .then(|| Failure::new(Phase::Connect, FailureClass::Timeout)),
        is_answered: evidence == UptimeEvidence::Up,
        is_sure: false,
    }
}

fn up(minute: i64) -> PeerLook {
    look(minute, UptimeEvidence::Up)
}

fn silent(minute: i64) -> PeerLook {
    look(minute, UptimeEvidence::Down)
}

fn unclear(minute: i64) -> PeerLook {
    look(minute, UptimeEvidence::Unclear)
}

fn refused(minute: i64) -> PeerLook {
    let failure = Some(Failure::new(Phase::Connect, FailureClass::ConnectionRefused));
    PeerLook { failure, is_answered: true, is_sure: true, ..silent(minute) }
}

fn gap(from: i64, until: i64) -> ObserverGap {
    ObserverGap { cause: GapCause::Stopped, from: Timestamp(from * MINUTE), until: Timestamp(until * MINUTE) }
}

/// One silent look is tolerated.
fn rules() -> SessionRules {
    SessionRules { tolerated: 1, ..SessionRules::default() }
}

/// What each of these looks changes.
fn changes(peer: &mut PeerUptime, looks: &[PeerLook]) -> Vec<SessionChange> {
    looks.iter().map(|look| peer.looked(look, &rules())).collect()
}

fn ended(change: SessionChange) -> SeenSession {
    match change {
        SessionChange::Ended(session) => *session,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_peer_is_small() {
    assert!(size_of::<PeerUptime>() <= 120, "{}", size_of::<PeerUptime>());
}

#[test]
fn a_session_is_known_between_looks() {
    let mut peer = PeerUptime::new();
    let all = changes(&mut peer, &[silent(0), up(10), up(20), silent(30), silent(31)]);
    let [
        SessionChange::Nothing,
        SessionChange::Began,
        SessionChange::Continued,
        SessionChange::Doubted,
        last,
    ] = <[_; 5]>::try_from(all).unwrap()
    else {
        panic!()
    };
    let session = ended(last);
    assert_eq!(session.began_after, Some(silent(0).started_at));
    assert_eq!((session.first_successful, session.began_by), (up(10).started_at, up(10).ended_at));
    assert_eq!((session.ended_after, session.ended_by), (up(20).started_at, Some(silent(30).ended_at)));
    assert_eq!(session.first_failed, Some(silent(30).started_at));
    assert_eq!((session.successes, session.failures, session.recoveries), (2, 2, 0));
    assert_eq!((session.state, session.end), (SessionState::Closed, Some(SessionEnd::Gone)));
    assert_eq!(session.min_duration(), Duration::from_secs(590));
    assert_eq!(session.max_duration(), Some(Duration::from_secs(1810)));
    assert_eq!(session.failure.unwrap().class, FailureClass::Timeout);
    assert_eq!(peer.down_since(), Some(silent(30).ended_at));
}

#[test]
fn a_peer_that_was_never_up_is_not_down() {
    let mut peer = PeerUptime::new();
    assert_eq!(
        changes(&mut peer, &[silent(0), refused(5), unclear(9)]),
        [const { SessionChange::Nothing }; 3]
    );
    assert_eq!((peer.is_up(), peer.down_since(), peer.sessions()), (false, None, 0));
}

#[test]
fn a_session_that_no_failed_look_precedes_has_an_unknown_beginning() {
    let mut peer = PeerUptime::new();
    let session = ended(changes(&mut peer, &[unclear(0), up(1), refused(2)]).pop().unwrap());
    assert_eq!((session.began_after, session.max_duration()), (None, None));
    assert_eq!(session.min_duration(), Duration::ZERO);
}

#[test]
fn an_answer_that_nobody_is_there_needs_no_second_look() {
    let mut peer = PeerUptime::new();
    changes(&mut peer, &[up(1)]);
    let session = ended(peer.looked(&refused(2), &rules()));
    assert_eq!((session.failures, session.ended_by), (1, Some(refused(2).ended_at)));
    // The next begins after the look that ended this one.
    changes(&mut peer, &[up(5)]);
    let open = peer.session(&rules()).unwrap();
    assert_eq!((open.began_after, open.state), (Some(refused(2).started_at), SessionState::Open));
    assert_eq!(peer.sessions(), 2);
}

#[test]
fn a_silent_look_is_doubted_and_forgotten_when_the_peer_is_seen_again() {
    let mut peer = PeerUptime::new();
    let all = changes(&mut peer, &[up(1), silent(2), up(3), silent(4)]);
    assert_eq!(all[1..], [SessionChange::Doubted, SessionChange::Recovered, SessionChange::Doubted]);
    let open = peer.session(&rules()).unwrap();
    assert_eq!((open.state, open.failures, open.recoveries), (SessionState::Doubtful, 2, 1));
    assert_eq!(open.first_failed, Some(silent(4).started_at));
}

#[test]
fn as_many_silent_looks_as_are_tolerated_end_nothing_and_the_first_dates_the_end() {
    let mut peer = PeerUptime::new();
    let rules = SessionRules::default();
    let looks = [up(0), silent(10), silent(11), silent(12), silent(13)];
    let all = looks.map(|look| peer.looked(&look, &rules));
    assert_eq!(all[1..4], [const { SessionChange::Doubted }; 3]);
    assert_eq!(ended(all[4].clone()).ended_by, Some(silent(10).ended_at));
}

#[test]
fn unclear_looks_keep_a_session_until_sight_is_lost() {
    let mut peer = PeerUptime::new();
    let all = changes(&mut peer, &[up(0), unclear(600), unclear(1439), unclear(1441)]);
    assert_eq!(all[1..3], [SessionChange::Nothing, SessionChange::Nothing]);
    let session = ended(all[3].clone());
    assert_eq!((session.end, session.ended_by), (Some(SessionEnd::LostSight), None));
    assert_eq!(peer.down_since(), None, "it is not known to be down");
    // When the next began is not known either.
    changes(&mut peer, &[up(1500)]);
    assert_eq!(peer.session(&rules()).unwrap().began_after, None);
}

#[test]
fn a_gap_of_the_observer_ends_nobodys_session() {
    let rules = rules();
    let mut peer = PeerUptime::new();
    changes(&mut peer, &[up(0)]);
    peer.gap(&gap(1, 2001));
    assert_eq!(peer.looked(&unclear(2000), &rules), SessionChange::Nothing, "nobody looked for 24 hours");
    assert_eq!(peer.looked(&up(2002), &rules), SessionChange::Continued);
    let open = peer.session(&rules).unwrap();
    assert_eq!((open.gaps, open.unwatched), (1, Duration::from_secs(2000 * 60)));
    assert_eq!(open.successes, 2);
}

#[test]
fn who_is_gone_after_a_gap_went_at_some_time_since_it_was_seen() {
    let rules = rules();
    let mut peer = PeerUptime::new();
    changes(&mut peer, &[up(0)]);
    peer.gap(&gap(1, 100));
    let session = ended(peer.looked(&refused(101), &rules));
    assert_eq!((session.ended_after, session.ended_by), (up(0).started_at, Some(refused(101).ended_at)));
    assert_eq!(
        (session.gaps, session.unwatched),
        (0, Duration::ZERO),
        "it does not lie between two successes"
    );
}

#[test]
fn a_failed_look_beside_a_later_one_that_succeeded_changes_nothing() {
    let mut peer = PeerUptime::new();
    let long = PeerLook { ended_at: Timestamp(9 * MINUTE), ..refused(1) };
    let all = changes(&mut peer, &[up(0), up(2), long]);
    assert_eq!(all[2], SessionChange::Nothing);
}

#[test]
fn looks_that_end_together_say_the_same_in_any_order() {
    let rules = rules();
    let together = [up(2), silent(2), PeerLook { is_sure: true, ..silent(2) }, silent(2), unclear(2)];
    let mut results = Vec::new();
    for first in 0..together.len() {
        let mut looks = together.to_vec();
        looks.rotate_left(first);
        looks.insert(0, up(0));
        looks.push(silent(4));
        looks.sort_by(PeerLook::order);
        let mut peer = PeerUptime::new();
        let all = changes(&mut peer, &looks);
        results.push((peer, all));
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(results[0].0.session(&rules).unwrap().failures, 1);
}

#[test]
fn a_look_that_comes_late_changes_nothing() {
    let mut peer = PeerUptime::new();
    let all = changes(&mut peer, &[up(10), refused(5), up(4)]);
    assert_eq!(all[1..], [SessionChange::Nothing, SessionChange::Nothing]);
    assert_eq!(peer.up_since(), Some(up(10).started_at));
    assert_eq!(peer.session(&rules()).unwrap().successes, 1);
}

#[test]
fn a_peer_stands_as_its_row_says_when_the_visits_before_were_pruned() {
    let mut peer = PeerUptime::new();
    let closed =
        ended(changes(&mut peer, &[silent(0), up(10), up(20), silent(30), silent(31)]).pop().unwrap());
    // It was over before the first visit that is left: the next session begins after the look that found it gone.
    let mut later = PeerUptime::of_row(&closed, Timestamp(40 * MINUTE));
    assert_eq!(changes(&mut later, &[up(50)]), [SessionChange::Began]);
    assert_eq!(later.session(&rules()).unwrap().began_after, Some(silent(30).started_at));
    assert_eq!(later.sessions(), 2);
    // It was not: the visits that are left end it.
    let mut within = PeerUptime::of_row(&closed, Timestamp(15 * MINUTE));
    let again = ended(changes(&mut within, &[up(20), silent(30), silent(31)]).pop().unwrap());
    assert_eq!(again, closed);
    let open = SeenSession { state: SessionState::Open, ended_by: None, end: None, ..closed };
    let mut open = PeerUptime::of_row(&open, Timestamp(25 * MINUTE));
    assert_eq!(changes(&mut open, &[up(26)]), [SessionChange::Continued]);
    assert_eq!(open.up_since(), Some(up(10).started_at));
}
