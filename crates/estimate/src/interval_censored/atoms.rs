//! Where the estimate can have weight: the shortest stretches that are where many observations overlap.

use super::Bracketed;

/// A stretch between two looks that no other look divides: later than the one, not later than the other, or never seen to end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Atom {
    pub(super) after: f64,
    pub(super) by: Option<f64>,
}

/// An end of an observation on the line: a time, and at one time first where what was seen itself begins, then where any ends, then where
/// what is later begins.
type Place = (f64, u8);

/// All atoms of some observations, from the first on.
#[derive(Debug)]
pub(super) struct Atoms {
    pub(super) list: Vec<Atom>,
    starts: Vec<Place>,
    ends: Vec<Place>,
}

const SEEN_ITSELF: u8 = 0;
const END: u8 = 1;
const LATER: u8 = 2;

fn start(one: &Bracketed) -> Place {
    (one.after, if one.by == Some(one.after) { SEEN_ITSELF } else { LATER })
}

fn end(by: Option<f64>) -> Place {
    (by.unwrap_or(f64::INFINITY), END)
}

fn is_before(one: Place, other: Place) -> bool {
    one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)).is_lt()
}

impl Atoms {
    pub(super) fn of(observed: &[Bracketed]) -> Self {
        let mut places: Vec<(Place, bool)> = observed.iter().map(|one| (start(one), true)).collect();
        places.extend(observed.iter().map(|one| (end(one.by), false)));
        places.sort_by(|(one, _), (other, _)| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let (mut list, mut starts, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        // Where a start is followed by an end with nothing between, observations overlap as much as they ever do.
        for pair in places.windows(2) {
            let [(from, true), (to, false)] = *pair else { continue };
            list.push(Atom { after: from.0, by: to.0.is_finite().then_some(to.0) });
            starts.push(from);
            ends.push(to);
        }
        Self { list, starts, ends }
    }

    /// The first of the atoms that an observation leaves open, and the one behind the last.
    pub(super) fn run(&self, one: &Bracketed) -> [usize; 2] {
        let (from, to) = (start(one), end(one.by));
        let first = self.starts.partition_point(|place| is_before(*place, from));
        let behind = self.ends.partition_point(|place| !is_before(to, *place));
        [first, behind]
    }
}
