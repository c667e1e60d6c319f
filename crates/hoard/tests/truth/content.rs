//! The share of content that is available, where it is known of every key.

use std::{sync::Arc, time::Duration};

use dht::{
    ANSWER_PATIENCE, BlockDesk, Finder, FinderTerms, Pool, PoolConfig, Probing, ProviderRecord, PublishTerms,
    Quest, Retrieval, TalkLimits,
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
use kadscope_hoard::content::{AvailabilityRule, ContentKey, ContentLooker, ContentSection, SamplingFrame};
use rand::{SeedableRng as _, rngs::StdRng, seq::index};
use testnet::{Scenario, SimNetwork};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ground::{Ground, key, publish};

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

#[tokio::test(start_paused = true)]
async fn the_share_that_is_available_is_what_it_is_and_samples_of_it_hold_it() {
    let toml = "seed = 8\npeers = 150\n[[holders]]\nname = 'nothing'\nshare = 0.3\nswallows = true";
    let ground = Ground::of(&Scenario::parse(toml, "content").expect("a scenario"));
    let there = ground.publisher(1).await;
    let elsewhere = finder(&member(&ground, 2).await);
    let world = ground.world();
    let other = world.addresses(world.bootstrap()[0]);
    let mut truths = Vec::new();
    for number in 0..60 {
        let (key, truth) = (key(number), Provided::ALL[[0, 0, 1, 2, 3, 4, 5][number as usize % 7]]);
        let address = |text: &str| vec![text.parse().expect("an address")];
        match truth {
            Provided::ByOneWhoIsThere => drop(publish(&there, &key).await),
            Provided::ByOneWhoIsGone => {
                give(&ground, &elsewhere, &key, address("/ip4/127.0.0.1/tcp/9")).await;
            }
            Provided::WhereAnotherIs => give(&ground, &elsewhere, &key, other.clone()).await,
            Provided::BehindNat => give(&ground, &elsewhere, &key, address("/ip4/10.0.0.7/tcp/4001")).await,
            Provided::WithoutAddresses => give(&ground, &elsewhere, &key, Vec::new()).await,
            Provided::ByNobody => {}
        }
        truths.push(truth);
    }
    let network = member(&ground, 3).await;
    let probing = Probing {
        protocols: Arc::from([AMINO_PROTOCOL.to_owned()]),
        patience: ANSWER_PATIENCE,
        limits: TalkLimits::default(),
    };
    let retrieval = Retrieval { network, desk: Arc::new(BlockDesk::default()), probing, cid: None };
    let looker =
        ContentLooker { finder: finder(&member(&ground, 4).await), retrieval, from: ground.bootstrap() };
    let mut keys = Vec::new();
    for (number, truth) in (0..).zip(&truths) {
        let look = looker.look(&key(number), (0, ground.elapsed()), &CancellationToken::new()).await;
        assert_eq!(look.verdict(), Some(truth.verdict()), "{number}: {truth:?}");
        keys.push(ContentKey { key: key(number), stratum: 0, looks: vec![look] });
    }
    let truth = truths.iter().filter(|truth| **truth == Provided::ByOneWhoIsThere).count();
    let share = |keys: &[ContentKey]| -> Proportion {
        let section = ContentSection::of(keys, SamplingFrame::Listed, &[]);
        let dialled = section.available.iter().find(|found| found.rule == AvailabilityRule::Dialled);
        dialled.expect("it is always there").share.expect("all is known")
    };
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
}
