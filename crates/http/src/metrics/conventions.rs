//! What goes against the conventions of Prometheus.
//! Source: `prometheus.io/docs/practices/naming`, and its data model for the characters.

use std::collections::BTreeSet;

use super::{Metric, MetricKind, Read};

/// Units that the name of a histogram ends in.
const UNITS: [&str; 2] = ["_seconds", "_bytes"];

/// What is wrong with all of them together. Those in `inherited` have names of another program, by which its dashboards ask:
/// these may end as they do. One that breaks no rule has no place among them.
pub(super) fn problems(all: &[Metric], inherited: &[&str]) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut problems = Vec::new();
    for metric in all {
        let of_ending = ending(metric);
        let ending = match (of_ending, inherited.contains(&metric.name)) {
            (Some(_), true) => None,
            (None, true) => Some("its name breaks no rule: it needs no exemption"),
            (problem, false) => problem,
        };
        let twice = names_of(metric).into_iter().any(|name| !names.insert(name));
        let found = [description(metric), ending, values(metric), twice.then_some("it stands twice")];
        problems.extend(found.into_iter().flatten().map(|problem| format!("{}: {problem}", metric.name)));
    }
    let known = |name: &&&str| all.iter().any(|metric| metric.name == **name);
    let unknown = inherited.iter().filter(|name| !known(name));
    problems.extend(unknown.map(|name| format!("{name}: it is exempt, and there is none")));
    problems
}

/// The names under which its numbers stand.
fn names_of(metric: &Metric) -> Vec<String> {
    let endings: &[&str] =
        if metric.kind == MetricKind::Histogram { &["", "_bucket", "_sum", "_count"] } else { &[""] };
    endings.iter().map(|ending| format!("{}{ending}", metric.name)).collect()
}

fn description(metric: &Metric) -> Option<&'static str> {
    let labels = metric.labels();
    match () {
        () if !is_word(metric.name) => Some("its name is no word in snake_case"),
        () if metric.help.is_empty() || !metric.help.ends_with('.') => Some("its help is no sentence"),
        () if !labels.names().iter().all(|label| is_word(label) && *label != "le") => {
            Some("a label is no word in snake_case, or one that Prometheus keeps for itself")
        }
        () if repeats(labels.names()) => Some("a label stands twice"),
        () if repeats(labels.series()) => Some("two series have the same labels"),
        () => None,
    }
}

/// What its name ends in.
fn ending(metric: &Metric) -> Option<&'static str> {
    let is_total = metric.name.ends_with("_total");
    match metric.kind {
        _ if metric.name.ends_with("_bucket")
            || metric.name.ends_with("_sum")
            || metric.name.ends_with("_count") =>
        {
            Some("_bucket, _sum and _count are of histograms")
        }
        MetricKind::Histogram if !UNITS.iter().any(|unit| metric.name.ends_with(unit)) => {
            Some("histograms end in their unit, _seconds or _bytes")
        }
        MetricKind::Counter if !is_total => Some("counters, and only they, end in _total"),
        MetricKind::Gauge if is_total => Some("counters, and only they, end in _total"),
        _ => None,
    }
}

/// Its numbers.
fn values(metric: &Metric) -> Option<&'static str> {
    let series = metric.labels().series().len();
    match &metric.read {
        Read::Numbers(read) if read().len() != series => Some("it does not have a number for each series"),
        Read::Distributions(read) => {
            let all = read();
            let is_fit = |bounds: &[f64], counts: usize| {
                counts == bounds.len() + 1
                    && !bounds.is_empty()
                    && bounds.iter().all(|bound| bound.is_finite())
                    && bounds.is_sorted_by(|one, next| one < next)
            };
            match () {
                () if all.len() != series => Some("it does not have a distribution for each series"),
                () if !all.iter().all(|one| is_fit(&one.bounds, one.counts.len())) => {
                    Some("its bounds do not rise, or it does not have a count for each and one beyond")
                }
                () if all.iter().any(|one| all.first().is_some_and(|first| first.bounds != one.bounds)) => {
                    Some("its series have different bounds")
                }
                () => None,
            }
        }
        Read::Numbers(_) => None,
    }
}

