//! What can be read of commands that stay up. `docs/metrics.md` lists all of it.

mod crawling;
mod hoarding;
mod monitoring;
mod providing;

use http::{Holding, Metric, MetricKind};

pub(crate) use self::{
    crawling::CrawlView,
    hoarding::hoard_metrics,
    monitoring::{MonitorView, monitor_metrics},
    providing::ProvideView,
};
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
    use std::{fmt::Write as _, sync::Arc};

    use hoard::HoardFact;
    use http::{Holdings, Metrics};
    use hydra::{HeadConfig, Hydra, HydraConfig, INHERITED, MetricsTerms, hydra_metrics};
    use perf::CallAttempt;
    use schema::Row;
    use store::Totals;
    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::{keeping, reach};

    /// The labels of a metric with their values, but for those that whoever runs or builds the program says.
    fn labels_of(metric: &Metric) -> String {
        let labels = metric.labels();
        let one = |(index, label): (usize, &&str)| match *label {
            "version" | "name" | "peer_id" | "scheduler" => format!("`{label}`"),
            _ => format!("`{label}`: `{}`", labels.values(index).join("` `")),
        };
        labels.names().iter().enumerate().map(one).collect::<Vec<_>>().join("; ")
    }

    /// What a hydra has that shows its heads, too: by the names of hydra-booster, and by ours.
    async fn of_hydra() -> (Vec<Metric>, Vec<Metric>) {
        let scenario = testnet::Scenario::parse("peers = 5", "metrics").unwrap();
        let world = Arc::new(testnet::World::generate(&scenario));
        let fabric = testnet::SimFabric::new(world, testnet::SimLimits::default());
        let head = HeadConfig {
            index: 0,
            keypair: kad::Keypair::generate_ed25519(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
            announce: Vec::new(),
        };
        let belly = store::Belly::in_memory(&store::BellyConfig::default());
        let protocols = [kad::message::AMINO_PROTOCOL.to_owned()].into();
        let config = HydraConfig::new(vec![head], protocols, belly, std::time::Duration::ZERO);
        let hydra = Hydra::join(&fabric, config).await.unwrap();
        hydra_metrics(&hydra.view(), &MetricsTerms { name: String::new(), per_head: true })
    }

    /// What a scheduler has, by our names and, with --parsec-compat, by those of Parsec.
    fn of_scheduler() -> Vec<Metric> {
        let (own, parsec) = perf::scheduler_metrics(&perf::SchedulerWatch::default());
        own.into_iter().chain(parsec).collect()
    }

    /// What a server of publications and lookups has, likewise.
    async fn of_server() -> Vec<Metric> {
        let scenario = testnet::Scenario::parse("peers = 5", "metrics").unwrap();
        let world = Arc::new(testnet::World::generate(&scenario));
        let fabric = testnet::SimFabric::new(world, testnet::SimLimits::default());
        let protocols = [kad::message::AMINO_PROTOCOL.to_owned()].into();
        let profile = dht::NodeProfile { agent: String::new(), protocols, announce: Vec::new() };
        let keypair = kad::Keypair::generate_ed25519();
        let mut config = perf::ServerConfig::new(keypair, profile, Vec::new(), std::time::Duration::ZERO);
        config.node.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
        let server = perf::PerfServer::join(&fabric, config).await.unwrap();
        let parsec = perf::PerfApi::<testnet::SimFabric>::new(true).parsec_metrics();
        server.metrics().into_iter().chain(parsec).collect()
    }

    /// Everything that there is to be read, as the page has it: a table for each command.
    fn page(of_hydra: Vec<Metric>, of_server: Vec<Metric>) -> (Metrics, String) {
        let (all, holdings) = (Metrics::default(), Holdings::default());
        let view = CrawlView::of_nothing();
        let (row, attempt, fact) =
            (mpsc::channel::<Row>(1), mpsc::channel::<CallAttempt>(1), mpsc::channel::<HoardFact>(1));
        let others = [
            keeping::waiting("rows_waiting", &row.0),
            keeping::waiting("attempts_waiting", &attempt.0),
            keeping::waiting("facts_waiting", &fact.0),
            reach::connections_open(|| 0),
            files_open(1),
            guests(|| 0),
        ];
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
            ("`hydra`", of_hydra),
            ("`perf server`", of_server),
            ("`perf scheduler`", of_scheduler()),
            ("`monitor`", monitor_metrics(&MonitorView::default())),
            ("`hoard run`", hoard_metrics(&watch::channel(hoard::HoardNow::default()).1)),
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

    /// What stands between two marks of the page.
    fn marked<'a>(page: &'a str, name: &str) -> &'a str {
        let begun = page.split_once(&format!("<!-- {name}:begin -->\n")).expect(name).1;
        begun.split_once(&format!("<!-- {name}:end -->")).expect(name).0
    }

    fn docs() -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        std::fs::read_to_string(path).unwrap()
    }

    // Elsewhere a process has fewer metrics of its own.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_conventions_are_held_and_the_page_lists_all_of_them() {
        let (inherited, own) = of_hydra().await;
        let (all, expected) = page(own, of_server().await);
        all.extend(inherited);
        let inherited = [INHERITED, &perf::PARSEC_SCHEDULER_COUNTERS].concat();
        assert_eq!(all.problems_but(&inherited), [""; 0]);
        let written = docs();
        let tables = marked(&written, "metrics");
        if std::env::var_os("KADSCOPE_WRITE").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
            std::fs::write(path, written.replace(tables, &expected)).unwrap();
            return;
        }
        assert!(tables == expected, "between its marks, docs/metrics.md is to say:\n\n{expected}");
    }

    #[tokio::test]
    async fn what_became_of_the_names_of_hydra_booster_is_listed() {
        let written = docs();
        let row = |line: &str| {
            let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            Some((format!("hydrabooster_{name}"), rest.split_once(" | ")?.0.to_owned()))
        };
        let listed: Vec<(String, String)> =
            marked(&written, "hydrabooster").lines().filter_map(row).collect();
        let (mut there, mut expected): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        for (name, kind) in &listed {
            // A unit may stand behind the kind.
            let kind = kind.split(',').next().unwrap_or_default();
            if kind != "gone" {
                there.push((name.clone(), kind.to_owned()));
            }
        }
        for metric in of_hydra().await.0 {
            expected.push((metric.name().to_owned(), metric.kind().name().to_owned()));
        }
        there.sort_unstable();
        expected.sort_unstable();
        assert_eq!(there, expected);
        assert!(listed.len() > there.len() + 30, "those that are gone are listed, too");
    }

    #[tokio::test]
    async fn what_became_of_the_names_of_parsec_is_listed() {
        let written = docs();
        let row = |line: &str| {
            let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            Some((name.to_owned(), rest.split_once(" | ")?.0.to_owned()))
        };
        let (gone, mut listed): (Vec<_>, Vec<_>) =
            marked(&written, "parsec").lines().filter_map(row).partition(|(_, kind)| kind == "gone");
        let of_parsec = of_scheduler().into_iter().chain(of_server().await);
        let of_parsec = of_parsec.filter(|metric| metric.name().starts_with("parsec_"));
        let mut there: Vec<_> =
            of_parsec.map(|metric| (metric.name().to_owned(), metric.kind().name().to_owned())).collect();
        listed.sort_unstable();
        there.sort_unstable();
        assert_eq!(listed, there);
        let gone: Vec<&str> = gone.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(gone, ["parsec_durations", "parsec_datastore_disk_usage"]);
    }

    #[tokio::test]
    async fn queries_of_the_dashboard_ask_for_what_is_there() {
        let (inherited, own) = of_hydra().await;
        let names: Vec<&str> = inherited.iter().chain(&own).map(Metric::name).collect();
        let written = docs();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let words = marked(&written, "queries").split(|c| !is_name(c));
        let asked = words.filter(|word| word.starts_with("hydrabooster_") || word.starts_with("kadscope_"));
        let asked: Vec<&str> = asked.collect();
        assert!(asked.len() >= 10, "{asked:?}");
        for name in asked {
            let of_histogram =
                ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending));
            assert!(
                names.contains(&name) || of_histogram.is_some_and(|name| names.contains(&name)),
                "{name}"
            );
        }
    }
}
