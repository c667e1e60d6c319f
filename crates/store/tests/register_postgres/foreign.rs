//! Parsec's tables as a database has them: made, taken as they are, or refused by name with nothing changed. Each state that was tried
//! with Go's programs is here.

use kadscope_store::{Error, Register};

use crate::{
    parsec,
    register::{at, fleets, server},
    server::Server,
};

/// What Go's migrations leave behind: of each table its columns in order (type, `!` where it may not be NULL, `#` for an identity that
/// is always given by the database), then its constraints and further indexes.
const LAYOUT: &str = "\
nodes: id integer!#, peer_id text!, run_id integer!, region text!, instance_type text!, dependencies jsonb!, created_at timestamp with time zone!
nodes: FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE SET NULL
nodes: PRIMARY KEY (id)
nodes_ecs: id integer!#, cpu integer!, memory integer!, peer_id text!, region text!, cmd text!, fleet text!, dependencies jsonb!, ip_address inet!, server_port smallint!, peer_port smallint!, last_heartbeat timestamp with time zone, offline_since timestamp with time zone, created_at timestamp with time zone!
nodes_ecs: PRIMARY KEY (id)
provides: id integer!#, node_id integer!, rt_size integer!, duration double precision!, cid text!, error text, created_at timestamp with time zone!
provides: FOREIGN KEY (node_id) REFERENCES nodes(id)
provides: PRIMARY KEY (id)
provides: idx_provides_created_at (created_at)
provides_ecs: id integer!#, scheduler_id integer!, node_id integer!, rt_size integer!, duration double precision!, cid text!, error text, created_at timestamp with time zone!, step text!
provides_ecs: FOREIGN KEY (node_id) REFERENCES nodes_ecs(id) ON DELETE CASCADE
provides_ecs: FOREIGN KEY (scheduler_id) REFERENCES schedulers_ecs(id) ON DELETE CASCADE
provides_ecs: PRIMARY KEY (id)
provides_ecs: idx_provides_ecs_created_at (created_at)
retrievals: id integer!#, node_id integer!, rt_size integer!, duration double precision!, cid text!, error text, created_at timestamp with time zone!
retrievals: FOREIGN KEY (node_id) REFERENCES nodes(id)
retrievals: PRIMARY KEY (id)
retrievals: idx_retrievals_created_at (created_at)
retrievals_ecs: id integer!#, scheduler_id integer!, node_id integer!, rt_size integer!, duration double precision!, cid text!, error text, created_at timestamp with time zone!
retrievals_ecs: FOREIGN KEY (node_id) REFERENCES nodes_ecs(id) ON DELETE CASCADE
retrievals_ecs: FOREIGN KEY (scheduler_id) REFERENCES schedulers_ecs(id) ON DELETE CASCADE
retrievals_ecs: PRIMARY KEY (id)
retrievals_ecs: idx_retrievals_ecs_created_at (created_at)
runs: id integer!#, dependencies jsonb!, started_at timestamp with time zone!, finished_at timestamp with time zone, updated_at timestamp with time zone!, created_at timestamp with time zone!
runs: CHECK ((finished_at > started_at))
runs: CHECK ((updated_at >= created_at))
runs: PRIMARY KEY (id)
schedulers_ecs: id integer!#, fleets text[]!, dependencies jsonb!, created_at timestamp with time zone!
schedulers_ecs: PRIMARY KEY (id)
schema_migrations: version bigint!, dirty boolean!
schema_migrations: PRIMARY KEY (version)
";

