//! A run of a tool: begun in a store where rows are kept, and ended there; a run of which nothing is kept has its id and its clock.

mod requests;

use std::{collections::HashMap, time::Duration};

use clap::Args;
use http::{Holding, Metric, MetricKind};
use kad::PeerId;
use schema::{PeerNumber, Row, RunEnd, RunId, RunStart, RunState, Timestamp, Tool};
use store::{Store, StoreUrl, Totals, Writer};
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::requests::trace;
use crate::{
    args::store_url,
    clock::{self, ClockWatch, Reading},
    outputs::InUse,
    resources,
    staying::Staying,
};

/// Where rows are kept by commands that keep none unless it is said.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeepArgs {
    /// Keep what was seen, as a run: in an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or
    /// in a database (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`) [default: nothing is kept]
    #[arg(long = "store", env = "KADSCOPE_STORE", value_name = "URL", help_heading = "Output", value_parser = store_url)]
    keep: Option<StoreUrl>,
}

impl KeepArgs {
    /// Remembers where rows are kept: no other output may be written there.
    pub(crate) fn note(&self, in_use: &mut InUse) {
        if let Some(store) = &self.keep {
            in_use.store(store);
        }
    }

    /// Where rows are kept.
    pub(crate) fn store(&self) -> &StoreUrl {
        self.keep.as_ref().unwrap_or(&StoreUrl::None)
    }
}

/// What a run is, before it begins.
#[derive(Debug, Clone)]
pub(crate) struct RunOrder {
    /// Whose.
    pub(crate) tool: Tool,
    /// The name of the network.
    pub(crate) network: String,
    /// The seed of everything random; 0 where nothing is.
    pub(crate) seed: u64,
    /// A note on where it is made from, kept behind the machine's name; empty for none.
    pub(crate) vantage: String,
    /// Everything that was asked for.
    pub(crate) parameters: serde_json::Value,
}

/// From where a run is made: the machine's name, and the note behind it; empty for none.
pub(crate) fn vantage(note: &str) -> String {
    match note {
        "" => resources::host_name(),
        note => format!("{}: {note}", resources::host_name()),
    }
}

/// A run of a tool.
#[derive(Debug)]
pub(crate) struct ToolRun {
    id: RunId,
    began: (Timestamp, Instant),
    numbers: HashMap<PeerId, PeerNumber>,
    /// `None` if nothing is kept.
    kept: Option<Kept>,
}

/// What keeps the rows of a run.
#[derive(Debug)]
struct Kept {
    // It stays open as long as the run goes on.
    _store: Store,
    writer: Writer,
    clocks: ClockWatch,
    /// Cancelled when the command is to end, and how long it may then wait for a store that is away.
    hurry: (CancellationToken, Duration),
}

impl ToolRun {
    /// Begins a run, and waits for a store that somebody else holds; unless the command is to end first, then it is as if it had
    /// never been.
    pub(crate) async fn begin(staying: &Staying, store: &StoreUrl, order: RunOrder) -> anyhow::Result<Self> {
        let store = store.clone();
        // The rest is for what comes before and after.
        let hurry = (staying.stop().clone(), staying.stop_timeout() / 2);
        let begun = spawn_blocking(move || Self::begun(&store, order, hurry, clock::read));
        let run = staying.unless_stopped(begun).await???;
        if let Some(writer) = run.writer() {
            staying.hold(waiting("rows_waiting", &writer.sender()));
            staying.show([rows_metric(writer.progress())]);
        }
        Ok(run)
    }

    /// Begins a run that goes on beside that of the command, whose rows nobody counts; `hurry` is cancelled when the command is to end,
    /// with how long a store that is away is then waited for.
    pub(crate) async fn beside(
        store: &StoreUrl,
        order: RunOrder,
        hurry: (CancellationToken, Duration),
    ) -> anyhow::Result<Self> {
        let store = store.clone();
        Ok(spawn_blocking(move || Self::begun(&store, order, hurry, clock::read)).await??)
    }

    /// Begins a run by the clocks that `read` reads.
    fn begun(
        store: &StoreUrl,
        order: RunOrder,
        hurry: (CancellationToken, Duration),
        mut read: impl FnMut() -> Reading + Send + 'static,
    ) -> Result<Self, store::Error> {
        let store = Store::open(store)?;
        let reading = read();
        let began = (reading.wall, reading.monotonic);
        let id = clock::run_id(began.0);
        let start = RunStart {
            id,
            tool: order.tool,
            network: order.network,
            started_at: began.0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: order.seed,
            vantage: vantage(&order.vantage),
            parameters: order.parameters,
        };
        let kept = match store {
            None => None,
            Some(store) => {
                let writer = store.begin_run(&start)?;
                let clocks = ClockWatch::begin(reading, writer.sender(), read);
                Some(Kept { _store: store, writer, clocks, hurry })
            }
        };
        Ok(Self { id, began, numbers: HashMap::new(), kept })
    }

    /// Its name in the store, if it is kept.
    pub(crate) const fn id(&self) -> RunId {
        self.id
    }

    /// When it began: by the wall clock, and by that of the system, which does not step.
    pub(crate) const fn began(&self) -> (Timestamp, Instant) {
        self.began
    }

    /// A moment by the clock of the run.
    pub(crate) fn at(&self, instant: Instant) -> Timestamp {
        self.began.0.after(instant.saturating_duration_since(self.began.1))
    }

    /// Whether rows are kept.
    pub(crate) const fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    fn writer(&self) -> Option<&Writer> {
        self.kept.as_ref().map(|kept| &kept.writer)
    }

    /// Where rows are sent to; `None` if none are kept.
    pub(crate) fn rows(&self) -> Option<mpsc::Sender<Row>> {
        self.writer().map(Writer::sender)
    }

