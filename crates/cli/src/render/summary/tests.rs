//! A summary that a peer has tried to spoil.

use crawl::{ByteCounts, CrawlStrategyName, LeftOut, PeerCounts, RequestCounts, VisitCounts};
use estimate::{Completeness, Estimate, InDegree, InDegrees, Method, NoEstimate};
use schema::{RunId, Timestamp};

use super::*;
use crate::render::text::{columns, wrapped};

fn counts<const N: usize>(entries: [(&str, u64); N]) -> Counts {
    entries.map(|(name, count)| (name.to_owned(), count)).into()
}

fn completeness() -> Completeness {
    let in_degree = |peers, median| Some(InDegree { peers, median, once_share: 0.02 });
    Completeness {
        late_share: Some(0.004),
        late_peers: 1,
        in_degree: InDegrees { reachable: in_degree(882, 19), unreachable: in_degree(136, 4) },
        estimate: Some(Estimate {
            missed: 12.4,
            low: 3,
            high: 48,
            method: Method::ChaoSpread,
            n_tables: 860,
            n_peers: 880,
            f1: 20,
            f2: 16,
            coverage: 0.99,
        }),
        no_estimate_because: None,
    }
}

fn example() -> Summary {
    Summary {
        crawl_id: RunId([7; 16]),
        network: "ipfs".to_owned(),
        state: RunState::Succeeded,
        started_at: Timestamp(0),
        finished_at: Timestamp(4_200_000),
        duration_s: 4.2,
        seed: 9,
        strategy: CrawlStrategyName::Tables,
        walk: None,
        peers: PeerCounts {
            discovered: 1018,
            reachable: 882,
            crawled: 860,
            turned_away: 6,
            unreachable: 130,
            unvisited: 0,
        },
        visits: VisitCounts {
            first: 1018,
            new_addresses: 4,
            second_pass: 120,
            turned_away: 6,
            recovered: 10,
        },
        edges: 15_723,
        requests: RequestCounts { sent: 13_760, further: 0, saved: 300, failed: 12 },
        errors: counts([("connection_refused", 80), ("timeout", 40), ("only_relayed", 10)]),
        turned_away: counts([("connection_reset", 4), ("resource_limit", 2)]),
        nat: counts([("relayed_only", 10), ("private_only", 0), ("not_from_here", 3)]),
        request_errors: counts([("stream_reset", 12)]),
        crawl_errors: counts([("stream_reset", 4), ("protocol_not_supported", 18)]),
        longer_tables: 31,
        identify_errors: counts([("timeout", 2)]),
        addresses: counts([("connected", 882)]),
        agents: counts([("kubo/0.43.0/", 600), ("evil\x1b[2J\n\u{202e}", 200), ("", 80)]),
        protocols: counts([("/ipfs/kad/1.0.0", 875), ("/ipfs/ping/1.0.0", 880)]),
        transports: counts([("tcp", 700), ("quic", 182)]),
        certificates: Counts::new(),
        security: counts([("noise", 700), ("tls", 182)]),
        ip_versions: counts([("ip4", 882)]),
        rtt_ms: Some(Quantiles { p50: 0.3, p90: 12.0, p99: 1500.0, n: 882 }),
        bytes: ByteCounts { sent: 3_100_000, received: 14_200_000, ..ByteCounts::default() },
        completeness: completeness(),
        left_out: LeftOut { malformed_ids: 3, opted_out: 40, opted_out_peers: 2, ..LeftOut::default() },
        opt_out_entries: 2,
        kept_visits: Some(1148),
        cpu_s: Some(0.41),
        peak_rss_bytes: Some(34_000_000),
    }
}

#[test]
fn a_person_can_read_it_and_no_peer_can_spoil_it() {
    let text = summary(&example(), "sqlite:kadscope.sqlite", Style::plain());
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    insta::assert_snapshot!(text);
}

#[test]
fn a_crawl_without_anything_is_no_special_case() {
    let empty = Summary {
        peers: PeerCounts::default(),
        visits: VisitCounts::default(),
        errors: Counts::new(),
        turned_away: Counts::new(),
        nat: counts([("relayed_only", 0)]),
        agents: Counts::new(),
        protocols: Counts::new(),
        transports: Counts::new(),
        security: Counts::new(),
        certificates: Counts::new(),
        ip_versions: Counts::new(),
        identify_errors: Counts::new(),
        request_errors: Counts::new(),
        crawl_errors: Counts::new(),
        longer_tables: 0,
        rtt_ms: None,
        completeness: Completeness::default(),
        edges: 0,
        duration_s: 0.0,
        state: RunState::Cancelled,
        cpu_s: None,
        ..example()
    };
    insta::assert_snapshot!(summary(&empty, "nowhere", Style::plain()));
}

#[test]
fn without_an_estimate_there_is_its_reason() {
    let estimate = Completeness {
        estimate: None,
        no_estimate_because: Some(NoEstimate::CapturesTooUneven),
        ..completeness()
    };
    let text = summary(&Summary { completeness: estimate, ..example() }, "nowhere", Style::plain());
    assert!(text.contains("no estimate: tables name peers too unevenly"), "{text}");
}

/// The summary as a terminal of so many columns shows it.
fn on_terminal(summary: &Summary, columns: usize) -> String {
    wrapped(&super::summary(summary, "sqlite:kadscope.sqlite", Style::plain_in(columns)), columns)
}

#[test]
fn lines_fit_a_terminal_and_no_number_is_cut() {
    let mut summary = example();
    summary.agents.insert("漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字".to_owned(), 12_345_678);
    let numbers = |text: &str| -> Vec<String> {
        let words = text.split_whitespace().map(|word| word.trim_end_matches(',').to_owned());
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect()
    };
    let whole = super::summary(&summary, "sqlite:kadscope.sqlite", Style::plain());
    for most in [80, 60] {
        let text = on_terminal(&summary, most);
        assert!(text.lines().all(|line| columns(line) <= most), "{text}");
        assert_eq!(numbers(&text), numbers(&whole), "{most}");
    }
}

#[test]
fn rows_that_were_lost_are_said_where_the_others_are() {
    let lost = Summary { state: RunState::Interrupted, kept_visits: Some(42), ..example() };
    let text = summary(&lost, "a.sqlite", Style::plain());
    assert!(text.starts_with("Crawl of ipfs interrupted: rows were lost after"), "{text}");
    assert!(text.contains("Kept            42 of 1,148 visits in a.sqlite"), "{text}");
}

#[test]
fn a_summary_is_read_back_as_it_was_printed() {
    let mut example = example();
    example.duration_s = 10.123_457;
    example.completeness.late_share = Some(0.1 + 0.2);
    let printed = serde_json::to_string(&example).unwrap();
    // As a store keeps it: with its keys in another order.
    let kept = serde_json::to_value(&example).unwrap().to_string();
    let read: Summary = serde_json::from_value(serde_json::from_str(&kept).unwrap()).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), printed);
    let style = Style::plain();
    assert_eq!(
        summary(&read, "x", style),
        summary(&Summary { started_at: read.started_at, ..example }, "x", style)
    );
}
