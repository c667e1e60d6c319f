//! Asks the backend for what is waited for, many keys at a time.

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::{
    super::{
        Inner, ReadFailure,
        backend::{ProviderRow, ReadBatch, ReadReply},
        inquiries::{InquiryKey, Waiter},
    },
    Front, Outlet,
};

/// Asks as long as anybody does; `reader` is the number of this one.
pub(crate) async fn read(inner: Arc<Inner>, reader: usize) {
    let Some(front) = &inner.front else { return };
    loop {
        front.asked.notified().await;
        while front.inquiries().has_next() {
            // While that is waited for, others come to be asked for with it.
            front.turn().await;
            if !ask(&inner, front, reader).await {
                break;
            }
        }
    }
}

/// Asks for the next keys; whether there were any.
async fn ask(inner: &Inner, front: &Front, reader: usize) -> bool {
    let (keys, gone) = front.inquiries().take(front.backend.nature().keys_a_read, Outlet::has_gone);
    front.count_shed(ReadFailure::Deadline, gone);
    if keys.is_empty() {
        return false;
    }
    if front.inquiries().has_next() {
        // Another reader may go on while this one waits.
        front.asked.notify_one();
    }
    let of_kind =
        |is_value| keys.iter().filter(move |key| key.is_value == is_value).map(|key| Arc::clone(&key.key));
    let (providers, values): (Vec<_>, Vec<_>) = (of_kind(false).collect(), of_kind(true).collect());
    // Each kind is a statement.
    if !providers.is_empty() && !values.is_empty() {
        front.turn().await;
    }
    let (now_us, per_key) = (front.now_us(), front.config.per_key);
    let batch = Arc::new(ReadBatch { providers, values, now_us, per_key });
    let asking = front.backend.read(reader, Arc::clone(&batch));
    let answer = timeout(front.config.read_deadline, asking).await.ok();
    match front.came(answer, "read records") {
        Ok(reply) => answer_all(inner, front, &batch, &reply),
        Err(failure) => {
            for key in &keys {
                let waiters = front.inquiries().answered(key);
                front.fail(waiters, failure);
            }
        }
    }
    true
}

fn answer_all(inner: &Inner, front: &Front, batch: &ReadBatch, reply: &ReadReply) {
    let rest = batch.providers.get(reply.answered..).unwrap_or_default();
    let rest: Vec<_> = rest.iter().map(|key| InquiryKey { is_value: false, key: Arc::clone(key) }).collect();
    if !rest.is_empty() {
        front.inquiries().put_back(rest);
    }
    if reply.damaged > 0 {
        tracing::warn!(
            rows = reply.damaged,
            "the belly's backend has rows that no belly has written: left out"
        );
    }
    let mut rows = reply.providers.as_slice();
    for key in batch.providers.iter().take(reply.answered) {
        let (of_key, others) = rows.split_at(rows.iter().take_while(|row| *row.key == **key).count());
        rows = others;
        if of_key.len() >= batch.per_key {
            front.note_crowded(key);
        }
        answer_providers(inner, front, key, of_key, batch.now_us);
    }
    for key in &batch.values {
        let row = reply.values.iter().find(|row| *row.key == **key);
        let value = inner.values.merge(key, row, batch.now_us);
        let waiters = front.inquiries().answered(&InquiryKey { is_value: true, key: Arc::clone(key) });
        for Waiter { since, outlet, .. } in waiters {
            front.reads.note(since.elapsed());
            if let Outlet::Value(outlet) = outlet {
                // Whoever asked may have gone.
                drop(outlet.send(Ok(value.clone())));
            }
        }
    }
}

fn answer_providers(inner: &Inner, front: &Front, key: &Arc<[u8]>, rows: &[ProviderRow], asked_us: u64) {
    let held = inner.providers.merge(key, rows, asked_us);
    let waiters = front.inquiries().answered(&InquiryKey { is_value: false, key: Arc::clone(key) });
    let now = Instant::now();
    for Waiter { since, outlet, .. } in waiters {
        front.reads.note(now - since);
        if let Outlet::Providers(outlet) = outlet {
            drop(outlet.send(Ok(Arc::clone(&held))));
        }
    }
}
