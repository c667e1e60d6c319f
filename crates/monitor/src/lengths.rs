//! How long sessions last, of sessions that are known between looks.
//!
//! Whoever is first seen at some age was bound to have reached it: sessions that ended before anybody looked are in no list, so a curve of
//! those that are would say that sessions are longer than they are. So each counts as watched from the age at which it was first seen, as
//! those do who enter a study late (product limit under left truncation: N. Keiding and R. D. Gill, Ann. Stat. 18 (1990) 582-602). That age
//! is known between two looks, and so is the end: both are spread over what the looks leave open by what the curve itself says, again and
//! again (self-consistency: B. W. Turnbull, J. R. Stat. Soc. B 38 (1976) 290-295). The curve is made of stretches with one hazard each. It
//! assumes that when a peer is looked at does not hang on when it comes and goes. It is off by 0.01 where looks are a quarter of the
//! mean length apart, and by 0.05 where they are half of it.

#[cfg(test)]
mod tests;

/// What looks leave open of one session, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenLength {
    /// Its age when it was first seen, at most: it was down then, or nobody named it.
    pub unseen_before: f64,
    /// From the first look that found it up to the last.
    pub seen_for: f64,
    /// From the first look that found it up to the first that did not; `None` if it was never seen to end.
    pub ended_by: Option<f64>,
}

/// How many sessions last longer than a time.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionLengths {
    stretches: Vec<Stretch>,
}

/// A stretch of ages and what is counted there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    from: f64,
    until: f64,
    hazard: f64,
    /// The hazards of all before it, summed over time.
    before: f64,
    watched: f64,
    ended: f64,
}

/// The first stretch, by how much each is longer than the one before, and where the last ends: half a year.
const FIRST: f64 = 60.0;
const GROWTH: f64 = 1.06;
const LAST: f64 = 180.0 * 86_400.0;

/// How often what is left open is spread anew. More follow chance: of looks half the mean length apart, 40 are off by 0.08.
const ROUNDS: u32 = 6;

/// Into how many parts is split what looks leave open at either end.
const PARTS: u32 = 3;

impl SessionLengths {
    /// From sessions in any order; `None` if none was ever seen to end.
    pub fn of(seen: &[SeenLength]) -> Option<Self> {
        if !seen.iter().any(|one| one.ended_by.is_some()) {
            return None;
        }
        let mut lengths = Self { stretches: stretches() };
        for _ in 0..ROUNDS {
            let mut next = lengths.clone();
            for (one, shift) in seen.iter().zip(shifts()) {
                next.count(one, shift, &lengths);
            }
            next.settle();
            lengths = next;
        }
        Some(lengths)
    }

    /// The share of sessions that last longer than so many seconds.
    pub fn longer_than(&self, seconds: f64) -> f64 {
        (-self.risk(seconds)).exp()
    }

    fn at(&self, age: f64) -> Option<&Stretch> {
        let next = self.stretches.partition_point(|stretch| stretch.from <= age);
        self.stretches.get(next.checked_sub(1)?)
    }

    /// The hazards until an age, summed over time.
    fn risk(&self, age: f64) -> f64 {
        self.at(age).map_or(0.0, |stretch| stretch.before + stretch.hazard * (age - stretch.from))
    }

    /// How likely a length is beside others.
    fn density(&self, length: f64) -> f64 {
        self.at(length).map_or(0.0, |stretch| stretch.hazard) * self.longer_than(length)
    }

    /// Counts a session, with what looks leave open as likely as a curve says.
    fn count(&mut self, one: &SeenLength, shift: (f64, f64), by: &Self) {
        let mut cases = Vec::with_capacity((PARTS * PARTS) as usize);
        for entered in parts(0.0, one.unseen_before, shift.0) {
            match one.ended_by {
                None => cases.push((entered, one.seen_for, by.longer_than(entered + one.seen_for))),
                Some(until) => cases.extend(
                    parts(one.seen_for, until, shift.1)
                        .map(|rest| (entered, rest, by.density(entered + rest))),
                ),
            }
        }
        let all: f64 = cases.iter().map(|(_, _, likely)| likely).sum();
        let even = 1.0 / cases.len() as f64;
        for (entered, rest, likely) in cases {
            let weight = if all > 0.0 { likely / all } else { even };
            self.add((entered, entered + rest), weight, one.ended_by.is_some());
        }
    }

    /// Counts one that was watched between two ages.
    fn add(&mut self, (entered, left): (f64, f64), weight: f64, has_ended: bool) {
        let first = self.stretches.partition_point(|stretch| stretch.until <= entered);
        for stretch in self.stretches.iter_mut().skip(first) {
            stretch.watched += weight * (left.min(stretch.until) - entered.max(stretch.from)).max(0.0);
            if left < stretch.until {
                stretch.ended += if has_ended { weight } else { 0.0 };
                break;
            }
        }
    }

    /// Hazards by what was counted, which begins anew.
    fn settle(&mut self) {
        let mut before = 0.0;
        for stretch in &mut self.stretches {
            let hazard = if stretch.watched > 0.0 { stretch.ended / stretch.watched } else { 0.0 };
            *stretch = Stretch { hazard, before, watched: 0.0, ended: 0.0, ..*stretch };
            before += hazard * (stretch.until - stretch.from);
        }
    }
}

/// Stretches of one hazard: nothing is known before the first round, by which all lengths are about as likely.
fn stretches() -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let (mut from, mut long) = (0.0, FIRST);
    while from < LAST {
        let (hazard, before) = (1.0 / LAST, from / LAST);
        stretches.push(Stretch { from, until: from + long, hazard, before, watched: 0.0, ended: 0.0 });
        from += long;
        long *= GROWTH;
    }
    stretches
}

/// A place in each of equal parts of what lies between two times: the same in all of them.
fn parts(from: f64, until: f64, shift: f64) -> impl Iterator<Item = f64> {
    let long = (until - from).max(0.0);
    (0..PARTS).map(move |part| from + long * (f64::from(part) + shift) / f64::from(PARTS))
}

/// Places that differ from session to session and fill the square evenly (the plastic number's multiples): were they the middles for all,
/// nobody would be counted at ages below that of the first.
fn shifts() -> impl Iterator<Item = (f64, f64)> {
    (1_u32..).map(|index| {
        let of = |step: f64| (f64::from(index) * step).fract();
        (of(0.754_877_666_246_693), of(0.569_840_290_998_053))
    })
}
