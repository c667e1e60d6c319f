//! Copies runs from one store to another, whatever keeps each, and compares them row by row.

use schema::{PeerNumber, Row, RunId, RunState, TABLES, Table, Timestamp};

use crate::{Error, Store, Totals, rows::TableRows, writer::Appender};

/// Rows that are copied in one transaction.
const BATCH_ROWS: usize = 1000;

/// So many rows of a table, one after the other, were created in one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Created {
    pub(crate) rows: u64,
    pub(crate) at: Timestamp,
}

impl Store {
    /// Copies a run to a store that does not have it, with all of its rows and when they were created, its end, and how much of
    /// it was pruned; returns what it has there.
    ///
    /// Fails with [`Error::Running`] while the run is under way, and with [`Error::RunExists`] if it is there. What was copied
    /// when something fails is there as an interrupted run.
    pub async fn copy_run(&self, id: RunId, to: &Self) -> Result<Totals, Error> {
        let run = self.run(id)?;
        if run.state == RunState::Running {
            return Err(Error::Running { store: self.name(), operation: "copy a run", id });
        }
        let mut there = to.appender(&run.start, run.totals.pruned)?;
        append(&mut there, self.stream(id, None)?, run.start.started_at).await?;
        for table in TABLES {
            let mut rows = self.stream(id, Some(table))?;
            for Created { rows: count, at } in self.created(id, table)? {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                append(&mut there, rows.by_ref().take(count), at).await?;
            }
        }
        if let Some(end) = &run.end {
            there.end(end, Box::pin(std::future::pending())).await?;
        }
        drop(there);
        Ok(to.run(id)?.totals)
    }

    /// Compares a run with the same one in another store: what was known at its start and its end, its peers, and every row.
    /// [`Error::Different`] names the first difference.
    pub fn compare_run(&self, id: RunId, other: &Self) -> Result<(), Error> {
        let different = |what: &str| {
            let (store, other) = (self.name(), other.name());
            Err(Error::Different { store, other, id, what: what.to_owned() })
        };
        let (here, there) = (self.run(id)?, other.run(id)?);
        if here != there {
            return different("the run itself: its start, its end or how many rows it has");
        }
        for table in std::iter::once(None).chain(TABLES.iter().map(Some)) {
            let name = table.map_or("peer", |table| table.name);
            let (mut rows, mut others) = (self.stream(id, table)?, other.stream(id, table)?);
            for position in 0_u64.. {
                match (rows.next().transpose()?, others.next().transpose()?) {
                    (None, None) => break,
                    (row, other) if row == other => {}
                    _ => return different(&format!("row {position} of {name}")),
                }
            }
            if let Some(table) = table
                && moments(self.created(id, table)?) != moments(other.created(id, table)?)
            {
                return different(&format!("when rows of {name} were created"));
            }
        }
        Ok(())
    }

    /// The rows of a run that are kept in a table, in their order; `None` for its peers.
    fn stream(&self, run: RunId, table: Option<&'static Table>) -> Result<Stream<'_>, Error> {
        Ok(match table {
            None => {
                let peers: Vec<_> = self.peers(run)?.iter().collect();
                Stream::Peers(peers.into_iter())
            }
            Some(table) => Stream::Rows(self.rows_of(run, table)?),
        })
    }
}

/// Appends rows that were created at one moment.
async fn append(
    to: &mut Appender,
    mut rows: impl Iterator<Item = Result<Row, Error>>,
    created_at: Timestamp,
) -> Result<(), Error> {
    loop {
        let batch: Vec<Row> = rows.by_ref().take(BATCH_ROWS).collect::<Result<_, _>>()?;
        if batch.is_empty() {
            return Ok(());
        }
        to.append(batch, created_at).await?;
    }
}

/// As few as say the same.
fn moments(created: Vec<Created>) -> Vec<Created> {
    let mut all: Vec<Created> = Vec::new();
    for one in created {
        match all.last_mut() {
            Some(last) if last.at == one.at => last.rows += one.rows,
            _ => all.push(one),
        }
    }
    all
}

/// Rows of one table, one after the other.
enum Stream<'a> {
    Peers(std::vec::IntoIter<(PeerNumber, kad::PeerId)>),
    Rows(TableRows<'a>),
}

impl Iterator for Stream<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Peers(peers) => peers.next().map(|(number, peer)| Ok(Row::Peer(number, peer))),
            Self::Rows(rows) => rows.next(),
        }
    }
}
