//! Sights of holders beside what is true of them.

use std::{collections::BTreeMap, time::Duration};

use kadscope_hoard::HolderSight;
use schema::{HolderAnswer, Whereabouts};
use testnet::{HolderGives, HolderPlace, RecordTold, Stage, State, life::Moment};

use crate::{
    ground::Ground,
    watching::{Watched, Watching},
};

/// What came of judging sights.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) sights: usize,
    /// How often each was right to say.
    pub(crate) answers: BTreeMap<HolderAnswer, usize>,
    pub(crate) whereabouts: BTreeMap<Whereabouts, usize>,
    /// Holders that were there at another address, and that nobody named: not found, and so gone as far as anybody could tell.
    pub(crate) unfound: usize,
    /// Those of holders that never were.
    pub(crate) invented: usize,
    pub(crate) wrong: Vec<String>,
}

/// Judges all sights of a study.
pub(crate) fn judged(ground: &Ground, watching: &Watching) -> Judged {
    let mut judged = Judged::default();
    for watched in &watching.keys {
        for sight in watched.rounds.iter().flat_map(|round| &round.sights) {
            judged.judge(ground, watched, (sight, watching.left));
        }
    }
    judged
}

impl Judged {
    fn judge(&mut self, ground: &Ground, watched: &Watched, (sight, left): (&HolderSight, Duration)) {
        self.sights += 1;
        let Some(peer) = ground.world().find(&sight.peer) else {
            // Some answer with peers that they invented.
            let is_nowhere =
                (sight.whereabouts, sight.said.answer) == (Whereabouts::Gone, HolderAnswer::Unreached);
            self.invented += usize::from(is_nowhere);
            self.wrong.extend((!is_nowhere).then(|| format!("invented {:?}", sight.whereabouts)));
            return;
        };
        let from = watched.began + sight.after;
        let took = |dial: &Option<kadscope_hoard::HolderDial>| {
            dial.as_ref().map_or(Duration::ZERO, |dial| dial.took)
        };
        let to =
            from + took(&sight.first) + took(&sight.current) + sight.said.took.unwrap_or_default() + SLACK;
        let at = |elapsed: Duration| Moment::at(elapsed);
        let history = ground.fabric.history();
        let places = ground.truth.places(history.as_ref(), peer, (at(watched.began), at(from), at(to)));
        // Some of those who name it name where it was before anything began.
        let is_former =
            ground.world().state(peer) == State::StaleAddress && sight.whereabouts == Whereabouts::Moved;
        let is_there = is_former || places.iter().any(|place| is_right(*place, sight.whereabouts));
        let is_hidden = places.contains(&HolderPlace::Moved) && !sight.whereabouts.is_reached();
        if is_hidden {
            self.unfound += 1;
        } else if is_there {
            *self.whereabouts.entry(sight.whereabouts).or_default() += 1;
        }
        let expected = if sight.whereabouts.is_reached() {
            said(ground, peer, watched.told(ground, &sight.peer, left).as_ref(), (from, to))
        } else {
            vec![HolderAnswer::Unreached]
        };
        let is_said = expected.contains(&sight.said.answer);
        if is_said {
            *self.answers.entry(sight.said.answer).or_default() += 1;
        }
        if !(is_there || is_hidden) || !is_said {
            let state = ground.world().state(peer).name();
            self.wrong.push(format!(
                "{state} {places:?} {:?}, {expected:?} {:?}, from {from:?} to {to:?}",
                sight.whereabouts, sight.said.answer
            ));
        }
    }
}

/// What a dial may be late by, of whatever is on the way.
const SLACK: Duration = Duration::from_secs(30);

/// What a peer that is there says in an interval of a record that befell this; `None` if it was never given it.
fn said(
    ground: &Ground,
    peer: u32,
    told: Option<&RecordTold>,
    (from, to): (Duration, Duration),
) -> Vec<HolderAnswer> {
    let state = ground.world().state(peer);
    if !state.is_honest_server() {
        return answers_of(state);
    }
    let Some(told) = told else { return vec![HolderAnswer::WithoutRecord] };
    [from, to].into_iter().filter_map(|at| Some(answer(ground.truth.given(peer, told, at)?))).collect()
}

fn is_right(place: HolderPlace, said: Whereabouts) -> bool {
    match place {
        HolderPlace::Same => said == Whereabouts::SameAddress,
        HolderPlace::Moved => said == Whereabouts::Moved,
        HolderPlace::Gone => matches!(said, Whereabouts::Gone | Whereabouts::RelayedOnly),
        HolderPlace::OtherId => said == Whereabouts::OtherId,
    }
}

const fn answer(gives: HolderGives) -> HolderAnswer {
    match gives {
        HolderGives::Nothing => HolderAnswer::WithoutRecord,
        HolderGives::IdOnly => HolderAnswer::IdOnly,
        HolderGives::WithAddresses => HolderAnswer::WithAddresses,
    }
}

/// What comes of asking a peer that answers nobody truthfully.
fn answers_of(state: State) -> Vec<HolderAnswer> {
    match state {
        State::Silent(_) => vec![HolderAnswer::TimedOut],
        State::Reset(_) => vec![HolderAnswer::Reset],
        State::WrongProtocol => vec![HolderAnswer::Refused],
        State::Garbage(Stage::Request) | State::Oversize => vec![HolderAnswer::Malformed],
        State::Inventing(_) => vec![HolderAnswer::WithoutRecord],
        _ => vec![HolderAnswer::Unreached],
    }
}
