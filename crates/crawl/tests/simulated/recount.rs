//! What a summary says is counted once more from the rows in a store, and a summary that says otherwise is noticed.

use kadscope_crawl::{Recount, Recounted};
use schema::{CrawlWalk, PeerInDegree, RunEnd, RunStart, Tool};
use serde_json::{Value, json};
use store::{Store, StoreUrl};

use super::{
    BTreeMap, CrawlConfig, PeerId, Row, Run, RunId, Scenario, crawl, crawl_until, walking::walks_for,
};

/// The fields of a summary that no row says anything of, or that the run's own row says as they are.
const NOT_RECOUNTED: [&str; 13] = [
    "crawl_id",
    "network",
    "state",
    "started_at",
    "finished_at",
    "duration_s",
    "seed",
    "strategy",
    "bytes",
    "left_out",
    "opt_out_entries",
    "cpu_s",
    "peak_rss_bytes",
];

/// Keeps a crawl in a store, and counts what is read back.
async fn recounted(run: &Run, config: &CrawlConfig) -> (Value, Recounted) {
    let dir = tempfile::tempdir().expect("a directory");
    let url: StoreUrl = format!("sqlite:{}", dir.path().join("a.sqlite").display()).parse().expect("a name");
    let store = Store::open(&url).expect("opened").expect("kept");
    let mut summary = run.crawled.summary.clone();
    summary.kept_visits = Some(summary.visits.all());
    let summary = serde_json::to_value(&summary).expect("JSON");
    let start = RunStart {
        id: RunId([7; 16]),
        tool: Tool::Crawl,
        network: "test".to_owned(),
        started_at: run.crawled.summary.started_at,
        version: String::new(),
        seed: 0,
        vantage: String::new(),
        parameters: serde_json::to_value(config).expect("JSON"),
    };
    let writer = store.begin_run(&start).expect("begun");
    let rows = run.ids.iter().map(|(&number, &id)| Row::Peer(number, id));
    let rows = rows.chain(run.visits.iter().cloned().map(Row::from));
    let rows = rows.chain(run.walks.iter().cloned().map(Row::from));
    for row in rows.chain(run.in_degrees.iter().copied().map(Row::from)) {
        writer.sender().send(row).await.expect("taken");
    }
    let (state, finished_at) = (run.crawled.summary.state, run.crawled.summary.finished_at);
    writer.finish(RunEnd { finished_at, state, summary }).await.expect("kept");

    let kept = store.run(start.id).expect("there");
    let mut recount = Recount::default();
    store.peers(start.id).expect("peers").iter().for_each(|(_, peer)| recount.peer(peer));
    store.visits(start.id).expect("visits").for_each(|visit| recount.visit(&visit.expect("a visit")));
    let walks = store.rows::<CrawlWalk>(start.id).expect("rows");
    walks.for_each(|walk| recount.walk(&walk.expect("a row")));
    let in_degrees = store.rows::<PeerInDegree>(start.id).expect("rows");
    in_degrees.for_each(|heard| recount.in_degree(heard.expect("a row")));
    let counted = recount.finish((&kept.start, kept.state), kept.totals.pruned).expect("JSON");
    (kept.end.expect("an end").summary, counted)
}

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text, "test").expect("a scenario")
}

