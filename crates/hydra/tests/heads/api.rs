//! The HTTP API of hydra-booster over heads that live, asked as `curl` would ask.

use std::net::SocketAddr;

use http::{Access, Listening, Metrics, Readiness, Room, TakenAddress, Token};
use kad::{Contact, PeerId};
use kadscope_hydra::{Hydra, HydraApi};
use testnet::SimNetwork;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{asking::Client, settlement::Settlement};

/// The multihash of content that nobody else provides.
const KEY: &[u8] = b"\x12\x20what is fetched by its CID......";

/// A listener on loopback with the routes of a hydra.
#[derive(Debug)]
pub(crate) struct Window {
    listening: Listening,
    api: HydraApi<SimNetwork>,
}

/// What came.
#[derive(Debug)]
struct Heard {
    status: u16,
    content_type: Option<String>,
    body: String,
}

impl Window {
    fn open(access: Access) -> Self {
        let api = HydraApi::default();
        let mut room = Room::new(access, Readiness::not_yet("a test"), Metrics::default());
        (room.routes, room.private_routes) = (api.routes(), api.private_routes());
        let taken = TakenAddress::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        Self { listening: room.open(taken).expect("a listener"), api }
    }

    fn on(hydra: &Hydra<SimNetwork>) -> Self {
        let window = Self::open(Access::ThisMachine);
        window.api.open(hydra.view());
        window
    }

    fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    async fn get(&self, path: &str) -> Heard {
        self.ask("GET", path, "").await
    }

    /// Asks by HTTP/1.0, so that the body comes as it is.
    async fn ask(&self, method: &str, path: &str, headers: &str) -> Heard {
        let mut stream = TcpStream::connect(self.address()).await.expect("a connection");
        let request = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let of_type =
            |line: &str| line.to_ascii_lowercase().strip_prefix("content-type: ").map(str::to_owned);
        Heard {
            status: head.split(' ').nth(1).expect("a status").parse().expect("a number"),
            content_type: head.lines().find_map(of_type),
            body: body.to_owned(),
        }
    }
}

fn lines(heard: &Heard) -> Vec<serde_json::Value> {
    assert_eq!(
        (heard.status, heard.content_type.as_deref()),
        (200, Some("application/x-ndjson")),
        "{heard:?}"
    );
    heard.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn contacts(hydra: &Hydra<SimNetwork>) -> Vec<Contact> {
    hydra.heads().iter().map(|head| head.contact()).collect()
}

/// The CID of a multihash, of version 1 and raw bytes.
fn cid(key: &[u8]) -> String {
    multibase::encode(multibase::Base::Base32Lower, [&[1, 0x55], key].concat())
}

#[tokio::test]
async fn routes_statuses_and_types_are_those_of_hydra_booster() {
    let settlement = Settlement::of("peers = 5");
    let window = Window::open(Access::ThisMachine);
    // The API is there before the heads are.
    assert_eq!(window.get("/heads").await.status, 503);
    let hydra = settlement.join(2).await;
    window.api.open(hydra.view());
    for path in
        ["/heads", "/swarm/peers", "/pstore/list", "/records/list", "/swarm/peers?head=", "/swarm/peers?x=1"]
    {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            lines(&window.ask(method, path, "").await);
        }
        let (trailing, query) = path.split_once('?').unwrap_or((path, ""));
        assert_eq!(window.get(&format!("{trailing}/?{query}")).await.status, 404, "{path}");
    }
    for path in ["/records/fetch", "/records/fetch/", "/records", "/nothing", "/heads/1", "/swarm", "/pstore"]
    {
        assert_eq!(window.get(path).await.status, 404, "{path}");
    }
    // An unknown head has no connections, whatever it is called.
    for head in [PeerId::random().to_string(), "no-id".to_owned()] {
        assert!(lines(&window.get(&format!("/swarm/peers?head={head}")).await).is_empty());
    }
    hydra.leave().await;
}

#[tokio::test]
async fn hostile_parameters_are_refused_and_nobody_falls_over() {
    let settlement = Settlement::of("peers = 5");
    let hydra = settlement.join(1).await;
    let window = Window::on(&hydra);
    let good = cid(KEY);
    let long = "Q".repeat(10_000);
    for path in [
        "bad".to_owned(),
        "%00".to_owned(),
        long,
        format!("{good}?nProviders=-1"),
        format!("{good}?nProviders=100000000"),
        format!("{good}?nProviders=1000000000"),
        format!("{good}?nProviders=99999999999999999999"),
        format!("{good}?nProviders=one"),
    ] {
        let heard = window.get(&format!("/records/fetch/{path}")).await;
        assert_eq!((heard.status, heard.body.as_str()), (400, ""), "{path}");
    }
    let none = window.get(&format!("/records/fetch/{good}")).await;
    assert_eq!((none.status, none.body.as_str(), none.content_type), (404, "", None));
    assert_eq!(lines(&window.get("/heads").await).len(), 1);
    hydra.leave().await;
}

#[tokio::test]
async fn heads_and_their_connections_are_listed() {
    let settlement = Settlement::of("peers = 5");
    let hydra = settlement.join(3).await;
    let window = Window::on(&hydra);
    let heads = contacts(&hydra);
    let expected: Vec<String> = heads
        .iter()
        .map(|head| {
            let addrs: Vec<String> = head.addrs.iter().map(|addr| format!("\"{addr}\"")).collect();
            format!("{{\"ID\":\"{}\",\"Addrs\":[{}]}}\n", head.peer, addrs.join(","))
        })
        .collect();
    assert_eq!(window.get("/heads").await.body, expected.concat());

    let client = Client::on(&settlement.fabric).await;
    client.find_node(&heads[1], KEY).await;
    let of_client = |heard: &Heard| -> Vec<serde_json::Value> {
        lines(heard).into_iter().filter(|line| line["Peer"]["ID"] == client.id.to_string()).collect()
    };
    let all = of_client(&window.get("/swarm/peers").await);
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0]["ID"], &all[0]["Peer"]["Direction"]), (&heads[1].peer.to_string().into(), &1.into()));
    assert_eq!(of_client(&window.get(&format!("/swarm/peers?head={}", heads[1].peer)).await), all);
    assert!(of_client(&window.get(&format!("/swarm/peers?head={}", heads[0].peer)).await).is_empty());
    hydra.leave().await;
}

