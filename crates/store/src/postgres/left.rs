//! Rows that a program which has ended left in a file: brought when a run next begins in their database.

use std::path::Path;

use schema::RunId;
use tokio_postgres::types::Type;

use super::{
    backlog::Backlog,
    batch::Load as _,
    carrier::{Brought, Carrier},
    client::PgClient,
    courier::Courier,
    fault,
    login::Login,
    spill::Spill,
};

/// Brings what was left in a directory, as far as it belongs to this database. What cannot be brought stays in its file, and
/// hinders nobody.
pub(crate) async fn bring(login: &Login, client: &PgClient, directory: &Path) {
    for spill in Spill::left_behind(directory) {
        let path = spill.path().display().to_string();
        match number(client, spill.run()).await {
            Ok(Some(run)) => match bring_one::<Courier>(login, run, spill).await {
                Ok(rows) => {
                    tracing::info!(path, rows, "rows that were left in a file are in the database now");
                }
                Err(reason) => {
                    tracing::warn!(path, reason, "rows that were left in a file cannot be brought yet");
                }
            },
            Ok(None) => {
                tracing::info!(path, "a file of rows that wait for another database is left as it is");
            }
            Err(error) => {
                tracing::warn!(path, error = fault::text(&error), "a file of rows is left as it is");
            }
        }
    }
}

/// The number of a run; `None` if it is not in this database.
async fn number(client: &PgClient, run: RunId) -> Result<Option<i32>, tokio_postgres::Error> {
    let find = "SELECT id FROM run WHERE run_id = $1";
    let found = client.sql.query_typed(find, &[(&run.to_string(), Type::TEXT)]).await?;
    found.first().map(|row| row.try_get(0)).transpose()
}

/// Brings one file, which is removed at its end; returns how many rows were in it.
pub(crate) async fn bring_one<C: Carrier>(login: &Login, sender: i32, spill: Spill) -> Result<usize, String> {
    let mut carrier = C::connect(login, sender).await?;
    let mut backlog = Backlog::<C::Load>::of_spill(spill);
    let mut rows = 0;
    while let Some(waiting) = backlog.first().map_err(|error| error.to_string())? {
        rows += waiting.rows();
        match carrier.bring(waiting).await.map_err(|error| fault::text(&error))? {
            Brought::There(_) => backlog.done(),
            Brought::NoRun => return Err("the run was deleted".to_owned()),
        }
    }
    carrier.leave().await;
    Ok(rows)
}