#[tokio::test(start_paused = true)]
async fn every_number_of_a_summary_is_what_its_rows_come_to() {
    const FAULTS: &str = "seed = 4\npeers = 300\n[tables]\nholes = 0.95\n\
        [[states]]\nstate = \"refusing\"\nshare = 0.1\n[[states]]\nstate = \"silent\"\nshare = 0.1\n\
        [[states]]\nstate = \"private_only\"\nshare = 0.1\n[[states]]\nstate = \"relayed_only\"\nshare = 0.1\n\
        [[states]]\nstate = \"crowded\"\nshare = 0.05\n";
    let usual = CrawlConfig::default;
    for (text, config, stop_at) in [
        ("peers = 400\n[tables]\nholes = 0.97", usual(), None),
        ("peers = 400\n[tables]\nholes = 0.97", CrawlConfig { neighbors: true, ..usual() }, None),
        (FAULTS, usual(), None),
        (FAULTS, CrawlConfig { limit: Some(60), ..usual() }, None),
        (FAULTS, usual(), Some(90)),
        (FAULTS, CrawlConfig { max_peers: 120, ..usual() }, None),
        ("peers = 25\n[tables]\nholes = 0.3", usual(), None),
        (FAULTS, walks_for(20), None),
        (FAULTS, CrawlConfig { max_peers: 120, ..walks_for(20) }, None),
        (FAULTS, walks_for(20), Some(60)),
        ("peers = 15", walks_for(5), None),
        ("peers = 1\nbootstrap = 1", usual(), None),
    ] {
        let stop = |progress: &super::Progress| stop_at.is_some_and(|visits| progress.visits >= visits);
        let run = crawl_until(&scenario(text), config.clone(), stop).await;
        let (summary, recounted) = recounted(&run, &config).await;
        assert_eq!(recounted.differences(&summary), [], "{text} {config:?}");
        assert_eq!(recounted.missing, [""; 0]);
        let mut named: Vec<_> = recounted.numbers.keys().map(String::as_str).chain(NOT_RECOUNTED).collect();
        named.sort_unstable();
        let mut fields: Vec<_> = summary.as_object().expect("an object").keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(named, fields, "each field of a summary is recounted, or known not to be");
        // The peers of each class are those that the counts of peers have.
        let of_class =
            |class: &str| summary["completeness"]["in_degree"][class]["peers"].as_u64().unwrap_or(0);
        let peers = |class: &str| summary["peers"][class].as_u64().expect("a number");
        assert_eq!(of_class("reachable"), peers("reachable"), "{text} {config:?}");
        assert_eq!(of_class("unreachable"), peers("unreachable") + peers("turned_away"), "{text} {config:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_says_otherwise_is_noticed() {
    let config = CrawlConfig::default();
    let run = crawl(&scenario("peers = 400\n[tables]\nholes = 0.97"), config.clone()).await;
    let (summary, recounted) = recounted(&run, &config).await;
    for (path, name) in [
        ("/completeness/estimate/missed", "completeness.estimate.missed"),
        ("/completeness/in_degree/reachable/median", "completeness.in_degree.reachable.median"),
        ("/completeness/late_share", "completeness.late_share"),
        ("/peers/reachable", "peers.reachable"),
        ("/edges", "edges"),
    ] {
        let mut damaged = summary.clone();
        let number = damaged.pointer_mut(path).expect(path);
        *number = json!(number.as_f64().expect("a number") + 1.0);
        let found = recounted.differences(&damaged);
        assert_eq!(found.iter().map(|difference| difference.name.as_str()).collect::<Vec<_>>(), [name]);
        assert_eq!(found[0].rows.as_ref(), summary.pointer(path));
    }
    let mut damaged = summary;
    damaged["agents"] = json!({ "nobody": 1 });
    assert!(recounted.differences(&damaged).iter().all(|difference| difference.name.starts_with("agents.")));
}

#[tokio::test(start_paused = true)]
async fn in_degrees_are_those_of_the_neighbors_that_were_kept() {
    let config = CrawlConfig { neighbors: true, ..CrawlConfig::default() };
    let run = crawl(&scenario("peers = 300\n[tables]\nholes = 0.95"), config).await;
    let mut counted: BTreeMap<_, u16> = BTreeMap::new();
    let (mut tables, mut known) = (0, BTreeMap::new());
    for visit in &run.visits {
        for &neighbor in visit.neighbors.iter().flatten() {
            *counted.entry(neighbor).or_default() += 1;
            known.entry(neighbor).or_insert(tables);
        }
        tables += u32::from(visit.neighbors.is_some());
    }
    let ids: Vec<PeerId> = run.ids.values().copied().collect();
    assert_eq!(run.in_degrees.len(), ids.len());
    for heard in &run.in_degrees {
        assert_eq!(heard.tables, counted.get(&heard.named).copied().unwrap_or(0), "{heard:?}");
        assert_eq!(
            heard.given,
            run.world.bootstrap().iter().any(|&peer| run.world.peer_id(peer) == run.ids[&heard.named])
        );
        if !heard.given {
            assert_eq!(Some(&heard.heard_after), known.get(&heard.named), "{heard:?}");
        }
    }
}
