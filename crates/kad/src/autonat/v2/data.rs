//! The bytes that an asker sends before an IP address is dialled that it does not come from.

use thiserror::Error;

/// The least that is demanded, in bytes: more than a handshake takes (specification, "Amplification Attack Prevention").
pub const MIN_DATA_BYTES: u64 = 30_000;

/// The most that is demanded, and that an asker sends, in bytes.
pub const MAX_DATA_BYTES: u64 = 100_000;

/// How much is sent in one message, in bytes (go-libp2p, `autonatv2.newClient`).
pub const DATA_CHUNK_BYTES: usize = 4000;

/// The least that one message may hold unless it is the last (go-libp2p, `readDialData`).
const MIN_CHUNK_BYTES: usize = 100;

/// Somebody sends what was demanded in crumbs, to keep the other side busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a message has less than {MIN_CHUNK_BYTES} bytes of the data that was demanded")]
pub struct TooLittleData;

/// Counts what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataMeter {
    missing: u64,
}

impl DataMeter {
    /// So many bytes are demanded.
    pub const fn new(bytes: u64) -> Self {
        Self { missing: bytes }
    }

    /// Takes one message of so many bytes of data: whether all have come. An error ends the request.
    pub fn take(&mut self, bytes: usize) -> Result<bool, TooLittleData> {
        self.missing = self.missing.saturating_sub(bytes as u64);
        if self.missing > 0 && bytes < MIN_CHUNK_BYTES {
            return Err(TooLittleData);
        }
        Ok(self.missing == 0)
    }
}
