//! Which rounds would be: the register is looked at, and no server is asked.

use perf::{ForeseenRound, alive_since, foreseen};
use schema::RunId;
use serde::Serialize;
use store::{Error, Register, RegisterConfig, SchedulerId, StoreUrl};

use super::{config, newcomer};
use crate::{
    args::PerfSchedulerArgs,
    clock,
    exit::{Code, Failed},
    output, render,
};

/// How many rounds are shown if nobody says.
const SHOWN_ROUNDS: u64 = 20;

/// And if somebody does, at most.
const MAX_SHOWN_ROUNDS: u64 = 1000;

/// What is printed.
#[derive(Debug, Serialize)]
struct DryRun {
    /// The seed that they are from.
    seed: u64,
    /// How many servers are alive.
    servers: usize,
    /// The first rounds.
    rounds: Vec<ForeseenRound>,
}

pub(super) async fn run(args: &PerfSchedulerArgs) -> anyhow::Result<Code> {
    if let StoreUrl::Sqlite(path) = &args.store
        && !path.exists()
    {
        let text = format!("{}: there is no such store; {}", path.display(), newcomer(args));
        return Err(Failed::usage(text).into());
    }
    let defaults = RegisterConfig::default();
    let tables = RegisterConfig { parsec_tables: args.parsec_compat, makes_tables: false, ..defaults };
    let register = match Register::open(&args.store, tables).await {
        Err(error @ Error::NoRegister { .. }) => {
            return Err(Failed::usage(format!("{error}; {}", newcomer(args))).into());
        }
        opened => opened?,
    };
    let servers = register.servers(&args.fleets(), alive_since(clock::now())).await?;
    let seed = args.seed.unwrap_or_else(clock::seed);
    let config = config(args, seed, (RunId([0; 16]), SchedulerId(0)));
    let count = config.pace.rounds.unwrap_or(SHOWN_ROUNDS).min(MAX_SHOWN_ROUNDS);
    let alive = servers.len();
    let rounds = foreseen(&config, servers, count);
    let code = if rounds.is_empty() { Code::NotFound } else { Code::Done };
    let dry = DryRun { seed, servers: alive, rounds };
    if args.json {
        output::print_json(&dry)?;
    } else {
        output::print_text(&render::foreseen(&dry.rounds, seed))?;
    }
    if code == Code::NotFound {
        output::note(&newcomer(args));
    }
    Ok(code)
}
