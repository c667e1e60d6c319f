//! What can be read of a scheduler: under the names of Parsec, where that is wanted, and under ours.
//!
//! Every attempt is counted, whatever came of it. `parsec_active_nodes` says how many servers there are now, also below two, where Parsec's
//! own stays as it was.

use http::{Metric, MetricKind};
use schema::{OperationKind, OperationOutcome};

use super::tally::{IssuedCounts, RoundCounts, SchedulerNow, SchedulerWatch};

/// The counters that are called as Parsec calls them, which is not how Prometheus would have it.
pub const PARSEC_SCHEDULER_COUNTERS: [&str; 2] = ["parsec_issued_provides", "parsec_issued_retrievals"];

/// What became of rounds, as a label.
const ROUND_STATES: [&str; 7] = ["begun", "ended", "late", "skipped", "shed", "alone", "cut_off"];

/// All metrics of a scheduler: ours, and Parsec's.
pub fn scheduler_metrics(watch: &SchedulerWatch) -> (Vec<Metric>, Vec<Metric>) {
    (own(watch), parsec(watch))
}

fn own(watch: &SchedulerWatch) -> Vec<Metric> {
    let gauge =
        |name, help, read: fn(&SchedulerNow) -> f64| single((MetricKind::Gauge, name), help, watch, read);
    vec![
        gauge(
            "kadscope_perf_scheduler_leads",
            "Whether it leads its fleets: 1, or 0 while another scheduler does.",
            |now| f64::from(u8::from(now.leads)),
        ),
        gauge(
            "kadscope_perf_register_away",
            "Whether the register of servers is away: 1, or 0 while it answers.",
            |now| f64::from(u8::from(now.register_is_away)),
        ),
        gauge("kadscope_perf_servers", "Servers that can be measured.", |now| now.servers as f64),
        gauge("kadscope_perf_rounds_under_way", "Rounds that are under way.", |now| {
            now.rounds_under_way as f64
        }),
        gauge("kadscope_perf_rounds_waiting", "Rounds that wait for others.", |now| {
            now.rounds_waiting as f64
        }),
        rounds(watch.clone()),
        attempts(watch.clone()),
        single(
            (MetricKind::Counter, "kadscope_perf_retrievals_not_asked_total"),
            "Retrievals that were not made, since nothing was published.",
            watch,
            |now| now.not_asked as f64,
        ),
    ]
}

fn rounds(watch: SchedulerWatch) -> Metric {
    Metric::labelled(
        (MetricKind::Counter, "kadscope_perf_rounds_total"),
        "Rounds, by what became of them; one that began late has begun as well.",
        ("state", ROUND_STATES.to_vec()),
        move || {
            let RoundCounts { begun, ended, late, skipped, shed, alone, cut_off } = watch.now().rounds;
            [begun, ended, late, skipped, shed, alone, cut_off].map(|count| count as f64).into()
        },
    )
}

fn attempts(watch: SchedulerWatch) -> Metric {
    let names = |all: &[&'static str]| all.to_vec();
    let kinds: Vec<_> = OperationKind::ALL.iter().map(|kind| kind.name()).collect();
    let outcomes: Vec<_> = OperationOutcome::ALL.iter().map(|outcome| outcome.name()).collect();
    let labels = http::Labels::none().with("kind", names(&kinds)).with("outcome", names(&outcomes));
    Metric::over(
        (MetricKind::Counter, "kadscope_perf_attempts_total"),
        "Attempts to have a server do something, by what it was and what came of it.",
        labels,
        move || {
            let of = |&kind| OperationOutcome::ALL.iter().map(move |&outcome| (kind, outcome));
            let all = OperationKind::ALL.iter().flat_map(of);
            all.map(|(kind, outcome)| watch.attempts(kind, outcome) as f64).collect()
        },
    )
}

fn parsec(watch: &SchedulerWatch) -> Vec<Metric> {
    let [provides, retrievals] = PARSEC_SCHEDULER_COUNTERS;
    vec![
        single((MetricKind::Gauge, "parsec_active_nodes"), "Servers that can be measured.", watch, |now| {
            now.servers as f64
        }),
        issued(
            provides,
            "Publications that servers were asked for, by whether they answered.",
            watch,
            |now| now.issued_provides,
        ),
        issued(retrievals, "Lookups that servers were asked for, by whether they answered.", watch, |now| {
            now.issued_retrievals
        }),
    ]
}

fn issued(
    name: &'static str,
    help: &'static str,
    watch: &SchedulerWatch,
    read: fn(&SchedulerNow) -> IssuedCounts,
) -> Metric {
    let watch = watch.clone();
    Metric::labelled((MetricKind::Counter, name), help, ("success", vec!["true", "false"]), move || {
        let IssuedCounts { answered, failed } = read(&watch.now());
        vec![answered as f64, failed as f64]
    })
}

fn single(
    named: (MetricKind, &'static str),
    help: &'static str,
    watch: &SchedulerWatch,
    read: fn(&SchedulerNow) -> f64,
) -> Metric {
    let watch = watch.clone();
    Metric::single(named, help, move || read(&watch.now()))
}
