//! `kadscope ping`: one peer looked at whole.

mod kept;
mod row;

use dht::{Probe, Probing, Quest, TalkLimits};
use kad::{
    Contact, Multiaddr, PeerId,
    lookup::{LookupKind, Rules},
};
use schema::Tool;
use serde::Serialize;

pub(crate) use self::row::AddressRow;
use crate::{
    args::{PingArgs, Pinged},
    exit::Code,
    keeping::ToolRun,
    output,
    outputs::InUse,
    reach::Reach,
    render,
    staying::Staying,
};

/// What was seen of all of them.
#[derive(Debug, Serialize)]
pub(crate) struct Pings {
    /// Each peer, in the order in which they were given.
    pub(crate) peers: Vec<PeerRow>,
}

/// What was seen of one peer.
#[derive(Debug, Serialize)]
pub(crate) struct PeerRow {
    /// Its id.
    pub(crate) peer: String,
    /// Whether it proved who it is over one of its addresses.
    pub(crate) reachable: bool,
    /// Whether it answered requests of the network's protocol.
    pub(crate) server: bool,
    /// Its agent string; `None` if it gave none.
    pub(crate) agent: Option<String>,
    /// The protocols that it says it speaks.
    pub(crate) protocols: Vec<String>,
    /// The addresses at which it says it listens.
    pub(crate) listen_addresses: Vec<String>,
    /// Where it sees us; `None` if it did not say.
    pub(crate) observed_address: Option<String>,
    /// Each address, and what came of it.
    pub(crate) addresses: Vec<AddressRow>,
}

pub(crate) async fn run(args: PingArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(in_use);
    args.keep.note(in_use);
    Staying::unwatched()?.around(async |staying| ping(args, staying).await).await
}

async fn ping(args: PingArgs, staying: &Staying) -> anyhow::Result<Code> {
    let reach = staying.unless_stopped(Reach::of(args.reach.clone())).await??;
    let order = reach.order(Tool::Ping, args.parameters(), &args.reach)?;
    let mut run = ToolRun::begin(staying, args.keep.store(), order).await?;
    let terms = reach.finder.terms();
    let probing = Probing {
        protocols: terms.protocols.clone(),
        patience: terms.patience,
        limits: TalkLimits::default(),
    };
    let mut rows = Vec::new();
    for contact in merge(args.peers) {
        let peer = contact.peer;
        let looked = look(&reach, contact, &probing, args.first);
        let Ok(probes) = staying.unless_stopped(looked).await else { break };
        keep_all(&mut run, peer, &probes).await;
        let row = row(peer, &probes);
        if !args.json {
            output::print(&render::ping(&row, output::Style::of_stdout()))?;
        }
        rows.push(row);
    }
    let is_reached = rows.iter().all(|row| row.reachable) && !rows.is_empty();
    let pings = Pings { peers: rows };
    run.end(staying.state(), &pings).await?;
    if args.json {
        output::print_json(&pings)?;
    }
    Ok(staying.code(is_reached))
}

/// Each peer once, with all the addresses that were given of it.
fn merge(given: Vec<Pinged>) -> Vec<Contact> {
    let mut all: Vec<Contact> = Vec::new();
    for Pinged { peer, address } in given {
        match all.iter_mut().find(|known| known.peer == peer) {
            Some(known) => known.addrs.extend(address),
            None => all.push(Contact { peer, addrs: address.into_iter().collect() }),
        }
    }
    all
}

/// Looks at one peer: at the addresses that were given or found, and at those that it names itself.
async fn look(reach: &Reach, mut contact: Contact, probing: &Probing, first: bool) -> Vec<Probe> {
    if contact.addrs.is_empty() {
        contact.addrs = find(reach, contact.peer).await;
    }
    let host = reach.finder.pool().network();
    let mut probes = if first {
        first_that_answers(reach, &contact, probing).await
    } else {
        dht::probe_all(host, &contact, probing).await
    };
    if !first {
        let addrs = unseen(&probes, contact.peer);
        probes.extend(dht::probe_all(host, &Contact { peer: contact.peer, addrs }, probing).await);
    }
    probes
}

/// Keeps a row for each probe of a peer, if rows are kept.
async fn keep_all(run: &mut ToolRun, peer: PeerId, probes: &[Probe]) {
    if !run.is_kept() {
        return;
    }
    let number = run.peer(peer).await;
    for probe in probes {
        run.row(kept::row(number, run.at(probe.began), probe)).await;
    }
}

/// Where a peer is, by what others say.
async fn find(reach: &Reach, peer: PeerId) -> Vec<Multiaddr> {
    let quest = Quest {
        kind: LookupKind::Peer,
        key: peer.to_bytes(),
        from: reach.bootstrap.clone(),
        rules: Rules::go(),
    };
    let found =
        reach.finder.find(quest, |_| false, |_, _| {}, &tokio_util::sync::CancellationToken::new()).await;
    found.contact(peer).addrs
}

/// One probe after the other until one has a connection.
async fn first_that_answers(reach: &Reach, contact: &Contact, probing: &Probing) -> Vec<Probe> {
    let mut probes = Vec::new();
    for address in &contact.addrs {
        let probe = dht::probe(reach.finder.pool().network(), contact.peer, address.clone(), probing).await;
        let is_answer = probe.said.is_some();
        probes.push(probe);
        if is_answer {
            break;
        }
    }
    probes
}

/// The addresses that the peer names itself and that were not tried.
fn unseen(probes: &[Probe], peer: PeerId) -> Vec<Multiaddr> {
    let said = probes.iter().filter_map(|probe| probe.said.as_ref()?.introduced.said.as_ref());
    let mut addrs: Vec<Multiaddr> = Vec::new();
    for addr in said.flat_map(|identify| identify.listen_addrs.iter()) {
        let own = kad::answer::own_address(addr.clone(), &peer);
        let is_new =
            |addr: &Multiaddr| !addrs.contains(addr) && probes.iter().all(|probe| probe.address != *addr);
        if let Some(addr) = own.filter(is_new) {
            addrs.push(addr);
        }
    }
    addrs
}

fn row(peer: PeerId, probes: &[Probe]) -> PeerRow {
    let heard = || probes.iter().filter_map(|probe| probe.said.as_ref());
    let identify = heard().find_map(|heard| heard.introduced.said.as_ref());
    let texts = |addrs: &[Multiaddr]| addrs.iter().map(Multiaddr::to_string).collect();
    PeerRow {
        peer: peer.to_string(),
        reachable: heard().next().is_some(),
        server: heard().any(dht::Heard::is_server),
        agent: identify.and_then(|identify| identify.agent_version.clone()),
        protocols: identify.map(|identify| identify.protocols.clone()).unwrap_or_default(),
        listen_addresses: identify.map(|identify| texts(&identify.listen_addrs)).unwrap_or_default(),
        observed_address: identify
            .and_then(|identify| identify.observed_addr.as_ref())
            .map(Multiaddr::to_string),
        addresses: probes.iter().map(AddressRow::of).collect(),
    }
}
