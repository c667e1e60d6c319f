//! Who is told what others ask of a node.

use std::{fmt, sync::Arc};

use kad::{Multiaddr, PeerId, message::MessageType};

/// A request that another peer made.
#[derive(Debug, Clone, Copy)]
pub struct RequestSeen<'a> {
    /// Who asked, authenticated.
    pub from: PeerId,
    /// Where the asker is seen.
    pub remote: &'a Multiaddr,
    /// What was asked.
    pub kind: MessageType,
    /// About which key.
    pub key: &'a [u8],
}

/// Is told of each request that can be read, before it is answered. It must not take long: the connection waits.
#[derive(Clone)]
pub struct RequestWatch(Arc<dyn Fn(RequestSeen<'_>) + Send + Sync>);

impl RequestWatch {
    /// One that calls this.
    pub fn new(tell: impl Fn(RequestSeen<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn tell(&self, seen: RequestSeen<'_>) {
        (self.0)(seen);
    }
}

impl fmt::Debug for RequestWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestWatch(..)")
    }
}
