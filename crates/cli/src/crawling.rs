//! One crawl over live peers, from its first row to its last: what `crawl` and `demo` have in common.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use crawl::{Clock, Crawl, Crawled, FateCounts, Outlets, Progress, Summary};
use dht::PoolConfig;
use kad::{Contact, opt_out::OptOut};
use net::{Host, HostConfig, Identity, Roots};
use schema::{RunEnd, RunState, Tool};
use serde::Serialize;
use store::StoreUrl;
use tokio::sync::watch;

use crate::{
    args::CrawlArgs,
    bootstrap, clock,
    exit::Failed,
    keeping::{RunOrder, ToolRun},
    manners::Manners,
    metrics::CrawlView,
    network::Network,
    output,
    progress::{CrawlProgress, WalkProgress},
    render,
    resources::{self, AtOnce},
    roots,
    staying::Staying,
};

/// What is to be crawled, how, and where it is kept. As JSON it is kept with the crawl.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Order {
    /// The network.
    #[serde(flatten)]
    pub(crate) network: Network,
    /// How long a dial of one address may take, until the peer has proved who it is.
    #[serde(serialize_with = "crawl::as_seconds")]
    pub(crate) dial_timeout: Duration,
    /// How to crawl.
    #[serde(flatten)]
    pub(crate) config: crawl::CrawlConfig,
    /// How to behave.
    #[serde(flatten)]
    pub(crate) manners: Manners,
    /// Where rows are kept.
    #[serde(serialize_with = "as_text")]
    pub(crate) store: StoreUrl,
    /// The file with the roots by which certificates are verified.
    pub(crate) tls_roots: Option<PathBuf>,
    /// What is in it.
    #[serde(skip)]
    pub(crate) roots: Roots,
    /// Who is left alone, by the lists of `manners`.
    #[serde(skip)]
    pub(crate) opt_out: Arc<OptOut>,
    /// A note on where the crawl is made from.
    pub(crate) vantage: String,
}

/// A crawl that came to an end, one way or another.
#[derive(Debug)]
pub(crate) struct Made {
    /// What it came to.
    pub(crate) crawled: Crawled,
    /// Whether every row is in the store; the error says what went wrong there.
    pub(crate) kept: Result<(), store::Error>,
    /// The names of the protocol by which peers were asked.
    pub(crate) protocols: Vec<String>,
}

impl Order {
    /// What the options of a crawl say.
    pub(crate) fn of(args: CrawlArgs) -> Result<Self, Failed> {
        let CrawlArgs {
            network,
            dial_timeout,
            tls_roots,
            strategy,
            mut config,
            manners,
            store,
            vantage,
            places: _,
            json: _,
            watch: _,
        } = args;
        let (opt_out, network) = (manners.opt_out.load()?, Network::of(network)?);
        let roots = roots::given(tls_roots.as_deref())?;
        config.strategy = strategy.strategy(&config)?;
        Ok(Self { network, dial_timeout, config, manners, store, tls_roots, roots, opt_out, vantage })
    }

    /// Crawls. What is kept of the order is what is carried out: with its seed, and fitted to the machine.
    pub(crate) async fn carry_out(mut self, staying: &Staying) -> anyhow::Result<Made> {
        let seed = *self.config.seed.get_or_insert_with(clock::seed);
        let mut host = self.host_config()?;
        let walk = self.config.strategy.walk();
        let of_walks = walk.map_or(0, |_| PoolConfig::default().connections);
        fit_to_machine(&mut self.config, host.dials.shared_descriptors() + of_walks)?;
        host.dials.max_connecting = self.config.max_dials as usize;
        let host = Host::new(host).context("could not open a socket to dial from")?;
        let bootstrap = staying.unless_stopped(bootstrap::gather(&self.network.bootstrap, &host)).await??;
        let run = ToolRun::begin(staying, &self.store, self.run(seed)?).await?;
        let (stop, fates) = (staying.stop(), FateCounts::default());
        let (progress, watched) = watch::channel(Progress::default());
        CrawlView::new(watched.clone(), fates.clone(), &self.config).show(staying);
        let outlets = Outlets { rows: run.rows(), progress, fates, cancel: stop.clone() };
        let display = match walk {
            Some(terms) => staying.tell(WalkProgress::new(watched.clone(), terms.lasts)),
            None => staying.tell(CrawlProgress::new(watched.clone(), self.config.limit)),
        };
        staying.ready_when(is_answered(watched));
        let protocols = self.network.protocols.clone();
        let cpu_before = resources::cpu_time();
        // On a worker, next to the visits: the thread that waits here would have to be woken for each of them.
        let crawl = tokio::spawn(self.crawl(host, bootstrap, &run).run(outlets));
        let mut crawled = crawl.await.context("the crawl did not come to its end")?;
        note_cost(&mut crawled, resources::cpu_time().saturating_sub(cpu_before));
        staying.ending();
        display.end().await;
        let kept = finish(run, &mut crawled.summary).await?;
        Ok(Made { crawled, kept, protocols })
    }

