//! The share of content that is available, where it is known of every key: of studies of what others provide, over hours.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crawl::Clock;
use dht::{
    ANSWER_PATIENCE, BlockDesk, Finder, FinderTerms, Node, NodeConfig, NodeProfile, Pool, PoolConfig,
    ProviderRecord, PublishTerms, Quest,
};
use estimate::Proportion;
use kad::{
    Contact, Keypair, Multiaddr, Persistence,
    fabric::{Fabric, Inward, Says, Terms},
    lookup::{LookupKind, Rules},
    message::AMINO_PROTOCOL,
    network::Network,
    retrieval::RetrievalVerdict,
};
use kadscope_hoard::{
    Hoard, HoardEnd, HoardFact, HoardNow, HoardOutlets, HoardPlan, KeyRound, Resumed, Study, StudyDetail,
    StudyKeyBytes,
    content::{AvailabilityRule, ContentFrame, ContentKey, ContentSection, SamplingFrame, content_keys},
    hoard_peers, hoard_rows,
};
use rand::{SeedableRng as _, rngs::StdRng, seq::index};
use schema::{PeerNumber, RoundEnd, Row, RunEnd, RunId, RunStart, RunState, Timestamp, Tool};
use store::{Limits, Store, StoreUrl};
use testnet::{Scenario, SimNetwork};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::ground::{Ground, NEVER, NOW, key, publish};

const HOUR: Duration = Duration::from_secs(3600);

/// When the studies begin, by their clock.
const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// What is true of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provided {
    /// Its provider is there.
    ByOneWhoIsThere,
    /// Nobody is at its provider's address.
    ByOneWhoIsGone,
    /// Another peer is.
    WhereAnotherIs,
    /// The address is of a private network, as of one behind a NAT.
    BehindNat,
    /// The record was given without any address.
    WithoutAddresses,
    ByNobody,
}

impl Provided {
    const ALL: [Self; 6] = [
        Self::ByOneWhoIsThere,
        Self::ByOneWhoIsGone,
        Self::WhereAnotherIs,
        Self::BehindNat,
        Self::WithoutAddresses,
        Self::ByNobody,
    ];

    /// What a look should say.
    const fn verdict(self) -> RetrievalVerdict {
        match self {
            Self::ByOneWhoIsThere => RetrievalVerdict::NoContent,
            Self::ByOneWhoIsGone => RetrievalVerdict::Refused,
            Self::WhereAnotherIs => RetrievalVerdict::OtherPeer,
            // Servers keep no address that cannot be dialled.
            Self::BehindNat => RetrievalVerdict::NoAddresses,
            // And no record that came without any.
            Self::WithoutAddresses | Self::ByNobody => RetrievalVerdict::NoRecord,
        }
    }
}

/// A network in which some keep nothing.
const WORLD: &str = "seed = 8\npeers = 150\n[[holders]]\nname = 'nothing'\nshare = 0.3\nswallows = true";

/// Somebody of ours that only dials.
async fn member(ground: &Ground, number: u8) -> SimNetwork {
    let terms = Terms {
        keypair: Keypair::ed25519_from_bytes([number; 32]).expect("any 32 bytes are a key"),
        says: Says::default(),
        listen: Vec::new(),
        inward: Inward::HandedOut,
    };
    ground.fabric.join(terms, Arc::new(BlockDesk::default())).await.expect("joins")
}

fn finder(network: &SimNetwork) -> Finder<SimNetwork> {
    let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
    let terms = FinderTerms { own: network.local(), protocols, patience: ANSWER_PATIENCE };
    Finder::new(Pool::new(network.clone(), PoolConfig::default()), terms)
}

/// Gives the record of a key, with these addresses.
async fn give(ground: &Ground, finder: &Finder<SimNetwork>, key: &[u8], addrs: Vec<Multiaddr>) {
    let provider = Contact { peer: finder.terms().own, addrs };
    let quest =
        Quest { kind: LookupKind::Closest, key: key.to_vec(), from: ground.bootstrap(), rules: Rules::go() };
    let terms =
        PublishTerms { deadline: Instant::now() + Duration::from_secs(60), persistence: Persistence::Go };
    let record = ProviderRecord { key: key.to_vec(), provider };
    let mut publication = finder.publish(&record, quest, terms, &CancellationToken::new()).await;
    publication.settle().await;
    assert_eq!(publication.outcome, Ok(()));
}

