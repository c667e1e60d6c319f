//! `kadscope demo --hydra`: heads over one belly in a network of this machine, and the truth beside what they answer.

use std::{fs, sync::Arc, time::Duration};

use ::hydra::{HeadConfig, Hydra, HydraConfig};
use anyhow::Context as _;
use dht::{ANSWER_PATIENCE, Finder, FinderTerms, Holder, Pool, PoolConfig, ProviderRecord, Quest};
use kad::{
    Contact, Key, Keypair, PeerId,
    lookup::{LookupKind, Rules},
};
use net::{Addresses, FabricConfig, Host, HostConfig, Identity, SocketFabric};
use serde::Serialize;
use store::{Belly, BellyConfig};
use testnet::{Scenario, World};
use tokio::time::Instant;

use super::{
    child::Child,
    judged::{self, Files},
};
use crate::{
    args::DemoArgs,
    bootstrap::{self, BootstrapAddress},
    clock,
    command::testnet::Announcement,
    exit::{Code, Failed},
    output, render,
    staying::Staying,
};

/// The scenario that is shown, and with how many peers.
const SCENARIO: &str = "healthy";
const PEERS: u32 = 60;

/// How many heads there are.
const HEADS: u64 = 5;

/// What is provided: the SHA-256 multihash of nothing.
const CONTENT: [u8; 34] = {
    let digest: [u8; 32] = [
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ];
    let mut multihash = [0; 34];
    multihash[0] = 0x12;
    multihash[1] = 32;
    let mut index = 0;
    while index < 32 {
        multihash[index + 2] = digest[index];
        index += 1;
    }
    multihash
};

/// How many peers are the closest to a key. Source: libp2p kad-dht specification, `k`.
const CLOSEST: usize = 20;

/// What became of a record that one head was given.
#[derive(Debug, Serialize)]
pub(crate) struct SharedRecord {
    /// How many peers the network has beside the heads.
    pub(crate) peers: u32,
    /// Who was given the record.
    pub(crate) given_to: String,
    /// What the others answer, who were given nothing.
    pub(crate) answers: Vec<HeadAnswer>,
    /// How many heads a lookup of the record's key found among the 20 closest peers.
    pub(crate) heads_found: usize,
    /// How many are among them, by the keys of all peers.
    pub(crate) heads_true: usize,
}

/// What a head answers.
#[derive(Debug, Serialize)]
pub(crate) struct HeadAnswer {
    /// Its index.
    pub(crate) index: u64,
    /// Who it is.
    pub(crate) peer_id: String,
    /// Whether it has the record.
    pub(crate) has_record: bool,
    /// Whether it gives the provider's addresses with it.
    pub(crate) with_addresses: bool,
    /// How long connecting and asking took, in milliseconds.
    pub(crate) took_ms: f64,
}

pub(super) async fn demonstrate(args: DemoArgs, staying: &Staying) -> anyhow::Result<Code> {
    let name = args.scenario.clone().unwrap_or_else(|| SCENARIO.to_owned());
    let args = DemoArgs { peers: Some(args.peers.unwrap_or(PEERS)), ..args };
    Scenario::named_or_load(&name)?;
    fs::create_dir_all(&args.dir).map_err(|error| {
        Failed::usage(format!("cannot make the directory {}: {error}", args.dir.display()))
    })?;
    let files = Files::in_directory(&args.dir, false);
    output::note("starting a network, and heads in it");
    let child = staying.unless_stopped(Child::start(&args, &name, &files)).await??;
    let announcement = child.announcement();
    let first = first_peers(announcement).await?;
    let hydra = staying.unless_stopped(Box::pin(join(announcement, first.clone()))).await??;
    let shown = staying.unless_stopped(Box::pin(show(&hydra, announcement, first))).await;
    hydra.leave().await;
    let world = judged::world(announcement)?;
    child.end().await;
    let (mut shown, heads) = shown??;
    shown.heads_true = among_closest(&world, &heads);
    if args.json {
        output::print_json(&shown)?;
    } else {
        output::print_text(&render::heads(&shown, output::Style::of_stdout()))?;
    }
    let is_shared = shown.answers.iter().all(|answer| answer.has_record && answer.with_addresses);
    Ok(staying.code(is_shared))
}

/// The peers to begin with.
async fn first_peers(announcement: &Announcement) -> anyhow::Result<Vec<Contact>> {
    let given = announcement.bootstrap.iter().map(|address| address.parse());
    let given: Vec<BootstrapAddress> =
        given.collect::<Result<_, String>>().map_err(anyhow::Error::msg).context("of the testnet")?;
    Ok(bootstrap::gather(&given, &host()?.0).await?)
}