    /// What is committed; `None` if nothing is kept.
    pub(crate) fn committed(&self) -> Option<watch::Receiver<Totals>> {
        self.writer().map(Writer::progress)
    }

    /// The number of a peer, which is introduced to the store if it is new.
    pub(crate) async fn peer(&mut self, peer: PeerId) -> PeerNumber {
        if let Some(&number) = self.numbers.get(&peer) {
            return number;
        }
        let number = PeerNumber(u32::try_from(self.numbers.len()).unwrap_or(u32::MAX));
        self.numbers.insert(peer, number);
        self.row(Row::Peer(number, peer)).await;
        number
    }

    /// Keeps a row, if any are kept. Whether it could be kept is known at the end.
    pub(crate) async fn row(&self, row: impl Into<Row>) {
        if let Some(writer) = self.writer() {
            // Who no longer takes rows says at the end why.
            drop(writer.sender().send(row.into()).await);
        }
    }

    /// Writes what is in hand, and that the run ended now.
    pub(crate) async fn end(self, state: RunState, summary: &impl serde::Serialize) -> anyhow::Result<()> {
        let (finished_at, summary) = (self.at(Instant::now()), serde_json::to_value(summary)?);
        Ok(self.finish(RunEnd { finished_at, state, summary }).await?)
    }

    /// Writes what is in hand, and this end.
    pub(crate) async fn finish(self, end: RunEnd) -> Result<(), store::Error> {
        match self.kept {
            None => Ok(()),
            Some(Kept { _store, writer, clocks, hurry: (stop, patience) }) => {
                clocks.end().await;
                let hurry = async move {
                    stop.cancelled_owned().await;
                    sleep(patience).await;
                };
                writer.finish_before(end, hurry).await.map(drop)
            }
        }
    }
}

/// What waits in a queue to be kept, under this name. Who looks on does not keep the queue open.
pub(crate) fn waiting<T: Send + 'static>(what: &'static str, queue: &mpsc::Sender<T>) -> Holding {
    let bound = queue.max_capacity() as u64;
    let queue = queue.downgrade();
    let waiting = move || queue.upgrade().map_or(0, |queue| (queue.max_capacity() - queue.capacity()) as u64);
    Holding::new(what, bound, waiting)
}

/// The rows of a run that are in the store.
pub(crate) fn rows_metric(totals: watch::Receiver<Totals>) -> Metric {
    Metric::labelled(
        (MetricKind::Counter, "kadscope_store_rows_total"),
        "Rows of this run that are committed.",
        ("of", vec!["peers", "visits", "edges", "other_rows"]),
        move || {
            let Totals { peers, rows, visits, edges, .. } = *totals.borrow();
            [peers, visits, edges, rows.saturating_sub(visits)].map(|count| count as f64).into()
        },
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    };

    use schema::{ClockStep, StepCause};
    use store::RunFilter;
    use tokio::time::sleep_until;

    use super::*;

    const START: Timestamp = Timestamp(1_795_000_000_000_000);

    /// Clocks that go by tokio's; the wall clock is ahead by so many microseconds.
    fn clocks(ahead: Arc<AtomicI64>) -> impl FnMut() -> Reading + Send + 'static {
        let origin = Instant::now();
        move || {
            let (monotonic, since_boot) = (Instant::now(), origin.elapsed());
            let wall = Timestamp(START.after(since_boot).0 + ahead.load(Relaxed));
            Reading { monotonic, since_boot, wall, took: Duration::ZERO }
        }
    }

    /// The steps of a run of two minutes, in which the wall clock is set as `set` says: after how many seconds, by how many; and how
    /// long the run took.
    async fn steps_of(set: &[(u64, i64)]) -> (Vec<ClockStep>, Duration) {
        let directory = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(directory.path().join("a.sqlite"));
        let (ahead, began) = (Arc::new(AtomicI64::new(0)), Instant::now());
        let (network, vantage) = ("test".to_owned(), String::new());
        let parameters = serde_json::json!({});
        let order = RunOrder { tool: Tool::Ping, network, seed: 0, vantage, parameters };
        let hurry = (CancellationToken::new(), Duration::ZERO);
        let run = ToolRun::begun(&url, order, hurry, clocks(Arc::clone(&ahead))).unwrap();
        for &(after, by) in set {
            sleep_until(began + Duration::from_secs(after)).await;
            ahead.fetch_add(by * 1_000_000, Relaxed);
        }
        sleep_until(began + Duration::from_secs(120)).await;
        run.end(RunState::Succeeded, &()).await.unwrap();
        let store = Store::open_existing(&url).unwrap();
        let run = store.runs(&RunFilter::default()).unwrap().remove(0);
        let steps = store.rows::<ClockStep>(run.start.id).unwrap().map(Result::unwrap).collect();
        (steps, run.end.unwrap().finished_at.since(run.start.started_at))
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_keeps_the_steps_of_the_wall_clock_and_goes_by_its_own() {
        let (steps, took) = steps_of(&[(35, 3600), (71, -7200)]).await;
        let step = |noticed: u64, before: i64, after: i64| {
            let noticed_at = START.after(Duration::from_secs(noticed));
            let wall = |ahead: i64| Timestamp(noticed_at.0 + ahead * 1_000_000);
            ClockStep { noticed_at, expected: wall(before), wall: wall(after), cause: StepCause::Set }
        };
        assert_eq!(steps, [step(40, 0, 3600), step(80, 3600, -3600)]);
        assert_eq!(took, Duration::from_secs(120), "though the wall clock went back by an hour");
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_just_before_the_end_is_kept_too_and_without_one_there_is_no_row() {
        assert_eq!(steps_of(&[(119, 5)]).await.0.len(), 1);
        assert_eq!(steps_of(&[]).await.0, []);
    }
}