/// The same of what is there.
const READ_LAYOUT: &str = "SET search_path = public;
SELECT line FROM (
    SELECT relname AS name, 0 AS part, relname || ': ' || string_agg(attname || ' ' || format_type(atttypid, atttypmod)
        || CASE WHEN attnotnull THEN '!' ELSE '' END || CASE WHEN attidentity = 'a' THEN '#' ELSE attidentity::text END
        || CASE WHEN atthasdef THEN ' DEFAULT' ELSE '' END, ', ' ORDER BY attnum) AS line
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped GROUP BY relname
    UNION ALL
    SELECT conrelid::regclass::text, 1, conrelid::regclass::text || ': ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT tablename, 2, tablename || ': ' || indexname || ' ' || substring(indexdef FROM '\\(.*\\)$')
    FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx%'
) AS found ORDER BY name COLLATE \"C\", part, line COLLATE \"C\"";

/// All that is in a database, as far as somebody could have changed it.
const EVERYTHING: &str = "SELECT relnamespace::regnamespace, relname, relkind, attname, atttypid, attnotnull
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace::regnamespace::text NOT LIKE 'pg%' AND relnamespace::regnamespace::text <> 'information_schema'
        AND attnum > 0 ORDER BY 1, 2, 4";

/// What Go's program reads first.
const VERSION: &str = "SELECT version, dirty FROM public.schema_migrations";

#[tokio::test]
async fn in_an_empty_database_they_are_what_go_makes_though_many_make_them_at_once() {
    let postgres = Server::shared();
    let database = postgres.database();
    let url = postgres.url(&database);
    let open = || Register::open(&url, parsec());
    let (a, b, c, d) = tokio::join!(open(), open(), open(), open());
    for opened in [a, b, c, d] {
        opened.unwrap();
    }
    assert_eq!(format!("{}\n", postgres.sql(&database, READ_LAYOUT)), LAYOUT);
    assert_eq!(postgres.sql(&database, VERSION), "6|f");
    // Whoever comes later changes nothing.
    let before = postgres.sql(&database, EVERYTHING);
    open().await.unwrap();
    assert_eq!(postgres.sql(&database, EVERYTHING), before);
}

/// A program of Go makes the table of versions first of all; one that was killed then leaves it empty.
#[tokio::test]
async fn a_table_of_versions_without_any_is_the_beginning() {
    let postgres = Server::shared();
    let database = postgres.database();
    postgres.sql(
        &database,
        "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
    );
    Register::open(&postgres.url(&database), parsec()).await.unwrap();
    assert_eq!(postgres.sql(&database, VERSION), "6|f");
    assert_eq!(format!("{}\n", postgres.sql(&database, READ_LAYOUT)), LAYOUT);
}

/// A database that Go's programs work on, with something more or less.
async fn is_taken(change: &str) {
    let postgres = Server::shared();
    let database = postgres.database();
    let url = postgres.url(&database);
    drop(Register::open(&url, parsec()).await.unwrap());
    postgres.sql(&database, "DROP SCHEMA kadscope_register CASCADE");
    postgres.sql(&database, change);
    let read = || postgres.sql(&database, READ_LAYOUT);
    let before = read();
    let register = Register::open(&url, parsec()).await.unwrap();
    assert_eq!(read(), before, "{change}");
    let id = register.enter_server(&server(1, "a")).await.unwrap();
    register.heartbeat(id, at(1)).await.unwrap();
    assert_eq!(register.servers(&fleets(&["a"]), at(0)).await.unwrap().len(), 1, "{change}");
}

#[tokio::test]
async fn further_columns_that_can_be_null_are_left_alone() {
    is_taken(
        "ALTER TABLE nodes_ecs ADD note text; ALTER TABLE schedulers_ecs ADD note text DEFAULT 'x' NOT NULL;
         ALTER TABLE provides_ecs ADD note int; ALTER TABLE retrievals_ecs ADD note int",
    )
    .await;
}

#[tokio::test]
async fn the_tables_of_the_first_years_may_be_missing() {
    is_taken("DROP TABLE provides, retrievals, nodes, runs").await;
}