    fn host_config(&self) -> anyhow::Result<HostConfig> {
        let identity = Identity::generate()?;
        let mut config = HostConfig::new(identity, self.network.addresses.into());
        config.agent = self.manners.agent(&self.network);
        config.dials = self.manners.dials(&self.network, self.dial_timeout, Arc::clone(&self.opt_out));
        config.dials.roots = self.roots.clone();
        Ok(config)
    }

    fn run(&self, seed: u64) -> serde_json::Result<RunOrder> {
        Ok(RunOrder {
            tool: Tool::Crawl,
            network: self.network.name.clone(),
            seed,
            vantage: self.vantage.clone(),
            parameters: serde_json::to_value(self)?,
        })
    }

    fn crawl(self, host: Host, bootstrap: Vec<Contact>, run: &ToolRun) -> Crawl<Host> {
        let (started_at, origin) = run.began();
        Crawl {
            network: host,
            id: run.id(),
            network_name: self.network.name,
            protocols: self.network.protocols,
            bootstrap,
            config: self.config,
            opt_out: self.opt_out,
            clock: Clock::said_at(started_at, origin),
        }
    }
}

/// Waits until a peer has answered a dial. `false` if the crawl has ended without.
async fn is_answered(mut progress: watch::Receiver<Progress>) -> bool {
    progress.wait_for(|progress| progress.reachable + progress.turned_away > 0).await.is_ok()
}

impl Made {
    /// The error that this crawl is for who wanted its result; `None` if it brought something, or was cut short.
    pub(crate) fn error(self) -> Option<anyhow::Error> {
        let Self { crawled, kept, protocols } = self;
        if let Err(error) = kept {
            return Some(anyhow::Error::new(error).context("the crawl could not be kept"));
        }
        let nobody = crawled.summary.state == RunState::Failed;
        nobody.then(|| Failed::network(render::no_answer(&crawled.bootstrap, &protocols)).into())
    }
}

/// Fits the numbers of dials and conversations to the files that this process may open: what cannot be had is said before
/// anything begins, and what somebody asked for is refused rather than lowered.
pub(crate) fn fit_to_machine(config: &mut crawl::CrawlConfig, of_host: usize) -> Result<(), Failed> {
    let limit = resources::raise_open_files();
    let others = resources::open_files() + of_host as u64;
    let wanted = (config.max_dials, config.parallelism);
    let usual = crawl::CrawlConfig::default();
    let dials = AtOnce { count: wanted.0, is_asked: wanted.0 != usual.max_dials };
    let conversations = AtOnce { count: wanted.1, is_asked: wanted.1 != usual.parallelism };
    let Some(fitted) = resources::fit_to_files(limit, others, (dials, conversations)) else {
        return Err(Failed::usage(format!(
            "only {limit} files may be open at once, too few for {} dials and {} conversations at once\n\
             raise the limit (`ulimit -n`), or ask for fewer (--max-dials, --parallelism)",
            wanted.0, wanted.1
        )));
    };
    (config.max_dials, config.parallelism) = fitted;
    if fitted != wanted {
        output::note(&format!(
            "only {limit} files may be open at once: {} dials and {} conversations at once \
             (raise it with `ulimit -n`)",
            fitted.0, fitted.1
        ));
    }
    Ok(())
}

fn note_cost(crawled: &mut Crawled, cpu: Duration) {
    // To the microsecond, as all times.
    crawled.summary.cpu_s = Some((cpu.as_secs_f64() * 1e6).round() / 1e6);
    crawled.summary.peak_rss_bytes = resources::peak_rss_bytes();
}

/// Writes what is still in hand, and the end of the crawl. Where that fails the summary says the same as the store, in which
/// the crawl has no end.
pub(crate) async fn finish(run: ToolRun, summary: &mut Summary) -> anyhow::Result<Result<(), store::Error>> {
    let Some(committed) = run.committed() else { return Ok(Ok(())) };
    summary.kept_visits = Some(summary.visits.all());
    let end = RunEnd {
        finished_at: summary.finished_at,
        state: summary.state,
        summary: serde_json::to_value(&*summary)?,
    };
    let kept = run.finish(end).await;
    if kept.is_err() {
        summary.state = RunState::Interrupted;
        summary.kept_visits = Some(committed.borrow().visits);
    }
    if let Err(store::Error::Gone { .. }) = kept {
        summary.kept_visits = Some(0);
    }
    Ok(kept)
}

fn as_text<S: serde::Serializer>(url: &StoreUrl, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(url)
}
