//! What every command has around what it is there for: signals, a listener for HTTP, metrics, readiness, systemd, a look at memory.
//!
//! ```text
//! Staying::begin(&args.watch, "the peers to begin with are looked for")?           // errors before anything begins
//!     .around(async |staying| {
//!         let reach = staying.unless_stopped(Reach::of(args.reach)).await??;      // a signal ends what only waits
//!         let run = ToolRun::begin(staying, &store, order).await?;                // its rows are among the metrics from now on
//!         staying.show(view.metrics());
//!         let display = staying.tell(progress);
//!         staying.ready();                                                        // it does what it is there for
//!         let summary = tool.run(staying.stop(), run.rows()).await;               // ends soon after the token is cancelled
//!         staying.ending();
//!         display.end().await;
//!         run.end(state, &summary).await?;
//!         Ok(Code::Done)
//!     })
//!     .await                                                                      // the listener last: it is asked until the end
//! ```
//!
//! Ctrl-C, SIGTERM and a closed terminal cancel the token; who has not ended in the time for that ([`WatchArgs::stop_timeout`]) is
//! ended.

mod standing;

use std::{fmt, net::SocketAddr, time::Duration};

use http::{
    Access, CAN_PROFILE, Holding, Holdings, HttpError, Listening, MemoryWatch, Metric, Metrics, Room,
    TakenAddress, memory_limit,
};
use schema::RunState;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::standing::Standing;
use crate::{
    args::WatchArgs,
    exit::{Code, Failed},
    metrics, output,
    progress::{ProgressDisplay, Tell},
    signals::{MAX_ENDING, StopOnSignal},
    token,
};

/// The share of the memory that there is from which on it is written down what holds it, in percent. `WatchArgs` says the same.
const SHORT_PERCENT: u8 = 80;

/// What a command has besides its tool.
#[derive(Debug)]
pub(crate) struct Staying {
    signals: StopOnSignal,
    standing: Standing,
    metrics: Metrics,
    holdings: Holdings,
    listening: Option<Listening>,
    /// They end with this.
    beside: JoinSet<()>,
}

/// A command was to end before it did what it is there for.
#[derive(Debug)]
pub(crate) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped before it began")
    }
}

impl std::error::Error for Stopped {}

/// Where somebody may ask, and who.
#[derive(Debug)]
pub(crate) struct OpenDoor {
    address: TakenAddress,
    access: Access,
}

impl OpenDoor {
    /// Takes the address, and answers nobody yet; `None` if there is to be none. An error if it cannot be had, or if others could ask
    /// and nobody has said that they may.
    pub(crate) fn of(args: &WatchArgs) -> anyhow::Result<Option<Self>> {
        if args.profile && !CAN_PROFILE {
            let text = "--profile: this kadscope was built without profiles; `cargo build --release --features full` builds it with";
            return Err(Failed::usage(text).into());
        }
        let Some(address) = args.metrics_addr else { return Ok(None) };
        let access = access(address, args)?;
        Ok(Some(Self { access, address: TakenAddress::bind(address)? }))
    }
}

impl Staying {
    /// Hears signals and answers by HTTP from now on, as not ready for that reason. An error if that cannot be.
    pub(crate) fn begin(args: &WatchArgs, not_yet: &'static str) -> anyhow::Result<Self> {
        let door = OpenDoor::of(args)?;
        Self::behind(door, args, not_yet)
    }

    /// The same behind a door that was opened before.
    pub(crate) fn behind(
        door: Option<OpenDoor>,
        args: &WatchArgs,
        not_yet: &'static str,
    ) -> anyhow::Result<Self> {
        let signals = StopOnSignal::listen(args.stop_timeout)?;
        let mut staying = Self::with(signals, Standing::not_yet(not_yet));
        if let Some(door) = door {
            staying.listen(door, args.profile)?;
        }
        staying.watch_memory(args);
        Ok(staying)
    }

    /// The same of a command that nobody watches, since it is over soon.
    pub(crate) fn unwatched() -> std::io::Result<Self> {
        Ok(Self::with(StopOnSignal::listen(MAX_ENDING)?, Standing::of_nobody()))
    }

