//! A client that asks heads, and what they answer.

use std::sync::Arc;

use dht::{Ask, Awaits, Pool, PoolConfig};
use kad::{
    Contact, Keypair, PeerId,
    answer::Answer,
    fabric::{Fabric, Inward, Request, Says, Service, Terms},
    message::{AMINO_PROTOCOL, Message, MessageType, Peer},
};
use testnet::{SimFabric, SimNetwork};
use tokio_util::sync::CancellationToken;

use super::minutes;

/// A client of the network: it asks, and serves nothing.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: PeerId,
    pool: Pool<SimNetwork>,
}

struct Mute;

impl Service for Mute {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

impl Client {
    pub(crate) async fn on(fabric: &SimFabric) -> Self {
        let keypair = Keypair::generate_ed25519();
        let id = keypair.public().to_peer_id();
        let addresses = vec!["/ip4/127.0.0.1/tcp/4321".parse().expect("an address")];
        let says = Says { agent: "client/1".to_owned(), kad_protocols: Vec::new(), addresses };
        let terms = Terms { keypair, says, listen: Vec::new(), inward: Inward::Served };
        let network = fabric.join(terms, Arc::new(Mute)).await.expect("a client");
        Self { id, pool: Pool::new(network, PoolConfig::default()) }
    }

    /// The peer that it is.
    pub(crate) const fn network(&self) -> &SimNetwork {
        self.pool.network()
    }

    /// The answer to a message; `None` if there is none.
    pub(crate) async fn ask(&self, to: &Contact, message: &Message) -> Option<Message> {
        let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
        let awaits = if message.kind == MessageType::AddProvider { Awaits::End } else { Awaits::Message };
        let ask = Ask { protocols, message: Some(message.encode().into()), awaits, patience: minutes(1) };
        let exchange = self.pool.request(to, ask, &CancellationToken::new(), || {}).await;
        exchange.answer().map(|answer| Message::decode(answer).expect("a message"))
    }

    /// Who a head says is closest to a key.
    pub(crate) async fn find_node(&self, to: &Contact, key: &[u8]) -> Vec<Peer> {
        let answer = self.ask(to, &Message::new(MessageType::FindNode, key.to_vec())).await;
        answer.expect("an answer").closer_peers
    }

    /// The same of somebody who may not answer.
    pub(crate) async fn try_find_node(&self, to: &Contact, key: &[u8]) -> Option<Vec<Peer>> {
        let answer = self.ask(to, &Message::new(MessageType::FindNode, key.to_vec())).await;
        answer.map(|answer| answer.closer_peers)
    }

    /// Tells a head that this client provides a key, at these addresses.
    pub(crate) async fn provide(&self, to: &Contact, key: &[u8], addrs: &[&str]) {
        let mut message = Message::new(MessageType::AddProvider, key.to_vec());
        let addrs: Vec<_> = addrs.iter().map(|addr| addr.parse().expect("an address")).collect();
        message.provider_peers = vec![Peer::new(&self.id, &addrs)];
        self.ask(to, &message).await;
    }

    /// Who provides a key, as a head says.
    pub(crate) async fn providers(&self, to: &Contact, key: &[u8]) -> Vec<Peer> {
        let answer = self.ask(to, &Message::new(MessageType::GetProviders, key.to_vec())).await;
        answer.expect("an answer").provider_peers
    }
}
