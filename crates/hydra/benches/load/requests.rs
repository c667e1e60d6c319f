//! What is asked: requests of each type, and mixes of them.

use std::fmt;

use kad::{
    Keypair, Multiaddr, PeerId,
    message::{Message, MessageType, Peer, Record},
};

/// How many different requests there are of a kind; they come round again.
const DIFFERENT: u32 = 4_096;

/// How many public keys there are to be kept and asked for.
const VALUES: u32 = 256;

/// How many announcements, which have no answer, come before a PING that has one.
const UNANSWERED: usize = 32;

/// A kind of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    FindNode,
    GetProvidersHit,
    GetProvidersMiss,
    AddProvider,
    PutValue,
    GetValue,
    /// Of ten requests four are FIND_NODE, three GET_PROVIDERS (two of which find something), two `ADD_PROVIDER` and one
    /// `GET_VALUE`.
    Mix,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Ping,
        Self::FindNode,
        Self::GetProvidersHit,
        Self::GetProvidersMiss,
        Self::AddProvider,
        Self::PutValue,
        Self::GetValue,
        Self::Mix,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ping => "PING",
            Self::FindNode => "FIND_NODE",
            Self::GetProvidersHit => "GET_PROVIDERS hit",
            Self::GetProvidersMiss => "GET_PROVIDERS miss",
            Self::AddProvider => "ADD_PROVIDER",
            Self::PutValue => "PUT_VALUE",
            Self::GetValue => "GET_VALUE",
            Self::Mix => "mix",
        }
    }

    pub(crate) const fn is_spoken_by_go(self) -> bool {
        matches!(
            self,
            Self::Ping | Self::FindNode | Self::GetProvidersHit | Self::GetProvidersMiss | Self::AddProvider
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is sent at once and ends with an answer.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<Vec<u8>>,
    /// How many requests it counts for.
    pub(crate) requests: u32,
}

impl Batch {
    fn one(message: &Message) -> Self {
        Self { messages: vec![message.encode()], requests: 1 }
    }
}

/// The requests of one peer, which come round again.
#[derive(Debug)]
pub(crate) struct Requests {
    batches: Vec<Batch>,
    next: usize,
}

impl Requests {
    /// Those of a kind; what is to be found must be [kept](Self::to_be_found) first.
    pub(crate) fn of(kind: Kind, asker: PeerId, number: u32) -> Self {
        let batches = match kind {
            Kind::Mix => mix(asker, number),
            Kind::AddProvider => adds(asker, number),
            Kind::PutValue | Kind::GetValue => (0..VALUES).map(|n| Batch::one(&value(kind, n))).collect(),
            _ => (0..DIFFERENT).map(|n| Batch::one(&asked(kind, n + number))).collect(),
        };
        Self { batches, next: 0 }
    }

    /// What must be kept before anything can be found.
    pub(crate) fn to_be_found(asker: PeerId) -> Self {
        let adds = (0..DIFFERENT).collect::<Vec<_>>();
        let adds = adds.chunks(UNANSWERED).map(|keys| add(asker, keys.iter().map(|n| key("hit", *n))));
        let puts = (0..VALUES).map(|n| Batch::one(&value(Kind::PutValue, n)));
        Self { batches: adds.chain(puts).collect(), next: 0 }
    }

    /// How many requests a batch is, as a mean.
    pub(crate) fn each(&self) -> f64 {
        let requests: u32 = self.batches.iter().map(|batch| batch.requests).sum();
        f64::from(requests) / f64::from(u32::try_from(self.len()).expect("few"))
    }

    pub(crate) fn len(&self) -> usize {
        self.batches.len()
    }

    pub(crate) fn next(&mut self) -> &Batch {
        let batch = &self.batches[self.next];
        self.next = (self.next + 1) % self.batches.len();
        batch
    }
}

/// A multihash of SHA-256: what an announced key is.
fn key(what: &str, number: u32) -> Vec<u8> {
    // Any bytes are a digest; servers hash the key once more.
    let mut key = vec![0x12, 32];
    key.extend(what.bytes().cycle().take(28));
    key.extend(number.to_be_bytes());
    key
}

fn asked(kind: Kind, number: u32) -> Message {
    match kind {
        Kind::Ping => Message::new(MessageType::Ping, Vec::new()),
        Kind::GetProvidersHit => Message::new(MessageType::GetProviders, key("hit", number % DIFFERENT)),
        Kind::GetProvidersMiss => Message::new(MessageType::GetProviders, key("miss", number)),
        _ => Message::new(MessageType::FindNode, key("node", number)),
    }
}

/// Announcements of keys, and the PING that has an answer.
fn add(asker: PeerId, keys: impl Iterator<Item = Vec<u8>>) -> Batch {
    let address: Multiaddr = "/ip4/127.0.0.1/tcp/4001".parse().expect("an address");
    let mut messages: Vec<_> = keys
        .map(|key| {
            let mut message = Message::new(MessageType::AddProvider, key);
            message.provider_peers = vec![Peer::new(&asker, std::slice::from_ref(&address))];
            message.encode()
        })
        .collect();
    let requests = u32::try_from(messages.len()).expect("few");
    messages.push(asked(Kind::Ping, 0).encode());
    Batch { messages, requests }
}

fn adds(asker: PeerId, number: u32) -> Vec<Batch> {
    let keys: Vec<_> = (0..DIFFERENT).collect();
    keys.chunks(UNANSWERED)
        .map(|keys| add(asker, keys.iter().map(|n| key("add", n + number * DIFFERENT))))
        .collect()
}

/// A public key, to be kept or asked for.
fn value(kind: Kind, number: u32) -> Message {
    let mut secret = [7; 32];
    secret[..4].copy_from_slice(&number.to_be_bytes());
    let public = Keypair::ed25519_from_bytes(secret).expect("any bytes").public();
    let key = [b"/pk/", &public.to_peer_id().to_bytes()[..]].concat();
    if kind == Kind::GetValue {
        return Message::new(MessageType::GetValue, key);
    }
    let mut message = Message::new(MessageType::PutValue, key.clone());
    let value = public.encode_protobuf();
    message.record = Some(Record { key, value, time_received: String::new() });
    message
}

fn mix(asker: PeerId, number: u32) -> Vec<Batch> {
    (0..DIFFERENT)
        .map(|n| match n % 10 {
            0..4 => Batch::one(&asked(Kind::FindNode, n + number)),
            4..6 => Batch::one(&asked(Kind::GetProvidersHit, n * 7 + number)),
            6 => Batch::one(&asked(Kind::GetProvidersMiss, n + number)),
            7 | 8 => {
                // Its answer is that of the PING behind it.
                let mut batch = add(asker, std::iter::once(key("mix", n + number * DIFFERENT)));
                batch.requests += 1;
                batch
            }
            _ => Batch::one(&value(Kind::GetValue, n % VALUES)),
        })
        .collect()
}
