//! Tells the backend what memory has and it has not, in batches; asks one that is away whether it is back.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::{
    super::{Inner, ReadFailure, backend::WriteBatch, shelves::Sent},
    Front,
};

/// How often a backend that is away is asked whether it is back.
const PING_INTERVAL: Duration = Duration::from_millis(200);

/// How long a batch may take.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

/// After so long a refused batch is tried again.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// Values in a batch at most: each may have 10 KiB.
const VALUES: usize = 256;

/// Writes for as long as there is anything to write.
pub(crate) async fn write(inner: Arc<Inner>) {
    let Some(front) = &inner.front else { return };
    let mut first = 0;
    loop {
        // Whoever presses does not wait; otherwise what comes in an interval is written together.
        let _is_over = timeout(front.config.write_interval, front.pressed.notified()).await;
        if front.is_away() {
            sleep(PING_INTERVAL).await;
            front.turn().await;
            let answer = timeout(WRITE_DEADLINE, front.backend.ping()).await.ok();
            if front.came(answer, "reach it").is_err() {
                continue;
            }
        }
        match write_all(&inner, front, &mut first).await {
            Ok(()) => front.written.send_modify(|rounds| *rounds += 1),
            Err(ReadFailure::Away) => {}
            Err(_) => sleep(REFUSED_PAUSE).await,
        }
    }
}

/// Writes what waits, a batch after the other.
async fn write_all(inner: &Inner, front: &Front, first: &mut usize) -> Result<(), ReadFailure> {
    let limit = front.backend.nature().rows_a_write;
    let most_values = VALUES.min(limit);
    loop {
        *first += 1;
        let (providers, sent) = inner.providers.send(*first, limit);
        let values = inner.values.send(most_values);
        if providers.is_empty() && values.is_empty() {
            return Ok(());
        }
        let is_last = providers.len() < limit && values.len() < most_values;
        let batch = Arc::new(WriteBatch { providers, values });
        let written = write_one(front, Arc::clone(&batch)).await;
        told(inner, &batch, sent, written.is_ok());
        written?;
        if is_last {
            return Ok(());
        }
    }
}

async fn write_one(front: &Front, batch: Arc<WriteBatch>) -> Result<(), ReadFailure> {
    // Each kind is a statement.
    if !batch.providers.is_empty() && !batch.values.is_empty() {
        front.turn().await;
    }
    front.turn().await;
    let began = Instant::now();
    let answer = timeout(WRITE_DEADLINE, front.backend.write(batch)).await.ok();
    front.writes.note(began.elapsed());
    front.came(answer, "write records")
}

fn told(inner: &Inner, batch: &WriteBatch, sent: Sent, is_written: bool) {
    inner.providers.sent(sent, is_written);
    inner.values.sent(&batch.values, is_written);
}
