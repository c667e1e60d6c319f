//! `kadscope lookup`: looks something up in a network, and shows how.

mod answer;
mod providers;
mod trace;

use dht::Quest;
use kad::{
    lookup::{Enough, LookupKind, Rules},
    values::CheckedValue,
    written::WrittenKey,
};
use schema::{RunState, Tool};
use tokio::time::Instant;

use self::providers::Dialler;
pub(crate) use self::{
    answer::{Answer, Closest, FoundRow, ValueRow, milliseconds},
    providers::{DialledRow, KnownAddress, ProviderRow, RetrievalRow},
};
use crate::{
    args::{LookupArgs, Until},
    clock,
    exit::{Code, Failed},
    keeping, output,
    outputs::InUse,
    reach::Reach,
    render, roots, signals,
};

pub(crate) async fn run(args: LookupArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    let (own, given) = (args.parameters(), args.reach.clone());
    let LookupArgs { what, key, count, until, rules, dial, tls_roots, trace, force, json, keep, reach } =
        args;
    let kind = LookupKind::from(what);
    let preimage = preimage(kind, &key.key)?;
    let rules = enough(kind, rules, (count, until))?;
    reach.note_inputs(in_use);
    keep.note(in_use);
    let trace = trace.map(|path| trace::open(&path, in_use, force)).transpose()?;
    let roots = dial.then(|| roots::given_or_systems(tls_roots.as_deref())).transpose()?;
    let reach = Reach::of(reach).await?;
    let parameters = keeping::parameters(own, &given, &reach.network)?;
    let mut kept = keep.begin(Tool::Lookup, &reach.network.name, parameters)?;
    let stop = signals::stop_on_signal()?;
    let now = clock::since_epoch();
    let holds = |value: &[u8]| CheckedValue::of(&preimage, value).is_ok_and(|value| !value.is_expired(now));
    let quest = Quest { kind, key: preimage.clone(), from: reach.bootstrap.clone(), rules };
    let mut hops = render::Hops::new(output::Style::of_stderr());
    let watch = |trace: &kad::lookup::Trace, happened: dht::Happened| {
        if !json {
            output::note(&hops.line(trace, happened.rpc));
        }
    };
    let begun = Instant::now();
    let found = reach.finder.find(quest, holds, watch, &stop).await;
    keeping::trace(&mut kept, &found.trace, begun).await;
    if let Some(file) = trace {
        trace::write(&found.trace, file)?;
    }
    if let Err(nobody) = reach.check_answered(&found) {
        keeping::end(kept, RunState::Failed, &()).await?;
        return Err(nobody.into());
    }
    let dialler = match roots {
        Some(roots) if kind == LookupKind::Providers => {
            Some(Dialler::new(&reach, key.key.cid(), roots).await?)
        }
        _ => None,
    };
    let answer = Answer::of((&reach, &stop), &key, found, dialler.as_ref()).await;
    let state = if stop.is_cancelled() { RunState::Cancelled } else { RunState::Succeeded };
    keeping::end(kept, state, &answer).await?;
    say(&answer, json)?;
    Ok(match () {
        () if stop.is_cancelled() => Code::Cancelled,
        () if answer.is_found() => Code::Done,
        () => Code::NotFound,
    })
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
