//! `kadscope monitor`: revisits the peers of a network for weeks, to see when they are up.

mod crawling;
mod keeping;
mod recalling;

use std::sync::Arc;

use anyhow::Context as _;
use crawl::Clock;
use kad::{Contact, opt_out::OptOut};
use monitor::{
    due::DueLimits,
    gap::between_runs,
    recompute::{APART, MonitorScope, Recalled},
    running::{Monitor, MonitorConfig, MonitorEnd, MonitorNow, MonitorOutlets, MonitorState, MonitorSummary},
    session::SessionRules,
};
use net::{Host, HostConfig, Identity};
use schema::{GapCause, ObserverGap, RunState, Timestamp, Tool};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use self::{
    crawling::{CrawlTerms, StoredCrawler},
    keeping::keep_facts,
    recalling::recalled,
};
use crate::{
    args::MonitorArgs,
    bootstrap, clock,
    command::crawl::place,
    crawling::fit_to_machine,
    exit::Code,
    keeping::{RunOrder, ToolRun, vantage, waiting},
    metrics::{MonitorView, monitor_metrics},
    network::Network,
    output,
    outputs::InUse,
    progress::MonitorProgress,
    render,
    staying::Staying,
};

/// Facts that wait to be kept; with more, nothing new is begun.
const QUEUED_FACTS: usize = 1024;

/// What is printed and kept at the end.
#[derive(Debug, Serialize)]
pub(crate) struct Monitored {
    /// The run; of several, since clocks were set, the last.
    pub(crate) run: String,
    #[serde(flatten)]
    pub(crate) summary: MonitorSummary,
}

pub(crate) async fn run(args: MonitorArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(in_use);
    in_use.store(&args.kept.store);
    let network = args.reach.network()?;
    let staying = Staying::begin(&args.watch, "no peer was seen up yet")?;
    staying.around(async |staying| Box::pin(monitored(&args, network, staying)).await).await
}

/// Everything that does not change from one run to the next.
struct Setting<'a> {
    args: &'a MonitorArgs,
    network: Network,
    opt_out: Arc<OptOut>,
    host: Host,
    bootstrap: Vec<Contact>,
    crawl: crawl::CrawlConfig,
    seed: u64,
}

async fn monitored(args: &MonitorArgs, network: Network, staying: &Staying) -> anyhow::Result<Code> {
    let setting = Setting::of(args, network, staying).await?;
    let view = MonitorView::default();
    staying.show(monitor_metrics(&view));
    let (shown, mut standing) = (view.now().subscribe(), view.now().subscribe());
    staying.ready_when(async move { standing.wait_for(|now| now.is_ready).await.is_ok() });
    let Recalled { mut state, mut last_seen, .. } = recalled(&setting, staying).await?;
    let display = staying.tell(MonitorProgress::new(shown));
    let ended = loop {
        let (ended, known) = setting.run((state, last_seen.take()), view.now().clone(), staying).await?;
        if ended.summary.end != MonitorEnd::Renewed {
            break ended;
        }
        view.renewed(&ended.summary);
        state = known;
        let read = clock::read();
        let gap =
            ObserverGap { cause: GapCause::Suspended, from: ended.summary.finished_at, until: read.wall };
        state.gaps.extend((gap.from < gap.until).then_some(gap));
    };
    staying.ending();
    display.end().await;
    if args.kept.json {
        output::print_json(&ended)?;
    } else {
        output::print_text(&render::monitored(&ended, &place(&args.kept.store)))?;
    }
    Ok(staying.code(true))
}

impl<'a> Setting<'a> {
    async fn of(args: &'a MonitorArgs, network: Network, staying: &Staying) -> anyhow::Result<Self> {
        let opt_out = args.reach.manners.opt_out.load()?;
        let mut config = HostConfig::new(Identity::generate()?, network.addresses.into());
        config.agent = args.reach.manners.agent(&network);
        config.dials = args.reach.dials(&network)?;
        let mut crawl = args.crawl.clone();
        fit_to_machine(&mut crawl, config.dials.shared_descriptors())?;
        config.dials.max_connecting = crawl.max_dials as usize;
        let host = Host::new(config).context("could not open a socket to dial from")?;
        let bootstrap = staying.unless_stopped(bootstrap::gather(&network.bootstrap, &host)).await??;
        let seed = args.crawl.seed.unwrap_or_else(clock::seed);
        crawl.seed = Some(seed);
        Ok(Self { args, network, opt_out, host, bootstrap, crawl, seed })
    }

