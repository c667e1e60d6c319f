//! Bytes of attempts that became no connection, whether they failed or were given up: no row has them.

use std::sync::atomic::{AtomicU64, Ordering};

use kad::network::Traffic;

/// Their sum.
#[derive(Debug, Default)]
pub(crate) struct LostBytes {
    sent: AtomicU64,
    received: AtomicU64,
}

impl LostBytes {
    pub(crate) fn total(&self) -> Traffic {
        Traffic {
            sent_bytes: self.sent.load(Ordering::Relaxed),
            received_bytes: self.received.load(Ordering::Relaxed),
        }
    }

    /// Keeps count of one attempt.
    pub(crate) fn of_attempt(&self) -> Losing<'_> {
        Losing { traffic: Traffic::default(), bytes: self }
    }
}

/// What an attempt has sent and received so far: lost when this is dropped, also within a future that is given up.
#[derive(Debug)]
pub(crate) struct Losing<'a> {
    pub(crate) traffic: Traffic,
    bytes: &'a LostBytes,
}

impl Losing<'_> {
    /// The attempt became a connection, whose row has the bytes.
    pub(crate) fn nothing(mut self) {
        self.traffic = Traffic::default();
    }
}

impl Drop for Losing<'_> {
    fn drop(&mut self) {
        let Traffic { sent_bytes, received_bytes } = self.traffic;
        self.bytes.sent.fetch_add(sent_bytes, Ordering::Relaxed);
        self.bytes.received.fetch_add(received_bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_a_connection_is_not_lost() {
        let bytes = LostBytes::default();
        let traffic = Traffic { sent_bytes: 3, received_bytes: 5 };
        for _ in 0..2 {
            bytes.of_attempt().traffic = traffic;
        }
        let mut kept = bytes.of_attempt();
        kept.traffic = traffic;
        kept.nothing();
        assert_eq!(bytes.total(), Traffic { sent_bytes: 6, received_bytes: 10 });
    }
}
