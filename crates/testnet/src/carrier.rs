//! What a peer listens on.

use kad::network::Transport;

/// The transports that a peer listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportSet {
    /// TCP alone.
    Tcp,
    /// QUIC alone.
    Quic,
    /// TCP and QUIC.
    Both,
    /// WebSocket alone.
    Ws,
    /// WebSocket over TLS alone.
    Wss,
    /// All four.
    All,
}

impl TransportSet {
    /// All of them, in the order of the shares in a scenario.
    pub(crate) const SHARES: [Self; 6] = [Self::Tcp, Self::Quic, Self::Both, Self::Ws, Self::Wss, Self::All];

    /// Whether it is this transport, or has it.
    pub const fn speaks(self, transport: Transport) -> bool {
        match transport {
            Transport::Tcp => matches!(self, Self::Tcp | Self::Both | Self::All),
            Transport::Quic => matches!(self, Self::Quic | Self::Both | Self::All),
            Transport::Ws => matches!(self, Self::Ws | Self::All),
            Transport::Wss => matches!(self, Self::Wss | Self::All),
        }
    }

    /// Whether it is, or has, WebSocket, plain or secure.
    pub(crate) const fn speaks_websocket(self) -> bool {
        self.speaks(Transport::Ws) || self.speaks(Transport::Wss)
    }

    /// The same, but for WebSocket: of peers with sockets of their own, for which one port must do.
    pub(crate) const fn without_websocket(self) -> Self {
        match self {
            Self::Ws | Self::Wss => Self::Tcp,
            Self::All => Self::Both,
            other => other,
        }
    }

    /// Its transports, in the order in which they are announced.
    pub fn transports(self) -> impl Iterator<Item = Transport> {
        let all = [Transport::Tcp, Transport::Quic, Transport::Ws, Transport::Wss];
        all.into_iter().filter(move |&transport| self.speaks(transport))
    }
}
