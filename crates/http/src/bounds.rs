//! What one listener takes of the machine at most.

use std::time::Duration;

/// Bounds on what those who ask can take. The defaults are for a scraper and a few people.
#[derive(Debug, Clone, Copy)]
pub struct HttpBounds {
    /// Connections at once; further ones wait in the system's queue until one of these ends.
    pub connections: usize,
    /// Headers of a request.
    pub headers: usize,
    /// The head of a request, and what is read ahead of a connection, in bytes; at least 8,192 (Source: hyper).
    pub head_bytes: usize,
    /// The body of a request, in bytes.
    pub body_bytes: usize,
    /// For how long a connection may be silent or dawdle before a request's head is there.
    pub head_time: Duration,
    /// How long a request may take, its body and the making of its answer included; of lines that are made while they are read,
    /// until the first is there.
    pub request_time: Duration,
    /// How long a connection lives. An answer that is on its way then is still given whole, however long it is.
    pub connection_time: Duration,
    /// For how long whoever asked may take nothing of an answer. Who takes some of it now and then is given all.
    pub stall_time: Duration,
    /// How long what is under way has to end once nothing new is begun.
    pub grace: Duration,
}

impl Default for HttpBounds {
    fn default() -> Self {
        Self {
            connections: 64,
            headers: 64,
            head_bytes: 16 << 10,
            body_bytes: 64 << 10,
            head_time: Duration::from_secs(5),
            request_time: Duration::from_secs(60),
            connection_time: Duration::from_secs(300),
            stall_time: Duration::from_secs(300),
            grace: Duration::from_secs(2),
        }
    }
}
