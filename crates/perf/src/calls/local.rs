//! Servers of this process, called without HTTP: for demonstrations and tests, in virtual time as well.
//!
//! What they answer is what their HTTP API would say; that they are called by a scheduler they do not know.

use std::{collections::BTreeMap, fmt, sync::Arc};

use kad::fabric::Fabric;
use schema::OperationOutcome;
use sha2::{Digest as _, Sha256};
use store::{RegisteredServer, ServerId};

use super::{CallFailure, CallFailureClass, CallTerms, Called, ServerCalls};
use crate::{Operation, OperationAnswer, OperationTerms, PerfServer, StepMeasurement};

/// What a multihash of SHA-256 begins with: its code, and 32 bytes.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// What a server calls the one step of a publication (Parsec, `dht.go`); that of a retrieval has no name.
const PROVIDE: &str = "provide";

/// What it says of a key that nobody provides.
const NOT_FOUND: &str = "not found";

/// Servers of this process by their numbers in the register. Clones are of the same ones.
pub struct LocalCalls<F: Fabric>(Arc<BTreeMap<ServerId, PerfServer<F>>>);

impl<F: Fabric> LocalCalls<F> {
    /// Those of these servers.
    pub fn new(servers: impl IntoIterator<Item = (ServerId, PerfServer<F>)>) -> Self {
        Self(Arc::new(servers.into_iter().collect()))
    }

    /// All of them, in the order of their numbers.
    pub fn servers(&self) -> impl Iterator<Item = &PerfServer<F>> {
        self.0.values()
    }

    fn server(&self, server: &RegisteredServer) -> Result<&PerfServer<F>, CallFailure> {
        let gone =
            || CallFailure::new(CallFailureClass::Unreachable, "no server of this process has that number");
        self.0.get(&server.id).ok_or_else(gone)
    }
}

impl<F: Fabric> Clone for LocalCalls<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: Fabric> fmt::Debug for LocalCalls<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl<F: Fabric> ServerCalls for LocalCalls<F> {
    async fn ready(&self, server: &RegisteredServer) -> Result<Called<()>, CallFailure> {
        if self.server(server)?.is_ready() {
            return Ok(Called { said: (), at: None });
        }
        Err(CallFailure::new(CallFailureClass::Unready, "it knows nobody"))
    }

    async fn provide(
        &self,
        server: &RegisteredServer,
        content: &[u8],
        terms: &CallTerms,
    ) -> Result<Called<OperationAnswer>, CallFailure> {
        let server = self.server(server)?;
        let key = [&SHA2_256[..], &Sha256::digest(content)].concat();
        let operation = server.provide(&key, &operation_terms(server, terms)).await;
        let cid = multibase::Base::Base58Btc.encode(&key);
        Ok(answer(server, operation, cid, PROVIDE))
    }

    async fn retrieve(
        &self,
        server: &RegisteredServer,
        cid: &str,
        terms: &CallTerms,
    ) -> Result<Called<OperationAnswer>, CallFailure> {
        let server = self.server(server)?;
        let bad = |error| CallFailure::new(CallFailureClass::BadAnswer, format!("{cid} is no CID: {error}"));
        let key = multibase::Base::Base58Btc.decode(cid).map_err(bad)?;
        let operation = server.retrieve(&key, &operation_terms(server, terms)).await;
        Ok(answer(server, operation, cid.to_owned(), ""))
    }
}

/// What a call asks for; the server's own choice for the rest.
fn operation_terms<F: Fabric>(server: &PerfServer<F>, terms: &CallTerms) -> OperationTerms {
    let usual = server.terms();
    OperationTerms {
        id: terms.id,
        deadline: Some(terms.deadline),
        policy: terms.connections.unwrap_or(usual.policy),
        persistence: terms.persistence.unwrap_or(usual.persistence),
        read_back: terms.read_back.clone(),
        is_kept: true,
    }
}

fn answer<F: Fabric>(
    server: &PerfServer<F>,
    operation: Operation,
    cid: String,
    step: &str,
) -> Called<OperationAnswer> {
    let error = match operation.outcome {
        OperationOutcome::Done => String::new(),
        OperationOutcome::NotFound => NOT_FOUND.to_owned(),
        outcome => operation.failure.clone().unwrap_or_else(|| outcome.name().to_owned()),
    };
    let duration_ns = u64::try_from(operation.took.as_nanos()).unwrap_or(u64::MAX);
    let said = OperationAnswer {
        cid,
        measurements: vec![StepMeasurement { step: step.to_owned(), duration_ns, error }],
        routing_table_size: server.table_size(),
        operation: Some(Box::new(operation)),
    };
    Called { said, at: None }
}
