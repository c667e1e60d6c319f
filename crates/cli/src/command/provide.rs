//! `kadscope provide`: publishes provider records, and says who has them.

mod holders;
mod row;

use std::time::Duration;

use dht::{Found, ProviderRecord, Quest};
use kad::{
    fabric::Member as _,
    lookup::{LookupKind, Rules},
};
use schema::{RunState, Tool};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub(crate) use self::row::{HolderRow, Publication};
use crate::{
    agreement,
    args::{ProvideArgs, TypedKey},
    exit::{Code, Failed},
    keeping::{self, ToolRun},
    metrics::ProvideView,
    network::Network,
    output,
    outputs::InUse,
    place::{Place, PlaceOptions},
    reach::Reach,
    render,
    staying::Staying,
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
    let keys = args.keys.iter().map(|key| Ok((multihash(key)?, key.clone())));
    let keys: Vec<_> = keys.collect::<Result<_, Failed>>()?;
    args.reach.note_inputs(in_use);
    args.keep.note(in_use);
    let network = args.reach.network()?;
    if args.serve_for.is_none() {
        output::note(&render::left_behind());
    }
    let what = render::publication(keys.len(), &network.name);
    if !args.yes && !agreement::is_agreed(&network, &what)? {
        output::note("nothing was published");
        return Ok(Code::Cancelled);
    }
    let staying = Staying::begin(&args.watch, "nothing is published yet")?;
    staying.around(async |staying| publish(args, (network, keys), staying).await).await
}

async fn publish(
    args: ProvideArgs,
    (network, keys): (Network, Vec<(Vec<u8>, TypedKey)>),
    staying: &Staying,
) -> anyhow::Result<Code> {
    let own = args.parameters();
    let place = (args.place, PlaceOptions::PLAIN);
    let place = staying.unless_stopped(Place::find(place, &args.reach, &network)).await??;
    let (reach, here) = staying.unless_stopped(Reach::listening(&args.reach, network, place)).await??;
    let order = reach.order(Tool::Provide, own, &args.reach)?;
    let mut run = ToolRun::begin(staying, args.keep.store(), order).await?;
    let view = ProvideView::of(keys.len());
    staying.hold(reach.holding());
    staying.show(view.metrics());
    let mut all = Vec::new();
    for (key, text) in keys {
        let record = ProviderRecord { key, provider: here.clone() };
        let provided =
            match provide((&reach, &mut run), &text, &record, (args.read_back, staying.stop())).await {
                Ok(_) if staying.stop().is_cancelled() => break,
                Ok(provided) => provided,
                Err(failed) => {
                    run.end(RunState::Failed, &Provided { provided: all }).await?;
                    return Err(failed);
                }
            };
        view.done(provided.is_provided());
        if args.json {
            output::print_json(&provided)?;
        } else {
            output::print(&render::provide(&provided, output::Style::of_stdout()))?;
        }
        all.push(provided);
    }
    let is_provided = all.iter().all(Publication::is_provided);
    run.end(staying.state(), &Provided { provided: all }).await?;
    if let Some(time) = args.serve_for.filter(|_| !staying.stop().is_cancelled()) {
        staying.ready();
        output::note(&render::serving(&here, time));
        // Who is stopped while it serves has not served as long as was asked for.
        let _ = staying.unless_stopped(sleep(time)).await;
    }
    staying.ending();
    reach.finder.pool().network().clone().leave().await;
    Ok(staying.code(is_provided))
}

fn multihash(key: &TypedKey) -> Result<Vec<u8>, Failed> {
    let wrong = |wrong| Failed::usage(format!("{} cannot be provided: {wrong}", key.text));
    key.key.provided().map_err(wrong)
}

/// Gives one record to the peers closest to its key, and asks for it again if that is wanted.
async fn provide(
    (reach, run): (&Reach, &mut ToolRun),
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
    keeping::trace(run, &found.trace, begun).await;
    reach.check_answered(&found, stop)?;
    let holders = reach.finder.give(record, &found, stop).await;
    let took = begun.elapsed();
    let has = if read_back {
        let until = Instant::now() + READ_BACK;
        Some(reach.finder.read_back(record, &holders, until, stop).await)
    } else {
        None
    };
    if run.is_kept() {
        holders::keep(run, (record, begun), &holders, has.as_deref()).await;
    }
    Ok(Publication::of((key, record), &holders, has.as_deref(), took))
}
