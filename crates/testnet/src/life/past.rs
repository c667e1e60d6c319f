//! How life begins: each host in the middle of a session or an absence, with a past that tables remember.

use std::time::Duration;

use rand::{Rng, RngExt};

use super::{Calendar, HostPlace, HostState, Moment, Presence, Stay, cast, cast::HostRole};
use crate::{
    World,
    random::{Stream, stream},
    scenario::life::LifeClass,
};

/// The most sessions before the start that a host is given.
const MAX_SESSIONS: usize = 64;

/// The state of a host at the start, and into `presences` where its ids are and were.
pub(super) fn begin(world: &World, host: &HostRole, presences: &mut [Presence]) -> HostState {
    let class = world.cast.class(host);
    let first = world.cast.ids()[host.first_id as usize];
    let rng = &mut stream(world.scenario().seed, Stream::LifeStart, first);
    let mut state =
        HostState { due: Moment::START, turn: 0, is_up: false, has_been: false, id: 0, place: HostPlace(0) };
    if rng.random_bool(class.enters.share.get()) {
        let within = class.enters.within_s * rng.random::<f64>();
        state.due = Moment::at(Duration::try_from_secs_f64(within).unwrap_or_default());
        return state;
    }
    state.has_been = true;
    state.is_up = rng.random_bool(cast::availability(class));
    if class.rotates.share.get() > 0.0 {
        state.id = rng.random_range(0..host.ids);
    }
    if class.moves.share.get() > 0.0 {
        state.place = HostPlace(rng.random_range(0..host.places));
    }
    let law = if state.is_up { class.up } else { class.down };
    let under_way = law.under_way(rng);
    let (due, calendar) = (Moment::START.shifted(under_way.left_us), Calendar::of(world, host));
    state.due = if state.is_up {
        calendar.end_of_session(Moment::START, due)
    } else {
        calendar.end_of_absence(Moment::START, due)
    };
    let since = Moment::START.shifted(-under_way.age_us);
    let mut back = Backwards { host, class, id: state.id, place: state.place, cursor: since };
    if state.is_up {
        presences[usize::from(state.id)].last = Stay { from: since, to: Moment::ENDLESS, place: state.place };
        back.absence(rng);
    }
    let remembered = Moment::START.shifted(-world.cast.lag().longest_us());
    for _ in 0..MAX_SESSIONS {
        if back.cursor < remembered {
            break;
        }
        let id = usize::from(back.id);
        recall(&mut presences[id], back.session(rng));
        back.absence(rng);
    }
    state
}

/// Notes a session that was before all that is noted already.
fn recall(presence: &mut Presence, session: Stay) {
    if presence.last == Stay::NEVER {
        presence.last = session;
    } else if presence.before == Stay::NEVER {
        presence.before = session;
    }
}

/// A host's past, from the start backwards: a renewal process looks the same in both directions.
struct Backwards<'a> {
    host: &'a HostRole,
    class: &'a LifeClass,
    id: u8,
    place: HostPlace,
    /// What is before this moment is not drawn yet.
    cursor: Moment,
}

impl Backwards<'_> {
    /// The session that ended at the cursor.
    fn session(&mut self, rng: &mut impl Rng) -> Stay {
        let to = self.cursor;
        self.cursor = to.shifted(-self.class.up.draw_us(rng));
        Stay { from: self.cursor, to, place: self.place }
    }

    /// The absence that ended at the cursor, with a return of which id and place may have been others before.
    fn absence(&mut self, rng: &mut impl Rng) {
        self.cursor = self.cursor.shifted(-self.class.down.draw_us(rng));
        if self.host.ids > 1 && rng.random_bool(self.class.rotates.share.get()) {
            self.id = self.id.checked_sub(1).unwrap_or(self.host.ids - 1);
        }
        if self.host.places > 1 && rng.random_bool(self.class.moves.share.get()) {
            self.place = HostPlace(self.place.0.checked_sub(1).unwrap_or(self.host.places - 1));
        }
    }
}
