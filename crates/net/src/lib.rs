//! Live peers over libp2p transports: dial, listen, secure, multiplex, identify, kad streams.
//!
//! The protocol itself does no IO and reads no clock: [`session::Session`] turns bytes into events and orders into
//! bytes, for both roles. Around it are two thin drivers on tokio's sockets:
//!
//! * [`Host`] dials over TCP, WebSocket (plain and over TLS) and QUIC, with Noise or TLS, by IP addresses and by names. It
//!   implements [`kad::network::Network`], so that a crawler, a monitor or a lookup runs on it:
//!   `Host::new(HostConfig::new(identity, Addresses::Loopback))?`.
//! * [`serve::listen`] answers for any number of [`serve::Head`]s behind one listening socket; the address that an
//!   accepted socket was reached at says which one was dialled. [`serve::serve_connection`] does it for one socket.
//!
//! ```no_run
//! use std::{net::SocketAddr, sync::Arc};
//!
//! use kadscope_net::{
//!     Identity,
//!     serve::{self, Answer, Head, HeadProfile, ListenLimits, Request, Service},
//! };
//!
//! /// Answers every request with an empty message.
//! struct Empty;
//!
//! impl Service for Empty {
//!     async fn answer(&self, _: Request) -> Answer {
//!         Answer::Message(Vec::new())
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let profile = HeadProfile::new("example/1.0", &["/ipfs/kad/1.0.0"]);
//! let announced = ["/ip4/127.1.0.1/tcp/4001".parse()?];
//! let head = Arc::new(Head::new(Identity::generate()?, &profile, &announced, Empty));
//! // A fault: `head.with_disruption(Disruption { phase: Phase::Secure, action: Action::Reset })`.
//! // A distance: `head.with_pace(Pace { accept: Duration::ZERO, flight: Duration::from_millis(100) })`.
//! let here: SocketAddr = "127.1.0.1:4001".parse()?;
//! let listener = serve::bind("0.0.0.0:4001".parse()?)?;
//! // Runs until it is dropped.
//! serve::listen(listener, move |local| (local == here).then(|| Arc::clone(&head)), ListenLimits::default()).await;
//! # Ok(())
//! # }
//! ```
//!
//! Who a peer is prove Noise, or TLS with libp2p's certificates, always inside of what a transport brings along: the
//! certificate of a secure WebSocket is looked at, and none is refused.
//!
//! What a request means is left to others: this crate carries kad messages as bytes.

pub mod admission;
pub mod dial;
pub mod error;
pub mod fabric;
pub mod identity;
pub mod serve;
pub mod session;

mod attempt;
mod carrier;
mod config;
mod connection;
mod duplex;
mod failure;
mod faults;
mod foreign;
mod gateway;
mod interface;
mod introduction;
mod key;
mod limits;
mod link;
mod lost;
mod multistream;
mod names;
mod noise;
mod pacing;
mod persona;
mod quic;
mod registry;
mod socket;
mod source;
mod tcp;
mod tcp_info;
mod tls;
mod wire;
mod ws;
mod yamux;

pub use kad::policy::Addresses;

pub use crate::{
    admission::Bounds,
    config::{DialConfig, FabricConfig, HostConfig},
    connection::AnyConnection,
    dial::Host,
    error::NetError,
    fabric::SocketFabric,
    gateway::read_answer as read_gateway_answer,
    identity::Identity,
    introduction::{MAX_REQUEST_BYTES, quic_multiaddr, tcp_multiaddr, ws_multiaddr, wss_multiaddr},
    key::UnsupportedKey,
    limits::ListenLimits,
    names::{NameResolver, Names},
    pacing::{Pacing, Rate},
    registry::{Counted, Registered},
    source::Source,
    tls::{Authority, CertificateRefusal, NamedCertificate, Roots, RootsError, peer_of_certificate},
};
