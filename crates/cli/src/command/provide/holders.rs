//! What is kept of the peers that were to hold a record.

use dht::{Holder, ProviderRecord, ReadBack};
use schema::RecordHolder;
use tokio::time::Instant;

use crate::keeping::ToolRun;

/// Keeps a row for each. `has` is in the order of `holders`; `None` if they were not asked for the record.
pub(super) async fn keep(
    run: &mut ToolRun,
    (record, begun): (&ProviderRecord, Instant),
    holders: &[Holder],
    has: Option<&[ReadBack]>,
) {
    let provider = run.peer(record.provider.peer).await;
    for (position, holder) in holders.iter().enumerate() {
        let said = has.and_then(|has| has.get(position)).filter(|_| holder.sent.is_ok());
        let has = said.and_then(|said| said.has.as_ref().ok());
        let row = RecordHolder {
            peer: run.peer(holder.contact.peer).await,
            key: record.key.clone(),
            given_at: run.at(begun),
            provider,
            send_error: holder.sent.as_ref().err().cloned(),
            has_record: has.map(Option::is_some),
            with_addresses: has.copied().flatten(),
            read_error: said.and_then(|said| said.has.as_ref().err()).cloned(),
        };
        run.row(row).await;
    }
}
