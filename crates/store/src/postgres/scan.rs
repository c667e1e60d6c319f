//! Reads columns of many runs in batches: a statement a batch.

use std::{collections::VecDeque, sync::Arc};

use schema::{RunId, Timestamp, table::Holds};
use tokio_postgres::{
    Row,
    types::{FromSql, ToSql, Type},
};

use super::{database::Database, error::named, reader::Reader, values::Moment, views};
use crate::{ColumnBatch, ColumnValues, Error, Scan, StorePeer};

/// Rows that are read at once.
const SCAN_ROWS: i64 = 8192;

/// What a column gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    Run,
    Peer,
    Time,
    Number,
    Text,
}

/// Reads the batches of a scan.
#[derive(Debug)]
pub(crate) struct ColumnReader<'a> {
    database: &'a Database,
    select: Arc<str>,
    columns: Arc<[Gives]>,
    /// The starts that are wanted, if the rows have one.
    started: (Timestamp, Timestamp),
    runs: VecDeque<(i32, RunId)>,
    next: i64,
}

impl<'a> ColumnReader<'a> {
    /// Of these runs, in this order.
    pub(super) fn new(
        database: &'a Database,
        scan: &Scan<'_>,
        runs: VecDeque<(i32, RunId)>,
    ) -> Result<Self, Error> {
        let (shown, joins) = views::shown(scan.table);
        let mut columns = Vec::new();
        let mut select = "SELECT t.id".to_owned();
        for &name in scan.columns {
            let found = shown.iter().find(|(_, flat)| flat.name == name);
            let (value, flat) = found
                .ok_or_else(|| Error::UnknownColumn { table: scan.table.name, column: name.to_owned() })?;
            let (gives, value) = given(value, &flat.name, flat.holds);
            columns.push(gives);
            select.extend([", ", &value]);
        }
        let cut = if scan.table.has_encounter { "t.started_at" } else { "NULL" };
        let from = format!(
            " FROM {} AS t {joins} WHERE t.run = $1 AND t.id >= $2
             AND ({cut} IS NULL OR {cut} >= $3 AND {cut} < $4) ORDER BY t.id LIMIT {SCAN_ROWS}",
            scan.table.name
        );
        select += &from;
        let cut = if scan.table.has_encounter { (scan.runs.since, scan.runs.until) } else { (None, None) };
        let started = (cut.0.unwrap_or(Timestamp(i64::MIN)), cut.1.unwrap_or(Timestamp(i64::MAX)));
        Ok(Self { database, select: select.into(), columns: columns.into(), started, runs, next: 0 })
    }

    /// The next batch; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<ColumnBatch>, Error> {
        while let Some(&(run, id)) = self.runs.front() {
            let (select, columns) = (Arc::clone(&self.select), Arc::clone(&self.columns));
            let (started, next) = (self.started, self.next);
            let wanted = async move |reader: &mut Reader| {
                reader.columns((&select, &columns), (run, id), next, started).await
            };
            let (batch, last) = self.database.ask(wanted)?;
            match last {
                Some(last) => self.next = last + 1,
                None => drop(self.runs.pop_front()),
            }
            if batch.rows > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

/// What a column of a view gives, and as which SQL it is read.
fn given(value: &str, name: &str, holds: Holds) -> (Gives, String) {
    match holds {
        _ if name == "run_id" => (Gives::Run, "t.run".to_owned()),
        // `peer.peer_id`, or that of another peer: its number in the store stands beside.
        Holds::Text if name.ends_with("peer_id") => (Gives::Peer, value.replace(".peer_id", ".id")),
        Holds::Time => (Gives::Time, value.to_owned()),
        Holds::Count(_) | Holds::Duration => (Gives::Number, format!("({value})::bigint")),
        Holds::Flag => (Gives::Number, format!("({value})::integer::bigint")),
        Holds::Bytes => (Gives::Text, format!("encode({value}, 'hex')")),
        Holds::Texts => (Gives::Text, format!("to_json({value})::text")),
        _ => (Gives::Text, format!("({value})::text")),
    }
}

impl Reader {
    /// Columns of one run from a row on; with the number of the last row, `None` if there is none.
    async fn columns(
        &mut self,
        (select, columns): (&str, &[Gives]),
        (run, id): (i32, RunId),
        next: i64,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<(ColumnBatch, Option<i64>), Error> {
        let (client, store) = self.client().await?;
        let fail = |error: tokio_postgres::Error| named(store, Error::READ, &error);
        let (since, until) = (Moment(since), Moment(until));
        let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
            (&run, Type::INT4),
            (&next, Type::INT8),
            (&since, Type::TIMESTAMPTZ),
            (&until, Type::TIMESTAMPTZ),
        ];
        let found = client.sql.query_typed(select, &parameters).await.map_err(fail)?;
        let read =
            columns.iter().enumerate().map(|(position, gives)| values(&found, position + 1, *gives, id));
        let batch = ColumnBatch { columns: read.collect::<Result<_, _>>().map_err(fail)?, rows: found.len() };
        let last = found.last().map(|row| row.try_get(0)).transpose().map_err(fail)?;
        Ok((batch, last))
    }
}

fn values(
    rows: &[Row],
    position: usize,
    gives: Gives,
    run: RunId,
) -> Result<ColumnValues, tokio_postgres::Error> {
    Ok(match gives {
        Gives::Run => ColumnValues::Runs(vec![run; rows.len()]),
        Gives::Peer => {
            let peers = each::<Option<i32>>(rows, position)?;
            // No peer has the number 0.
            ColumnValues::Peers(
                peers.into_iter().map(|peer| StorePeer(peer.unwrap_or_default().into())).collect(),
            )
        }
        Gives::Time => {
            let times = each::<Option<Moment>>(rows, position)?;
            ColumnValues::Times(times.into_iter().map(|time| time.map(|moment| moment.0)).collect())
        }
        Gives::Number => ColumnValues::Numbers(each(rows, position)?),
        Gives::Text => ColumnValues::Texts(texts(rows, position)?),
    })
}

fn each<'a, T: FromSql<'a>>(rows: &'a [Row], position: usize) -> Result<Vec<T>, tokio_postgres::Error> {
    rows.iter().map(|row| row.try_get(position)).collect()
}

/// Each text of a batch is in memory once.
fn texts(rows: &[Row], position: usize) -> Result<Vec<Option<Arc<str>>>, tokio_postgres::Error> {
    let mut known = std::collections::HashMap::<&str, Arc<str>>::new();
    rows.iter()
        .map(|row| {
            let text: Option<&str> = row.try_get(position)?;
            Ok(text.map(|text| Arc::clone(known.entry(text).or_insert_with(|| text.into()))))
        })
        .collect()
}
