//! Bare dials, and one question over each: what the holders of a key cost, whatever else a round does.

use std::{sync::Arc, time::Duration};

use dht::{ApartAsk, ApartQuestion, AsksOnly, ask_apart};
use futures_util::future::join_all;
use kad::{
    Keypair,
    fabric::{Fabric as _, Inward, Says, Terms},
    message::{AMINO_PROTOCOL, MAX_MESSAGE_BYTES, Message, MessageType},
    network::{Connection as _, Network as _},
};
use net::{Addresses, FabricConfig, Host, SocketFabric};

use crate::ground::Living;

/// Somebody who asks.
pub(crate) struct Asking<'a> {
    host: Host,
    living: &'a Living,
}

impl<'a> Asking<'a> {
    pub(crate) async fn join(living: &'a Living) -> Self {
        let terms = Terms {
            keypair: Keypair::generate_ed25519(),
            says: Says { agent: "kadscope-bench/1".to_owned(), ..Says::default() },
            listen: Vec::new(),
            inward: Inward::Served,
        };
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        Self { host: fabric.join(terms, Arc::new(AsksOnly)).await.expect("a place"), living }
    }

    /// Dials the holders of a key, all at once, and hangs up, or asks each for the record before.
    pub(crate) async fn ask(&self, key: &[u8], asks: bool) {
        let question = ApartQuestion {
            protocols: Arc::from([AMINO_PROTOCOL.to_owned()]),
            ask: ApartAsk::Message(Message::new(MessageType::GetProviders, key.to_vec()).encode().into()),
            dial_within: Duration::from_secs(10),
            patience: Duration::from_secs(10),
            answer_bytes: MAX_MESSAGE_BYTES,
            identifies: false,
        };
        let one = |holder: kad::Contact| {
            let question = &question;
            async move {
                if asks {
                    let asked = ask_apart(&self.host, &holder, question).await;
                    asked.said.expect("a connection").answer.expect("an answer");
                } else {
                    let dial = self.host.connect(holder.peer, holder.addrs).await;
                    dial.connection.expect("a connection").close().await;
                }
            }
        };
        join_all(self.living.closest(key).into_iter().map(one)).await;
    }
}
