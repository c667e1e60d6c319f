//! `kadscope sessions --check`: the sessions that were kept beside those that follow from the visits.

use monitor::{
    due::DueQueue,
    recompute::{ComparedSessions, MonitorScope, compare_sessions},
    session::SessionRules,
};
use serde::Serialize;
use store::Store;

use crate::{
    args::SessionsArgs,
    exit::{Code, Failed},
    output, render,
};

/// The sessions of a network that is watched, beside its visits.
#[derive(Debug, Serialize)]
pub(crate) struct CheckedScope {
    /// The network.
    pub(crate) network: String,
    /// The vantage point, of one that watches apart from others.
    pub(crate) vantage: Option<String>,
    /// What they come to.
    #[serde(flatten)]
    pub(crate) compared: ComparedSessions,
}

pub(super) fn run(store: &Store, args: &SessionsArgs) -> anyhow::Result<Code> {
    let scopes = MonitorScope::monitored(store, args.network.as_deref())?;
    if scopes.is_empty() {
        return Err(Failed::usage(format!("{}: no monitor has seen such a network", store.name())).into());
    }
    let mut checked = Vec::new();
    for (scope, last) in scopes {
        let rules = SessionRules::of(&last.start.parameters);
        let compared = compare_sessions(store, &scope, rules, DueQueue::MAX_PEERS as usize)?;
        checked.push(CheckedScope { network: scope.network, vantage: scope.apart, compared });
    }
    if args.place.json {
        output::print_json(&serde_json::json!({ "store": store.name(), "checked": checked }))?;
    } else {
        output::print(&render::checked_sessions(&checked))?;
    }
    let is_equal = checked.iter().all(|scope| scope.compared.differing == 0);
    Ok(if is_equal { Code::Done } else { Code::Store })
}
