//! How visits are made: what is the same for all visits of a crawl.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, found::KeyPrefixes, pending::Pending};

/// How a visit is made; the same for all visits of a crawl.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// The names of the network's kad protocol, in the order in which they are tried.
    pub(crate) protocols: Arc<[String]>,
    /// How long a peer may take to answer one request.
    pub(crate) request_timeout: Duration,
    /// Whether to ask further inside buckets that may hold more than one answer names.
    pub(crate) whole_tables: bool,
    /// Whether a peer is asked one thing alone, to see that it answers: its table is not what is wanted.
    pub(crate) is_brief: bool,
    pub(crate) clock: Clock,
    pub(crate) cancel: CancellationToken,
    pub(crate) pending: Pending,
    /// Where the peers lie that any visit has heard of.
    pub(crate) prefixes: Arc<KeyPrefixes>,
}
