//! Brings batches of one run into the database over one connection: whole or not at all, and each once.

use schema::{Row, RunEnd, TABLES, Timestamp};
use tokio_postgres::{Transaction, types::Type};

use super::{
    batch::{Batch, Waiting},
    carrier::{Brought, Carrier},
    client::PgClient,
    copy::CopyIn,
    dictionary::Dictionaries,
    encode::{self, Encoder},
    fault, layout,
    login::Login,
    migrate::{self, LOCKS},
    months::Months,
    numbers::Numbers,
    text::kept_json,
    values::Moment,
};
use crate::Totals;

/// A connection that brings the rows of one run.
#[derive(Debug)]
pub(crate) struct Courier {
    client: PgClient,
    run: i32,
    dictionaries: Dictionaries,
    numbers: Numbers,
    months: Months,
    enums: [u32; 2],
}

/// Holds the run's lock as long as it is connected.
impl Carrier for Courier {
    type Load = Waiting;

    async fn connect(login: &Login, run: i32) -> Result<Self, String> {
        let client = PgClient::connect(login).await?;
        Self::of(client, run).await.map_err(|error| fault::text(&error))
    }

    fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    async fn bring(&mut self, waiting: &Waiting) -> Result<Brought, tokio_postgres::Error> {
        match waiting {
            Waiting::Batch(batch) => self.batch(batch).await,
            Waiting::End(end) => self.end(end).await,
        }
    }

    /// Others see at once that nobody makes the run any more.
    async fn leave(self) {
        let unlock = "SELECT pg_advisory_unlock_all()";
        if let Err(error) = self.client.sql.query_typed(unlock, &[]).await {
            tracing::debug!(error = fault::text(&error), "the connection was lost before its end");
        }
    }
}

impl Courier {
    /// Over a connection that is there.
    pub(crate) async fn of(client: PgClient, run: i32) -> Result<Self, tokio_postgres::Error> {
        // A connection of ours that was lost may not be lost for the server yet: it holds the lock, and maybe rows of the run.
        let end_others = "SELECT pg_terminate_backend(pid) FROM pg_locks
            WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objid = $2::bigint::oid AND objsubid = 2
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND pid <> pg_backend_pid()";
        let numbers = [i64::from(LOCKS), i64::from(run)];
        let [locks, of_run] = &numbers;
        client.sql.query_typed(end_others, &[(locks, Type::INT8), (of_run, Type::INT8)]).await?;
        let lock = "SELECT pg_advisory_lock($1, $2)";
        client.sql.query_typed(lock, &[(&LOCKS, Type::INT4), (&run, Type::INT4)]).await?;
        // Whoever deletes what nothing refers to looks for the lock first: if it was not there yet, this waits for the end of that.
        let touch = "UPDATE run SET batch = batch WHERE id = $1";
        client.sql.query_typed(touch, &[(&run, Type::INT4)]).await?;
        let enums = migrate::element_types(&client.sql).await?;
        Ok(Self {
            client,
            run,
            dictionaries: Dictionaries::new(),
            numbers: Numbers::new(),
            months: Months::default(),
            enums,
        })
    }

    async fn batch(&mut self, batch: &Batch) -> Result<Brought, tokio_postgres::Error> {
        self.number(&batch.rows).await?;
        self.make_months(&batch.rows).await?;
        let counted = count(&batch.rows);
        let transaction = self.client.sql.transaction().await?;
        let Some(totals) = take(&transaction, self.run, batch.number, counted).await? else {
            drop(transaction);
            return self.totals().await;
        };
        let encoder = Encoder {
            run: self.run,
            created_at: batch.created_at,
            dictionaries: &self.dictionaries,
            numbers: &self.numbers,
            enums: self.enums,
        };
        copy_peers(&transaction, &encoder, batch).await?;
        copy_rows(&transaction, &encoder, batch, totals.rows + totals.pruned - counted.rows).await?;
        transaction.commit().await?;
        self.numbers.committed();
        Ok(Brought::There(totals))
    }

    /// Writes the end of the run, unless it has one.
    async fn end(&mut self, end: &RunEnd) -> Result<Brought, tokio_postgres::Error> {
        let write = "UPDATE run SET finished_at = $2, state = $3::text::run_state, summary = $4::text::jsonb
            WHERE id = $1 AND state IS NULL";
        let summary = kept_json(&end.summary).to_string();
        let (finished_at, state) = (Moment(end.finished_at), end.state.name());
        self.client
            .sql
            .query_typed(
                write,
                &[
                    (&self.run, Type::INT4),
                    (&finished_at, Type::TIMESTAMPTZ),
                    (&state, Type::TEXT),
                    (&summary, Type::TEXT),
                ],
            )
            .await?;
        self.totals().await
    }