/// A peer of ours that asks, and who it is.
fn host() -> anyhow::Result<(Host, PeerId)> {
    let identity = Identity::generate()?;
    let own = identity.peer_id();
    let host = Host::new(HostConfig::new(identity, Addresses::Loopback));
    Ok((host.context("could not open a socket to dial from")?, own))
}

/// Heads in the network, once those who should know them do.
async fn join(announcement: &Announcement, first: Vec<Contact>) -> anyhow::Result<Hydra<Host>> {
    let head = |index| {
        let listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
        let listen = listen.iter().filter_map(|address| address.parse().ok()).collect();
        HeadConfig { index, keypair: Keypair::generate_ed25519(), listen, announce: Vec::new() }
    };
    let protocols: Arc<[String]> = [announcement.protocol.clone()].into();
    let belly = Belly::in_memory(&BellyConfig::default());
    let mut config = HydraConfig::new((0..HEADS).map(head).collect(), protocols, belly, clock::since_epoch());
    config.bootstrap = first;
    config.seed = announcement.seed;
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let hydra = Hydra::join(&fabric, config).await.context("the heads cannot join")?;
    hydra.announced(1).await;
    Ok(hydra)
}

/// Gives one head a record, asks the others for it, and looks its key up as anybody would.
async fn show(
    hydra: &Hydra<Host>,
    announcement: &Announcement,
    first: Vec<Contact>,
) -> anyhow::Result<(SharedRecord, Vec<PeerId>)> {
    let heads: Vec<_> = hydra.heads().iter().map(|head| (head.index(), head.contact())).collect();
    let (host, own) = host()?;
    let protocols: Arc<[String]> = [announcement.protocol.clone()].into();
    let terms = FinderTerms { own, protocols, patience: ANSWER_PATIENCE };
    let finder = Finder::new(Pool::new(host, PoolConfig::default()), terms);
    let addrs = "/ip4/127.0.0.1/tcp/4001".parse().into_iter().collect();
    let record = ProviderRecord { key: CONTENT.to_vec(), provider: Contact { peer: own, addrs } };
    let stop = tokio_util::sync::CancellationToken::new();
    let (Some((_, given)), others) = (heads.first(), heads.get(1..).unwrap_or_default()) else {
        anyhow::bail!("there is no head");
    };
    let holders = finder.give_to(&record, [given.clone()], &stop).await;
    holders.iter().try_for_each(|holder| holder.sent.clone()).map_err(|failure| {
        Failed::network(format!("the head {} was not given the record: {failure}", given.peer))
    })?;
    // What was given has no answer: it is there once the head itself has it.
    finder.read_back(&record, &holders, Instant::now() + Duration::from_secs(5), &stop).await;
    let mut answers = Vec::new();
    for (index, contact) in others {
        let (asked, begun) = ([Holder { contact: contact.clone(), sent: Ok(()) }], Instant::now());
        let said = finder.read_back(&record, &asked, begun, &stop).await;
        let has = said.into_iter().find_map(|said| said.has.ok()).flatten();
        answers.push(HeadAnswer {
            index: *index,
            peer_id: contact.peer.to_string(),
            has_record: has.is_some(),
            with_addresses: has == Some(true),
            took_ms: begun.elapsed().as_secs_f64() * 1e3,
        });
    }
    let quest = Quest { kind: LookupKind::Closest, key: CONTENT.to_vec(), from: first, rules: Rules::go() };
    let found = finder.find(quest, |_| false, |_, _| {}, &stop).await;
    let ids: Vec<_> = heads.iter().map(|(_, contact)| contact.peer).collect();
    let heads_found = found.outcome.closest.iter().filter(|closest| ids.contains(&closest.peer)).count();
    let given_to = given.peer.to_string();
    Ok((SharedRecord { peers: announcement.peers, given_to, answers, heads_found, heads_true: 0 }, ids))
}

/// How many of the heads are among the peers closest to the content, by the keys of all of them.
fn among_closest(world: &World, heads: &[PeerId]) -> usize {
    let content = Key::of(&CONTENT);
    let of_network = world.peers().map(|peer| (content.distance(&world.key(peer)), false));
    let of_heads = heads.iter().map(|head| (content.distance(&Key::of_peer(head)), true));
    let mut all: Vec<_> = of_network.chain(of_heads).collect();
    all.sort_unstable();
    all.iter().take(CLOSEST).filter(|(_, is_head)| *is_head).count()
}