    fn with(signals: StopOnSignal, standing: Standing) -> Self {
        let mut beside = JoinSet::new();
        let (alive, ending, stop) = (standing.clone(), standing.clone(), signals.token().clone());
        beside.spawn(async move { alive.keep_alive().await });
        // What has been told to end says so itself, but maybe only when it does.
        beside.spawn(async move {
            stop.cancelled().await;
            ending.ending();
        });
        let (all, holdings) = (Metrics::default(), Holdings::default());
        all.extend(http::process_metrics());
        all.extend([metrics::build_info()]);
        all.extend(holdings.metrics());
        Self { signals, standing, metrics: all, holdings, listening: None, beside }
    }

    fn listen(&mut self, OpenDoor { address, access }: OpenDoor, profile: bool) -> anyhow::Result<()> {
        let mut room = Room::new(access, self.standing.readiness(), self.metrics.clone());
        room.profile = profile;
        let listening = room.open(address)?;
        output::note(&format!("metrics, health and readiness are at http://{}", listening.address()));
        self.listening = Some(listening);
        Ok(())
    }

    fn watch_memory(&mut self, args: &WatchArgs) {
        let Some(limit_bytes) = args.memory_limit.or_else(memory_limit) else { return };
        let watch =
            MemoryWatch { limit_bytes, share_percent: SHORT_PERCENT, file: args.memory_report.clone() };
        let (readiness, holdings) = (self.standing.readiness(), self.holdings.clone());
        // Before that nothing has been named that could hold any.
        self.beside.spawn(async move {
            readiness.until_ready().await;
            watch.run(holdings).await;
        });
    }

    /// Has the tool do its work, and ends everything beside it then, however it ended.
    pub(crate) async fn around(
        self,
        tool: impl AsyncFnOnce(&Self) -> anyhow::Result<Code>,
    ) -> anyhow::Result<Code> {
        let done = tool(&self).await;
        self.end().await;
        match done {
            Err(error) if error.is::<Stopped>() => {
                output::note(&error.to_string());
                Ok(Code::Cancelled)
            }
            done => done,
        }
    }

    /// Cancelled when the tool is to end.
    pub(crate) const fn stop(&self) -> &CancellationToken {
        self.signals.token()
    }

    /// How long it has to end then.
    pub(crate) const fn stop_timeout(&self) -> Duration {
        self.signals.within()
    }

    /// What comes of something, unless the tool is to end before: then nobody waits for it any more.
    pub(crate) async fn unless_stopped<T>(&self, waits: impl Future<Output = T>) -> Result<T, Stopped> {
        self.stop().run_until_cancelled(waits).await.ok_or(Stopped)
    }

    /// How what has come this far ended: cut short, or by itself.
    pub(crate) fn state(&self) -> RunState {
        if self.stop().is_cancelled() { RunState::Cancelled } else { RunState::Succeeded }
    }

    /// How the program ends that looked for something.
    pub(crate) fn code(&self, is_found: bool) -> Code {
        match (self.state(), is_found) {
            (RunState::Cancelled, _) => Code::Cancelled,
            (_, true) => Code::Done,
            (_, false) => Code::NotFound,
        }
    }

    /// From now on signals are for the tool to hear.
    pub(crate) fn let_go_of_signals(&self) {
        self.signals.let_go();
    }

    /// Shows these metrics, and no longer those by their names of a run that is over.
    pub(crate) fn show(&self, metrics: impl IntoIterator<Item = Metric>) {
        self.metrics.renew(metrics);
    }

    /// What is to be heard at another address than that of the metrics: it is as ready, and shows the same.
    pub(crate) fn room(&self, access: Access) -> Room {
        Room::new(access, self.standing.readiness(), self.metrics.clone())
    }

    /// Names something that has a bound: among the metrics, and in the report of what holds memory.
    pub(crate) fn hold(&self, holding: Holding) {
        self.holdings.add(holding);
    }

    /// Shows how far the tool is, until what is returned is told to end.
    pub(crate) fn tell(&self, progress: impl Tell) -> ProgressDisplay {
        ProgressDisplay::begin(progress, self.stop().clone())
    }

    /// From now on the tool does what it is there for.
    pub(crate) fn ready(&self) {
        self.standing.ready();
    }

    /// The same as soon as something has happened; what says `false` will not happen any more.
    pub(crate) fn ready_when(&self, happened: impl Future<Output = bool> + Send + 'static) {
        let standing = self.standing.clone();
        tokio::spawn(async move {
            if happened.await {
                standing.ready();
            }
        });
    }

    /// The tool does it no longer, and will end.
    pub(crate) fn ending(&self) {
        self.standing.ending();
    }

    /// Ends everything beside the tool, which has ended.
    async fn end(mut self) {
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
