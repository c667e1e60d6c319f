//! What a crawl says of its own completeness, on networks of which it truly misses a part. The whole table is the
//! bench of the same name.

#![expect(clippy::expect_used, clippy::float_cmp, reason = "a test may fail; shares of 0 and 1 are exact")]

#[path = "../benches/completeness/sweep.rs"]
mod sweep;

use estimate::{Method, NoEstimate};
use kadscope_crawl::CrawlConfig;
use sweep::{Setting, Sweep, crawl};
use testnet::Scenario;

/// Where captures are independent, and where they are not.
const SETTINGS: &[Setting] = &[
    Setting { what: "at random", scenario: "peers = 500\n[tables]\nholes = 0.978" },
    Setting { what: "stale", scenario: "peers = 500\n[tables]\nholes = 0.97\nstale = 0.3" },
    Setting {
        what: "poor places",
        scenario: "peers = 500\n[tables]\nholes = 0.95\npoor = { share = 0.5, bits = 2, holes = 0.995 }",
    },
    Setting { what: "copied", scenario: "peers = 500\n[tables]\nholes = 0.96\ncopied = 0.9" },
];

const NETWORKS: u64 = 14;

fn said(text: &str, config: CrawlConfig) -> estimate::Completeness {
    crawl(&Scenario::parse(text, "test").expect("a scenario"), config).said
}

fn refusal(text: &str, config: CrawlConfig) -> Option<NoEstimate> {
    let said = said(text, config);
    assert_eq!(said.estimate.is_none(), said.no_estimate_because.is_some());
    said.no_estimate_because
}

#[test]
fn the_interval_holds_what_was_missed() {
    let sweeps: Vec<Sweep> = SETTINGS.iter().map(|setting| Sweep::of(setting, NETWORKS)).collect();
    for (Setting { what, .. }, sweep) in SETTINGS.iter().zip(&sweeps) {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let recall = mean(&sweep.recalls);
        assert!((0.7..0.97).contains(&recall), "{what}: a share of {recall} is found");
        let error = mean(&sweep.errors);
        assert!(error.abs() < 0.03, "{what}: {error} of all peers too many");
        assert!(mean(&sweep.widths) < 0.4, "{what}: {sweep:?}");
        assert!(sweep.refused_recalls.len() <= 2, "{what}: {:?}", sweep.refusals);
    }
    let answered: usize = sweeps.iter().map(Sweep::answered).sum();
    let covered: u32 = sweeps.iter().map(|sweep| sweep.covered).sum();
    let above: u32 = sweeps.iter().map(|sweep| sweep.above_truth).sum();
    // Of 52 intervals of 95 % fewer than 45 hold the truth in one of 200 cases.
    assert!(answered >= 52 && f64::from(covered) >= 0.85 * answered as f64, "{covered} of {answered}");
    assert!(above <= 5, "{above} lie above the truth");
}

#[test]
fn a_converged_network_says_that_nothing_is_missed() {
    let said = said("peers = 500", CrawlConfig::default());
    let estimate = said.estimate.expect("an estimate");
    assert_eq!((estimate.missed, estimate.method, estimate.f1), (0.0, Method::NoneOnce, 0));
    assert_eq!(estimate.n_tables, 500);
    let reachable = said.in_degree.reachable.expect("peers");
    assert!(reachable.peers == 500 && reachable.median > 50 && reachable.once_share == 0.0, "{reachable:?}");
    assert_eq!(said.in_degree.unreachable, None);
    assert_eq!((said.late_share, said.late_peers), (Some(0.0), 0));
}

#[test]
fn what_cannot_be_told_is_refused_by_name() {
    let uneven = "peers = 1000\n[tables]\nholes = 0.9\nshy = { share = 0.3, holes = 0.9 }";
    let limited = CrawlConfig { limit: Some(300), ..CrawlConfig::default() };
    let small_memory = CrawlConfig { max_peers: 300, ..CrawlConfig::default() };
    assert_eq!(refusal("peers = 500", limited), Some(NoEstimate::CutShort));
    assert_eq!(refusal("peers = 500", small_memory), Some(NoEstimate::PeersLeftOut));
    assert_eq!(refusal("peers = 25", CrawlConfig::default()), Some(NoEstimate::TooFewTables));
    assert_eq!(refusal(uneven, CrawlConfig::default()), Some(NoEstimate::CapturesTooUneven));
    let apart = "peers = 1000\nseed = 3\nbootstrap = 200\n[tables]\nholes = 0.9965";
    assert_eq!(refusal(apart, CrawlConfig::default()), Some(NoEstimate::CoverageTooLow));
}

#[test]
fn invented_peers_are_not_counted_among_the_missed() {
    let liars = "peers = 400\n[[states]]\nstate = 'inventing'\nshare = 0.05";
    let said = said(liars, CrawlConfig::default());
    let unreachable = said.in_degree.unreachable.expect("invented peers");
    assert!(unreachable.peers > 1000 && unreachable.once_share == 1.0, "{unreachable:?}");
    assert_eq!(said.estimate.expect("an estimate").missed, 0.0);
}

#[test]
fn every_name_is_on_the_page() {
    let page = include_str!("../../../docs/methodology/completeness.md");
    let names = NoEstimate::ALL.iter().map(|reason| reason.name());
    for name in names.chain(Method::ALL.iter().map(|method| method.name())) {
        assert!(page.contains(&format!("| `{name}` |")), "the page says nothing of {name}");
    }
}
