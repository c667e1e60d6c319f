//! What is said of tables of our own: servers, schedulers and leases.

use schema::Strategy;
use tokio_postgres::{Row, types::Type};

use super::PostgresRegister;
use crate::{
    Error,
    postgres::{Moment, kept, kept_json},
    register::{SchedulerEntry, ServerEntry},
};

/// Takes a lease that nobody has, or renews one's own, by the database's clock; no row if somebody else has it. A number stays
/// as long as its holder never let it end.
pub(super) const TAKE_LEASE: &str = "
    INSERT INTO kadscope_register.lease AS l (name, holder, fence, until)
    VALUES ($1, $2, 1, clock_timestamp() + $3::float8 * interval '1 microsecond')
    ON CONFLICT (name) DO UPDATE SET
        holder = excluded.holder,
        fence = l.fence + (l.until <= clock_timestamp())::int,
        until = clock_timestamp() + $3::float8 * interval '1 microsecond'
    WHERE l.holder = excluded.holder OR l.until <= clock_timestamp()
    RETURNING fence";

/// Who has it, and for how many microseconds more.
pub(super) const FIND_LEASE: &str = "
    SELECT holder, (extract(epoch FROM until - clock_timestamp()) * 1000000)::bigint
    FROM kadscope_register.lease WHERE name = $1";

pub(super) const RELEASE_LEASE: &str =
    "UPDATE kadscope_register.lease SET until = '-infinity' WHERE name = $1 AND holder = $2";

const ENTER_SERVER: &str = "
    WITH earlier AS (
        UPDATE kadscope_register.server SET offline_since = $13 WHERE peer_id = $3 AND offline_since IS NULL
    )
    INSERT INTO kadscope_register.server
        (fleet, region, peer_id, ip, port, peer_port, cpu, memory, strategy, version, command, dependencies, entered_at)
    VALUES ($1, $2, $3, $4::text::inet, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb, $13) RETURNING id";

const ENTER_SCHEDULER: &str = "
    INSERT INTO kadscope_register.scheduler (fleets, version, dependencies, entered_at)
    VALUES ($1, $2, $3::text::jsonb, $4) RETURNING id";

pub(super) async fn enter_server(
    register: &PostgresRegister,
    operation: &'static str,
    entry: &ServerEntry,
) -> Result<Vec<Row>, Error> {
    let (peer, ip) = (entry.peer.to_base58(), entry.http.ip().to_string());
    let [port, peer_port] = [Some(entry.http.port()), entry.peer_port].map(|port| port.map(i32::from));
    let [cpu, memory] = [entry.cpu, entry.memory].map(i64::from);
    let dependencies = kept_json(&entry.dependencies).to_string();
    register
        .ask(
            operation,
            ENTER_SERVER,
            &[
                (&kept(&entry.fleet), Type::TEXT),
                (&kept(&entry.region), Type::TEXT),
                (&peer, Type::TEXT),
                (&ip, Type::TEXT),
                (&port, Type::INT4),
                (&peer_port, Type::INT4),
                (&cpu, Type::INT8),
                (&memory, Type::INT8),
                (&entry.strategy.map(Strategy::name), Type::TEXT),
                (&kept(&entry.version), Type::TEXT),
                (&kept(&entry.command), Type::TEXT),
                (&dependencies, Type::TEXT),
                (&Moment(entry.entered_at), Type::TIMESTAMPTZ),
            ],
        )
        .await
}

pub(super) async fn enter_scheduler(
    register: &PostgresRegister,
    operation: &'static str,
    entry: &SchedulerEntry,
) -> Result<Vec<Row>, Error> {
    let fleets: Vec<_> = entry.fleets.iter().map(|fleet| kept(fleet)).collect();
    let dependencies = kept_json(&entry.dependencies).to_string();
    register
        .ask(
            operation,
            ENTER_SCHEDULER,
            &[
                (&fleets, Type::TEXT_ARRAY),
                (&kept(&entry.version), Type::TEXT),
                (&dependencies, Type::TEXT),
                (&Moment(entry.entered_at), Type::TIMESTAMPTZ),
            ],
        )
        .await
}
