//! Advertisements beside go-libipni, of which indexers and publishers are made: what is published here it verifies and finds, and what it
//! publishes our indexer for tests verifies.

use std::time::Duration;

use http::{HttpClient, HttpClientConfig, HttpRequest, HttpUrl};
use kad::Keypair;
use multibase::Base;
use perf::{
    ConnectionPolicy,
    indexer::{IndexerClient, IndexerConfig},
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    ipni::TestIndexer,
    program::{Network, command, peer_program},
};

const PROGRAM: &str = "bin/ipnipeer";

const WARM: ConnectionPolicy = ConnectionPolicy::Warm;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// What the library has taken.
#[derive(Debug, Deserialize)]
struct Taken {
    ads: Vec<TakenAd>,
    errors: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct TakenAd {
    provider: String,
    context: String,
    metadata: Vec<String>,
    removal: bool,
    hashes: Vec<String>,
}

fn url(text: &Value) -> HttpUrl {
    text.as_str().and_then(|text| text.parse().ok()).expect("a URL")
}

fn client() -> HttpClient {
    HttpClient::new(HttpClientConfig::default()).expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_here_the_library_verifies_and_finds() {
    let mut indexer = Network::start(&mut command(peer_program(PROGRAM), ["index"]));
    for key in [Keypair::generate_ed25519(), Keypair::generate_secp256k1()] {
        let peer = key.public().to_peer_id().to_string();
        let here = "127.0.0.1:0".parse().expect("an address");
        let mut config = IndexerConfig::new(url(&indexer.announcement()["url"]), here);
        config.addresses = vec!["/ip4/127.0.0.1/tcp/4001".parse().expect("an address")];
        (config.interval, config.farewell_time) = (Duration::from_millis(50), LONG);
        let server = IndexerClient::open(HttpClientConfig::default(), key, config).expect("a publisher");
        // Another content for each: what the library has it does not ask for again.
        for content in ["a", "b"] {
            let hash = [&[0x12, 32][..], &Sha256::digest(format!("{content} of {peer}"))].concat();
            let publication = server.publish(&hash, LONG, WARM).await;
            assert_eq!(publication.failure(), None, "{publication:?}");
            assert_eq!(publication.steps.len(), 4);
        }
        let farewell = server.close().await;
        assert_eq!((farewell.removed, farewell.fetched, farewell.failure), (2, 2, None));

        let taken: Taken = serde_json::from_value(indexer.obey("")).expect("what it has taken");
        assert_eq!(taken.errors, [""; 0]);
        let ads: Vec<_> = taken.ads.iter().filter(|ad| ad.provider == peer).collect();
        assert_eq!(ads.iter().map(|ad| ad.removal).collect::<Vec<_>>(), [false, false, true, true]);
        for (put, removal) in ads[..2].iter().zip(&ads[2..]) {
            assert!(put.context == removal.context && put.context.starts_with("parsec-"), "{put:?}");
            // The key, and a probe for each of two minutes in twentieths of a second, and one more.
            assert_eq!(
                (put.metadata.as_slice(), put.hashes.len()),
                (&["transport-bitswap".to_owned()][..], 2402)
            );
        }
    }
}

/// What our indexer finds of a multihash in hexadecimal: the metadata.
async fn metadata(indexer: &TestIndexer, hash: &str) -> Option<String> {
    let place = indexer.url().below(&format!("multihash/{hash}")).expect("a URL");
    let answer = client().send(HttpRequest::get(place)).await.expect("an answer");
    let found: Value = serde_json::from_slice(&answer.body).ok()?;
    found["MultihashResults"][0]["ProviderResults"][0]["Metadata"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_library_publishes_is_verified_here() {
    let indexer = TestIndexer::open();
    let url = indexer.url().to_string();
    let mut publisher = tokio::task::block_in_place(|| {
        Network::start(&mut command(peer_program(PROGRAM), ["publish", &url]))
    });
    let hashes: Vec<String> =
        serde_json::from_value(publisher.announcement()["hashes"].clone()).expect("multihashes");
    indexer.until(|indexer| indexer.hashes() == hashes.len()).await;
    for hash in &hashes {
        assert_eq!(metadata(&indexer, hash).await.as_deref(), Some("gBI="));
    }
    // In each form of an announcement.
    for (form, line) in [("json", "update"), ("cbor", "remove")] {
        publisher.obey(form);
        let answer = tokio::task::block_in_place(|| publisher.obey(line));
        let ad = answer["ad"].as_str().and_then(|text| text.parse().ok()).expect("an advertisement");
        indexer.until(|indexer| indexer.has_processed(&ad)).await;
        let found = metadata(&indexer, &hashes[0]).await;
        let gateway = Base::Base64Pad.encode([0x80, 0x12, 0xa0, 0x12, 0x00]);
        assert_eq!(found, (line == "update").then_some(gateway));
    }
    assert_eq!((indexer.hashes(), indexer.complaints()), (0, Vec::new()));
}
