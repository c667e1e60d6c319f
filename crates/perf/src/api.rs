//! The HTTP API of a server, as Parsec's servers have it: what is asked is answered with the status, the headers and the keys of Go.
//!
//! Which path means what is in `routing`, how a CID is read in `cid`, what an answer looks like in `answering`, who keeps what was done in
//! `keeping`, and what is shown under a name of Parsec in `parsec`. Who may ask is decided before. Source: Parsec 0.4.0, `server/server.go`, and `net/http` of Go 1.26; what they answer to every input is in `testdata/parsec`.

mod answering;
mod cid;
mod keeping;
mod parsec;
mod routing;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use http::{
    HttpBounds, Metric,
    axum::{
        Router,
        body::{Body, Bytes, to_bytes},
        extract::State,
        http::{Request, StatusCode},
        response::Response,
    },
};
use kad::fabric::Fabric;
use schema::{OperationKind, Timestamp};
use sha2::{Digest as _, Sha256};
use store::RegisteredServer;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};

pub(crate) use self::cid::Cid;
use self::{
    answering::{answer, refusal, written},
    keeping::AttemptKeeper,
    parsec::ParsecRequests,
    routing::{Asked, asked},
};
pub use self::{cid::BadCid, routing::API_ROUTES};
use crate::{CallAttempt, MAX_DEADLINE, Operation, OperationTerms, PerfServer, ProvideOrder, RetrieveOrder};

/// The longest body that is taken, in bytes: 12 MiB of content in base64. Parsec takes any, and what it measures is never longer than 1 KiB.
const MAX_BODY_BYTES: usize = 16 << 20;

/// How long a body may take to come. Parsec holds one that stalls open without end.
const BODY_TIME: Duration = Duration::from_secs(30);

/// How many bodies may be on their way at once: further ones wait.
const MAX_BODIES: usize = 4;

/// How many operations may be under way at once; further ones are refused, since one that waited would measure the wait.
const MAX_OPERATIONS: usize = 64;

/// The head of a multihash of SHA-256.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// What stands before a server: routes that answer once it is there. Clones are of the same one.
#[derive(Debug)]
pub struct PerfApi<F: Fabric>(Arc<Shared<F>>);

#[derive(Debug)]
struct Shared<F: Fabric> {
    server: OnceLock<PerfServer<F>>,
    /// Who keeps what it does, if anybody.
    keeper: Mutex<Option<AttemptKeeper>>,
    requests: Arc<ParsecRequests>,
    /// Whether answers have Go's keys and no more, and what stands behind the `?` says nothing.
    is_plain: bool,
    body_time: Duration,
    bodies: Semaphore,
    operations: Semaphore,
}

impl<F: Fabric> Clone for PerfApi<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: Fabric> PerfApi<F> {
    /// One without a server yet: it is not ready. With `is_plain`, it answers as Parsec does and says nothing more.
    pub fn new(is_plain: bool) -> Self {
        Self::within(is_plain, BODY_TIME)
    }

    /// The same with another time in which a body has to come; 30 s else.
    pub fn within(is_plain: bool, body_time: Duration) -> Self {
        let (bodies, operations) = (Semaphore::new(MAX_BODIES), Semaphore::new(MAX_OPERATIONS));
        let (server, keeper, requests) = (OnceLock::new(), Mutex::default(), Arc::default());
        Self(Arc::new(Shared { server, keeper, requests, is_plain, body_time, bodies, operations }))
    }

    /// From now on there is a server that answers, for good: a second one changes nothing.
    pub fn open(&self, server: PerfServer<F>) {
        self.0.server.set(server).ok();
    }

    /// From now on each operation is handed on as an attempt of `server`, unless whoever asks for it says that it keeps it (`kept=1`). Where
    /// there is no room answers wait for it.
    pub fn keep(&self, server: Arc<RegisteredServer>, attempts: mpsc::Sender<CallAttempt>) {
        *self.0.keeper() = Some(AttemptKeeper { server, attempts });
    }

    /// From now on none is handed on any more: what is under way still is.
    pub fn stop_keeping(&self) {
        *self.0.keeper() = None;
    }

    /// The metrics of the API that are called as Parsec calls them.
    pub fn parsec_metrics(&self) -> Vec<Metric> {
        parsec::metrics(&self.0.requests)
    }

    /// The routes: every path that is asked for comes here.
    pub fn routes(&self) -> Router {
        Router::new().fallback(take::<F>).with_state(self.clone())
    }