    /// Finds or makes the numbers of all that rows refer to.
    async fn number(&mut self, rows: &[Row]) -> Result<(), tokio_postgres::Error> {
        let Self { dictionaries, numbers, client, .. } = self;
        dictionaries.forget_batch();
        numbers.forget_batch();
        for row in rows {
            encode::want(row, dictionaries, numbers);
        }
        dictionaries.resolve(&mut client.sql).await?;
        for row in rows {
            if let Row::Peer(number, peer) = row
                && let Some(id) = dictionaries.peers.id(peer)
            {
                numbers.introduce(*number, id);
            }
        }
        numbers.resolve(&client.sql, self.run).await
    }

    async fn make_months(&mut self, rows: &[Row]) -> Result<(), tokio_postgres::Error> {
        for table in TABLES.iter().filter(|table| table.has_encounter) {
            let of_table = rows.iter().filter(|row| row.table().is_some_and(|of| of.name == table.name));
            let times = of_table.filter_map(|row| row.encounter()).map(|encounter| encounter.started_at);
            let times: Vec<Timestamp> = times.collect();
            self.months.make(&mut self.client.sql, table, times.into_iter()).await?;
        }
        Ok(())
    }

    async fn totals(&self) -> Result<Brought, tokio_postgres::Error> {
        let read =
            "SELECT peer_count, row_count, visit_count, edge_count, pruned_count FROM run WHERE id = $1";
        let found = self.client.sql.query_typed(read, &[(&self.run, Type::INT4)]).await?;
        found.first().map_or(Ok(Brought::NoRun), |row| totals(row).map(Brought::There))
    }
}

/// What rows come to.
fn count(rows: &[Row]) -> Totals {
    let mut counted = Totals::default();
    for row in rows {
        match row {
            Row::Peer(..) => counted.peers += 1,
            Row::Visit(visit) => {
                counted.rows += 1;
                counted.visits += 1;
                counted.edges += visit.neighbors.as_deref().map_or(0, encode::distinct);
            }
            _ => counted.rows += 1,
        }
    }
    counted
}

/// Takes a batch as the next one of its run; returns what the run then has, `None` if it was taken before.
async fn take(
    transaction: &Transaction<'_>,
    run: i32,
    batch: i64,
    counted: Totals,
) -> Result<Option<Totals>, tokio_postgres::Error> {
    let update = "UPDATE run SET batch = $2, peer_count = peer_count + $3, row_count = row_count + $4,
            visit_count = visit_count + $5, edge_count = edge_count + $6
        WHERE id = $1 AND batch < $2 RETURNING peer_count, row_count, visit_count, edge_count, pruned_count";
    let Totals { peers, rows, visits, edges, .. } = counted;
    let [peers, rows, visits, edges] = [peers, rows, visits, edges].map(encode::big);
    let big = Type::INT8;
    let taken = transaction
        .query_typed(
            update,
            &[
                (&run, Type::INT4),
                (&batch, big.clone()),
                (&peers, big.clone()),
                (&rows, big.clone()),
                (&visits, big.clone()),
                (&edges, big),
            ],
        )
        .await?;
    taken.first().map(totals).transpose()
}

fn totals(row: &tokio_postgres::Row) -> Result<Totals, tokio_postgres::Error> {
    let count = |column| row.try_get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(Totals { peers: count(0)?, rows: count(1)?, visits: count(2)?, edges: count(3)?, pruned: count(4)? })
}

/// Copies which peers the run has heard of.
async fn copy_peers(
    transaction: &Transaction<'_>,
    encoder: &Encoder<'_>,
    batch: &Batch,
) -> Result<(), tokio_postgres::Error> {
    let heard = |row: &Row| match row {
        Row::Peer(number, peer) => Some((number.0.cast_signed(), *peer)),
        _ => None,
    };
    let mut heard = batch.rows.iter().filter_map(heard).peekable();
    if heard.peek().is_none() {
        return Ok(());
    }
    let mut copy = CopyIn::begin(transaction, "run_peer", &["run", "number", "peer"]).await?;
    for (number, peer) in heard {
        let row = copy.row().await?;
        row.int(encoder.run);
        row.int(number);
        row.int(encoder.dictionaries.peers.id(&peer));
    }
    copy.finish().await
}

/// Copies all other rows; the run had `before` of them, those included that were pruned since.
async fn copy_rows(
    transaction: &Transaction<'_>,
    encoder: &Encoder<'_>,
    batch: &Batch,
    before: u64,
) -> Result<(), tokio_postgres::Error> {
    for table in TABLES {
        let numbered = (encode::big(before)..).zip(batch.rows.iter().filter(|row| row.table().is_some()));
        let is_here = |row: &Row| row.table().is_some_and(|of| of.name == table.name);
        let mut rows = numbered.filter(|(_, row)| is_here(row)).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let columns = layout::columns(table);
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let mut copy = CopyIn::begin(transaction, table.name, &names).await?;
        for (position, row) in rows {
            encoder.row(copy.row().await?, row, table, position);
        }
        copy.finish().await?;
    }
    Ok(())
}
