//! QUIC version 1 as libp2p speaks it (`/quic-v1`), over quinn: dialling and listening.
//!
//! Certificates and who they belong to are the same as over TCP, in `crate::tls`; what is said on streams is the same as
//! over TCP, in `session::dialogue`; `stream` and `link` hold one connection with its streams, for both roles. `socket` and
//! `icmp` are what lies below quinn: large buffers, and hearing that nobody listens.

mod accepting;
mod dialer;
mod dials;
mod dormant;
mod fault;
#[cfg(target_os = "linux")]
mod icmp;
#[cfg(not(target_os = "linux"))]
#[path = "quic/no_icmp.rs"]
mod icmp;
mod link;
mod listener;
mod receiver;
mod socket;
mod stream;
mod tls;
mod transport;

pub(crate) use dialer::QuicDialer;
pub(crate) use dormant::Dormant;
pub(crate) use link::QuicLink;
pub(crate) use listener::{Configs, QuicListener, shake_hands};
pub use listener::{bind_quic, bind_quic_on};
pub use receiver::Receivers;
pub(crate) use tls::ClientTls;

#[cfg(test)]
mod tests;