    /// What those who ask may take: operations may last as long as their deadline, and no body is longer than is taken.
    pub fn bounds() -> HttpBounds {
        HttpBounds {
            connections: 2 * MAX_OPERATIONS,
            body_bytes: MAX_BODY_BYTES,
            // A cold operation may wait for others as long as it may take itself.
            request_time: BODY_TIME + MAX_DEADLINE * 2 + Duration::from_secs(5),
            connection_time: Duration::from_secs(3600),
            stall_time: Duration::from_secs(60),
            ..HttpBounds::default()
        }
    }
}

/// Answers one request.
async fn take<F: Fabric>(State(api): State<PerfApi<F>>, request: Request<Body>) -> Response {
    api.0.requests.count(&request);
    let uri = request.uri().clone();
    let asked = match asked(request.method(), uri.path(), uri.query()) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let shared = &*api.0;
    match asked {
        Asked::Readiness => {
            let is_ready = shared.server.get().is_some_and(PerfServer::is_ready);
            answering::empty(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
        }
        Asked::Provide => match shared.read(request.into_body()).await {
            Ok(body) => shared.provide(&body, uri.query()).await,
            Err(refused) => refused,
        },
        Asked::Retrieve(text) => match shared.read(request.into_body()).await {
            Ok(body) => shared.retrieve(&text, &body, uri.query()).await,
            Err(refused) => refused,
        },
    }
}

impl<F: Fabric> Shared<F> {
    /// The whole body, if it comes in time.
    async fn read(&self, body: Body) -> Result<Bytes, Response> {
        let gone = |_| refusal(StatusCode::SERVICE_UNAVAILABLE, "the server is ending");
        let _place = self.bodies.acquire().await.map_err(gone)?;
        match timeout(self.body_time, to_bytes(body, MAX_BODY_BYTES)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(_)) => Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or broke off")),
            Err(_) => Err(refusal(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
        }
    }

    async fn provide(&self, body: &[u8], query: Option<&str>) -> Response {
        let order = match ProvideOrder::read(body) {
            Ok(order) => order,
            Err(bad) => return refusal(StatusCode::BAD_REQUEST, &bad.to_string()),
        };
        let cid = Cid::of_multihash([&SHA2_256[..], &Sha256::digest(&order.content)].concat());
        drop(order);
        let kind = OperationKind::Provide;
        self.operate((kind, &cid), query, async |server, terms| server.provide(cid.key(), terms).await).await
    }

    async fn retrieve(&self, text: &str, body: &[u8], query: Option<&str>) -> Response {
        if let Err(bad) = RetrieveOrder::read(body) {
            return refusal(StatusCode::BAD_REQUEST, &bad.to_string());
        }
        let cid = match text.parse::<Cid>() {
            Ok(cid) => cid,
            Err(bad) => return refusal(StatusCode::BAD_REQUEST, &format!("invalid cid: {bad}")),
        };
        let kind = OperationKind::Retrieve;
        self.operate((kind, &cid), query, async |server, terms| server.retrieve(cid.key(), terms).await).await
    }

    async fn operate(
        &self,
        (kind, cid): (OperationKind, &Cid),
        query: Option<&str>,
        operate: impl AsyncFnOnce(&PerfServer<F>, &OperationTerms) -> Operation,
    ) -> Response {
        let Some(server) = self.server.get() else {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "the server has not joined its network yet");
        };
        let terms = server.terms();
        let terms = match query.filter(|_| !self.is_plain) {
            Some(query) => match terms.with_query(query) {
                Ok(terms) => terms,
                Err(bad) => return refusal(StatusCode::BAD_REQUEST, &bad.to_string()),
            },
            None => terms,
        };
        let Ok(_place) = self.operations.try_acquire() else {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "too many operations are under way");
        };
        let keeper = self.keeper().clone().filter(|_| !terms.is_kept);
        let owed = keeper.map(|keeper| keeper.begin(kind, cid, &terms, now(server)));
        let operation = operate(server, &terms).await;
        let mut answer = answer(cid, operation, server.table_size());
        if let Some(owed) = owed {
            owed.ended(&answer).await;
        }
        if self.is_plain {
            answer.operation = None;
        }
        written(&answer)
    }

    fn keeper(&self) -> MutexGuard<'_, Option<AttemptKeeper>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What time it is where the server is.
fn now<F: Fabric>(server: &PerfServer<F>) -> Timestamp {
    Timestamp(i64::try_from(server.node().now().as_micros()).unwrap_or(i64::MAX))
}
