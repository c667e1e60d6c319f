//! Looks several times a second at how a hydra fares, and lets the ladder decide: what the belly has waiting, how late the
//! executor is, and how much memory is in use. Where service is declined, or is not any more, all heads say so.

use std::{collections::VecDeque, time::Duration};

use http::resident_bytes;
use kad::fabric::Member;
use tokio::time::{Instant, sleep_until};
use tracing::info;

use super::Seeker;
use crate::load::{Measures, Rung};

/// How often it looks while there is anything to be seen.
const LOOK: Duration = Duration::from_millis(100);

/// How often it looks while nobody asks for anything.
const IDLE_LOOK: Duration = Duration::from_secs(1);

/// In how many looks one after the other the executor has to be late: the least of them counts, as a moment without a processor
/// says nothing of what is asked.
const LATE_LOOKS: usize = 5;

/// At every how many looks memory is measured, which the system does not say for nothing.
const MEMORY_LOOKS: u32 = 10;

/// Looks, and has decided.
#[derive(Debug)]
pub(super) struct Watching<M> {
    seeker: Seeker<M>,
    /// How much memory there is for us, in bytes; `None` where there is no limit.
    limit: Option<u64>,
    looks: u32,
    /// How many requests had come when it looked last.
    asked: u64,
    memory_percent: u32,
    /// How late the last looks were.
    late: VecDeque<Duration>,
}

impl<M: Member> Watching<M> {
    pub(super) fn new(seeker: Seeker<M>, limit: Option<u64>) -> Self {
        Self {
            seeker,
            limit,
            looks: 0,
            asked: 0,
            memory_percent: 0,
            late: VecDeque::with_capacity(LATE_LOOKS),
        }
    }

    /// Looks until the hydra leaves.
    pub(super) async fn run(mut self) {
        let mut due = Instant::now() + LOOK;
        loop {
            sleep_until(due).await;
            let now = Instant::now();
            let measures = self.measure(now.saturating_duration_since(due));
            due = now + self.pause();
            let state = &self.seeker.state;
            let did_serve = state.load.allowed().serves();
            let Some(change) = state.load.note(&measures, state.now()) else { continue };
            info!(
                from = change.from.name(),
                to = change.to.name(),
                ?measures,
                "what is done for requests changes"
            );
            if state.load.allowed().serves() != did_serve {
                self.say();
            }
        }
    }

    /// How long until the next look.
    fn pause(&mut self) -> Duration {
        let load = &self.seeker.state.load;
        let asked = load.counts().all().asked;
        let is_idle = asked == self.asked && load.rung() == Rung::Belly;
        self.asked = asked;
        if is_idle { IDLE_LOOK } else { LOOK }
    }

    fn measure(&mut self, late: Duration) -> Measures {
        if self.looks.is_multiple_of(MEMORY_LOOKS) {
            self.memory_percent = self.limit.map_or(0, memory_percent);
        }
        self.looks = self.looks.wrapping_add(1);
        if self.late.len() == LATE_LOOKS {
            self.late.pop_front();
        }
        self.late.push_back(late);
        let lag = self.late.iter().min().filter(|_| self.late.len() == LATE_LOOKS);
        let backlog = self.seeker.state.belly.backlog();
        Measures {
            waiting: backlog.reads_waiting,
            age: backlog.oldest_read,
            lag: lag.copied().unwrap_or_default(),
            memory_percent: self.memory_percent,
        }
    }

    /// All heads say what they are from now on.
    fn say(&self) {
        let state = &self.seeker.state;
        for head in state.heads() {
            if let Some(member) = self.seeker.finder.pool().network().at(head.key()) {
                member.say(state.says(head.contact().addrs));
            }
        }
    }
}

/// How much of so many bytes is resident, in percent.
fn memory_percent(limit: u64) -> u32 {
    let resident = resident_bytes().unwrap_or(0);
    u32::try_from(resident.saturating_mul(100) / limit.max(1)).unwrap_or(u32::MAX)
}
