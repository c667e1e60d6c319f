//! Go's programs and ours on one database: what Go's read and write, as their SQL was seen, beside what ours do.

use std::time::Duration;

use kadscope_store::{Error, Register, ServerEntry};
use schema::Strategy;

use crate::{
    parsec,
    register::{at, fleets, scheduler, server},
    rows,
    server::Server,
};

/// A server of Go enters itself: neither heartbeat nor end yet, its port wrapped into 16 bits, `dependencies` as its build has them.
fn go_enters(peer: &str) -> String {
    format!(
        r#"INSERT INTO nodes_ecs (cpu, memory, peer_id, region, cmd, fleet, dependencies, ip_address, server_port, peer_port, created_at)
        VALUES (512, 1024, '{peer}', 'region-s1', 'parsec server dht', 'default',
            '{{"GoVersion": "go1.26.8", "Path": "github.com/probe-lab/parsec/cmd/parsec",
               "Main": {{"Path": "github.com/probe-lab/parsec", "Version": "v0.4.0"}}, "Deps": [], "Settings": []}}',
            '127.0.0.12', -25535, 4101, '2026-11-21 03:11:59.968434+00') RETURNING id"#
    )
}

/// Its heartbeat: every column but the number and the moment of its entry is written again, as it remembers them.
fn go_beats(id: &str, peer: &str, time: &str) -> String {
    format!(
        "UPDATE nodes_ecs SET cpu = 512, memory = 1024, peer_id = '{peer}', region = 'region-s1', cmd = 'parsec server dht',
            fleet = 'default', dependencies = '{{}}', ip_address = '127.0.0.12', server_port = -25535, peer_port = 4101,
            last_heartbeat = '{time}', offline_since = NULL WHERE id = {id}"
    )
}

/// What a scheduler of Go asks at the beginning of a round.
fn go_selects(since: &str, fleet: &str) -> String {
    format!(
        "SELECT id, cpu, memory, peer_id, region, cmd, fleet, dependencies, ip_address, server_port, peer_port, last_heartbeat,
            offline_since, created_at FROM nodes_ecs
         WHERE offline_since IS NULL AND last_heartbeat >= '{since}' AND fleet IN ('{fleet}')"
    )
}

async fn place() -> (std::sync::Arc<Server>, String, Register) {
    let postgres = Server::shared();
    let database = postgres.database();
    let register = Register::open(&postgres.url(&database), parsec()).await.unwrap();
    (postgres, database, register)
}

#[tokio::test]
async fn a_server_of_go_is_found_with_the_port_that_it_meant() {
    let (postgres, database, register) = place().await;
    let peer = rows::peer(7).to_base58();
    let id = postgres.sql(&database, &go_enters(&peer));
    let since = schema::Timestamp::parse("2026-11-21T03:10:00.000Z").unwrap();
    let found = async || register.servers(&fleets(&["default"]), since).await.unwrap();
    assert_eq!(found().await, [], "it has no heartbeat yet");
    let said = register.all_servers().await.unwrap().remove(0).entry;
    assert_eq!((said.version.as_str(), said.strategy), ("v0.4.0", None));
    assert_eq!(said.entered_at, schema::Timestamp(1_795_230_719_968_434));
    postgres.sql(&database, &go_beats(&id, &peer, "2026-11-21 03:12:00+00"));
    let servers = found().await;
    let [server] = &servers[..] else { panic!("{servers:?}") };
    assert_eq!(server.entry.http, "127.0.0.12:40001".parse().unwrap());
    assert_eq!((server.entry.peer, server.entry.peer_port), (rows::peer(7), Some(4101)));
    assert_eq!((server.entry.cpu, server.entry.memory, &*server.entry.region), (512, 1024, "region-s1"));
    // Ours calls it offline, as Go's scheduler does when it is not ready; its next heartbeat takes that back.
    register.offline(server.id, since.after(Duration::from_secs(180))).await.unwrap();
    assert_eq!(found().await, []);
    assert_eq!(postgres.sql(&database, &go_selects("2026-11-21 03:10:00+00", "default")), "");
    postgres.sql(&database, &go_beats(&id, &peer, "2026-11-21 03:13:00+00"));
    assert_eq!(found().await.len(), 1);
}

