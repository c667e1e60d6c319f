//! The limits of QUIC connections, for both roles.

use std::{sync::Arc, time::Duration};

use quinn::{ConnectionIdGenerator, EndpointConfig, IdleTimeout, TransportConfig, VarInt};
use quinn_proto::RandomConnectionIdGenerator;

/// How many streams a peer may have open with us at once; further ones wait until one ends. A peer uses two or three. Quinn has
/// a place for each from the beginning, some 40 bytes: for as many as over yamux (64) these were an eighth of a connection. With
/// two of our own they fill the 14 places of its tables.
pub(super) const MAX_INBOUND_STREAMS: u32 = 12;

/// What a peer may have under way to us on one stream, in bytes.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// What may be under way on one connection that we opened, in bytes, in each direction.
const DIALLED_WINDOW_BYTES: u32 = 1024 * 1024;

/// The same on one that a peer opened: what it sends without our reading it, and what we send without its hearing it, is
/// held for whoever likes to connect. Four of the longest requests.
const ACCEPTED_WINDOW_BYTES: u32 = 256 * 1024;

/// How long a connection may be silent, in milliseconds. Who measures time-outs of requests is above.
const IDLE_TIMEOUT_MS: u32 = 30_000;

/// What a round trip is taken for before one was measured (RFC 9002, section 6.2.2).
pub(super) const INITIAL_RTT: Duration = Duration::from_millis(333);

/// The length of the ids that we give to connections, all of it random.
const CONNECTION_ID_BYTES: usize = 8;

/// The one version that is spoken (RFC 9000).
const VERSION_1: u32 = 1;

/// The settings of connections that we open.
pub(super) fn dialled() -> Arc<TransportConfig> {
    transport(DIALLED_WINDOW_BYTES)
}

/// The settings of connections that peers open.
pub(super) fn accepted() -> Arc<TransportConfig> {
    transport(ACCEPTED_WINDOW_BYTES)
}

/// The transport's settings. Everything that a peer can make us hold has a bound; nothing is sent to keep a
/// connection alive. Packets stay at the size that every path carries: a visit is too short for finding a larger one.
fn transport(window_bytes: u32) -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(MAX_INBOUND_STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(window_bytes))
        .send_window(window_bytes.into())
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_TIMEOUT_MS))))
        .initial_rtt(INITIAL_RTT)
        .keep_alive_interval(None::<Duration>)
        .datagram_receive_buffer_size(None)
        .mtu_discovery_config(None)
        .allow_spin(false);
    Arc::new(config)
}

/// The endpoint's settings.
pub(super) fn endpoint() -> EndpointConfig {
    let mut config = EndpointConfig::default();
    config.supported_versions(vec![VERSION_1]);
    config.cid_generator(|| Box::new(connection_ids()));
    config
}

/// Connection ids that do not come twice. Quinn's own have 24 random bits: among the thousands of connections of a crawl
/// some meet again while the other side still remembers the first, and the token that resets a connection is made of
/// its id.
fn connection_ids() -> impl ConnectionIdGenerator {
    RandomConnectionIdGenerator::new(CONNECTION_ID_BYTES)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_connections_of_a_crawl_have_the_same_id() {
        let mut generator = connection_ids();
        let ids: HashSet<_> = (0..100_000).map(|_| generator.generate_cid()).collect();
        assert_eq!(ids.len(), 100_000);
    }
}