#[tokio::test]
async fn peers_stand_with_what_they_say_and_servers_with_their_addresses() {
    let settlement = Settlement::of("peers = 30");
    let hydra = settlement.join(2).await;
    hydra.refreshed(1).await;
    let window = Window::on(&hydra);
    let client = Client::on(&settlement.fabric).await;
    client.find_node(&contacts(&hydra)[0], KEY).await;
    let view = hydra.view();
    let says =
        || view.swarm(None, 1000).into_iter().any(|(id, peer)| id == client.id && peer.saying.is_some());
    while !says() {
        tokio::task::yield_now().await;
    }
    let all = lines(&window.get("/pstore/list").await);
    let heads: Vec<String> = contacts(&hydra).iter().map(|head| head.peer.to_string()).collect();
    assert!(all.iter().all(|line| heads.iter().any(|head| line["HeadID"] == **head)));
    let of = |id: &str| all.iter().filter(|line| line["AddrInfo"]["ID"] == id).cloned().collect::<Vec<_>>();
    let [client] = &of(&client.id.to_string())[..] else { panic!("{all:?}") };
    assert_eq!(client["AgentVersion"], "client/1");
    for server in hydra.known_peers() {
        let addrs: Vec<String> = server.addrs.iter().map(ToString::to_string).collect();
        let is_whole = |line: &serde_json::Value| line["AddrInfo"]["Addrs"] == serde_json::json!(addrs);
        assert!(of(&server.peer.to_string()).iter().any(is_whole), "{server:?}");
    }
    hydra.leave().await;
}

#[tokio::test]
async fn records_are_listed_once_each() {
    let settlement = Settlement::of("peers = 5");
    let hydra = settlement.join(2).await;
    let (window, heads) = (Window::on(&hydra), contacts(&hydra));
    let clients = [Client::on(&settlement.fabric).await, Client::on(&settlement.fabric).await];
    for key in 0..40_u8 {
        for (client, head) in clients.iter().zip(&heads) {
            client
                .provide(head, &[&[0x12, 0x20][..], &[key; 32]].concat(), &["/ip4/127.0.0.1/tcp/4321"])
                .await;
        }
    }
    let keys: Vec<String> = lines(&window.get("/records/list").await)
        .iter()
        .map(|line| {
            assert_eq!((&line["Expiration"], &line["Size"]), (&"0001-01-01T00:00:00Z".into(), &9.into()));
            line["Key"].as_str().expect("a key").to_owned()
        })
        .collect();
    let base32 = |bytes: &[u8]| multibase::Base::Base32Upper.encode(bytes);
    let mut expected: Vec<String> = (0..40_u8)
        .flat_map(|key| clients.iter().map(move |client| (key, client.id)))
        .map(|(key, id)| {
            format!(
                "/providers/{}/{}",
                base32(&[&[0x12, 0x20][..], &[key; 32]].concat()),
                base32(&id.to_bytes())
            )
        })
        .collect();
    let mut sorted = keys;
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    hydra.leave().await;
}

#[tokio::test]
async fn what_the_network_has_is_fetched_and_kept() {
    let settlement = Settlement::of("peers = 30");
    let hydra = settlement.join(3).await;
    hydra.refreshed(1).await;
    let window = Window::on(&hydra);
    // Somebody gives a record to the servers of the network, and to none of the heads.
    let client = Client::on(&settlement.fabric).await;
    for server in hydra.known_peers() {
        client.provide(&server, KEY, &["/ip4/127.0.0.1/tcp/4321"]).await;
    }
    let path = format!("/records/fetch/{}?nProviders=0", cid(KEY));
    let expected = format!("{{\"ID\":\"{}\",\"Addrs\":[\"/ip4/127.0.0.1/tcp/4321\"]}}\n", client.id);
    assert_eq!(window.get(&path).await.body, expected);
    // Every head answers with it from now on.
    for head in contacts(&hydra) {
        assert_eq!(client.providers(&head, KEY).await.len(), 1);
    }
    assert_eq!(window.get(&format!("/records/fetch/{}", cid(KEY))).await.body, expected);
    hydra.leave().await;
}

#[tokio::test]
async fn who_is_connected_is_not_shown_to_everybody() {
    const TOKEN: &str = "a-token-of-a-test";
    let settlement = Settlement::of("peers = 5");
    let hydra = settlement.join(1).await;
    let everybody = Window::open(Access::Everybody);
    let bearer = Window::open(Access::Bearer(Token::new(TOKEN).expect("a token")));
    everybody.api.open(hydra.view());
    bearer.api.open(hydra.view());
    for path in ["/swarm/peers", "/pstore/list"] {
        assert_eq!(everybody.get(path).await.status, 403);
        assert_eq!(bearer.get(path).await.status, 401);
        lines(&bearer.ask("GET", path, &format!("Authorization: Bearer {TOKEN}\r\n")).await);
    }
    lines(&everybody.get("/heads").await);
    lines(&everybody.get("/records/list").await);
    hydra.leave().await;
}
