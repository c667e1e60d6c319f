//! Metrics as text. Source: `prometheus.io/docs/instrumenting/exposition_formats`, text format 0.0.4.

use std::{borrow::Cow, fmt::Write as _};

use super::{Distribution, Metric, Read};

/// What the answer says that it is.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn of(metrics: &[Metric]) -> String {
    let mut text = String::new();
    for metric in metrics {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "# HELP {} {}", metric.name, escaped(metric.help, false));
        let _ = writeln!(text, "# TYPE {} {}", metric.name, metric.kind.name());
        let labels = metric.labels();
        let all: Vec<String> = labels.series().iter().map(|series| pairs(labels.names(), series)).collect();
        match &metric.read {
            Read::Numbers(read) => {
                for (pairs, value) in all.iter().zip(read()) {
                    number(&mut text, (metric.name, ""), pairs, value);
                }
            }
            Read::Distributions(read) => {
                for (pairs, distribution) in all.iter().zip(read()) {
                    buckets(&mut text, metric.name, pairs, &distribution);
                }
            }
        }
    }
    text
}

/// `a="1",b="2"`, or nothing.
fn pairs(names: &[&'static str], values: &[Cow<'static, str>]) -> String {
    let pairs = names.iter().zip(values).map(|(name, value)| format!("{name}=\"{}\"", escaped(value, true)));
    pairs.collect::<Vec<_>>().join(",")
}

/// One series.
fn number(text: &mut String, (name, ending): (&str, &str), pairs: &str, value: f64) {
    // Rust writes numbers as Go reads them, and infinities too, but for their case.
    let _ = match pairs {
        "" => writeln!(text, "{name}{ending} {value}"),
        pairs => writeln!(text, "{name}{ending}{{{pairs}}} {value}"),
    };
}

/// A histogram: each bucket counts what the ones before it do, too. The count is that of the last bucket, whatever is counted
/// meanwhile.
fn buckets(text: &mut String, name: &str, pairs: &str, distribution: &Distribution) {
    let comma = if pairs.is_empty() { "" } else { "," };
    let bounds = distribution.bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
    let mut below = 0;
    for (bound, count) in bounds.zip(&distribution.counts) {
        below += count;
        let _ = writeln!(text, "{name}_bucket{{{pairs}{comma}le=\"{bound}\"}} {below}");
    }
    number(text, (name, "_sum"), pairs, distribution.sum);
    number(text, (name, "_count"), pairs, below as f64);
}

/// In help backslashes and ends of lines are escaped, in the values of labels quotes too.
fn escaped(text: &str, is_quoted: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if is_quoted { text.replace('"', r#"\""#) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Labels, MetricKind};

    #[test]
    fn numbers_stand_below_what_they_are() {
        let metrics = [
            Metric::single((MetricKind::Gauge, "a_seconds"), "Back\\slash\nand line.", || 0.25),
            Metric::labelled(
                (MetricKind::Counter, "b_total"),
                "Quotes \" stay.",
                ("of", vec!["x", "y\"\\\n"]),
                || vec![3.0, 1e15],
            ),
            Metric::over(
                (MetricKind::Gauge, "c"),
                "Two labels.",
                Labels::none().with("one", ["x"]).with("two", ["y".to_owned()]),
                || vec![1.0],
            ),
        ];
        let expected = r#"# HELP a_seconds Back\\slash\nand line.
# TYPE a_seconds gauge
a_seconds 0.25
# HELP b_total Quotes " stay.
# TYPE b_total counter
b_total{of="x"} 3
b_total{of="y\"\\\n"} 1000000000000000
# HELP c Two labels.
# TYPE c gauge
c{one="x",two="y"} 1
"#;
        assert_eq!(of(&metrics), expected);
    }

    #[test]
    fn buckets_add_up_to_the_count() {
        let distribution = Distribution { bounds: vec![0.005, 1.0], counts: vec![3, 0, 2], sum: 7.5 };
        let bare = distribution.clone();
        let metrics = [
            Metric::histogram("wait_seconds", "How long.", Labels::none().with("of", ["x"]), move || {
                vec![distribution.clone()]
            }),
            Metric::histogram("bare_seconds", "How long.", Labels::none(), move || vec![bare.clone()]),
        ];
        let expected = r#"# HELP wait_seconds How long.
# TYPE wait_seconds histogram
wait_seconds_bucket{of="x",le="0.005"} 3
wait_seconds_bucket{of="x",le="1"} 3
wait_seconds_bucket{of="x",le="+Inf"} 5
wait_seconds_sum{of="x"} 7.5
wait_seconds_count{of="x"} 5
# HELP bare_seconds How long.
# TYPE bare_seconds histogram
bare_seconds_bucket{le="0.005"} 3
bare_seconds_bucket{le="1"} 3
bare_seconds_bucket{le="+Inf"} 5
bare_seconds_sum 7.5
bare_seconds_count 5
"#;
        assert_eq!(of(&metrics), expected);
    }
}
