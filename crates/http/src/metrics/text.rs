//! Metrics as text. Source: `prometheus.io/docs/instrumenting/exposition_formats`, text format 0.0.4.

use std::fmt::Write as _;

use super::Metric;

/// What the answer says that it is.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn of(metrics: &[Metric]) -> String {
    let mut text = String::new();
    for metric in metrics {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "# HELP {} {}", metric.name, escaped(metric.help, false));
        let _ = writeln!(text, "# TYPE {} {}", metric.name, metric.kind.name());
        let values = (metric.read)();
        match metric.label() {
            None => series(&mut text, metric.name, values.first().copied()),
            Some((label, names)) => {
                for (name, value) in names.iter().zip(values) {
                    let of = format!("{}{{{label}=\"{}\"}}", metric.name, escaped(name, true));
                    series(&mut text, &of, Some(value));
                }
            }
        }
    }
    text
}

fn series(text: &mut String, of: &str, value: Option<f64>) {
    if let Some(value) = value {
        // Rust writes numbers as Go reads them, and infinities too, but for their case.
        let _ = writeln!(text, "{of} {value}");
    }
}

/// In help backslashes and ends of lines are escaped, in the values of labels quotes too.
fn escaped(text: &str, is_quoted: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if is_quoted { text.replace('"', r#"\""#) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::MetricKind;

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
        ];
        let expected = r#"# HELP a_seconds Back\\slash\nand line.
# TYPE a_seconds gauge
a_seconds 0.25
# HELP b_total Quotes " stay.
# TYPE b_total counter
b_total{of="x"} 3
b_total{of="y\"\\\n"} 1000000000000000
"#;
        assert_eq!(of(&metrics), expected);
    }
}