#[tokio::test]
async fn a_scheduler_of_go_finds_our_servers_and_writes_what_they_measured() {
    let (postgres, database, register) = place().await;
    let entry = ServerEntry { strategy: Some(Strategy::FullRt), ..server(1, "default") };
    let id = register.enter_server(&entry).await.unwrap();
    let select = go_selects("2026-11-18 11:06:40+00", "default");
    assert_eq!(postgres.sql(&database, &select), "");
    // 1795000060 seconds since 1970.
    register.heartbeat(id, at(60)).await.unwrap();
    let found = postgres.sql(&database, &select);
    let columns: Vec<_> = found.split('|').collect();
    assert_eq!(columns[..5], [&id.0.to_string(), "512", "1024", &rows::peer(1).to_base58(), "region-1"]);
    assert_eq!(columns[8..11], ["127.0.0.11", "7071", "4001"]);
    let build: serde_json::Value = serde_json::from_str(columns[7]).unwrap();
    assert_eq!(build["Main"], serde_json::json!({ "Path": "kadscope", "Version": "0.1.0" }));
    let go = "INSERT INTO schedulers_ecs (fleets, dependencies, created_at) VALUES ('{default}', '{}', now()) RETURNING id";
    let scheduler = postgres.sql(&database, go);
    for table in ["provides_ecs (step, ", "retrievals_ecs ("] {
        let step = if table.contains("step") { "'provide', " } else { "" };
        postgres.sql(
            &database,
            &format!(
                "INSERT INTO {table}scheduler_id, node_id, rt_size, duration, cid, created_at)
                 VALUES ({step}{scheduler}, {}, 61, 0.065110581, 'Qm', now())",
                id.0
            ),
        );
    }
    // It is not ready: Go's scheduler writes the whole row with an end. Our next heartbeat takes that back, and changes nothing else.
    let whole = format!(
        "UPDATE nodes_ecs SET region = 'region-1', fleet = 'default', last_heartbeat = last_heartbeat, offline_since = now() WHERE id = {}",
        id.0
    );
    postgres.sql(&database, &whole);
    assert_eq!(postgres.sql(&database, &select), "");
    register.heartbeat(id, at(61)).await.unwrap();
    assert_eq!(
        register.servers(&fleets(&["default"]), at(61)).await.unwrap()[0].entry.strategy,
        Some(Strategy::FullRt)
    );
}

/// Somebody changes a row while a server of ours lives: its heartbeat and its end leave that as it is.
#[tokio::test]
async fn a_heartbeat_writes_no_column_that_has_not_changed() {
    let (postgres, database, register) = place().await;
    let id = register.enter_server(&server(1, "default")).await.unwrap();
    postgres.sql(&database, "UPDATE nodes_ecs SET region = 'moved', cpu = 7");
    register.heartbeat(id, at(1)).await.unwrap();
    register.offline(id, at(2)).await.unwrap();
    assert_eq!(
        postgres.sql(&database, "SELECT region, cpu, offline_since - last_heartbeat FROM nodes_ecs"),
        "moved|7|00:00:01"
    );
}

#[tokio::test]
async fn a_port_that_gos_programs_could_not_dial_is_refused() {
    let (postgres, database, register) = place().await;
    let mut high = server(1, "default");
    high.http.set_port(40001);
    let refused = register.enter_server(&high).await.unwrap_err();
    assert!(matches!(refused, Error::ParsecValue { .. }), "{refused}");
    assert!(
        refused.to_string().contains("the HTTP port 40001") && refused.to_string().contains("32767"),
        "{refused}"
    );
    let high = ServerEntry { peer_port: Some(32768), ..server(1, "default") };
    let refused = register.enter_server(&high).await.unwrap_err().to_string();
    assert!(refused.contains("the port for peers 32768"), "{refused}");
    assert_eq!(postgres.sql(&database, "SELECT count(*) FROM nodes_ecs"), "0");
}

#[tokio::test]
async fn text_that_a_database_cannot_have_and_numbers_that_do_not_fit_are_changed_as_said() {
    let (postgres, database, register) = place().await;
    let odd = ServerEntry {
        command: "a\0b".to_owned(),
        region: "\0".to_owned(),
        cpu: u32::MAX,
        dependencies: serde_json::json!({ "Deps\0": ["\0"] }),
        ..server(1, "default")
    };
    register.enter_server(&odd).await.unwrap();
    register.enter_scheduler(&scheduler()).await.unwrap();
    let found =
        postgres.sql(&database, "SELECT cmd, region, cpu, dependencies->>'Deps\u{fffd}' FROM nodes_ecs");
    assert_eq!(found, "a\u{fffd}b|\u{fffd}|2147483647|[\"\u{fffd}\"]");
    assert_eq!(postgres.sql(&database, "SELECT fleets FROM schedulers_ecs"), r#"{a,"b,\"c\""}"#);
}

/// A row that is no server's (others write into the table, too) does not keep the others from being found.
#[tokio::test]
async fn a_row_that_is_no_servers_is_left_out() {
    let (postgres, database, register) = place().await;
    let peer = rows::peer(7).to_base58();
    let id = postgres.sql(&database, &go_enters("nobody"));
    postgres.sql(&database, &go_beats(&id, "nobody", "2026-11-21 03:12:00+00"));
    let id = postgres.sql(&database, &go_enters(&peer));
    postgres.sql(&database, &go_beats(&id, &peer, "2026-11-21 03:12:00+00"));
    let servers = register.servers(&fleets(&["default"]), schema::Timestamp(0)).await.unwrap();
    assert_eq!(servers.iter().map(|server| server.id.0.to_string()).collect::<Vec<_>>(), [id]);
}
