//! Providers that have a block, do not, send it, and say nothing, over sockets; and many that are never reached, in virtual time.

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Keypair, Multiaddr, PeerId,
    answer::Answer,
    bitswap::{BITSWAP_PROTOCOLS, BlockPresence},
    fabric::{Attending, Fabric, Inward, Member, OtherProtocol, PeerStream, Request, Says, Service, Terms},
    failure::FailureClass,
    gateway::GatewayReply,
    message::AMINO_PROTOCOL,
    network::{AddressOutcome, Connection, Network},
    protobuf::{write_bytes, write_number},
    retrieval::RetrievalVerdict,
};
use net::{Addresses, FabricConfig, Host, SocketFabric};
use testnet::{Scenario, SimConfig, SimNetwork, State, World};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{BlockDesk, ProviderSight, Retrieval};
use crate::{conversation::TalkLimits, finder::ANSWER_PATIENCE, probe::Probing};

const CID: &[u8] = &[0x12, 0x20, 7, 7, 7];

/// A provider that hands out what it is asked by this name of bitswap.
struct Provider {
    protocol: Option<&'static str>,
    asked: mpsc::Sender<Vec<u8>>,
}

impl Service for Provider {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }

    fn others(&self) -> Vec<OtherProtocol> {
        let protocol = |name: &str| OtherProtocol { name: name.to_owned(), max_message_bytes: 4096 };
        self.protocol.into_iter().map(protocol).collect()
    }

    fn attend(&self, mut stream: PeerStream) -> Option<Attending> {
        let asked = self.asked.clone();
        Some(Box::pin(async move {
            while let Some(message) = stream.hear().await {
                asked.send(message).await.unwrap();
            }
            Ok(())
        }))
    }
}

async fn join<S: Service>(fabric: &SocketFabric, listen: &[&str], service: Arc<S>) -> Host {
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: Says::default(),
        listen: listen.iter().map(|address| address.parse().unwrap()).collect(),
        inward: Inward::HandedOut,
    };
    fabric.join(terms, service).await.unwrap()
}

/// A message with the presence of a block.
fn says(cid: &[u8], kind: u64) -> Vec<u8> {
    let (mut presence, mut out) = (Vec::new(), Vec::new());
    write_bytes(&mut presence, 1, cid);
    write_number(&mut presence, 2, kind);
    write_bytes(&mut out, 4, &presence);
    out
}

/// What comes of asking a provider that answers so, on a stream of its own.
async fn asked(protocol: Option<&'static str>, answers: Vec<Vec<u8>>) -> Result<BlockPresence, FailureClass> {
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let desk = Arc::new(BlockDesk::default());
    let asker = join(&fabric, &[], Arc::clone(&desk)).await;
    let (sender, mut wanted) = mpsc::channel(1);
    let provider =
        join(&fabric, &["/ip4/127.0.0.1/tcp/0"], Arc::new(Provider { protocol, asked: sender })).await;
    let whom = Contact { peer: provider.local(), addrs: provider.listens() };
    let providing = tokio::spawn(async move {
        let mut connection = provider.accept().await.unwrap().connection;
        loop {
            tokio::select! {
                Some(want) = wanted.recv() => {
                    assert!(want.windows(CID.len()).any(|part| part == CID), "{want:?}");
                    let stream = connection.open(BITSWAP_PROTOCOLS[0], 4096);
                    for answer in &answers {
                        connection.send(stream, answer);
                    }
                }
                event = connection.next() => if event.is_err() { return },
            }
        }
    });
    let answer = desk.ask(&asker, &whom, CID, Duration::from_secs(2)).await;
    providing.await.unwrap();
    answer.map_err(|failure| failure.class)
}

#[tokio::test]
async fn a_provider_says_whether_it_has_the_block_on_a_stream_of_its_own() {
    for protocol in BITSWAP_PROTOCOLS {
        let other = says(&[1, 2], 1);
        assert_eq!(asked(Some(protocol), vec![other.clone(), says(CID, 0)]).await, Ok(BlockPresence::Have));
        assert_eq!(asked(Some(protocol), vec![other, says(CID, 1)]).await, Ok(BlockPresence::DontHave));
    }
    let mut block = Vec::new();
    write_bytes(&mut block, 3, b"a block");
    assert_eq!(asked(Some(BITSWAP_PROTOCOLS[0]), vec![block]).await, Ok(BlockPresence::Block));
}

#[tokio::test]
async fn what_a_provider_does_not_say_is_not_known() {
    let newest = Some(BITSWAP_PROTOCOLS[0]);
    assert_eq!(asked(newest, vec![says(&[1, 2], 0)]).await, Err(FailureClass::Timeout));
    assert_eq!(asked(newest, vec![vec![0xff; 9]]).await, Err(FailureClass::Malformed));
    assert_eq!(asked(None, Vec::new()).await, Err(FailureClass::ProtocolNotSupported));
}

/// Peers of a simulated network that are never reached, and how providers are looked at there.
fn unreachable(count: usize) -> (Retrieval<SimNetwork>, Vec<Contact>) {
    let toml = "peers = 100\n[[states]]\nstate = \"dropping\"\nshare = 0.8\n";
    let world = Arc::new(World::generate(&Scenario::parse(toml, "test").unwrap()));
    let silent = world.peers().filter(|&peer| world.state(peer) == State::Dropping).take(count);
    let contact = |peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let contacts: Vec<Contact> = silent.map(contact).collect();
    assert_eq!(contacts.len(), count);
    let network = SimNetwork::new(Arc::clone(&world), SimConfig::default());
    let probing = Probing {
        protocols: Arc::from([AMINO_PROTOCOL.to_owned()]),
        patience: ANSWER_PATIENCE,
        limits: TalkLimits::default(),
    };
    (Retrieval { network, desk: Arc::default(), probing, cid: Some(Arc::from(CID)) }, contacts)
}

async fn no_gateway(_: PeerId, address: Multiaddr) -> GatewayReply {
    GatewayReply { address, outcome: AddressOutcome::NotTried, took: None, answer: None }
}

#[tokio::test(start_paused = true)]
async fn providers_are_looked_at_side_by_side_and_none_any_more_once_it_is_stopped() {
    let (retrieval, providers) = unreachable(40);
    let go_on = CancellationToken::new();
    let begun = Instant::now();
    let one = retrieval.look_at_all(&providers[..1], no_gateway, &go_on).await;
    let alone = begun.elapsed();
    let verdict = |sight: &ProviderSight| sight.verdict().verdict;
    assert_eq!(one.iter().flatten().map(verdict).collect::<Vec<_>>(), [RetrievalVerdict::Unreachable]);
    let begun = Instant::now();
    let all = retrieval.look_at_all(&providers, no_gateway, &go_on).await;
    assert!(all.iter().all(|sight| sight.as_ref().map(verdict) == Some(RetrievalVerdict::Unreachable)));
    // Sixteen at a time.
    assert!((alone * 2..alone * 4).contains(&begun.elapsed()), "{:?} and {alone:?}", begun.elapsed());
    let stop = CancellationToken::new();
    let stopping = async {
        sleep(alone * 3 / 2).await;
        stop.cancel();
    };
    let (seen, ()) = tokio::join!(retrieval.look_at_all(&providers, no_gateway, &stop), stopping);
    assert_eq!((seen.len(), seen.iter().flatten().count()), (40, 16));
}
