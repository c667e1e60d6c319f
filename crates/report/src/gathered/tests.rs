//! A made network in a real store, and what is read of it.

pub(crate) mod made;

use kad::opt_out::OptOut;
use schema::Veil;

use self::made::{MadePeer, MadeWorld, at};
use super::*;
use crate::period::{Period, PeriodLength};

/// Of all runs of the store.
fn order(store: &store::Store, period: Period) -> GatherOrder {
    let runs = store.runs(&store::RunFilter::default()).unwrap();
    let runs = runs.into_iter().map(|run| run.start.id).collect();
    GatherOrder { network: "made".to_owned(), period, runs }
}

#[tokio::test]
async fn what_is_read_of_each_peer_is_what_was_written() {
    let up = |agent: &str, ip: &str, spans: &[(i64, i64)]| MadePeer {
        agent: agent.to_owned(),
        ip: ip.to_owned(),
        up: spans.to_vec(),
    };
    let world = MadeWorld {
        peers: vec![
            up("kubo/0.40.0/", "192.0.2.1", &[(0, 1000)]),
            up("kubo/0.39.0/", "192.0.2.1", &[(2, 5), (8, 20)]),
            up("storm/1", "2001:db8::1", &[]),
        ],
        crawls: 24,
        is_monitored: true,
    };
    let (store, _place) = world.kept().await;
    let gathered = Gathered::read(
        &store,
        &order(&store, Period::around(PeriodLength::All, at(0))),
        &OptOut::default(),
        |_| {},
    )
    .unwrap();
    assert_eq!(gathered.peers.len(), 3);
    assert_eq!(gathered.visits, [72, 0]);
    assert_eq!(gathered.crawls.len(), 24);
    assert_eq!((gathered.crawls[3].visited, gathered.crawls[3].reached), (3, 2));
    assert_eq!((gathered.crawls[6].visited, gathered.crawls[6].reached), (3, 1));
    assert_eq!(gathered.crawls[6].failures, [("timeout", 2)]);
    let stays: Vec<usize> = gathered.peers.iter().map(|peer| peer.stays.len()).collect();
    assert_eq!(stays, [1, 2, 0]);
    assert_eq!(gathered.agent(&gathered.peers[1]), Some("kubo/0.39.0/"));
    assert_eq!(gathered.agent(&gathered.peers[2]), None, "who was never reached said nothing");
    assert_eq!(gathered.ips.len(), 1);
    assert_eq!(gathered.ips[0].1, [0, 1]);
    // Whoever is up still was last seen by the last crawl, though its row is from the first.
    assert_eq!(gathered.peers[0].stays[0].last_up, made::looked(23, 0).0);
    assert!(gathered.peers[0].stays[0].end.is_none());
}

#[tokio::test]
async fn a_period_takes_what_lies_in_it() {
    let peer = |spans: &[(i64, i64)]| MadePeer {
        agent: "kubo/0.40.0/".to_owned(),
        ip: "192.0.2.1".to_owned(),
        up: spans.to_vec(),
    };
    let world =
        MadeWorld { peers: vec![peer(&[(0, 4), (30, 34), (60, 70)])], crawls: 80, is_monitored: true };
    let (store, _place) = world.kept().await;
    let period = Period { from: at(20), until: at(50) };
    let gathered = Gathered::read(&store, &order(&store, period), &OptOut::default(), |_| {}).unwrap();
    assert_eq!(gathered.crawls.len(), 30);
    assert_eq!(gathered.peers[0].stays.len(), 1);
    assert_eq!(gathered.visits, [30, 0]);
    let none = Gathered::read(
        &store,
        &order(&store, Period { from: at(500), until: at(600) }),
        &OptOut::default(),
        |_| {},
    )
    .unwrap();
    assert!(none.watched.is_none() && none.peers.is_empty() && none.crawls.is_empty());
    let other = GatherOrder { network: "another".to_owned(), ..order(&store, period) };
    assert!(Gathered::read(&store, &other, &OptOut::default(), |_| {}).unwrap().watched.is_none());
    let mut fewer = order(&store, period);
    fewer.runs.retain(|run| store.run(*run).unwrap().start.tool == schema::Tool::Crawl);
    let gathered = Gathered::read(&store, &fewer, &OptOut::default(), |_| {}).unwrap();
    // Of crawls alone the same follows, as far as they are apart.
    assert!(gathered.monitors == 0 && gathered.crawls.len() == 30);
    assert_eq!(gathered.peers[0].stays.len(), 1);
    assert_eq!(
        (gathered.peers[0].stays[0].first_up, gathered.peers[0].stays[0].last_up),
        (made::looked(30, 0).0, made::looked(33, 0).0)
    );
}

/// What a peer says of itself is text, whatever it is; an address is shown as the veil lets it be.
#[tokio::test]
async fn a_page_shows_strangers_texts_as_texts() {
    let peer = |ip: &str| MadePeer {
        agent: "<script>alert(1)</script>|`x`/0.1".to_owned(),
        ip: ip.to_owned(),
        up: vec![(1, 30)],
    };
    let world =
        MadeWorld { peers: vec![peer("192.0.2.77"), peer("192.0.2.77")], crawls: 40, is_monitored: true };
    let (store, _place) = world.kept().await;
    let gathered = Gathered::read(
        &store,
        &order(&store, Period::around(PeriodLength::All, at(0))),
        &OptOut::default(),
        |_| {},
    )
    .unwrap();
    for (veil, is_shown) in [(Veil::AsIs, true), (Veil::WithoutIps, false)] {
        let section = crate::network::NetworkSection::of(&gathered, &veil);
        let (page, json) = (section.page("Made"), serde_json::to_string(&section).unwrap());
        let (html, markdown) = (page.html(), page.markdown("figures"));
        assert!(!html.contains("<script>alert"), "it would run");
        for text in [&html, &markdown, &json] {
            assert_eq!(text.contains("192.0.2.77"), is_shown, "{veil:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_store_and_one_crawl_have_a_page_that_says_so() {
    let none = MadeWorld { peers: Vec::new(), crawls: 0, is_monitored: false };
    let one = MadePeer { agent: "kubo/0.40.0/".to_owned(), ip: "192.0.2.1".to_owned(), up: vec![(0, 9)] };
    let one = MadeWorld { peers: vec![one], crawls: 1, is_monitored: false };
    for (world, says) in [(none, "Nobody looked at the network"), (one, "There is one crawl")] {
        let (store, _place) = world.kept().await;
        let gathered = Gathered::read(
            &store,
            &order(&store, Period::around(PeriodLength::All, at(0))),
            &OptOut::default(),
            |_| {},
        )
        .unwrap();
        let page = crate::network::NetworkSection::of(&gathered, &Veil::AsIs).page("Made");
        assert!(page.html().contains(says), "{says}");
        for figure in page.figures() {
            assert!(!figure.svg().contains("NaN"), "{}", figure.name);
        }
    }
}
