//! A world that lives by a clock: its life and its history, shared by those who answer, dial and write down.
//!
//! This is the one place where life meets a clock, and that is tokio's: on a paused one, days pass in seconds.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    World,
    life::{History, HostPlace, Life, LifeEvent, Moment},
};

/// How moments of life, of the clock and of the calendar belong together.
#[derive(Debug, Clone, Copy)]
pub struct LifeClock {
    start: Instant,
    start_unix_ms: f64,
    speed: f64,
}

impl LifeClock {
    /// Life begins now. `start_unix_ms` is the calendar's time of that, in milliseconds since 1970.
    pub fn starting_now(world: &World, start_unix_ms: f64) -> Self {
        Self::starting_at(world, Instant::now(), start_unix_ms)
    }

    /// The same, for an instant in the past.
    pub fn starting_at(world: &World, start: Instant, start_unix_ms: f64) -> Self {
        let speed = world.scenario().life.as_ref().map(|life| life.speed);
        let speed = speed.filter(|speed| speed.is_finite() && *speed > 0.0).unwrap_or(1.0);
        Self { start, start_unix_ms, speed }
    }

    /// The same, of a life that begins only now.
    fn restarted(self) -> Self {
        let start = Instant::now();
        let late = start.saturating_duration_since(self.start);
        Self { start, start_unix_ms: self.start_unix_ms + late.as_secs_f64() * 1e3, ..self }
    }

    /// The moment of life that it is now.
    pub fn now(&self) -> Moment {
        self.at(Instant::now())
    }

    /// The moment of life at an instant.
    pub fn at(&self, instant: Instant) -> Moment {
        Moment::at(instant.saturating_duration_since(self.start).mul_f64(self.speed))
    }

    /// When it is a moment of life; far in the future for one that never comes.
    pub fn instant(&self, moment: Moment) -> Instant {
        /// Ten years: timers do not reach much further.
        const FAR: Duration = Duration::from_secs(315_576_000);
        let seconds = (moment.seconds() / self.speed).clamp(0.0, FAR.as_secs_f64());
        // A nanosecond later than exact: a timer must not fire before the moment that it waits for.
        self.start + Duration::from_secs_f64(seconds) + Duration::from_nanos(1)
    }

    /// The calendar's time of a moment of life, in milliseconds since 1970.
    pub fn unix_ms(&self, moment: Moment) -> f64 {
        self.start_unix_ms + moment.seconds() * 1e3 / self.speed
    }

    /// The moment of life at a time of the calendar, in milliseconds since 1970.
    pub fn at_unix_ms(&self, unix_ms: f64) -> Moment {
        let elapsed_us = (unix_ms - self.start_unix_ms) * 1e3 * self.speed;
        #[expect(clippy::cast_possible_truncation, reason = "saturates at times that no clock shows")]
        Moment::from_micros(elapsed_us as i64)
    }

    /// So long by the clock, as life has it.
    pub fn stretch(&self, real: Duration) -> Duration {
        real.mul_f64(self.speed)
    }
}

impl Alive {
    /// Lets happen what is due by now.
    fn catch_up(&mut self) -> Moment {
        let now = self.clock.now();
        while let Some(event) = self.life.next(now) {
            self.history.record(&event);
        }
        self.history.extend_to(now);
        now
    }
}

/// A life, its clock and its history so far.
#[derive(Debug)]
pub(crate) struct Living {
    world: Arc<World>,
    state: Mutex<Alive>,
}

#[derive(Debug)]
struct Alive {
    life: Life,
    history: History,
    clock: LifeClock,
}

impl Living {
    /// The life of a world from its start; `None` if nobody comes or goes in it.
    pub(crate) fn of(world: &Arc<World>, clock: LifeClock) -> Option<Arc<Self>> {
        let life = Life::of(world)?;
        let history = History::starting(&life);
        let state = Mutex::new(Alive { life, history, clock });
        Some(Arc::new(Self { world: Arc::clone(world), state }))
    }

    pub(crate) fn clock(&self) -> LifeClock {
        self.lock().clock
    }

    /// Life begins now, and not when it was said to. Only before anything has happened.
    pub(crate) fn begin(&self) {
        let alive = &mut *self.lock();
        alive.clock = alive.clock.restarted();
    }

    /// What happened has been made so only now.
    pub(crate) fn note_late(&self, event: &LifeEvent) {
        let Alive { history, clock, .. } = &mut *self.lock();
        let late = clock.now().micros_since(event.at);
        history.note_late(Duration::from_micros(u64::try_from(late).unwrap_or(0)));
    }

    /// Looks at the life as it is now, and at the clock.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Life, Moment) -> T) -> T {
        let alive = &mut *self.lock();
        let now = alive.catch_up();
        at(&alive.life, now)
    }

    /// What happened until now.
    pub(crate) fn history(&self) -> History {
        let alive = &mut *self.lock();
        alive.catch_up();
        alive.history.clone()
    }

    /// The entries of a peer's table that are closest to the key with this prefix, and where they are said to be.
    pub(crate) fn closest(&self, peer: u32, target: u64, count: usize) -> Vec<(u32, HostPlace)> {
        self.look(|life, now| {
            let listed = |other| life.listed(peer, other, now);
            self.world.tables.closest_listed(&self.world.prefixes, peer, (target, count), listed)
        })
    }

    /// Where a peer is now, or was last.
    pub(crate) fn place(&self, peer: u32) -> HostPlace {
        self.look(|life, _| life.presence(peer).map_or(HostPlace(0), |presence| presence.last.place))
    }

    fn lock(&self) -> MutexGuard<'_, Alive> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
