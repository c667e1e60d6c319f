//! `kadscope sessions --uptime`: for how long each peer was up in a day, a month or a year, from the days that monitors kept. Visits are not
//! needed.

use std::{collections::BTreeMap, time::Duration};

use kad::PeerId;
use monitor::{
    days::{PeriodUptime, UptimePeriod, uptimes},
    recompute::MonitorScope,
};
use schema::PeerDay;
use serde::Serialize;
use store::Store;

use super::{monitors, since};
use crate::{args::SessionsArgs, exit::Code, output, render};

/// How long peers were up.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ListedUptimes {
    /// The store.
    store: String,
    /// How many there are more.
    pub(crate) left_out: u64,
    /// By network, period and peer.
    pub(crate) uptimes: Vec<ListedUptime>,
}

/// How long a peer was up in a period. Of the rest nothing is known.
#[derive(Debug, Serialize)]
pub(crate) struct ListedUptime {
    /// The network.
    pub(crate) network: String,
    /// The vantage point, of one that watches apart from others.
    pub(crate) vantage: Option<String>,
    /// The period, in UTC.
    pub(crate) period: String,
    /// Who.
    pub(crate) peer: String,
    /// For how long it was up at least.
    pub(crate) up_s: f64,
    /// For how long it was down at least.
    pub(crate) down_s: f64,
    /// The share of the period for which it was up at least.
    pub(crate) at_least: f64,
    /// The share of the period for which it was up at most.
    pub(crate) at_most: f64,
}

pub(super) fn run(store: &Store, args: &SessionsArgs, period: UptimePeriod) -> anyhow::Result<Code> {
    let mut listed = ListedUptimes { store: store.name(), ..ListedUptimes::default() };
    for scope in MonitorScope::monitored(store, args.network.as_deref())?.into_keys() {
        let found = of_scope(store, args, (&scope, period))?;
        for ((period, peer), uptime) in found {
            if listed.uptimes.len() >= args.limit as usize {
                listed.left_out += 1;
                continue;
            }
            listed.uptimes.push(ListedUptime {
                network: scope.network.clone(),
                vantage: scope.apart.clone(),
                period,
                peer: peer.to_string(),
                up_s: uptime.up.as_secs_f64(),
                down_s: uptime.down.as_secs_f64(),
                at_least: uptime.at_least(),
                at_most: uptime.at_most(),
            });
        }
    }
    if args.place.json {
        output::print_json(&listed)?;
    } else {
        output::print(&render::uptimes(&listed))?;
    }
    Ok(Code::Done)
}

/// Adds up the days of a scope. Memory: some 150 bytes for each peer and period.
fn of_scope(
    store: &Store,
    args: &SessionsArgs,
    (scope, period): (&MonitorScope, UptimePeriod),
) -> Result<BTreeMap<(String, PeerId), PeriodUptime>, store::Error> {
    let since = since(args);
    let is_asked = |peer: &PeerId| args.peer.is_none_or(|asked| asked == *peer);
    let mut found: BTreeMap<(String, PeerId), PeriodUptime> = BTreeMap::new();
    for run in monitors(store, scope, since)? {
        let peers = store.peers(run.start.id)?;
        for day in store.rows::<PeerDay>(run.start.id)? {
            let day = day?;
            let Some(peer) = peers.get(day.peer).filter(is_asked).filter(|_| day.is_after(since)) else {
                continue;
            };
            for (name, more) in uptimes([&day], period) {
                let uptime = found.entry((name, peer)).or_insert(PeriodUptime {
                    up: Duration::ZERO,
                    down: Duration::ZERO,
                    ..more
                });
                uptime.up += more.up;
                uptime.down += more.down;
            }
        }
    }
    Ok(found)
}