fn is_word(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn repeats<T: Ord>(values: &[T]) -> bool {
    values.iter().collect::<BTreeSet<_>>().len() != values.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Distribution, Labels, Metrics};

    const UP: (MetricKind, &str) = (MetricKind::Gauge, "up");

    fn problems(metrics: impl IntoIterator<Item = Metric>) -> usize {
        but(metrics, &[])
    }

    fn but(metrics: impl IntoIterator<Item = Metric>, inherited: &[&str]) -> usize {
        let all = Metrics::default();
        all.extend(metrics);
        all.problems_but(inherited).len()
    }

    fn single(kind: MetricKind, name: &'static str) -> Metric {
        Metric::single((kind, name), "Help.", || 1.0)
    }

    #[test]
    fn names_and_helps() {
        assert_eq!(
            problems([single(MetricKind::Gauge, "up"), single(MetricKind::Counter, "dials_total")]),
            0
        );
        assert_eq!(problems([single(MetricKind::Gauge, "up"), single(MetricKind::Gauge, "up")]), 1);
        for wrong in ["", "Up", "9up", "up-time", "up_total", "up_count"] {
            assert_eq!(problems([single(MetricKind::Gauge, wrong)]), 1, "{wrong}");
        }
        assert_eq!(problems([single(MetricKind::Counter, "dials")]), 1);
        assert_eq!(problems([Metric::single(UP, "no sentence", || 1.0)]), 1);
    }

    #[test]
    fn labels_and_series() {
        let of = |values: Vec<_>, count| {
            Metric::labelled(UP, "Help.", ("state", values), move || vec![1.0; count])
        };
        assert_eq!(problems([of(vec!["a", "b"], 2)]), 0);
        assert_eq!(problems([of(vec!["a", "a"], 2)]), 1);
        assert_eq!(problems([of(vec!["a", "b"], 1)]), 1);
        let two = |first, second| {
            let labels = Labels::none().with(first, ["a"]).with(second, ["b"]);
            Metric::over(UP, "Help.", labels, || vec![1.0])
        };
        assert_eq!(problems([two("x", "y")]), 0);
        for (first, second) in [("x", "x"), ("le", "x"), ("x", "Y")] {
            assert_eq!(problems([two(first, second)]), 1, "{first} {second}");
        }
    }

    #[test]
    fn histograms() {
        let of = |name, bounds: &[f64], counts: usize| {
            let distribution = Distribution { bounds: bounds.to_vec(), counts: vec![0; counts], sum: 0.0 };
            Metric::histogram(name, "Help.", Labels::none(), move || vec![distribution.clone()])
        };
        assert_eq!(problems([of("wait_seconds", &[0.1, 1.0], 3)]), 0);
        assert_eq!(problems([of("wait", &[0.1, 1.0], 3)]), 1);
        for (bounds, counts) in
            [(&[0.1, 1.0][..], 2), (&[1.0, 0.1], 3), (&[1.0, 1.0], 3), (&[], 1), (&[f64::NAN], 2)]
        {
            assert_eq!(problems([of("wait_seconds", bounds, counts)]), 1, "{bounds:?} {counts}");
        }
        let clashes = single(MetricKind::Gauge, "wait_seconds_count");
        assert_eq!(problems([of("wait_seconds", &[1.0], 2), clashes]), 2);
    }

    #[test]
    fn names_of_another_program_are_exempt_one_by_one() {
        let peers = || single(MetricKind::Gauge, "peers_total");
        assert_eq!(but([peers()], &["peers_total"]), 0);
        // One that needs none, one that is none, and what no exemption helps against.
        assert_eq!(but([single(MetricKind::Gauge, "up")], &["up"]), 1);
        assert_eq!(but([peers()], &["peers_total", "others_total"]), 1);
        assert_eq!(but([single(MetricKind::Gauge, "Up_total")], &["Up_total"]), 1);
    }
}
