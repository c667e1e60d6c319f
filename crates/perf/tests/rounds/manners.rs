//! Servers as they are told to be.

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use kadscope_perf::{
    CallFailure, CallFailureClass, CallTerms, Called, OperationAnswer, ServerCalls, StepMeasurement,
};
use store::RegisteredServer;
use tokio::time::{Instant, sleep};

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It publishes within so many milliseconds, and finds what is there within a tenth of that.
    Well(u64),
    /// It says that it is not ready.
    Unready,
    /// It does not say whether it is ready.
    HangsAtReadiness,
    /// It is ready, and never ends what it begins.
    Hangs,
    /// It is ready, and says that what it did has failed.
    Fails,
    /// Nobody is there.
    Gone,
}

/// What was asked of a server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) port: u16,
    pub(crate) what: What,
    pub(crate) terms: Option<CallTerms>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Ready,
    Provide,
    Retrieve,
}

/// All servers, by their ports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Servers(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    manners: HashMap<u16, Manner>,
    asked: Vec<Asked>,
    /// From when on something is found.
    published: HashMap<String, Instant>,
}

impl Servers {
    pub(crate) fn be(&self, port: u16, manner: Manner) {
        self.0.lock().unwrap().manners.insert(port, manner);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().asked.clone()
    }

    fn note(&self, server: &RegisteredServer, what: What, terms: Option<&CallTerms>) -> Manner {
        let mut told = self.0.lock().unwrap();
        let port = server.entry.http.port();
        told.asked.push(Asked { at: Instant::now(), port, what, terms: terms.cloned() });
        told.manners.get(&port).copied().unwrap_or(Manner::Well(1000))
    }
}

impl ServerCalls for Servers {
    async fn ready(&self, server: &RegisteredServer) -> Result<Called<()>, CallFailure> {
        match self.note(server, What::Ready, None) {
            Manner::Unready => Err(CallFailure::new(CallFailureClass::Unready, "status 503")),
            Manner::Gone => Err(CallFailure::new(CallFailureClass::Unreachable, "connection refused")),
            Manner::HangsAtReadiness => pending().await,
            _ => Ok(Called { said: (), at: None }),
        }
    }

    async fn provide(
        &self,
        server: &RegisteredServer,
        content: &[u8],
        terms: &CallTerms,
    ) -> Result<Called<OperationAnswer>, CallFailure> {
        let manner = self.note(server, What::Provide, Some(terms));
        let cid = cid_of(content);
        if let Manner::Well(ms) = manner {
            // Half of those who are given it have it after half of the time.
            let from = Instant::now() + Duration::from_millis(ms / 2);
            self.0.lock().unwrap().published.insert(cid.clone(), from);
        }
        answer(manner, 1, "provide", cid, None).await
    }

    async fn retrieve(
        &self,
        server: &RegisteredServer,
        cid: &str,
        terms: &CallTerms,
    ) -> Result<Called<OperationAnswer>, CallFailure> {
        let manner = self.note(server, What::Retrieve, Some(terms));
        let from = self.0.lock().unwrap().published.get(cid).copied();
        let is_found = from.is_some_and(|from| from <= Instant::now());
        let wrong = (!is_found).then_some("not found");
        answer(manner, 10, "", cid.to_owned(), wrong).await
    }
}

async fn answer(
    manner: Manner,
    part: u64,
    step: &str,
    cid: String,
    wrong: Option<&str>,
) -> Result<Called<OperationAnswer>, CallFailure> {
    let (ms, error) = match manner {
        Manner::Well(ms) => (ms / part, wrong.unwrap_or("")),
        Manner::Fails => (100, "failed to complete provide"),
        _ => return pending().await,
    };
    sleep(Duration::from_millis(ms)).await;
    let (step, error) = (step.to_owned(), error.to_owned());
    let measurements = vec![StepMeasurement { step, duration_ns: ms * 1_000_000, error }];
    let said = OperationAnswer { cid, measurements, routing_table_size: 60, operation: None };
    Ok(Called { said, at: None })
}

fn cid_of(content: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let multihash = [&[0x12, 0x20][..], &Sha256::digest(content)].concat();
    multibase::Base::Base58Btc.encode(multihash)
}
