//! `kadscope provide`: publishes provider records, and says who has them.

mod holders;
mod row;

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    time::Duration,
};

use dht::{Found, ProviderRecord, Quest};
use kad::{
    Contact,
    fabric::Member as _,
    lookup::{LookupKind, Rules},
};
use schema::{RunState, Tool};
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub(crate) use self::row::{HolderRow, Publication};
use crate::{
    args::{Policy, ProvideArgs, TypedKey},
    exit::{Code, Failed},
    keeping::{self, Kept},
    network::Network,
    output,
    outputs::InUse,
    place::Place,
    reach::Reach,
    render, signals,
};

/// For how long those who were sent a record are asked for it again.
const READ_BACK: Duration = Duration::from_secs(5);

/// What is kept as the summary of a run.
#[derive(Debug, Serialize)]
struct Provided {
    /// One for each key, in their order.
    provided: Vec<Publication>,
}

pub(crate) async fn run(args: ProvideArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    let ProvideArgs { keys, read_back, serve_for, yes, place, json, keep, reach } = args;
    let keys: Vec<_> =
        keys.into_iter().map(|key| Ok((multihash(&key)?, key))).collect::<Result<_, Failed>>()?;
    reach.note_inputs(in_use);
    let network = reach.network()?;
    if serve_for.is_none() {
        output::note(&render::left_behind());
    }
    if !yes && !is_agreed(&network, keys.len())? {
        output::note("nothing was published");
        return Ok(Code::Cancelled);
    }
    let stop = signals::stop_on_signal()?;
    let place = Place::find(place, &reach, &network).await?;
    let given = json!({
        "keys": keys.iter().map(|(_, key)| &key.text).collect::<Vec<_>>(),
        "read_back": read_back,
        "serve_for": serve_for.map(|time| time.as_secs_f64()),
    });
    let parameters = keeping::parameters(given, &reach, &network)?;
    let (reach, own) = Reach::listening(&reach, network, place).await?;
    let mut kept = keep.begin(Tool::Provide, &reach.network.name, parameters)?;
    let mut all = Vec::new();
    let mut is_provided = true;
    for (multihash, key) in keys {
        let record = ProviderRecord { key: multihash, provider: own.clone() };
        let provided = match provide((&reach, &mut kept), &key, &record, (read_back, &stop)).await {
            Ok(provided) if !stop.is_cancelled() => provided,
            Ok(_) => {
                keeping::end(kept, RunState::Cancelled, &Provided { provided: all }).await?;
                return Ok(Code::Cancelled);
            }
            Err(failed) => {
                keeping::end(kept, RunState::Failed, &Provided { provided: all }).await?;
                return Err(failed);
            }
        };
        is_provided &= provided.is_provided();
        if json {
            output::print_json(&provided)?;
        } else {
            output::print(&render::provide(&provided, output::Style::of_stdout()))?;
        }
        all.push(provided);
    }
    keeping::end(kept, RunState::Succeeded, &Provided { provided: all }).await?;
    let is_left_in_peace = stay(serve_for, &own, &stop).await;
    reach.finder.pool().network().clone().leave().await;
    Ok(match () {
        () if !is_left_in_peace => Code::Cancelled,
        () if is_provided => Code::Done,
        () => Code::NotFound,
    })
}

fn multihash(key: &TypedKey) -> Result<Vec<u8>, Failed> {
    let wrong = |wrong| Failed::usage(format!("{} cannot be provided: {wrong}", key.text));
    key.key.provided().map_err(wrong)
}

/// Whether strangers may be given records: asked on the terminal, unless the network is one's own.
fn is_agreed(network: &Network, count: usize) -> anyhow::Result<bool> {
    match network.addresses {
        Policy::Loopback | Policy::Private => return Ok(true),
        Policy::Public | Policy::Any => {}
    }
    let what = render::publication(count, &network.name);
    if !io::stdin().is_terminal() {
        return Err(Failed::usage(format!("--yes says to {what}, where nobody can be asked")).into());
    }
    output::note_raw(&format!("Shall I {what}? [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Gives one record to the peers closest to its key, and asks for it again if that is wanted.
async fn provide(
    (reach, kept): (&Reach, &mut Option<Kept>),
    key: &TypedKey,
    record: &ProviderRecord,
    (read_back, stop): (bool, &CancellationToken),
) -> anyhow::Result<Publication> {
    let begun = Instant::now();
    let quest = Quest {
        kind: LookupKind::Closest,
        key: record.key.clone(),
        from: reach.bootstrap.clone(),
        rules: Rules::go(),
    };
    let found: Found = reach.finder.find(quest, |_| false, |_, _| {}, stop).await;
    keeping::trace(kept, &found.trace, begun).await;
    reach.check_answered(&found)?;
    let holders = reach.finder.give(record, &found, stop).await;
    let took = begun.elapsed();
    let has = if read_back {
        let until = Instant::now() + READ_BACK;
        Some(reach.finder.read_back(record, &holders, until, stop).await)
    } else {
        None
    };
    if let Some(kept) = kept {
        holders::keep(kept, (record, begun), &holders, has.as_deref()).await;
    }
    Ok(Publication::of((key, record), &holders, has.as_deref(), took))
}

/// Stays reachable for that long. `false` if it was stopped.
async fn stay(serve_for: Option<Duration>, own: &Contact, stop: &CancellationToken) -> bool {
    let Some(time) = serve_for else { return true };
    output::note(&render::serving(own, time));
    tokio::select! {
        () = sleep(time) => true,
        () = stop.cancelled() => false,
    }
}
