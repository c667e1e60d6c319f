//! From made rows whose law is known to the numbers, the page and its files.

use std::time::Duration;

use estimate::Proportion;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use schema::{ConnectionPolicy, Measurement, OperationKind, OperationOutcome, PeerNumber, Timestamp};

use super::*;

const REGIONS: [&str; 3] = ["eu-central-1", "sa-east-1", "us-east-2"];
const FLEETS: [(&str, f64); 3] = [("default", 8.0), ("optprov", 0.9), ("fullrt", 0.4)];
const DEADLINE: f64 = 60.0;

/// Three days of rows: exponential times with the mean of each fleet, cut at a minute; one in fifty fails early.
fn made(seed: u64) -> ReportRows {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut rows = ReportRows::default();
    for round in 0..600_u32 {
        let (publisher, _) = FLEETS[round as usize % 3];
        let day = i64::from(round / 200) * 86_400_000_000;
        let at = Timestamp(1_764_288_000_000_000 + day + i64::from(round % 200) * 60_000_000);
        for (fleet, mean) in FLEETS {
            for region in REGIONS {
                let kind = if fleet == publisher && region == "eu-central-1" {
                    OperationKind::Provide
                } else {
                    OperationKind::Retrieve
                };
                let scale = if kind == OperationKind::Provide { mean } else { mean / 4.0 };
                let after = -(1.0 - rng.random::<f64>()).ln() * scale;
                let mut row = Measurement::planned(PeerNumber(0), [7; 16], kind, at);
                (row.fleet, row.region) = (fleet.to_owned(), region.to_owned());
                row.publisher_fleet = (kind == OperationKind::Retrieve).then(|| publisher.to_owned());
                row.policy =
                    Some(if round % 2 == 0 { ConnectionPolicy::Warm } else { ConnectionPolicy::Cold });
                row.took = Duration::from_secs_f64(after.min(DEADLINE));
                row.is_censored = after > DEADLINE;
                row.outcome =
                    if row.is_censored { OperationOutcome::TimedOut } else { OperationOutcome::Done };
                if rng.random::<f64>() < 0.02 {
                    (row.outcome, row.took, row.is_censored) =
                        (OperationOutcome::Failed, Duration::from_millis(50), false);
                }
                (row.holders, row.holders_sent, row.size_estimate) =
                    (Some(20), Some(19), Some(1000 + u64::from(round)));
                rows.add(&row).unwrap();
            }
        }
    }
    rows
}

fn of_kind(section: &PerfSection, kind: OperationKind) -> &KindNumbers {
    section.kinds.iter().find(|numbers| numbers.kind == kind).unwrap()
}

#[test]
fn quantiles_are_those_of_the_law_and_failures_are_not_fast() {
    let section = made(1).section();
    assert_eq!((section.attempts, section.fleets.len(), section.regions.len()), (5400, 3, 3));
    for fleet in &of_kind(&section, OperationKind::Retrieve).fleets {
        let (_, mean) = FLEETS.into_iter().find(|(name, _)| *name == fleet.fleet).unwrap();
        // Of all, 98 of 100 succeed: half of all have once 50/98 of these have.
        let truth = -(1.0_f64 - 0.5 / 0.98).ln() * mean / 4.0;
        let median = fleet.quantiles[0];
        assert!(
            median.low.unwrap() <= truth && truth <= median.high.unwrap(),
            "{}: {median:?}, truth {truth}",
            fleet.fleet
        );
        let succeeded = fleet.succeeded.unwrap();
        assert!(succeeded.low < 0.98 && succeeded.high > 0.98, "{succeeded:?}");
        // 99 of 100 never succeed, since 2 fail.
        assert_eq!(fleet.quantiles[2].value, None);
    }
}

#[test]
fn what_no_server_began_or_found_without_the_network_says_nothing_of_it() {
    let mut rows = ReportRows::default();
    let mut row = Measurement::planned(PeerNumber(0), [7; 16], OperationKind::Retrieve, Timestamp(0));
    for (outcome, own_record, left_over) in [
        (OperationOutcome::Done, None, None),
        (OperationOutcome::Done, Some(true), None),
        (OperationOutcome::Done, None, Some(true)),
        (OperationOutcome::Unreachable, None, None),
        (OperationOutcome::Unready, None, None),
        (OperationOutcome::BadAnswer, None, None),
        (OperationOutcome::Denied, None, None),
    ] {
        (row.outcome, row.own_record, row.left_over) = (outcome, own_record, left_over);
        rows.add(&row).unwrap();
    }
    row.is_whole = false;
    rows.add(&row).unwrap();
    let section = rows.section();
    let numbers = &of_kind(&section, OperationKind::Retrieve).fleets[0];
    assert_eq!((numbers.attempts, numbers.apart), (7, 6));
    assert_eq!(numbers.succeeded, Proportion::of(1, 1));
    let counted: u64 =
        of_kind(&section, OperationKind::Retrieve).outcomes.iter().map(|found| found.share.hits).sum();
    assert_eq!(counted, 7, "every attempt has its outcome");
}

