//! `kadscope hoard content`: follows what others provide over days, and says which of it is available.

use std::collections::HashSet;

use hoard::{Burden, ForeignKeys, HoardPlan, StudyKeyBytes};
use store::StoreUrl;

use super::{
    keys::{MAX_KEYS_BYTES, Studied, gone_on_with},
    studying::{Making, made, planned},
};
use crate::{
    args::HoardContentArgs,
    clock,
    exit::{Code, Failed},
    input,
    outputs::InUse,
    staying::Staying,
};

pub(super) async fn run(args: HoardContentArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(in_use);
    if let Some(keys) = &args.keys {
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
    if burden.requests_per_hour > args.max_requests_per_hour as f64 {
        return Err(Failed::usage(format!(
            "others would be asked {:.0} times an hour, and --max-requests-per-hour allows {}: look less often, or at a sample",
            burden.requests_per_hour, args.max_requests_per_hour
        ))
        .into());
    }
    let staying = Staying::begin(&args.watch, "observers do not stand yet")?;
    let making = Making { reach: &args.reach, kept: &args.kept, place: None };
    staying.around(async |staying| Box::pin(made(making, (network, study), staying)).await).await
}

/// Reads what was asked for, and what it goes on with.
fn studied(args: &HoardContentArgs) -> anyhow::Result<Studied> {
    if let Some(name) = &args.resume {
        let study = gone_on_with(&args.kept.store, name)?;
        check_is_watching(&study.plan, name)?;
        return Ok(study);
    }
    let plan = args.plan(keys(args)?, args.seed.unwrap_or_else(clock::seed));
    Ok(Studied { plan, known: Vec::new(), resumed: None, continues: None })
}

/// Nobody publishes by a command that says that it does not.
fn check_is_watching(plan: &HoardPlan, name: &str) -> Result<(), Failed> {
    if plan.keys.is_foreign() {
        return Ok(());
    }
    Err(Failed::usage(format!("--resume {name}: that study publishes; `kadscope hoard run` goes on with it")))
}

/// The keys of the command line and of the file, each once.
fn keys(args: &HoardContentArgs) -> Result<Vec<StudyKeyBytes>, Failed> {
    let mut keys = args.cids.clone();
    if let Some(path) = &args.keys {
        let text = input::read(path, "the keys", MAX_KEYS_BYTES)?;
        let read = ForeignKeys::read(&text)
            .map_err(|error| Failed::usage(format!("cannot use the keys {}: {error}", path.display())))?;
        keys.extend(read.keys);
    }
    let mut seen = HashSet::new();
    keys.retain(|key| seen.insert(key.0.clone()));
    if keys.is_empty() {
        return Err(Failed::usage("there is no key to look at: name CIDs, or a file of them by --keys"));
    }
    Ok(keys)
}
