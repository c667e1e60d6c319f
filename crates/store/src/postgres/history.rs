//! What is known of one peer, over all runs.

use schema::{RowType as _, RunId, TABLES, Visit, cell::Cells};
use tokio_postgres::types::Type;

use super::{
    error::{damaged, named},
    reader::Reader,
    values::Moment,
};
use crate::{
    Error, KnownRows, PeerHistory, StorePeer,
    limits::{LATEST_VISITS, LISTED_RUNS},
};

impl Reader {
    /// Who a peer is.
    pub(super) async fn peer_id(&mut self, StorePeer(peer): StorePeer) -> Result<kad::PeerId, Error> {
        let (client, store) = self.client().await?;
        let find = "SELECT peer_id FROM peer WHERE id = $1";
        let found = client.sql.query_typed(find, &[(&peer, Type::INT8)]).await;
        let found = found.map_err(|error| named(store, Error::READ, &error))?;
        let text: Option<&str> = found.first().and_then(|row| row.try_get(0).ok());
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| damaged(store, "a number that stands for no peer"))
    }

    /// The rows about a peer, and its last visits; nothing if it is not known.
    pub(super) async fn history(&mut self, peer: kad::PeerId) -> Result<PeerHistory, Error> {
        let (client, store) = self.client().await?;
        let fail = |error: tokio_postgres::Error| named(store, Error::READ, &error);
        let find = "SELECT id FROM peer WHERE peer_id = $1";
        let found = client.sql.query_typed(find, &[(&peer.to_base58(), Type::TEXT)]).await.map_err(fail)?;
        let Some(row) = found.first() else { return Ok(PeerHistory::default()) };
        let peer: i32 = row.try_get(0).map_err(fail)?;
        let mut known = Vec::new();
        for table in TABLES.iter().filter(|table| table.has_subject()) {
            let time = if table.has_encounter { "started_at" } else { "NULL::timestamptz" };
            let select = format!(
                "SELECT run.run_id, found.count, coalesce(found.first, run.started_at), coalesce(found.last, run.started_at)
                 FROM (SELECT run, count(*) AS count, min({time}) AS first, max({time}) AS last FROM {}
                     WHERE peer = $1 GROUP BY run ORDER BY run DESC LIMIT {LISTED_RUNS}) AS found
                 JOIN run ON run.id = found.run",
                table.name
            );
            for row in client.sql.query_typed(&select, &[(&peer, Type::INT4)]).await.map_err(fail)? {
                let rows: i64 = row.try_get(1).map_err(fail)?;
                let ends = [row.try_get::<_, Moment>(2).map_err(fail)?, row.try_get(3).map_err(fail)?];
                let [first, last] = ends.map(|moment| Some(moment.0));
                let run = RunId::parse(row.try_get(0).map_err(fail)?);
                let run = run.ok_or_else(|| damaged(store, "a run's id is none"))?;
                known.push(KnownRows { table: table.name, run, rows: rows.cast_unsigned(), first, last });
            }
        }
        known.sort_by_key(|rows| std::cmp::Reverse(rows.run));
        Ok(PeerHistory { known, visits: self.last_visits(peer).await? })
    }

    async fn last_visits(&mut self, peer: i32) -> Result<Vec<Visit>, Error> {
        let which = format!("WHERE peer = {peer} ORDER BY run DESC, id DESC LIMIT {LATEST_VISITS}");
        let chunk = self.select(&Visit::TABLE, &which, &[]).await?;
        let (_, store) = self.client().await?;
        let visit = |(_, (cells, encounter))| {
            Visit::read(&mut Cells::new(cells), encounter)
                .map_err(|bad| Error::bad_cell(store, &Visit::TABLE, bad))
        };
        chunk.into_iter().map(visit).collect()
    }
}
