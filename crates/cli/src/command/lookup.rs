//! `kadscope lookup`: looks something up in a network, and shows how.

mod answer;
mod providers;
mod trace;

use dht::{Found, Quest};
use kad::{
    lookup::{Enough, LookupKind, Rules},
    values::CheckedValue,
    written::WrittenKey,
};
use net::Roots;
use schema::{RunState, Tool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::providers::Dialler;
pub(crate) use self::{
    answer::{Answer, Closest, FoundRow, ValueRow, milliseconds},
    providers::{DialledRow, KnownAddress, ProviderRow, RetrievalRow},
};
use crate::{
    args::{LookupArgs, Until},
    clock,
    exit::{Code, Failed},
    keeping::{self, ToolRun},
    output,
    outputs::InUse,
    reach::Reach,
    render, roots,
    staying::Staying,
};

pub(crate) async fn run(args: LookupArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(in_use);
    args.keep.note(in_use);
    let asked = Asked::of(&args)?;
    let trace = args.trace.as_ref().map(|path| trace::open(path, in_use, args.force)).transpose()?;
    Staying::unwatched()?.around(async |staying| look_up(args, (asked, trace), staying).await).await
}

/// What is looked up, and how.
struct Asked {
    kind: LookupKind,
    key: Vec<u8>,
    rules: Rules,
    /// By what providers over HTTPS are verified; `None` if none is dialled.
    roots: Option<Roots>,
}

impl Asked {
    fn of(args: &LookupArgs) -> Result<Self, Failed> {
        let kind = LookupKind::from(args.what);
        let tls_roots = args.tls_roots.as_deref();
        Ok(Self {
            kind,
            key: preimage(kind, &args.key.key)?,
            rules: enough(kind, args.rules, (args.count, args.until))?,
            roots: args.dial.then(|| roots::given_or_systems(tls_roots)).transpose()?,
        })
    }
}

async fn look_up(
    args: LookupArgs,
    (asked, trace): (Asked, Option<trace::Place>),
    staying: &Staying,
) -> anyhow::Result<Code> {
    let reach = staying.unless_stopped(Reach::of(args.reach.clone())).await??;
    let order = reach.order(Tool::Lookup, args.parameters(), &args.reach)?;
    let mut run = ToolRun::begin(staying, args.keep.store(), order).await?;
    let (stop, begun) = (staying.stop(), Instant::now());
    let found = find(&reach, &asked, args.json, stop).await;
    keeping::trace(&mut run, &found.trace, begun).await;
    if let Some(file) = trace {
        trace::write(&found.trace, file)?;
    }
    if let Err(nobody) = reach.check_answered(&found, stop) {
        run.end(RunState::Failed, &()).await?;
        return Err(nobody.into());
    }
    let dialler = match asked.roots {
        Some(roots) if asked.kind == LookupKind::Providers => {
            Some(Dialler::new(&reach, args.key.key.cid(), roots).await?)
        }
        _ => None,
    };
    let answer = Answer::of((&reach, stop), &args.key, found, dialler.as_ref()).await;
    run.end(staying.state(), &answer).await?;
    say(&answer, args.json)?;
    Ok(staying.code(answer.is_found()))
}

/// Makes the lookup, and shows each request when it ends, unless the answer is to be JSON.
async fn find(reach: &Reach, asked: &Asked, json: bool, stop: &CancellationToken) -> Found {
    let now = clock::since_epoch();
    let holds = |value: &[u8]| CheckedValue::of(&asked.key, value).is_ok_and(|value| !value.is_expired(now));
    let (kind, key) = (asked.kind, asked.key.clone());
    let quest = Quest { kind, key, from: reach.bootstrap.clone(), rules: asked.rules };
    let mut hops = render::Hops::new(output::Style::of_stderr());
    let watch = |trace: &kad::lookup::Trace, happened: dht::Happened| {
        if !json {
            output::note(&hops.line(trace, happened.rpc));
        }
    };
    reach.finder.find(quest, holds, watch, stop).await
}

fn say(answer: &Answer, json: bool) -> anyhow::Result<()> {
    if json {
        output::print_json(answer)
    } else {
        Ok(output::print(&render::lookup(answer, output::Style::of_stdout()))?)
    }
}

/// What the key means to what is looked for.
fn preimage(kind: LookupKind, key: &WrittenKey) -> Result<Vec<u8>, Failed> {
    let meant = match kind {
        LookupKind::Closest => Ok(key.bytes()),
        LookupKind::Peer => key.peer().map(kad::PeerId::to_bytes),
        LookupKind::Providers => key.provided(),
        LookupKind::Value => key.valued(),
    };
    meant.map_err(|wrong| Failed::usage(format!("this key cannot be looked up so: {wrong}")))
}

/// The rules with the end that was asked for.
fn enough(kind: LookupKind, rules: Rules, asked: (Option<u64>, Option<Until>)) -> Result<Rules, Failed> {
    let many = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let rules = match (kind, asked.0) {
        (LookupKind::Closest, Some(count)) => Rules { k: many(count), ..rules },
        _ => rules,
    };
    let is_counted = matches!(kind, LookupKind::Providers | LookupKind::Value);
    Ok(match asked {
        (_, Some(Until::First | Until::Count)) if !is_counted => {
            return Err(Failed::usage("--until first and --until count are for providers and values"));
        }
        (_, Some(Until::First)) => rules.until(Enough::FIRST),
        (None, Some(Until::Count)) => return Err(Failed::usage("--until count needs --count N")),
        (Some(count), Some(Until::Count) | None) if is_counted => rules.until(Enough::Count(many(count))),
        _ => rules.until(Enough::All),
    })
}
