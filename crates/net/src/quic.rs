//! QUIC version 1 as libp2p speaks it (`/quic-v1`), over quinn: dialling and listening.
//!
//! Certificates and who they belong to are in `certificate`, `proof` and `tls`; what is said on streams is the same as
//! over TCP, in `dialogue`; `stream` and `link` hold one connection with its streams, for both roles. `socket` and
//! `icmp` are what lies below quinn: large buffers, and hearing that nobody listens.

pub(crate) mod certificate;
mod der;
mod dialer;
mod dialogue;
mod fault;
mod icmp;
mod link;
mod listener;
pub(crate) mod proof;
mod receiver;
mod socket;
mod stream;
pub(crate) mod tls;
mod transport;

pub use certificate::{Refusal as CertificateRefusal, peer_of_certificate};
pub(crate) use dialer::QuicDialer;
pub(crate) use link::QuicLink;
pub use listener::bind_quic;
pub(crate) use listener::{Configs, QuicListener, shake_hands};

#[cfg(test)]
mod tests;
