//! The servers of fleets, for people.

use store::ServerState;

use super::{
    table::aligned,
    text::{counted, duration, escaped, fit},
};
use crate::command::{ListedFleet, ListedServer};

/// The most columns of a name that an operator chose.
const NAME: usize = 20;

/// One line for each server under a heading, and how many of them are alive.
pub(crate) fn fleet(fleet: &ListedFleet) -> String {
    let gone = match fleet.gone {
        0 => String::new(),
        gone => {
            format!("{} gone for more than a day; --all lists them too\n", counted(gone as u64, "is", "are"))
        }
    };
    if fleet.servers.is_empty() {
        return format!("no server is registered there\n{gone}");
    }
    let heading = ["ID", "FLEET", "REGION", "STATE", "HEARTBEAT", "STRATEGY", "HTTP", "PEER"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(fleet.servers.iter().map(row));
    let alive = fleet.servers.iter().filter(|server| server.state == ServerState::Alive).count();
    let servers = counted(fleet.servers.len() as u64, "server", "servers");
    let lines = aligned(&rows, heading.len()).join("\n");
    format!("{lines}\n\n{servers}, {alive} of them alive\n{gone}")
}

fn row(server: &ListedServer) -> Vec<String> {
    let or_none = |text: &str| if text.is_empty() { "-".to_owned() } else { fit(&escaped(text), NAME) };
    let heartbeat = server
        .heartbeat_age_s
        .map_or_else(|| "none".to_owned(), |age| format!("{} ago", duration(age as f64)));
    vec![
        server.id.to_string(),
        or_none(&server.fleet),
        or_none(&server.region),
        server.state.to_string(),
        heartbeat,
        server.strategy.map_or("-", schema::Strategy::name).to_owned(),
        server.http.to_string(),
        server.peer.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use schema::{Strategy, Timestamp};

    use super::*;

    fn server(id: u32, state: ServerState, heartbeat_age_s: Option<u64>) -> ListedServer {
        ListedServer {
            id,
            fleet: "default".to_owned(),
            region: if id == 1 { "eu-central-1".to_owned() } else { String::new() },
            state,
            heartbeat_age_s,
            last_heartbeat: None,
            offline_since: None,
            entered_at: Timestamp(0),
            strategy: (id == 1).then_some(Strategy::OptProv),
            version: "0.1.0".to_owned(),
            http: ([127, 0, 0, 11], 7070).into(),
            peer: "12D3KooWGi8w".to_owned(),
        }
    }

    #[test]
    fn a_fleet_is_listed_with_how_its_servers_stand() {
        let servers = vec![
            server(1, ServerState::Alive, Some(42)),
            server(2, ServerState::Starting, None),
            server(3, ServerState::Late, Some(7200)),
        ];
        let listed = ListedFleet { store: String::new(), servers, gone: 1 };
        insta::assert_snapshot!(fleet(&listed));
        let nobody = ListedFleet { store: String::new(), servers: Vec::new(), gone: 0 };
        assert_eq!(fleet(&nobody), "no server is registered there\n");
    }
}