/// Every key's record is given as its truth says. Whoever is there is so until it is let go.
async fn provided(ground: &Ground, count: u32) -> (Vec<Provided>, Node<SimNetwork>) {
    let there = ground.publisher(1).await;
    let elsewhere = finder(&member(ground, 2).await);
    let world = ground.world();
    let other = world.addresses(world.bootstrap()[0]);
    let mut truths = Vec::new();
    for number in 0..count {
        let (key, truth) = (key(number), Provided::ALL[[0, 0, 1, 2, 3, 4, 5][number as usize % 7]]);
        let address = |text: &str| vec![text.parse().expect("an address")];
        match truth {
            Provided::ByOneWhoIsThere => drop(publish(&there, &key).await),
            Provided::ByOneWhoIsGone => {
                give(ground, &elsewhere, &key, address("/ip4/127.0.0.1/tcp/9")).await;
            }
            Provided::WhereAnotherIs => give(ground, &elsewhere, &key, other.clone()).await,
            Provided::BehindNat => give(ground, &elsewhere, &key, address("/ip4/10.0.0.7/tcp/4001")).await,
            Provided::WithoutAddresses => give(ground, &elsewhere, &key, Vec::new()).await,
            Provided::ByNobody => {}
        }
        truths.push(truth);
    }
    (truths, there)
}

/// A plan that watches so many keys.
fn watching(count: u32, span: Duration) -> HoardPlan {
    let keys = (0..count).map(|number| StudyKeyBytes(key(number))).collect();
    let frame =
        ContentFrame { words: "all keys".to_owned(), kind: SamplingFrame::Listed, keys: count.into() };
    let plan = HoardPlan { seed: 5, ..HoardPlan::watching(keys, frame, (HOUR, span)) };
    assert_eq!(plan.check(), Ok(()));
    plan
}

/// Makes a study, or goes on with one, and returns what it told; killed after a time, if one is said.
async fn watched(
    ground: &Ground,
    plan: &HoardPlan,
    (clock, resumed): (Clock, Option<Resumed>),
    killed_after: Option<Duration>,
) -> Vec<HoardFact> {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: "study/1".to_owned(), protocols, announce: Vec::new() };
    let node = NodeConfig {
        bootstrap: ground.bootstrap(),
        refresh: NEVER,
        ..NodeConfig::new(Keypair::generate_ed25519(), profile, NOW)
    };
    let (facts, mut told) = mpsc::channel(1024);
    let (now, _) = watch::channel(HoardNow::default());
    let outlets = HoardOutlets { facts, now, cancel: CancellationToken::new() };
    let study = Hoard::new(ground.fabric.clone(), plan.clone(), node, clock);
    let run = tokio::spawn(study.run(resumed, outlets));
    let dies = killed_after.map_or(NEVER, |after| after);
    let mut all = Vec::new();
    let telling = async {
        while let Some(fact) = told.recv().await {
            all.push(fact);
        }
    };
    if tokio::time::timeout(dies, telling).await.is_err() {
        run.abort();
        drop(run.await);
    } else {
        assert_eq!(run.await.expect("no panic").expect("a study").end, HoardEnd::Done);
    }
    all
}

fn open(directory: &tempfile::TempDir) -> Store {
    let url = StoreUrl::Sqlite(directory.path().join("study.sqlite"));
    Store::open_with(&url, Limits::default()).expect("it opens").expect("a store")
}

/// Keeps what a run told.
fn kept(
    directory: &tempfile::TempDir,
    plan: &HoardPlan,
    (number, before): (u8, Option<RunId>),
    facts: &[HoardFact],
) -> RunId {
    let started_at = START.after(Duration::from_secs(number.into()));
    let id = RunId::new(started_at, [number; 10]);
    let continues = before.map(|run| run.to_string());
    let start = RunStart {
        id,
        tool: Tool::Hoard,
        network: "made".to_owned(),
        started_at,
        version: "0.1.0".to_owned(),
        seed: plan.seed,
        vantage: String::new(),
        parameters: serde_json::json!({ "plan": plan, "continues": continues }),
    };
    let mut numbers = BTreeMap::new();
    let mut rows: Vec<Row> = Vec::new();
    for fact in facts {
        for peer in hoard_peers(fact) {
            let next = PeerNumber(u32::try_from(numbers.len()).expect("few"));
            if *numbers.entry(peer).or_insert(next) == next {
                rows.push(Row::Peer(next, peer));
            }
        }
        rows.extend(hoard_rows(fact, &|peer| numbers.get(peer).copied()));
    }
    // By a thread with a clock of its own: in this one no time passes meanwhile.
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let store = open(directory);
                let writer = store.begin_run(&start).expect("a run");
                let sender = writer.sender();
                for row in rows {
                    sender.send(row).await.expect("it is kept");
                }
                drop(sender);
                let finished_at = started_at.after(HOUR);
                let end = RunEnd { finished_at, state: RunState::Succeeded, summary: serde_json::json!({}) };
                writer.finish(end).await.expect("it is kept");
            });
        });
        writing.join().expect("no panic");
    });
    id
}

