//! What can be read of commands that stay up. `docs/metrics.md` lists all of it.

mod crawling;
mod providing;

use http::{Holding, Metric, MetricKind};

pub(crate) use self::{crawling::CrawlView, providing::ProvideView};
use crate::resources;

/// What this program is: the number says nothing, the label says the version.
pub(crate) fn build_info() -> Metric {
    let version = vec![env!("CARGO_PKG_VERSION")];
    Metric::labelled(
        (MetricKind::Gauge, "kadscope_build_info"),
        "The version of the program, as a label of the number 1.",
        ("version", version),
        || vec![1.0],
    )
}

/// The files of the process, of which each connection is one.
pub(crate) fn files_open(limit: u64) -> Holding {
    Holding::new("files_open", limit, resources::open_files)
}

/// The servers of other programs that peers of a testnet list.
pub(crate) fn guests(count: impl Fn() -> usize + Send + Sync + 'static) -> Holding {
    Holding::new("guests", testnet::guests::MAX_GUESTS as u64, move || count() as u64)
}

/// How many peers a testnet has.
pub(crate) fn testnet_peers(peers: u32) -> Metric {
    Metric::single(
        (MetricKind::Gauge, "kadscope_testnet_peers"),
        "Peers of the network, departed ones left out.",
        move || f64::from(peers),
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use http::{Holdings, Metrics};
    use store::Totals;
    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::{keeping, reach};

    /// The labels of a metric with their values, but for those that whoever runs or builds the program says.
    fn labels_of(metric: &Metric) -> String {
        let labels = metric.labels();
        let one = |(index, label): (usize, &&str)| match *label {
            "version" => format!("`{label}`"),
            _ => format!("`{label}`: `{}`", labels.values(index).join("` `")),
        };
        labels.names().iter().enumerate().map(one).collect::<Vec<_>>().join("; ")
    }

    /// Everything that there is to be read, as the page has it: a table for each command.
    fn page() -> (Metrics, String) {
        let (all, holdings) = (Metrics::default(), Holdings::default());
        let view = CrawlView::of_nothing();
        let rows_waiting = keeping::rows_waiting(&mpsc::channel(1).0);
        let others = [rows_waiting, reach::connections_open(|| 0), files_open(1), guests(|| 0)];
        view.holdings().into_iter().chain(others).for_each(|holding| holdings.add(holding));
        let of_all = http::process_metrics().into_iter().chain([build_info()]).chain(holdings.metrics());
        let rows = keeping::rows_metric(watch::channel(Totals::default()).1);
        let mut text = String::new();
        for (heading, metrics) in [
            ("Every command", of_all.collect()),
            ("Those that keep rows", vec![rows]),
            ("`crawl`", view.metrics()),
            ("`provide`", ProvideView::default().metrics().into()),
            ("`testnet`", vec![testnet_peers(1)]),
        ] {
            let metrics: Vec<Metric> = metrics;
            let _ = write!(
                text,
                "## {heading}\n\n| metric | type | labels | what it says |\n|---|---|---|---|\n"
            );
            for metric in &metrics {
                let labels = labels_of(metric);
                let (name, kind) = (metric.name(), metric.kind().name());
                let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {} |", metric.help());
            }
            text.push('\n');
            all.extend(metrics);
        }
        (all, text)
    }

    // Elsewhere a process has fewer metrics of its own.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_conventions_are_held_and_the_page_lists_all_of_them() {
        let (all, expected) = page();
        assert_eq!(all.problems(), [""; 0]);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        let written = std::fs::read_to_string(path).unwrap();
        let tables = written
            .split_once("<!-- metrics:begin -->\n")
            .and_then(|(_, rest)| rest.split_once("<!-- metrics:end -->"));
        let tables = tables.expect("marks in docs/metrics.md").0;
        assert!(tables == expected, "between its marks, docs/metrics.md is to say:\n\n{expected}");
    }
}