/// Of what nobody provides, to find nothing is to be right; a time that lies between two is told at both.
#[test]
fn each_kind_of_probe_ends_as_it_should() {
    let mut rows = ReportRows::default();
    let mut row = Measurement::planned(PeerNumber(0), [7; 16], OperationKind::Negative, Timestamp(0));
    (row.outcome, row.took) = (OperationOutcome::NotFound, Duration::from_secs(2));
    rows.add(&row).unwrap();
    (row.kind, row.outcome, row.more_than) =
        (OperationKind::Findable, OperationOutcome::Done, Some(Duration::from_secs(1)));
    rows.add(&row).unwrap();
    let section = rows.section();
    let negative = &of_kind(&section, OperationKind::Negative).fleets[0];
    assert_eq!((negative.succeeded, negative.quantiles[0].value), (Proportion::of(1, 1), Some(2.0)));
    let findable = &of_kind(&section, OperationKind::Findable).fleets[0];
    assert_eq!((findable.quantiles[0].value, findable.quantiles_at_least[0].value), (Some(2.0), Some(1.0)));
}

#[test]
fn fleets_are_compared_and_the_matrix_is_whole() {
    let section = made(2).section();
    assert_eq!(section.matrix.len(), 9);
    let found = |fleet: &str| {
        section
            .differences
            .iter()
            .find(|found| found.fleet == fleet && found.kind == OperationKind::Provide)
            .unwrap()
    };
    for fleet in ["optprov", "fullrt"] {
        let difference = found(fleet);
        assert_eq!(difference.against, "default");
        assert!(
            difference.log_rank.unwrap().p < 1e-6 && difference.median.unwrap().high.unwrap() < 0.0,
            "{difference:?}"
        );
    }
    let placement = &section.placements[0];
    assert_eq!((placement.fewest_sent, placement.holders), (Some(19), Some(20.0)));
}

#[test]
fn the_page_has_every_figure_of_the_weekly_report_and_the_same_rows_give_the_same_bytes() {
    let page = made(3).section().page("DHT performance");
    let names: Vec<_> = page.figures().map(figure::Figure::file_stem).collect();
    for name in [
        "publications-regions-cdf",
        "retrievals-regions-cdf",
        "publications-regions-boxplot",
        "retrievals-regions-boxplot",
        "publications-boxplot-daily",
        "retrievals-boxplot-daily",
        "error-rate",
        "quantiles-fleets",
        "matrix-fleets",
        "publications-matrix-regions",
        "retrievals-matrix-regions",
        "publications-connections-cdf",
        "retrievals-connections-cdf",
    ] {
        assert!(names.iter().any(|found| found == name), "{name} of {names:?}");
    }
    assert_eq!(page.html(), made(3).section().page("DHT performance").html());
    assert!(page.markdown("figures").contains("## DHT performance"));
}

#[test]
fn nothing_and_one_attempt_make_a_page_that_says_so() {
    let nothing = ReportRows::default().section().page("DHT performance");
    assert!(nothing.html().contains("There was no attempt in this time."));
    let mut rows = ReportRows::default();
    let mut row = Measurement::planned(PeerNumber(0), [7; 16], OperationKind::Provide, Timestamp(0));
    row.outcome = OperationOutcome::Unreachable;
    rows.add(&row).unwrap();
    assert!(rows.section().page("x").html().contains("nothing was observed"));
}

#[test]
fn a_row_of_which_no_report_can_be_made_is_named() {
    let mut rows = ReportRows::default();
    let mut row = Measurement::planned(PeerNumber(0), [0xab; 16], OperationKind::Provide, Timestamp(0));
    row.fleet = "x".repeat(300);
    let error = rows.add(&row).unwrap_err().to_string();
    assert!(error.contains("abababab") && error.contains("300 bytes"), "{error}");
    for number in 0..1000 {
        row.fleet = number.to_string();
        if let Err(error) = rows.add(&row) {
            assert_eq!(error, BadRow::TooManyNames(number.to_string()));
            return;
        }
    }
    panic!("any number of fleets is taken");
}
