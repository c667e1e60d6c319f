//! What can be read of a server: of its operations, its table and its requests.

use http::{Labels, Metric, MetricKind};
use kad::{fabric::Fabric, lookup::RpcFate};

use super::{
    PerfServer,
    counters::{KINDS, OUTCOMES},
};

impl<F: Fabric> PerfServer<F> {
    /// Its metrics. They read what is there anyway.
    pub fn metrics(&self) -> Vec<Metric> {
        let names = |names: &[RpcFate]| names.iter().map(|fate| fate.name()).collect::<Vec<_>>();
        let kinds = KINDS.iter().map(|kind| kind.name());
        let of_operations =
            Labels::none().with("kind", kinds).with("outcome", OUTCOMES.iter().map(|outcome| outcome.name()));
        let (took, requests, under_way) = (self.counters(), self.counters(), self.counters());
        let (table, size) = (self.clone(), self.clone());
        vec![
            Metric::histogram(
                "kadscope_perf_operation_seconds",
                "How long operations took until their caller was told.",
                of_operations,
                move || took.took(),
            ),
            Metric::single(
                (MetricKind::Gauge, "kadscope_perf_operations_under_way"),
                "Operations that are under way, those included that wait for their connections.",
                move || under_way.under_way() as f64,
            ),
            Metric::labelled(
                (MetricKind::Counter, "kadscope_perf_requests_total"),
                "Requests of operations, by what had become of each when the operation's caller was told.",
                ("fate", names(RpcFate::ALL)),
                move || requests.requests(),
            ),
            Metric::single(
                (MetricKind::Gauge, "kadscope_perf_table_peers"),
                "Peers in the routing table; by the strategy fullrt, peers that the last crawl reached.",
                move || table.table_size() as f64,
            ),
            Metric::single(
                (MetricKind::Gauge, "kadscope_perf_network_size_estimate"),
                "How many peers the network has by Go's estimate; 0 as long as there is none.",
                move || size.size_estimate().unwrap_or(0) as f64,
            ),
        ]
    }
}
