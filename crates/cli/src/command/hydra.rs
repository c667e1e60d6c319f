//! `kadscope hydra`: many heads over one belly.

mod api;
mod borrowed;
mod bounds;
mod identities;
mod living;
mod places;
mod plan;
mod row;
mod seed;

use store::BellyUrl;

use self::plan::Plan;
pub(crate) use self::row::{HeadRow, PlanRow};
use crate::{
    args::HydraArgs,
    exit::{Code, Failed},
    network::Network,
    output,
    outputs::InUse,
    render,
    staying::Staying,
};

pub(crate) async fn run(args: HydraArgs, mut in_use: InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(&mut in_use);
    args.keep.note(&mut in_use);
    let network = network_of(&args)?;
    check_belly(&args.records.belly)?;
    if args.dry_run {
        let plan = Plan::looked_at(&args, &network)?;
        return say(&args, &plan.row(&args, &network));
    }
    let staying = Staying::begin(&args.watch, "the heads have not joined yet")?;
    let live = staying.around(async |staying| Box::pin(living::live(&args, &network, staying)).await);
    Box::pin(live).await
}

/// What is known of the network. Where nobody is to be begun with, nobody is.
fn network_of(args: &HydraArgs) -> anyhow::Result<Network> {
    let of = &args.reach.network;
    // The peers to begin with of a network are none of another one's.
    let is_other = of.protocol.is_some() && of.bootstrap.is_empty();
    if !args.alone && !is_other {
        return args.reach.network();
    }
    let mut network = Network::of(of.clone())?;
    if is_other && !args.alone && !network.protocols.is_empty() {
        let known = crate::network::load(&of.network)?.0.protocols;
        if network.protocols.iter().all(|protocol| known.contains(protocol)) {
            return args.reach.network();
        }
        output::note(
            "nobody is known of this protocol's network: the heads wait until they are dialled (--bootstrap names peers)",
        );
    }
    network.bootstrap.clear();
    Ok(network)
}

/// Refuses what hydra-booster left behind, by name.
fn check_belly(belly: &BellyUrl) -> Result<(), Failed> {
    let BellyUrl::Sqlite(path) = belly else { return Ok(()) };
    if !path.is_dir() {
        return Ok(());
    }
    // Source: LevelDB, `doc/impl.md`.
    let what = if path.join("CURRENT").exists() {
        "holds a LevelDB of hydra-booster, which is not read: what was in it is published again within 48 h"
    } else {
        "is a directory"
    };
    Err(Failed::usage(format!("the belly {} {what}; --belly says which file to use", path.display())))
}

/// Prints who the heads are.
fn say(args: &HydraArgs, row: &PlanRow) -> anyhow::Result<Code> {
    if args.json {
        output::print_json(row)?;
    } else {
        output::print(&render::hydra(row, output::Style::of_stdout()))?;
    }
    Ok(Code::Done)
}

/// An error of the state directory as the user's: it names the file, and what to do.
fn of_state(error: &hydra::StateError) -> Failed {
    Failed::usage(error.to_string())
}
