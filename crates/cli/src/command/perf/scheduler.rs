//! `kadscope perf scheduler`: has servers publish and look up, in rounds, and keeps every attempt.

mod dry;

use std::time::Duration;

use http::HttpError;
use perf::{HttpCalls, Scheduler, SchedulerConfig, SchedulerNow, SchedulerWatch, scheduler_metrics};
use schema::{RunId, RunState, Tool};
use serde::Serialize;
use store::{Register, RegisterConfig, SchedulerEntry, SchedulerId, StoreUrl};
use tokio::{sync::mpsc, time::timeout};

use super::keeping::keep_attempts;
use crate::command::crawl::place;
use crate::{
    args::PerfSchedulerArgs,
    clock,
    exit::{Code, Failed},
    keeping::{RunOrder, ToolRun, waiting},
    output,
    outputs::InUse,
    progress::SchedulerProgress,
    render,
    staying::Staying,
};

/// Attempts that wait to be kept; with more, rounds wait.
const QUEUED_ATTEMPTS: usize = 1024;

/// After how long somebody is told what is missing.
const MISSED_AFTER: Duration = Duration::from_secs(3);

/// What is printed and kept at the end.
#[derive(Debug, Serialize)]
struct Scheduled {
    /// The run.
    run: String,
    #[serde(flatten)]
    now: SchedulerNow,
}

pub(super) async fn run(args: PerfSchedulerArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    check(&args)?;
    in_use.store(&args.store);
    if args.dry_run {
        return dry::run(&args).await;
    }
    let staying = Staying::begin(&args.watch, "no two servers can be measured yet")?;
    staying.around(async |staying| scheduled(&args, staying).await).await
}

/// What cannot be asked.
fn check(args: &PerfSchedulerArgs) -> Result<(), Failed> {
    if args.fleets().is_empty() {
        let text = "--fleets: say whose servers are to be measured, such as --fleets default,optprov; \
                    `kadscope perf fleet` lists the servers that are registered";
        return Err(Failed::usage(text));
    }
    if args.store == StoreUrl::None {
        return Err(Failed::usage(
            "--store none: the servers are registered where measurements are kept; name that",
        ));
    }
    Ok(())
}

async fn scheduled(args: &PerfSchedulerArgs, staying: &Staying) -> anyhow::Result<Code> {
    let fleets = args.fleets();
    let calls = HttpCalls::new(&fleets, args.parsec_compat).map_err(|error| wrong_fleets(&error))?;
    let tables = RegisterConfig { parsec_tables: args.parsec_compat, ..RegisterConfig::default() };
    let register = staying.unless_stopped(Register::open(&args.store, tables)).await??;
    let seed = args.seed.unwrap_or_else(clock::seed);
    let mut run = ToolRun::begin(staying, &args.store, order(args, seed)).await?;
    let measured = measured(args, (calls, register.clone(), seed), &mut run, staying).await;
    staying.ending();
    // A quarter of the time: half of it rounds had, and the rows of the run need some.
    let closed = register.close(args.watch.stop_timeout / 4).await;
    let (state, now) = match &measured {
        Ok(now) => (state(args, staying), now.clone()),
        Err(_) => (RunState::Failed, SchedulerNow::default()),
    };
    let summary = Scheduled { run: run.id().to_string(), now };
    run.end(state, &summary).await?;
    measured?;
    closed?;
    if args.json {
        output::print_json(&summary)?;
    } else {
        output::print_text(&render::scheduled(&summary.now, &place(&args.store)))?;
    }
    Ok(if state == RunState::Cancelled { Code::Cancelled } else { Code::Done })
}

fn order(args: &PerfSchedulerArgs, seed: u64) -> RunOrder {
    let (network, vantage, parameters) = (String::new(), args.vantage.clone(), args.parameters());
    RunOrder { tool: Tool::Perf, network, seed, vantage, parameters }
}

/// Without a number of rounds it has no other end than to be told to.
fn state(args: &PerfSchedulerArgs, staying: &Staying) -> RunState {
    if args.pace.rounds.is_none() { RunState::Succeeded } else { staying.state() }
}

/// Measures until it is told to end, or as many rounds have been as were asked for.
async fn measured(
    args: &PerfSchedulerArgs,
    (calls, register, seed): (HttpCalls, Register, u64),
    run: &mut ToolRun,
    staying: &Staying,
) -> anyhow::Result<SchedulerNow> {
    let entry = SchedulerEntry {
        fleets: args.fleets(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        dependencies: serde_json::json!({}),
        entered_at: clock::now(),
    };
    let number = staying.unless_stopped(register.enter_scheduler(&entry)).await??;
    let (sender, attempts) = mpsc::channel(QUEUED_ATTEMPTS);
    staying.hold(waiting("attempts_waiting", &sender));
    let (wall, instant) = run.began();
    let clock = crawl::Clock::said_at(wall, instant);
    let config = config(args, seed, (run.id(), number));
    let scheduler = Scheduler::new(calls, register, clock, config, sender);
    let watch = scheduler.watch();
    let (own, parsec) = scheduler_metrics(&watch);
    staying.show(own.into_iter().chain(parsec.into_iter().filter(|_| args.parsec_compat)));
    let display = staying.tell(SchedulerProgress(watch.clone()));
    let said = tokio::spawn(say_who_is_missing(watch.clone(), newcomer(args)));
    staying.ready_when(async move {
        watch.until_it_can().await;
        true
    });
    let rounds = Box::pin(scheduler.run(staying.stop().clone()));
    let (now, ()) = tokio::join!(rounds, keep_attempts(run, number, attempts));
    said.abort();
    display.end().await;
    Ok(now)
}

/// What a scheduler is told.
fn config(args: &PerfSchedulerArgs, seed: u64, (run, scheduler): (RunId, SchedulerId)) -> SchedulerConfig {
    SchedulerConfig {
        fleets: args.fleets(),
        pairing: args.pairing,
        seed,
        run,
        scheduler,
        pace: args.pace(),
        probes: args.probes(),
        deadlines: args.deadlines(),
        marks_offline: args.parsec_compat,
        lease: args.lease,
    }
}

/// Says once what to do, if nobody can be measured for a while.
async fn say_who_is_missing(watch: SchedulerWatch, text: String) {
    if timeout(MISSED_AFTER, watch.until_it_can()).await.is_err() && watch.now().led_by.is_none() {
        output::note(&text);
    }
}

/// What whoever has no servers yet is told.
fn newcomer(args: &PerfSchedulerArgs) -> String {
    let (fleets, store) = (args.fleets(), &args.store);
    let compat = if args.parsec_compat { " --parsec-compat" } else { "" };
    let start = |(port, fleet): (u16, &String)| {
        format!("\n  kadscope perf server --fleet {fleet} --listen 127.0.0.1:{port} --store {store}{compat}")
    };
    let starts: String = (7070..).zip(fleets.iter().cycle().take(fleets.len().max(2))).map(start).collect();
    format!(
        "two servers of {} have to be registered in {store} and alive; start some:{starts}",
        fleets.join(", ")
    )
}

fn wrong_fleets(error: &HttpError) -> Failed {
    Failed::usage(format!("--fleets: their names go into a header of HTTP, and cannot: {error}"))
}
