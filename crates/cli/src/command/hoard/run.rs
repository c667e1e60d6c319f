//! `kadscope hoard run`: publishes records, and looks at their holders round after round.

use hoard::Burden;
use store::StoreUrl;

use super::{
    keys::studied,
    studying::{Making, made, planned},
};
use crate::{
    agreement,
    args::HoardRunArgs,
    exit::{Code, Failed},
    output,
    outputs::InUse,
    render,
    staying::Staying,
};

pub(super) async fn run(args: HoardRunArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(in_use);
    if let Some(keys) = args.keys_file() {
        in_use.read("the keys", keys);
    }
    let network = args.reach.network()?;
    let study = studied(&args)?;
    study.plan.check().map_err(|error| Failed::usage(error.to_string()))?;
    let burden = Burden::of(&study.plan, args.servers);
    if args.dry_run {
        return planned(args.kept.json, &study.plan, &burden);
    }
    in_use.store(&args.kept.store);
    if args.kept.store == StoreUrl::None {
        return Err(Failed::usage("--store none: a study is what is kept of it; name where").into());
    }
    check_bounds(&args, &burden)?;
    let what = render::study_publication(&burden, &network.name);
    if burden.records != Some(0) && !args.yes && !agreement::is_agreed(&network, &what)? {
        output::note("nothing was published");
        return Ok(Code::Cancelled);
    }
    let staying = Staying::begin(&args.watch, "publishers and observers do not stand yet")?;
    let making = Making { reach: &args.reach, kept: &args.kept, place: Some(args.place()) };
    staying.around(async |staying| Box::pin(made(making, (network, study), staying)).await).await
}

/// Nobody gives strangers more than was meant.
fn check_bounds(args: &HoardRunArgs, burden: &Burden) -> Result<(), Failed> {
    if burden.records_at_once <= args.max_records {
        return Ok(());
    }
    Err(Failed::usage(format!(
        "strangers would keep {} records at a time, and --max-records allows {}",
        burden.records_at_once, args.max_records
    )))
}