fn rounds(facts: &[HoardFact]) -> impl Iterator<Item = &KeyRound> {
    facts.iter().filter_map(|fact| match fact {
        HoardFact::Round(round) if round.round > 0 => Some(&**round),
        _ => None,
    })
}

fn share(keys: &[ContentKey]) -> Proportion {
    let section = ContentSection::of(keys, ContentFrame::unsaid(60), &[]);
    let dialled = section.available.iter().find(|found| found.rule == AvailabilityRule::Dialled);
    dialled.expect("it is always there").share.expect("all is known")
}

#[tokio::test(start_paused = true)]
async fn the_share_that_is_available_is_what_it_is_and_samples_of_it_hold_it() {
    let ground = Ground::of(&Scenario::parse(WORLD, "content").expect("a scenario"));
    let (truths, _there) = provided(&ground, 60).await;
    let plan = watching(60, 3 * HOUR);
    let facts = watched(&ground, &plan, (Clock::started_at(START), None), None).await;
    assert_eq!(rounds(&facts).count(), 60 * 3, "the first at once, then every hour");
    assert!(
        facts.iter().all(|fact| !matches!(fact, HoardFact::PublisherLeft(_))),
        "nobody of ours published"
    );
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    let run = kept(&directory, &plan, (1, None), &facts);
    let study = Study::read(&store, run, StudyDetail::Responses).expect("a study");
    assert_eq!(study.frame(), plan.frame);
    let keys = content_keys(&study);
    for (seen, (number, truth)) in keys.iter().zip((0..).zip(&truths)) {
        assert_eq!((&seen.key, seen.looks.len()), (&key(number), 3));
        for look in &seen.looks {
            assert_eq!(look.verdict(), Some(truth.verdict()), "{number}: {truth:?}");
        }
    }
    let truth = truths.iter().filter(|truth| **truth == Provided::ByOneWhoIsThere).count();
    assert_eq!((share(&keys).hits, share(&keys).n), (truth as u64, 60));
    // Samples that are drawn with replacement, as from a frame without end of which this is true.
    let truth = truth as f64 / 60.0;
    let held = (0..1000).filter(|seed| {
        let mut rng = StdRng::seed_from_u64(*seed);
        let sample: Vec<_> = (0..40).map(|_| keys[index::sample(&mut rng, 60, 1).index(0)].clone()).collect();
        let share = share(&sample);
        share.low <= truth && truth <= share.high
    });
    let coverage = held.count() as f64 / 1000.0;
    assert!((0.93..=0.98).contains(&coverage), "{coverage}");
    // Read without what each answered, nobody says of a key that nobody provides it.
    let study = Study::read(&store, run, StudyDetail::Sights).expect("a study");
    assert!(content_keys(&study).iter().all(|key| key.looks.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_study_of_content_that_is_killed_goes_on_with_no_look_lost_or_doubled() {
    let ground = Ground::of(&Scenario::parse(WORLD, "content").expect("a scenario"));
    let (truths, _there) = provided(&ground, 14).await;
    let (plan, clock) = (watching(14, 4 * HOUR), Clock::started_at(START));
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    let (mut before, mut resumed) = (None, None);
    // While keys are taken in, in the middle, and to the end.
    for (number, killed_after) in [(1, Some(HOUR / 2)), (2, Some(HOUR)), (3, None)] {
        let facts = watched(&ground, &plan, (clock, resumed.take()), killed_after).await;
        let run = kept(&directory, &plan, (number, before), &facts);
        resumed = Some(Study::read(&store, run, StudyDetail::Sights).expect("a study").resumed());
        before = Some(run);
    }
    let study = Study::read(&store, before.expect("three runs"), StudyDetail::Responses).expect("a study");
    assert_eq!(
        (study.keys.len(), study.passed_over.repeated_rounds, study.passed_over.repeated_keys),
        (14, 0, 0)
    );
    for key in &study.keys {
        let numbers: Vec<u32> =
            key.rounds.iter().map(|round| round.round).filter(|round| *round > 0).collect();
        assert_eq!(numbers, [1, 2, 3, 4], "of key {}", key.position);
        assert!(key.rounds.iter().all(|round| round.end == RoundEnd::Whole));
    }
    let keys = content_keys(&study);
    let known = |number: u32| keys.iter().find(|seen| seen.key == key(number)).expect("it was watched");
    for (number, truth) in (0..).zip(&truths) {
        assert!(known(number).looks.iter().all(|look| look.verdict() == Some(truth.verdict())), "{truth:?}");
    }
}
