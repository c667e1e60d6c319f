//! Ids over HTTP: by the old wire and as indices, for those who have the token alone, each to one hydra.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::{sync::Arc, time::Duration};

use http::{
    Access, HttpClient, HttpClientConfig, HttpRequest, HttpUrl, Listening, Metrics, Readiness, Room,
    TakenAddress, Token,
};
use kad::PeerId;
use kadscope_hydra as hydra;

use hydra::{
    Allotments, Choices, HeadSeed, HeadSequence, IdgenClient, IdgenError, IdgenServer, LeaseOrder,
    StateDirectory, idgen_refused, idgen_routes,
};

const TOKEN: &str = "0123456789abcdef";

fn now() -> Duration {
    Duration::from_secs(1_800_000_000)
}

fn sequence() -> HeadSequence {
    HeadSequence::new(HeadSeed::from_bytes([9; 32]), Choices::ORIGINAL)
}

fn id(index: u64) -> PeerId {
    sequence().identity(index).expect("an identity").peer_id()
}

/// A server whose own heads are the first two of its seed.
fn server(state: Option<Arc<StateDirectory>>) -> IdgenServer {
    IdgenServer::of_shared_seed(Allotments::new(sequence(), 0..2), state, now).expect("a server")
}

fn listen(routes: http::axum::Router, access: Access) -> (Listening, HttpUrl) {
    let mut room = Room::new(access, Readiness::not_yet("it begins"), Metrics::default());
    room.private_routes = routes;
    let taken = TakenAddress::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listening = room.open(taken).expect("a listener");
    let url = format!("http://{}", listening.address()).parse().expect("a URL");
    (listening, url)
}

fn guarded(server: IdgenServer) -> (Listening, HttpUrl) {
    listen(idgen_routes(Arc::new(server)), Access::Bearer(Token::new(TOKEN).expect("a token")))
}

fn http() -> HttpClient {
    let time = Duration::from_secs(5);
    HttpClient::new(HttpClientConfig { request_time: time, ..HttpClientConfig::default() }).expect("a client")
}

fn client(url: &HttpUrl, token: Option<&str>) -> IdgenClient {
    IdgenClient::new(http(), url.clone(), token.map(str::to_owned))
}

fn order(holder: &str, count: usize) -> LeaseOrder {
    LeaseOrder { holder: holder.to_owned(), count }
}

#[tokio::test]
async fn keys_are_those_of_the_servers_own_generator_around_its_own_heads() {
    let (listening, url) = guarded(server(None));
    let client = client(&url, Some(TOKEN));
    let (first, second) = (client.add().await.expect("a key"), client.add().await.expect("a key"));
    assert_eq!([first.public().to_peer_id(), second.public().to_peer_id()], [id(2), id(3)]);
    client.remove(&first).await.expect("it is taken back");
    client.remove(&first).await.expect("and again, which is no error");
    let again = client.add().await.expect("a key");
    assert_eq!(again.public().to_peer_id(), id(2));
    listening.close().await;
}

#[tokio::test]
async fn indices_are_let_to_one_hydra_each_and_no_key_goes_over_the_wire() {
    let (listening, url) = guarded(server(None));
    let client = client(&url, Some(TOKEN));
    let east = client.lease(&order("east", 3)).await.expect("indices");
    let west = client.lease(&order("west", 2)).await.expect("indices");
    assert_eq!((east.indices.to_string(), west.indices.to_string()), ("2..5".to_owned(), "5..7".to_owned()));
    assert_eq!((east.seed, east.choices), (HeadSeed::from_bytes([9; 32]).fingerprint(), 2));
    assert_eq!(east.expires_in_s, 86_400);
    let key = client.add().await.expect("a key");
    assert_eq!(key.public().to_peer_id(), id(7), "keys and indices do not collide");
    client.release("east").await.expect("given back");
    assert_eq!(client.lease(&order("north", 1)).await.expect("an index").indices.to_string(), "2");
    listening.close().await;
}

