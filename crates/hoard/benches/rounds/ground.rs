//! The network of a benchmark, all of it over one transport, and who lives there.

use std::{fmt, path::PathBuf};

use dht::FullTable;
use kad::{Contact, Multiaddr, message::K};
use multiaddr::Protocol;
use sha2::{Digest as _, Sha256};

use crate::network::Ground;

/// By what everything is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    Tcp,
    Quic,
}

impl Carried {
    pub(crate) const ALL: [Self; 2] = [Self::Tcp, Self::Quic];

    /// Anywhere on loopback.
    pub(crate) fn listen(self) -> Multiaddr {
        let text = match self {
            Self::Tcp => "/ip4/127.0.0.1/tcp/0",
            Self::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
        };
        text.parse().expect("an address")
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|carried| carried.to_string() == name)
    }
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        })
    }
}

/// A network in a process of its own.
pub(crate) struct Living {
    ground: Ground,
    file: PathBuf,
    table: FullTable,
}

impl Living {
    /// Begins one of so many peers.
    pub(crate) fn start(carried: Carried, peers: u32) -> Self {
        let file =
            std::env::temp_dir().join(format!("kadscope-rounds-{}-{carried}.toml", std::process::id()));
        std::fs::write(&file, format!("[transports]\n{carried} = 1.0\n")).expect("room for a file");
        let ground = Ground::start(file.to_str().expect("a text"), peers);
        let table = FullTable::of(ground.living());
        Self { ground, file, table }
    }

    /// The holders that a key has in truth.
    pub(crate) fn closest(&self, key: &[u8]) -> Vec<Contact> {
        self.table.closest(key, K)
    }

    /// Whom to begin with.
    pub(crate) fn bootstrap(&self) -> Vec<Contact> {
        let contact = |text: &str| {
            let mut address: Multiaddr = text.parse().expect("an address");
            let Some(Protocol::P2p(peer)) = address.pop() else { unreachable!("with an id") };
            Contact { peer, addrs: vec![address] }
        };
        self.ground.bootstrap().map(contact).collect()
    }

    pub(crate) fn stop(self) {
        self.ground.stop();
        std::fs::remove_file(self.file).expect("it was there");
    }
}

/// The key of this number.
pub(crate) fn key(number: u32) -> Vec<u8> {
    [&[0x12, 0x20][..], &Sha256::digest(number.to_be_bytes())].concat()
}
