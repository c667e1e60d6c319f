//! Takes old visits out of a database, in bounded steps while others write.

use schema::{RowType as _, Timestamp, Visit};
use tokio_postgres::types::Type;

use super::{error::named, months, reader::Reader, values::Moment};
use crate::{Error, Pruned};

/// Visits that are deleted in one transaction.
const STEP: i64 = 10_000;

/// What is tried.
const OPERATION: &str = "prune it";

impl Reader {
    /// Deletes the visits that began before a moment. A month of which none is left goes whole, and gives its room back; what
    /// is left of a month gives its room to what is written next.
    pub(super) async fn prune(&mut self, before: Timestamp) -> Result<Pruned, Error> {
        let mut pruned = Pruned::default();
        loop {
            let visits = self.prune_step(before).await?;
            if visits == 0 {
                break;
            }
            pruned.visits += visits;
        }
        if pruned.visits > 0 {
            self.forget_unused().await?;
        }
        pruned.bytes = self.drop_empty_months(before).await?;
        Ok(pruned)
    }

    /// Some of them, with what they counted in their runs.
    async fn prune_step(&mut self, before: Timestamp) -> Result<u64, Error> {
        let (client, store) = self.client().await?;
        let step = format!(
            "WITH gone AS (
                 DELETE FROM visit USING (SELECT id, started_at FROM visit WHERE started_at < $1 LIMIT {STEP}) AS old
                 WHERE visit.id = old.id AND visit.started_at = old.started_at
                 RETURNING visit.run, coalesce(cardinality(visit.neighbors), 0) AS edges),
             counted AS (SELECT run, count(*) AS visits, sum(edges) AS edges FROM gone GROUP BY run),
             updated AS (
                 UPDATE run SET row_count = row_count - visits, visit_count = visit_count - visits,
                     edge_count = edge_count - edges, pruned_count = pruned_count + visits
                 FROM counted WHERE run.id = counted.run RETURNING visits)
             SELECT coalesce(sum(visits), 0)::bigint FROM updated"
        );
        let done = client.sql.query_typed_one(&step, &[(&Moment(before), Type::TIMESTAMPTZ)]).await;
        let visits: i64 =
            done.and_then(|row| row.try_get(0)).map_err(|error| named(store, OPERATION, &error))?;
        Ok(visits.cast_unsigned())
    }

    /// Takes away the partitions of months that ended before a moment and have no row; returns their size in bytes.
    async fn drop_empty_months(&mut self, before: Timestamp) -> Result<u64, Error> {
        let (client, store) = self.client().await?;
        let fail = |error: tokio_postgres::Error| named(store, OPERATION, &error);
        let children = "SELECT inhrelid::regclass::text, pg_total_relation_size(inhrelid) FROM pg_inherits
            WHERE inhparent = 'visit'::regclass";
        let found = client.sql.query_typed(children, &[]).await.map_err(fail)?;
        let mut bytes = 0;
        for row in found {
            let (name, size): (String, i64) = (row.try_get(0).map_err(fail)?, row.try_get(1).map_err(fail)?);
            if !months::is_over(&Visit::TABLE, &name, before) {
                continue;
            }
            let transaction = client.sql.transaction().await.map_err(fail)?;
            let lock =
                format!("SET LOCAL lock_timeout = '5s'; LOCK TABLE visit, {name} IN ACCESS EXCLUSIVE MODE");
            transaction.batch_execute(&lock).await.map_err(fail)?;
            let is_used = format!("SELECT EXISTS (SELECT FROM {name})");
            let is_used: bool = transaction
                .query_typed_one(&is_used, &[])
                .await
                .and_then(|row| row.try_get(0))
                .map_err(fail)?;
            if !is_used {
                transaction.batch_execute(&format!("DROP TABLE {name}")).await.map_err(fail)?;
                transaction.commit().await.map_err(fail)?;
                bytes += size.cast_unsigned();
            }
        }
        Ok(bytes)
    }
}
