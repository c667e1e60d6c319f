//! What metrics say beside a count of what was done, by the old names and by ours.

use http::{Metric, MetricKind, Metrics};
use kad::{
    Contact,
    message::{Message, MessageType},
};
use kadscope_hydra::{Hydra, INHERITED, MetricsTerms, hydra_metrics};
use testnet::SimNetwork;

use super::{asking::Client, minutes, settlement::Settlement};

const KEY: &[u8] = b"\x12\x20a key that is counted in metrics..";

fn shown(hydra: &Hydra<SimNetwork>, per_head: bool) -> (Metrics, Vec<Metric>) {
    let terms = MetricsTerms { name: "a test".to_owned(), per_head };
    let (inherited, own) = hydra_metrics(&hydra.view(), &terms);
    let metrics = Metrics::default();
    metrics.extend(inherited.into_iter().chain(own));
    let (inherited, own) = hydra_metrics(&hydra.view(), &terms);
    (metrics, inherited.into_iter().chain(own).collect())
}

/// The value of a series.
fn value(metrics: &Metrics, series: &str) -> f64 {
    let text = metrics.text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.expect(series).parse().expect("a number")
}

#[tokio::test(start_paused = true)]
async fn conventions_are_held_but_for_the_names_of_hydra_booster() {
    let settlement = Settlement::of("peers = 5");
    let hydra = settlement.join(3).await;
    for per_head in [false, true] {
        let (metrics, all) = shown(&hydra, per_head);
        assert_eq!(metrics.problems_but(INHERITED), [""; 0]);
        // What is one's own head is a series of its own on request alone.
        let by_head = all.iter().filter(|metric| metric.labels().names().contains(&"peer_id")).count();
        assert_eq!(by_head > 0, per_head);
        let is_ours = |name: &str| name.starts_with("kadscope_hydra_") || name.starts_with("kadscope_belly_");
        assert!(
            all.iter().all(|metric| is_ours(metric.name()) || metric.name().starts_with("hydrabooster_"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_type_as_they_came() {
    let settlement = Settlement::of("peers = 5");
    let hydra = settlement.join(2).await;
    let (metrics, _) = shown(&hydra, false);
    let heads: Vec<Contact> = hydra.heads().iter().map(|head| head.contact()).collect();
    let client = Client::on(&settlement.fabric).await;
    let received = |name: &str| {
        value(
            &metrics,
            &format!("hydrabooster_libp2p_io_dht_kad_received_messages{{message_type=\"{name}\"}}"),
        )
    };
    // The network asks the heads for themselves, too: that is none of this.
    let before = received("FIND_NODE");
    for (head, times) in heads.iter().zip([7, 4]) {
        for _ in 0..times {
            client.ask(head, &Message::new(MessageType::Ping, Vec::new())).await;
        }
    }
    client.provide(&heads[0], KEY, &["/ip4/127.0.0.1/tcp/4321"]).await;
    for _ in 0..3 {
        assert_eq!(client.providers(&heads[1], KEY).await.len(), 1);
    }
    client.ask(&heads[0], &Message::new(MessageType::GetValue, KEY.to_vec())).await;
    // No value for its key.
    client.ask(&heads[0], &Message::new(MessageType::PutValue, KEY.to_vec())).await;
    for (name, count) in [
        ("PING", 11.0),
        ("ADD_PROVIDER", 1.0),
        ("GET_PROVIDERS", 3.0),
        ("GET_VALUE", 1.0),
        ("FIND_NODE", before),
    ] {
        assert_eq!(received(name).to_bits(), f64::to_bits(count), "{name}");
    }
    let counts = |series: &str| value(&metrics, series);
    for series in [
        "hydrabooster_libp2p_io_dht_kad_inbound_request_latency_count{message_type=\"PING\"}",
        "hydrabooster_libp2p_io_dht_kad_received_bytes_count{message_type=\"PING\"}",
        "hydrabooster_libp2p_io_dht_kad_sent_bytes_count{message_type=\"PING\"}",
        "kadscope_hydra_request_duration_seconds_count{type=\"ping\"}",
        "kadscope_hydra_requests_total{type=\"ping\"}",
        "kadscope_hydra_requests_admitted_total{type=\"ping\",rung=\"belly\"}",
    ] {
        assert_eq!(counts(series).to_bits(), f64::to_bits(11.0), "{series}");
    }
    // A record is counted within some seconds.
    tokio::time::sleep(minutes(1)).await;
    for series in
        ["hydrabooster_provider_records{name=\"a test\"}", "kadscope_hydra_records{of=\"providers\"}"]
    {
        assert_eq!(counts(series).to_bits(), f64::to_bits(1.0), "{series}");
    }
    hydra.leave().await;
}

#[tokio::test(start_paused = true)]
async fn connected_peers_are_peers_and_a_gauge() {
    let settlement = Settlement::of("peers = 5");
    let hydra = settlement.join(3).await;
    let (metrics, all) = shown(&hydra, false);
    let kind = |name: &str| all.iter().find(|metric| metric.name() == name).map(Metric::kind);
    assert_eq!(kind("hydrabooster_connected_peers"), Some(MetricKind::Gauge));
    assert_eq!(kind("hydrabooster_heads"), Some(MetricKind::Gauge));
    let peers = || value(&metrics, "hydrabooster_connected_peers{name=\"a test\"}");
    let client = Client::on(&settlement.fabric).await;
    let heads: Vec<Contact> = hydra.heads().iter().map(|head| head.contact()).collect();
    for head in &heads {
        client.ask(head, &Message::new(MessageType::Ping, Vec::new())).await;
    }
    // One peer, however many heads it is connected with.
    let swarm = hydra.view().swarm(None, 1000);
    assert_eq!(peers().to_bits(), f64::to_bits(swarm.len() as f64));
    let own = swarm.iter().find(|(peer, _)| *peer == client.id).expect("the client");
    assert_eq!(own.1.connections.len(), 3);
    assert_eq!(value(&metrics, "hydrabooster_heads{name=\"a test\"}").to_bits(), f64::to_bits(3.0));
    let (apart, _) = shown(&hydra, true);
    for head in &heads {
        let series = format!("hydrabooster_connected_peers{{name=\"a test\",peer_id=\"{}\"}}", head.peer);
        assert!(value(&apart, &series) >= 1.0, "{series}");
    }
    hydra.leave().await;
}
