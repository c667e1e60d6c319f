//! What is printed of a row.

use std::time::Duration;

use crate::process::Spent;

/// What a load came to.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) requests: f64,
    pub(crate) lasted: Duration,
    pub(crate) server: Spent,
    pub(crate) client: Spent,
    /// The median and the 99th of a hundred times until an answer; of a pipeline, until its turn came, too.
    pub(crate) times: Option<[Duration; 2]>,
}

impl Row {
    pub(crate) fn print_head() {
        println!(
            "| requests | a second | server's CPU us each, of it the kernel's | client's CPU us | p50 ms | p99 ms |"
        );
        println!("|---|---|---|---|---|---|");
    }

    pub(crate) fn print(&self, name: &str) {
        let each = |us: f64| us / self.requests;
        let cpu = |spent: Spent| each(spent.user_us + spent.system_us);
        let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
        let [p50, p99] = self.times.map_or_else(|| ["-", "-"].map(str::to_owned), |times| times.map(ms));
        println!(
            "| {name} | {:.0} | {:.2}, {:.2} | {:.2} | {p50} | {p99} |",
            self.requests / self.lasted.as_secs_f64(),
            cpu(self.server),
            each(self.server.system_us),
            cpu(self.client),
        );
    }
}