#[tokio::test]
async fn nodes_may_be_a_view_that_can_be_written() {
    is_taken(
        "ALTER TABLE provides_ecs DROP CONSTRAINT fk_provides_ecs_node_id;
         ALTER TABLE retrievals_ecs DROP CONSTRAINT fk_retrievals_ecs_node_id;
         ALTER TABLE nodes_ecs RENAME TO machines; CREATE VIEW nodes_ecs AS SELECT * FROM machines",
    )
    .await;
}

/// A database that Go's programs would not take, or break: it is refused by what is wrong with it, and is what it was.
async fn is_refused(change: &str, because: &str) {
    let postgres = Server::shared();
    let database = postgres.database();
    let url = postgres.url(&database);
    drop(Register::open(&url, parsec()).await.unwrap());
    postgres.sql(&database, "DROP SCHEMA kadscope_register CASCADE");
    postgres.sql(&database, change);
    let everything = || postgres.sql(&database, EVERYTHING);
    let before = everything();
    let refused = Register::open(&url, parsec()).await.unwrap_err();
    assert!(matches!(refused, Error::ParsecTables { .. }), "{refused}");
    assert!(refused.to_string().contains(because), "{change}: {refused}");
    assert_eq!(everything(), before, "{change}");
}

#[tokio::test]
async fn another_version_is_refused() {
    is_refused("UPDATE schema_migrations SET version = 7", "they are at version 7").await;
    is_refused("UPDATE schema_migrations SET version = 5", "start a program of Parsec 0.4.0 once").await;
}

#[tokio::test]
async fn a_migration_that_stopped_in_the_middle_is_refused() {
    is_refused("UPDATE schema_migrations SET dirty = true", "they are dirty at version 6").await;
}

#[tokio::test]
async fn tables_without_a_version_are_refused() {
    is_refused(
        "DROP TABLE schema_migrations",
        "retrievals_ecs, runs, schedulers_ecs are there without schema_migrations",
    )
    .await;
    is_refused("DELETE FROM schema_migrations", "schema_migrations has no version").await;
    is_refused(
        "DROP TABLE schema_migrations, provides_ecs, retrievals_ecs, nodes_ecs, schedulers_ecs, provides, retrievals, nodes",
        "runs is there without schema_migrations",
    )
    .await;
}

#[tokio::test]
async fn tables_that_are_others_are_refused() {
    is_refused("ALTER TABLE nodes_ecs DROP fleet", "nodes_ecs has no column fleet").await;
    is_refused(
        "ALTER TABLE provides_ecs ALTER rt_size TYPE bigint",
        "provides_ecs.rt_size is of type bigint, not integer",
    )
    .await;
    is_refused("DROP TABLE retrievals_ecs", "retrievals_ecs is not there").await;
    is_refused("ALTER TABLE nodes_ecs ADD owner text NOT NULL", "nodes_ecs.owner has to be filled").await;
    is_refused(
        "DROP TABLE schema_migrations; CREATE TABLE schema_migrations (version text PRIMARY KEY)",
        "schema_migrations.version is of type text, not bigint: it is another program's",
    )
    .await;
}

/// Who may not make tables is told so, and a register of its own can still be had.
#[tokio::test]
async fn who_may_not_make_them_is_told() {
    let postgres = Server::shared();
    let database = postgres.database();
    postgres
        .sql(&database, "REVOKE CREATE ON SCHEMA public FROM PUBLIC; ALTER SCHEMA public OWNER TO postgres");
    let role = format!("reader_{database}");
    postgres.sql(&database, &format!("CREATE ROLE {role} LOGIN PASSWORD 'correct horse/battery@staple'"));
    let kadscope_store::StoreUrl::Postgres(_) = postgres.url(&database) else { panic!("no database") };
    let url = format!("postgres://{role}@127.0.0.1:{}/{database}", postgres.socket().1);
    let url = kadscope_store::StoreUrl::parse(&url).unwrap().with_variables(&postgres.variables());
    let refused = Register::open(&url, parsec()).await.unwrap_err().to_string();
    assert!(refused.contains("there are none, and they cannot be made: permission denied"), "{refused}");
}