    fn config(&self) -> MonitorConfig {
        let terms = &self.args.terms;
        let usual = MonitorConfig::default();
        MonitorConfig {
            crawl_every: terms.crawl_every,
            lasts: terms.lasts,
            sessions: SessionRules { criterion: terms.online, ..usual.sessions },
            schedule: usual.schedule.paced(terms.look_after),
            due: DueLimits {
                peers: self.args.crawl.max_peers,
                looks_per_s: terms.looks_per_s.into(),
                ..usual.due
            },
            dial_timeout: self.args.reach.dial_timeout,
            answer_timeout: self.args.crawl.request_timeout,
            seed: self.seed,
            ..usual
        }
    }

    /// Whose visits its sessions follow from.
    fn scope(&self) -> MonitorScope {
        let vantage = || vantage(&self.args.kept.vantage);
        MonitorScope { network: self.network.name.clone(), apart: self.args.terms.apart.then(vantage) }
    }

    fn order(&self) -> serde_json::Result<RunOrder> {
        let terms = &self.args.terms;
        let own = json!({
            APART: terms.apart,
            "crawl_every_s": terms.crawl_every.as_secs_f64(),
            "online": terms.online.name(),
            "tolerated": self.config().sessions.tolerated,
            "look_after_s": terms.look_after.as_secs_f64(),
            "looks_per_s": terms.looks_per_s,
            "crawl": self.crawl,
        });
        let order = self.args.reach.order(Tool::Monitor, own, &self.network)?;
        Ok(RunOrder { seed: self.seed, vantage: self.args.kept.vantage.clone(), ..order })
    }

    /// One run: until all is over, or the wall clock goes on by itself.
    async fn run(
        &self,
        (mut state, last_seen): (MonitorState, Option<Timestamp>),
        now: watch::Sender<MonitorNow>,
        staying: &Staying,
    ) -> anyhow::Result<(Monitored, MonitorState)> {
        let run = ToolRun::begin(staying, &self.args.kept.store, self.order()?).await?;
        let (wall, origin) = run.began();
        state.gaps.extend(last_seen.and_then(|seen| between_runs(seen, wall)));
        let clock = Clock::said_at(wall, origin);
        let crawler = StoredCrawler::new(CrawlTerms {
            host: self.host.clone(),
            protocols: self.network.protocols.clone(),
            config: self.crawl.clone(),
            opt_out: Arc::clone(&self.opt_out),
            store: self.args.kept.store.clone(),
            order: RunOrder { tool: Tool::Crawl, ..self.order()? },
            hurry: (staying.stop().clone(), staying.stop_timeout() / 2),
        });
        let monitor = Monitor {
            network: self.host.clone(),
            protocols: self.network.protocols.clone().into(),
            crawler,
            bootstrap: self.bootstrap.clone(),
            config: self.config(),
            opt_out: Arc::clone(&self.opt_out),
            clock,
        };
        let (facts, told) = mpsc::channel(QUEUED_FACTS);
        staying.hold(waiting("facts_waiting", &facts));
        let renew = CancellationToken::new();
        let outlets = MonitorOutlets { facts, now, cancel: staying.stop().clone(), renew: renew.clone() };
        let clocks = AbortOnDropHandle::new(tokio::spawn(async move {
            clock::leapt(wall, origin).await;
            renew.cancel();
        }));
        let ((summary, known), ()) =
            tokio::join!(Box::pin(monitor.run(state, outlets)), keep_facts(&run, told));
        drop(clocks);
        let run_state = match summary.end {
            MonitorEnd::Done | MonitorEnd::Renewed => RunState::Succeeded,
            MonitorEnd::Stopped => staying.state(),
            MonitorEnd::NotKept => RunState::Failed,
        };
        let ended = Monitored { run: run.id().to_string(), summary };
        run.end(run_state, &ended).await?;
        Ok((ended, known))
    }
}
