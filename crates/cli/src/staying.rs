//! A command that stays up: what all of them do around what each of them is there for.
//!
//! ```text
//! let mut staying = Staying::begin(args.watch, "the store is opened").await?;   // signals, listener: errors before anything begins
//! let store = Store::open(..)?;                                                 // and whatever else the tool needs
//! staying.shows(&view);                                                         // what it has to say, and what has a bound: it is ready
//! tool.run(staying.stop()).await;                                               // ends soon after the token is cancelled
//! // writes what is in hand, and the end of the run
//! staying.end().await;                                                          // the listener last: it is asked until the end
//! ```
//!
//! Ctrl-C, SIGTERM and a closed terminal cancel the token; who has not ended [`signals::MAX_ENDING`] later is ended.

use std::{net::SocketAddr, sync::Arc};

use http::{
    Access, CAN_PROFILE, Holdings, HttpError, Listening, MemoryWatch, Metric, Metrics, Readiness, Room,
    memory_limit,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    args::WatchArgs,
    exit::Failed,
    metrics::{self, CrawlView},
    output, signals,
    systemd::Notifier,
    token,
};

/// The share of the memory that there is from which on it is written down what holds it, in percent. `WatchArgs` says the same.
const SHORT_PERCENT: u8 = 80;

/// What a command that stays up has besides its tool.
#[derive(Debug)]
pub(crate) struct Staying {
    stop: CancellationToken,
    readiness: Readiness,
    metrics: Metrics,
    holdings: Holdings,
    listening: Option<Listening>,
    systemd: Arc<Notifier>,
    /// They end with this.
    beside: JoinSet<()>,
}

impl Staying {
    /// Hears signals and answers by HTTP from now on, as not ready for that reason. An error if that cannot be.
    pub(crate) async fn begin(args: WatchArgs, not_yet: &'static str) -> anyhow::Result<Self> {
        let access = args.metrics_addr.map(|address| access(address, &args)).transpose()?;
        if args.profile && !CAN_PROFILE {
            return Err(
                Failed::usage("--profile: this program was built without the feature `profile`").into()
            );
        }
        let mut staying = Self::unwatched()?;
        staying.readiness.not_ready(not_yet);
        staying.systemd = Arc::new(Notifier::of_environment());
        if let (Some(address), Some(access)) = (args.metrics_addr, access) {
            staying.listen(address, access, args.profile).await?;
        }
        staying.watch_over(&args);
        Ok(staying)
    }

    /// The same of a command that nobody watches: it only hears signals.
    pub(crate) fn unwatched() -> std::io::Result<Self> {
        Ok(Self {
            stop: signals::stop_on_signal()?,
            readiness: Readiness::not_yet("nobody asks"),
            metrics: Metrics::default(),
            holdings: Holdings::default(),
            listening: None,
            systemd: Arc::default(),
            beside: JoinSet::new(),
        })
    }

    async fn listen(&mut self, address: SocketAddr, access: Access, profile: bool) -> anyhow::Result<()> {
        self.metrics.extend(http::process_metrics());
        self.metrics.extend([metrics::build_info()]);
        let mut room = Room::new(access, self.readiness.clone(), self.metrics.clone());
        room.profile = profile;
        let listening = room.open(address).await?;
        output::note(&format!("metrics, health and readiness are at http://{}", listening.address()));
        self.listening = Some(listening);
        Ok(())
    }

    /// What goes on beside the tool.
    fn watch_over(&mut self, args: &WatchArgs) {
        let systemd = Arc::clone(&self.systemd);
        self.beside.spawn(async move { systemd.keep_alive().await });
        if let Some(limit_bytes) = args.memory_limit.or_else(memory_limit) {
            let file = args.memory_report.clone();
            let watch = MemoryWatch { limit_bytes, share_percent: SHORT_PERCENT, file };
            let (readiness, holdings) = (self.readiness.clone(), self.holdings.clone());
            // Before that nothing has been named that could hold any.
            self.beside.spawn(async move {
                readiness.until_ready().await;
                watch.run(holdings).await;
            });
        }
    }

    /// Cancelled when the tool is to end.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Shows these, and what has been named among the holdings so far.
    pub(crate) fn show(&self, metrics: impl IntoIterator<Item = Metric>) {
        if self.listening.is_some() {
            self.metrics.extend(metrics);
            self.metrics.extend(self.holdings.metrics());
        }
    }

    /// Shows a crawl, which goes on from now on.
    pub(crate) fn shows(&self, view: &CrawlView) {
        view.holdings().into_iter().for_each(|holding| self.holdings.add(holding));
        self.show(view.metrics());
        self.ready();
    }

    /// From now on the tool does what it is there for.
    pub(crate) fn ready(&self) {
        self.readiness.ready();
        self.systemd.ready();
    }

    /// The tool does it no longer, and will end.
    pub(crate) fn ending(&self) {
        self.readiness.not_ready("it is ending");
        self.systemd.stopping();
    }

    /// Ends everything beside the tool, which has ended.
    pub(crate) async fn end(mut self) {
        self.ending();
        self.beside.shutdown().await;
        if let Some(listening) = self.listening.take() {
            listening.close().await;
        }
    }
}

/// Who may ask at an address.
fn access(address: SocketAddr, args: &WatchArgs) -> Result<Access, Failed> {
    let token = token::find(args.metrics_token_file.as_deref())?;
    Access::at(address, token, args.open).map_err(|error| match error {
        HttpError::NeedsToken { .. } => Failed::usage(format!(
            "--metrics-addr {address}: {error}\n--metrics-token-file FILE (or {}) says which token, --open lets everybody ask",
            token::VARIABLE
        )),
        other => Failed::usage(other.to_string()),
    })
}