#[tokio::test]
async fn who_has_no_token_gets_nothing() {
    let (listening, url) = guarded(server(None));
    for token in [None, Some("fedcba9876543210")] {
        let refused = client(&url, token).add().await.expect_err("refused");
        assert!(matches!(refused, IdgenError::Refused { status: 401, .. }), "{refused}");
        assert!(!refused.to_string().contains("fedcba"), "{refused}");
    }
    listening.close().await;
    let (listening, url) = listen(idgen_refused(), Access::ThisMachine);
    let refused = client(&url, None).add().await.expect_err("refused");
    assert!(matches!(refused, IdgenError::Refused { status: 403, .. }), "{refused}");
    listening.close().await;
}

#[tokio::test]
async fn the_old_wire_answers_as_it_always_did() {
    let (listening, url) = guarded(server(None));
    let http = http();
    let post = async |path: &str, body: &str| {
        let request = HttpRequest::post(url.below(path).expect("a URL"), body.to_owned());
        http.send(request.bearer(TOKEN).expect("a header")).await.expect("an answer")
    };
    let added = post("idgen/add", "whatever").await;
    assert_eq!(added.status, 200);
    let text = added.text();
    assert!(text.starts_with("\"CAES") && text.ends_with("\"\n") && text.len() == 95, "{text}");
    assert_eq!(post("idgen/remove", &text).await.status, 204);
    for wrong in ["", "{}", "\"CAES\"", "\"not base64\""] {
        assert_eq!(post("idgen/remove", wrong).await.status, 400, "{wrong}");
    }
    let get = HttpRequest::get(url.below("idgen/add").expect("a URL")).bearer(TOKEN).expect("a header");
    let refused = http.send(get).await.expect("an answer");
    assert_eq!((refused.status, refused.body.len()), (405, 0));
    for wrong in
        ["{}", r#"{"holder":"a","count":0}"#, r#"{"holder":"","count":1}"#, r#"{"holder":"a","count":-1}"#]
    {
        assert_eq!(post("idgen/lease", wrong).await.status, 400, "{wrong}");
    }
    listening.close().await;
}

#[tokio::test]
async fn a_server_without_a_seed_that_others_have_lets_no_indices() {
    let (listening, url) = guarded(IdgenServer::new(Allotments::new(sequence(), []), now));
    let refused = client(&url, Some(TOKEN)).lease(&order("a", 1)).await.expect_err("refused");
    assert!(matches!(refused, IdgenError::Refused { status: 409, .. }), "{refused}");
    listening.close().await;
}

#[tokio::test]
async fn what_is_out_is_not_handed_out_again_by_a_server_that_was_killed() {
    let place = tempfile::tempdir().expect("a directory");
    let open = || Arc::new(StateDirectory::open(place.path()).expect("a directory"));
    let (listening, url) = guarded(server(Some(open())));
    client(&url, Some(TOKEN)).lease(&order("east", 2)).await.expect("indices");
    client(&url, Some(TOKEN)).add().await.expect("a key");
    listening.close().await;
    let (listening, url) = guarded(server(Some(open())));
    let client = client(&url, Some(TOKEN));
    assert_eq!(client.lease(&order("west", 1)).await.expect("an index").indices.to_string(), "5");
    assert_eq!(client.lease(&order("east", 2)).await.expect("indices").indices.to_string(), "2..4");
    listening.close().await;
    let other = HeadSequence::new(HeadSeed::from_bytes([8; 32]), Choices::ORIGINAL);
    let refused =
        IdgenServer::of_shared_seed(Allotments::new(other, []), Some(open()), now).expect_err("refused");
    assert!(
        refused.to_string().contains("idgen.json is damaged (what it says is of another seed"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address")).parse().expect("a URL");
    let time = Duration::from_millis(200);
    let http = HttpClient::new(HttpClientConfig { request_time: time, ..HttpClientConfig::default() });
    let failed = IdgenClient::new(http.expect("a client"), url, None).add().await.expect_err("nothing");
    assert!(matches!(failed, IdgenError::Asking { .. }), "{failed}");
}
