//! Watches the clocks of a run as long as it goes on: each step is a row, and a warning.

use std::time::Duration;

use schema::{ClockStep, Row, StepCause};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::steps::{Clocks, Reading};

/// How often clocks are compared: a step is noticed so much later at most.
const EVERY: Duration = Duration::from_secs(10);

/// The watch over the clocks of one run. Dropped, it ends at once.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    over: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl ClockWatch {
    /// Watches the clocks of a run that began with the reading `begun`, and whose rows go to `rows`.
    pub(crate) fn begin(
        begun: Reading,
        rows: mpsc::Sender<Row>,
        read: impl FnMut() -> Reading + Send + 'static,
    ) -> Self {
        let over = CancellationToken::new();
        let task = tokio::spawn(watch(Clocks::begun(begun), rows, read, over.clone()));
        Self { over, task: AbortOnDropHandle::new(task) }
    }

    /// Compares once more, and ends; every step that was noticed is then among the rows that were sent.
    pub(crate) async fn end(self) {
        self.over.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the clocks were not watched to the end");
        }
    }
}

async fn watch(
    mut clocks: Clocks,
    rows: mpsc::Sender<Row>,
    mut read: impl FnMut() -> Reading,
    over: CancellationToken,
) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            _ = ticks.tick() => false,
            () = over.cancelled() => true,
        };
        for step in clocks.compare(read()) {
            warn(&step);
            // Who no longer takes rows says at the end why.
            drop(rows.send(step.into()).await);
        }
        if is_last {
            return;
        }
    }
}

fn warn(step: &ClockStep) {
    let by_s = (step.wall.0 - step.expected.0) as f64 / 1e6;
    match step.cause {
        StepCause::Set => {
            tracing::warn!(by_s, wall = %step.wall, "the wall clock was set; the times of this run go on from its start");
        }
        StepCause::Suspended => {
            tracing::warn!(by_s, wall = %step.wall, "the machine slept; the times of this run do not count that");
        }
    }
}
