//! What is studied: a new plan by what was asked for, or that of a run that is gone on with.

use hoard::{ForeignKeys, HoardPlan, KeySource, Resumed, Study, StudyDetail, WatchedKey};
use schema::{RunId, Tool};
use store::{RunFilter, Store, StoreUrl};

use crate::{args::HoardRunArgs, clock, exit::Failed, input};

/// The longest file of keys that is read, in bytes: half a million holders.
pub(super) const MAX_KEYS_BYTES: u64 = 256 << 20;

/// What is studied.
pub(super) struct Studied {
    /// What is done.
    pub(super) plan: HoardPlan,
    /// Keys of others whose holders are known.
    pub(super) known: Vec<WatchedKey>,
    /// What was done before; `None` of a study that begins.
    pub(super) resumed: Option<Resumed>,
    /// The run that it goes on with.
    pub(super) continues: Option<RunId>,
}

/// Reads what was asked for, and what it goes on with.
pub(super) fn studied(args: &HoardRunArgs) -> anyhow::Result<Studied> {
    match &args.resume {
        Some(name) => gone_on_with(&args.kept.store, name),
        None => Ok(begun(args)?),
    }
}

fn begun(args: &HoardRunArgs) -> Result<Studied, Failed> {
    let seed = args.study.seed.unwrap_or_else(clock::seed);
    let Some(path) = args.keys_file() else {
        let plan = args.plan(None, seed);
        return Ok(Studied { plan, known: Vec::new(), resumed: None, continues: None });
    };
    let text = input::read(path, "the keys", MAX_KEYS_BYTES)?;
    let read = ForeignKeys::read(&text)
        .map_err(|error| Failed::usage(format!("cannot use the keys {}: {error}", path.display())))?;
    let ForeignKeys { keys, known } = read;
    let (source, known) = if args.study.foreign {
        (KeySource::Foreign { keys }, known)
    } else {
        (KeySource::Listed { keys }, Vec::new())
    };
    Ok(Studied { plan: args.plan(Some(source), seed), known, resumed: None, continues: None })
}

/// The study of a run: the same plan, and all that was done of it.
pub(super) fn gone_on_with(url: &StoreUrl, name: &str) -> anyhow::Result<Studied> {
    let store = Store::open_existing(url)?;
    let run = named(&store, name)?;
    let study = Study::read(&store, run, StudyDetail::Sights)?;
    let last =
        study.runs.last().ok_or_else(|| Failed::usage(format!("--resume {name}: there is no such run")))?;
    let plan = last.start.parameters.get("plan").cloned().unwrap_or_default();
    let plan: HoardPlan = serde_json::from_value(plan).map_err(|error| {
        Failed::usage(format!("--resume {name}: the plan that the run was made by cannot be read: {error}"))
    })?;
    let continues = Some(last.start.id);
    Ok(Studied { plan, known: Vec::new(), resumed: Some(study.resumed()), continues })
}

/// The study that somebody means.
fn named(store: &Store, name: &str) -> anyhow::Result<RunId> {
    if name == "latest" {
        let runs = store.runs(&RunFilter::of(Tool::Hoard))?;
        let latest = runs.iter().max_by_key(|run| run.start.started_at);
        let none = || Failed::usage("--resume latest: no study is in the store");
        return Ok(latest.ok_or_else(none)?.start.id);
    }
    let id = RunId::parse(name);
    Ok(id.ok_or_else(|| {
        Failed::usage(format!(
            "--resume {name}: write the 32 digits that `kadscope runs --tool hoard` shows, or latest"
        ))
    })?)
}
