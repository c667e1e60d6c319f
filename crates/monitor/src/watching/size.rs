//! The course of a run: how large the network was over all of it, and how fast things went of late.

use std::{collections::VecDeque, time::Duration};

use schema::Timestamp;

use super::RunEvents;

/// Samples that are kept at most: where there are more, each second one goes, so that a run of any length has between half of them and
/// all. 16 KB.
const MAX_SAMPLES: usize = 1024;

/// Over how long a pace is.
const PACE_OVER: Duration = Duration::from_secs(60);

/// How many looks back a pace remembers at most: a tick a second, and some.
const MAX_MARKS: usize = 128;

/// How large the network was at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeSample {
    /// When.
    pub at: Timestamp,
    /// How many peers were up, as far as was known.
    pub active: u64,
}

/// How fast things happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkPace {
    /// Over how long that was.
    pub over: Duration,
    /// Looks at peers, a second.
    pub looks_per_s: f64,
    /// Peers that came, a minute.
    pub arrivals_per_min: f64,
    /// Peers that left, a minute.
    pub departures_per_min: f64,
}

/// The course of one run.
#[derive(Debug)]
pub(super) struct SizeCourse {
    samples: Vec<SizeSample>,
    /// A sample is kept each so many ticks.
    stride: u64,
    ticks: u64,
    marks: VecDeque<(Timestamp, RunEvents)>,
}

impl Default for SizeCourse {
    fn default() -> Self {
        Self { samples: Vec::new(), stride: 1, ticks: 0, marks: VecDeque::new() }
    }
}

impl SizeCourse {
    /// Forgets what was.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// How large the network is at a tick, and what has happened by then.
    pub(super) fn note(&mut self, sample: SizeSample, events: &RunEvents) {
        if self.ticks.is_multiple_of(self.stride) {
            if self.samples.len() >= MAX_SAMPLES {
                self.thin_out();
            }
            // By then only each second tick may be kept.
            if self.ticks.is_multiple_of(self.stride) {
                self.samples.push(sample);
            }
        }
        self.ticks += 1;
        self.marks.push_back((sample.at, *events));
        let is_old = |mark: &(Timestamp, RunEvents)| sample.at.since(mark.0) >= PACE_OVER;
        // The last one that is older stays: the pace is over a minute at least once there is one.
        while self.marks.len() > MAX_MARKS || self.marks.get(1).is_some_and(is_old) {
            self.marks.pop_front();
        }
    }

    fn thin_out(&mut self) {
        let mut index = 0_usize;
        self.samples.retain(|_| {
            index += 1;
            !index.is_multiple_of(2)
        });
        self.stride *= 2;
    }

    pub(super) fn samples(&self) -> &[SizeSample] {
        &self.samples
    }

    pub(super) fn pace(&self) -> Option<NetworkPace> {
        let (&(from, before), &(until, after)) = (self.marks.front()?, self.marks.back()?);
        let over = until.since(from);
        let seconds = over.as_secs_f64();
        if seconds <= 0.0 {
            return None;
        }
        let a_second = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds;
        Some(NetworkPace {
            over,
            looks_per_s: a_second(before.looks, after.looks),
            arrivals_per_min: 60.0 * a_second(before.arrivals, after.arrivals),
            departures_per_min: 60.0 * a_second(before.departures, after.departures),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: u64) -> Timestamp {
        Timestamp(0).after(Duration::from_secs(number))
    }

    #[test]
    fn a_course_of_any_length_fits_and_its_samples_are_equally_far_apart() {
        let mut course = SizeCourse::default();
        for number in 0..100_000 {
            course.note(SizeSample { at: second(number), active: number }, &RunEvents::default());
            let samples = course.samples();
            assert!(samples.len() <= MAX_SAMPLES, "{number}");
            assert!(number < 1024 || samples.len() >= MAX_SAMPLES / 2, "{number}");
        }
        let steps: Vec<u64> = course.samples().windows(2).map(|two| two[1].active - two[0].active).collect();
        assert!(steps.iter().all(|&step| step == steps[0]), "{steps:?}");
        assert_eq!(course.samples()[0].active, 0);
    }

    #[test]
    fn a_pace_is_over_the_last_minute() {
        let mut course = SizeCourse::default();
        assert_eq!(course.pace(), None);
        for number in 0..200 {
            // 5 looks a second, then 10.
            let looks = if number < 100 { 5 * number } else { 500 + 10 * (number - 100) };
            let events =
                RunEvents { looks, arrivals: number / 10, departures: number / 20, ..RunEvents::default() };
            course.note(SizeSample { at: second(number), active: 0 }, &events);
        }
        let pace = course.pace().unwrap();
        assert_eq!((pace.over, pace.looks_per_s), (PACE_OVER, 10.0));
        assert_eq!((pace.arrivals_per_min, pace.departures_per_min), (6.0, 3.0));
    }

    #[test]
    fn slow_ticks_have_a_pace_too_and_many_are_bounded() {
        let mut slow = SizeCourse::default();
        for minutes in 0..3 {
            let events = RunEvents { looks: 600 * minutes, ..RunEvents::default() };
            slow.note(SizeSample { at: second(120 * minutes), active: 0 }, &events);
        }
        let pace = slow.pace().unwrap();
        assert_eq!((pace.over.as_secs(), pace.looks_per_s), (120, 5.0));
        let mut fast = SizeCourse::default();
        for number in 0..10_000 {
            let at = Timestamp(0).after(Duration::from_millis(number));
            fast.note(SizeSample { at, active: 0 }, &RunEvents::default());
        }
        assert!(fast.marks.len() <= MAX_MARKS);
    }
}
