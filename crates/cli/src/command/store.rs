//! `kadscope store`: whether a store is sound, less of it, or a copy.

mod copy;

use serde_json::json;
use store::Store;

use crate::{
    args::{StoreArgs, StoreCommand, StorePlace},
    clock,
    exit::Code,
    output,
    outputs::InUse,
    render::text::{counted, grouped},
};

pub(crate) async fn run(args: StoreArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    match args.what {
        StoreCommand::Copy(args) => copy::run(&args).await,
        StoreCommand::Check(place) => {
            let store = Store::open_existing(&place.store)?;
            store.check()?;
            say(
                &place,
                &json!({ "store": store.name(), "sound": true }),
                &format!("{} is sound", store.name()),
            )
        }
        StoreCommand::Prune { keep_visits, place } => {
            let mut store = Store::open_existing(&place.store)?;
            let ago = i64::try_from(keep_visits.as_micros()).unwrap_or(i64::MAX);
            let before = schema::Timestamp(clock::now().0.saturating_sub(ago));
            let pruned = store.prune(before)?;
            let visits = counted(pruned.visits, "visit", "visits");
            let said =
                format!("pruned {visits} from before {before}; {} bytes given back", grouped(pruned.bytes));
            let all =
                json!({ "before": before, "pruned_visits": pruned.visits, "given_back_bytes": pruned.bytes });
            say(&place, &all, &said)
        }
        StoreCommand::Backup { to, place } => {
            let store = Store::open_existing(&place.store)?;
            in_use.store(&place.store);
            in_use.refuse("the backup", &to)?;
            store.back_up(&to)?;
            let said = format!("copied {} to {}", store.name(), to.display());
            say(&place, &json!({ "store": store.name(), "backup": to.display().to_string() }), &said)
        }
    }
}

fn say(place: &StorePlace, all: &serde_json::Value, said: &str) -> anyhow::Result<Code> {
    if place.json {
        output::print_json(all)?;
    } else {
        output::print_text(&format!("{said}\n"))?;
    }
    Ok(Code::Done)
}
