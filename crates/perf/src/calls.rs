//! Those who are told to publish and to look up, as a scheduler calls them: by HTTP, or, in one process, without.
//!
//! What a call says is the server's business ([`OperationAnswer`]); what a scheduler makes of it stands in a [`CallAttempt`]. When somebody is
//! called is left to the scheduler.

mod attempt;
mod by_http;
mod failure;
mod local;
mod parsec;

use std::time::Duration;

use kad::Persistence;
use schema::{ConnectionPolicy, Timestamp};
use store::RegisteredServer;

pub(crate) use self::attempt::outcome;
pub(crate) use self::failure::bounded;
pub use self::{
    attempt::{CallAttempt, Poll},
    by_http::HttpCalls,
    failure::{CallFailure, CallFailureClass},
    local::LocalCalls,
};
use crate::{OperationAnswer, OperationId};

/// How much longer an answer is waited for than its server may take: the way there and back, and a server that is slow to end.
pub const CALL_MARGIN: Duration = Duration::from_secs(5);

/// What an operation is to be done by.
#[derive(Debug, Clone, PartialEq)]
pub struct CallTerms {
    /// Names the operation, with the server as well.
    pub id: OperationId,
    /// How long it may take at the server.
    pub deadline: Duration,
    /// Which connections it may use; `None` leaves that to the server.
    pub connections: Option<ConnectionPolicy>,
    /// How far a publication goes to reach all of the closest; `None` leaves that to the server.
    pub persistence: Option<Persistence>,
    /// When those who were given the record are asked whether they have it, counted from the publication's end.
    pub read_back: Vec<Duration>,
}

impl CallTerms {
    /// How long an answer is waited for.
    pub fn patience(&self) -> Duration {
        self.deadline.saturating_add(CALL_MARGIN)
    }
}

/// What a server answered, and what its clock said then.
#[derive(Debug, Clone, PartialEq)]
pub struct Called<T> {
    /// The answer.
    pub said: T,
    /// When it answered by its own clock; `None` if it did not say. HTTP says it to the second.
    pub at: Option<Timestamp>,
}

/// Those who are told to publish and to look up. Each call may wait for ever: whoever calls bounds it.
pub trait ServerCalls: Clone + Send + Sync + 'static {
    /// Asks whether a server is ready.
    fn ready(
        &self,
        server: &RegisteredServer,
    ) -> impl Future<Output = Result<Called<()>, CallFailure>> + Send;

    /// Has a server publish content.
    fn provide(
        &self,
        server: &RegisteredServer,
        content: &[u8],
        terms: &CallTerms,
    ) -> impl Future<Output = Result<Called<OperationAnswer>, CallFailure>> + Send;

    /// Has a server look for who provides what a CID names.
    fn retrieve(
        &self,
        server: &RegisteredServer,
        cid: &str,
        terms: &CallTerms,
    ) -> impl Future<Output = Result<Called<OperationAnswer>, CallFailure>> + Send;
}
