//! Brings measurements into Parsec's tables. These have no key by which a row that is written twice would be known: so the number of
//! the last batch stands in a row of ours, changed in the transaction of the batch, and one that is sent again is taken once.

use tokio_postgres::{Transaction, types::Type};

use super::measured::{Measured, MeasuredRow};
use crate::{
    Totals,
    postgres::{Brought, Carrier, Login, Moment, PgClient, error_text},
};

/// A measurement of whom the tables do not know any more is left out: nobody could say what it was of.
const PROVIDES: &str = "
    INSERT INTO public.provides_ecs (scheduler_id, node_id, rt_size, duration, cid, error, created_at, step)
    SELECT scheduler, node, size, duration, cid, error, created_at, step
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
        AS row (scheduler, node, size, duration, cid, error, created_at, step, n)
    WHERE EXISTS (SELECT FROM public.schedulers_ecs WHERE id = scheduler)
        AND EXISTS (SELECT FROM public.nodes_ecs WHERE id = node)
    ORDER BY n";

const RETRIEVALS: &str = "
    INSERT INTO public.retrievals_ecs (scheduler_id, node_id, rt_size, duration, cid, error, created_at)
    SELECT scheduler, node, size, duration, cid, error, created_at
    FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY
        AS row (scheduler, node, size, duration, cid, error, created_at, n)
    WHERE EXISTS (SELECT FROM public.schedulers_ecs WHERE id = scheduler)
        AND EXISTS (SELECT FROM public.nodes_ecs WHERE id = node)
    ORDER BY n";

/// A connection that brings the measurements of one keeper.
#[derive(Debug)]
pub(super) struct ParsecCourier {
    client: PgClient,
    keeper: i32,
    written: u64,
}

impl ParsecCourier {
    /// Over a connection that is there.
    pub(super) const fn of(client: PgClient, keeper: i32) -> Self {
        Self { client, keeper, written: 0 }
    }

    async fn take(&mut self, batch: &Measured) -> Result<Option<u64>, tokio_postgres::Error> {
        let transaction = self.client.sql.transaction().await?;
        let take = "UPDATE kadscope_register.keeper SET batch = $2 WHERE id = $1 AND batch < $2 RETURNING id";
        let taken =
            transaction.query_typed(take, &[(&self.keeper, Type::INT4), (&batch.number, Type::INT8)]).await?;
        if taken.is_empty() {
            return Ok(None);
        }
        let (provides, retrievals): (Vec<_>, Vec<_>) = batch.rows.iter().partition(|row| row.step.is_some());
        let mut written = 0;
        for (insert, rows) in [(PROVIDES, provides), (RETRIEVALS, retrievals)] {
            if !rows.is_empty() {
                written += write(&transaction, insert, &rows).await?;
            }
        }
        transaction.commit().await?;
        Ok(Some(written))
    }

    async fn is_known(&self) -> Result<bool, tokio_postgres::Error> {
        let find = "SELECT id FROM kadscope_register.keeper WHERE id = $1";
        let found = self.client.sql.query_typed(find, &[(&self.keeper, Type::INT4)]).await?;
        Ok(!found.is_empty())
    }
}

/// Writes rows of one table; returns how many.
async fn write(
    transaction: &Transaction<'_>,
    insert: &str,
    rows: &[&MeasuredRow],
) -> Result<u64, tokio_postgres::Error> {
    let schedulers: Vec<_> = rows.iter().map(|row| row.scheduler).collect();
    let nodes: Vec<_> = rows.iter().map(|row| row.server).collect();
    let sizes: Vec<_> = rows.iter().map(|row| row.table_size).collect();
    let durations: Vec<_> = rows.iter().map(|row| row.seconds).collect();
    let cids: Vec<_> = rows.iter().map(|row| row.cid.as_str()).collect();
    let errors: Vec<_> = rows.iter().map(|row| row.failure.as_deref()).collect();
    let times: Vec<_> = rows.iter().map(|row| Moment(row.created_at)).collect();
    let steps: Vec<_> = rows.iter().map(|row| row.step.as_deref()).collect();
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 8] = [
        (&schedulers, Type::INT4_ARRAY),
        (&nodes, Type::INT4_ARRAY),
        (&sizes, Type::INT4_ARRAY),
        (&durations, Type::FLOAT8_ARRAY),
        (&cids, Type::TEXT_ARRAY),
        (&errors, Type::TEXT_ARRAY),
        (&times, Type::TIMESTAMPTZ_ARRAY),
        (&steps, Type::TEXT_ARRAY),
    ];
    let count = if insert.contains("$8") { 8 } else { 7 };
    transaction.execute_typed(insert, parameters.get(..count).unwrap_or_default()).await
}

impl Carrier for ParsecCourier {
    type Load = Measured;

    async fn connect(login: &Login, keeper: i32) -> Result<Self, String> {
        PgClient::connect(login).await.map(|client| Self::of(client, keeper))
    }

    fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    async fn bring(&mut self, batch: &Measured) -> Result<Brought, tokio_postgres::Error> {
        match self.take(batch).await? {
            Some(written) => {
                let left_out = (batch.rows.len() as u64).saturating_sub(written);
                if left_out > 0 {
                    tracing::warn!(
                        left_out,
                        "measurements of servers or schedulers that Parsec's tables do not have any more"
                    );
                }
                self.written += written;
            }
            None if !self.is_known().await? => return Ok(Brought::NoRun),
            None => {}
        }
        Ok(Brought::There(Totals { rows: self.written, ..Totals::default() }))
    }

    /// All that it was to bring is there: nothing will be sent again.
    async fn leave(self) {
        let forget = "DELETE FROM kadscope_register.keeper WHERE id = $1";
        if let Err(error) = self.client.sql.query_typed(forget, &[(&self.keeper, Type::INT4)]).await {
            tracing::debug!(error = error_text(&error), "the connection was lost before its end");
        }
    }
}
