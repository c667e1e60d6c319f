//! How right the sessions are that a monitor told.

use std::{collections::HashMap, time::Duration};

use kad::PeerId;
use kadscope_monitor::{
    running::{MonitorFact, PeerLooked},
    session::{SessionChange, SessionRules},
};
use schema::{ObserverGap, PeerNumber, SeenSession, Timestamp};
use testnet::life::Moment;

use crate::ground::{START, Seen};

/// The numbers.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Sessions that were told.
    pub(crate) told: usize,
    /// Those of them that no session of the truth explains: up at no time between their first and last successful look.
    pub(crate) invented: usize,
    /// Those of them during which the peer was away, between two successful looks.
    pub(crate) joined: usize,
    /// The longest of these absences.
    pub(crate) longest_joined: Duration,
    /// Those of them whose peer was still up throughout the time in which it is said to have gone.
    pub(crate) split: usize,
    /// Those of them whose peer was up already throughout the time in which it is said to have come.
    pub(crate) late: usize,
    /// Sessions of the truth.
    pub(crate) all: usize,
    /// Those of them that nobody saw.
    pub(crate) missed: usize,
    /// The longest of those.
    pub(crate) longest_missed: Duration,
}

pub(crate) fn moment(at: Timestamp) -> Moment {
    Moment::at(at.since(START))
}

/// Every session that was told, with its peer.
pub(crate) fn sessions(seen: &Seen) -> Vec<(PeerId, SeenSession)> {
    let mut names: HashMap<PeerNumber, PeerId> = HashMap::new();
    let mut all = Vec::new();
    for fact in &seen.facts {
        match fact {
            MonitorFact::Peer(number, id) => {
                names.insert(*number, *id);
            }
            MonitorFact::Looked(looked) => {
                let PeerLooked { peer, change, .. } = &**looked;
                if let SessionChange::Ended(session) = change {
                    all.push((names[peer], (**session).clone()));
                }
            }
            _ => {}
        }
    }
    let rules = SessionRules::default();
    let open = seen.state.peers.iter();
    all.extend(open.filter_map(|known| Some((known.id, known.uptime.session(&rules)?))));
    all
}

/// The observer's gaps that were told.
pub(crate) fn gaps(seen: &Seen) -> Vec<ObserverGap> {
    let gap = |fact: &MonitorFact| if let MonitorFact::Gap(gap) = fact { Some(*gap) } else { None };
    seen.facts.iter().filter_map(gap).collect()
}

/// For how long a peer was away at a time between two moments at which it was there.
fn away(seen: &Seen, peer: u32, (from, to): (Moment, Moment)) -> Duration {
    let stays = seen.history.sessions(peer, from, to).unwrap_or_default();
    let between = stays.windows(2).map(|pair| pair[1].from.seconds() - pair[0].to.seconds());
    Duration::from_secs_f64(between.fold(0.0, f64::max))
}

/// Compares what was told with what was.
pub(crate) fn judge(seen: &Seen) -> Verdict {
    let told = sessions(seen);
    let mut verdict = Verdict { told: told.len(), ..Verdict::default() };
    let end = moment(seen.summary.finished_at);
    for (id, session) in &told {
        let Some(peer) = seen.world.find(id) else {
            verdict.invented += 1;
            continue;
        };
        let up = |from: Timestamp, to: Timestamp| seen.history.was_up(peer, moment(from), moment(to));
        let throughout =
            |from: Timestamp, to: Timestamp| seen.history.was_up_throughout(peer, moment(from), moment(to));
        verdict.invented += usize::from(!up(session.first_successful, session.began_by));
        if !throughout(session.began_by, session.ended_after) {
            verdict.joined += 1;
            let away = away(seen, peer, (moment(session.began_by), moment(session.ended_after)));
            verdict.longest_joined = verdict.longest_joined.max(away);
        }
        if let Some(ended_by) = session.ended_by {
            verdict.split += usize::from(throughout(session.ended_after, ended_by));
        }
        if let Some(began_after) = session.began_after {
            // Where it was before it moved, nobody is up.
            let place = |at: Timestamp| seen.history.presence(peer, moment(at)).map(|then| then.last.place);
            let has_moved = place(began_after) != place(session.began_by);
            verdict.late += usize::from(!has_moved && throughout(began_after, session.began_by));
        }
    }
    for peer in seen.world.peers() {
        let Some(stays) = seen.history.sessions(peer, Moment::at(Duration::ZERO), end) else { continue };
        let id = seen.world.peer_id(peer);
        let of_peer: Vec<&SeenSession> =
            told.iter().filter(|(other, _)| *other == id).map(|(_, session)| session).collect();
        for stay in stays {
            verdict.all += 1;
            let is_of = |session: &&SeenSession| {
                moment(session.first_successful) < stay.to && stay.from <= moment(session.ended_after)
            };
            if !of_peer.iter().any(is_of) {
                verdict.missed += 1;
                let length = stay.to.min(end).seconds() - stay.from.seconds();
                verdict.longest_missed = verdict.longest_missed.max(Duration::from_secs_f64(length));
            }
        }
    }
    verdict
}
