//! How far a tool is: one line on a terminal, redrawn in place, or a line of log every few seconds.

mod crawl;
mod enrich;
mod hoard;
mod hydra;
mod monitor;
mod scheduler;
mod walk;
mod watch;

use std::time::Duration;

use tokio::{
    task::JoinHandle,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    crawl::CrawlProgress,
    enrich::EnrichProgress,
    hoard::HoardProgress,
    hydra::HydraDisplay,
    monitor::MonitorProgress,
    scheduler::SchedulerProgress,
    walk::WalkProgress,
    watch::{WatchDisplay, WatchManner, WatchTold},
};
use crate::output;

/// How often the line on a terminal is drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// After how long the first line is logged elsewhere.
const FIRST_LOG: Duration = Duration::from_secs(1);

/// How often a line is logged after that.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// Columns that stay free: one for the cursor, two for the `^C` that a terminal echoes.
const ROOM_AT_THE_END: usize = 3;

/// Goes to the beginning of the line and clears it.
const CLEAR: &str = "\r\x1b[2K";

/// Who knows how far something is.
pub(crate) trait Tell: Send + 'static {
    /// How long it goes on before anything is drawn on a terminal: what is over by then needs no line.
    const DRAWN_AFTER: Duration = Duration::ZERO;

    /// What there is to say on a terminal, in so many columns at most.
    fn line(&mut self, elapsed: Duration, room: usize) -> String;

    /// The same as a line of log.
    fn log_line(&mut self, elapsed: Duration) -> String;
}

/// A line that is drawn, or logged, until it is told to end or dropped.
#[derive(Debug)]
pub(crate) struct ProgressDisplay {
    over: CancellationToken,
    task: JoinHandle<()>,
}

impl ProgressDisplay {
    /// Shows how far something is. Once `stop` is cancelled the user is told that it ends.
    pub(super) fn begin(progress: impl Tell, stop: CancellationToken) -> Self {
        let over = CancellationToken::new();
        Self { task: tokio::spawn(show(progress, stop, over.clone())), over }
    }

    /// Takes its line away.
    pub(crate) async fn end(mut self) {
        self.over.cancel();
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "progress is shown no more");
        }
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

async fn show<T: Tell>(mut progress: T, stop: CancellationToken, over: CancellationToken) {
    let on_terminal = output::can_draw();
    let began = Instant::now();
    let (first, period) = if on_terminal { (T::DRAWN_AFTER, REDRAW) } else { (FIRST_LOG, LOG_EVERY) };
    let mut ticks = interval_at(began + first, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_told = false;
    loop {
        match cue(&stop, is_told, &over, &mut ticks).await {
            Cue::Stopping => {
                is_told = true;
                let clear = if on_terminal { CLEAR } else { "" };
                output::note(&format!(
                    "{clear}stopping; what is in hand is kept (Ctrl-C again ends at once)"
                ));
            }
            Cue::Over => break,
            Cue::Drawn(now) => {
                let elapsed = now.saturating_duration_since(began);
                if on_terminal {
                    let room = output::stderr_columns().saturating_sub(ROOM_AT_THE_END);
                    output::note_raw(&format!("{CLEAR}{}", progress.line(elapsed, room)));
                } else {
                    output::note(&progress.log_line(elapsed));
                }
            }
        }
    }
    if on_terminal {
        output::note_raw(CLEAR);
    }
}

/// What the display does next.
#[derive(Debug, PartialEq, Eq)]
enum Cue {
    Stopping,
    Over,
    Drawn(Instant),
}

/// In this order: what is told to stop may be over before that is told here, while its rows are yet to be written.
async fn cue(stop: &CancellationToken, is_told: bool, over: &CancellationToken, ticks: &mut Interval) -> Cue {
    tokio::select! {
        biased;
        () = stop.cancelled(), if !is_told => Cue::Stopping,
        () = over.cancelled() => Cue::Over,
        now = ticks.tick() => Cue::Drawn(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of many times: a choice by chance would pass a single one.
    #[tokio::test]
    async fn who_stops_is_told_so_even_if_it_is_over_by_then() {
        let (stop, over) = (CancellationToken::new(), CancellationToken::new());
        let mut ticks = interval_at(Instant::now(), REDRAW);
        stop.cancel();
        over.cancel();
        for _ in 0..64 {
            assert_eq!(cue(&stop, false, &over, &mut ticks).await, Cue::Stopping);
            assert_eq!(cue(&stop, true, &over, &mut ticks).await, Cue::Over);
        }
    }
}
