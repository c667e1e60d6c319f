//! Calls of `DynamoDB`'s API: one signed POST each, tried again within bounds where that may help.
//!
//! Source: Amazon `DynamoDB` Developer Guide, "Low-level API" and "Error handling".

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use http::{HttpAnswer, HttpClient};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::aws::{CredentialChain, Place, Service, Signing, signed};
use crate::belly::{backend::Fault, pace::StatementPace};

/// What stands before the name of a call.
const API: &str = "DynamoDB_20120810.";

/// How often a call is tried where it is refused for the moment.
const TRIES: u32 = 4;

/// How long it is waited before the second try; each further one waits for twice as long. Source: `DynamoDB`'s clients, 50 ms.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// What is refused for the moment, since more is asked than was paid for.
const THROTTLED: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "ThrottledException",
];

/// Signatures that are not taken any more, though they may have been.
const EXPIRED: [&str; 3] = ["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException"];

/// Why a call came to nothing.
#[derive(Debug)]
pub(super) enum CallFailure {
    /// More was asked than the table takes, again and again.
    Throttled,
    /// Nobody answered, or nothing says who asks.
    Away(String),
    /// The answer is no, by a name.
    Refused {
        /// The name of `DynamoDB`'s exception.
        name: String,
        message: String,
        /// The item that was in the way, where it was asked for.
        item: Option<Value>,
    },
}

/// Asks `DynamoDB`.
#[derive(Debug)]
pub(super) struct Calls {
    client: HttpClient,
    place: Place,
    chain: CredentialChain,
    pace: StatementPace,
    /// The time at the moment that follows it.
    since_epoch: Duration,
    begun: Instant,
    made: AtomicU64,
    throttled: AtomicU64,
}

impl CallFailure {
    /// Whether it is this exception.
    pub(super) fn is(&self, exception: &str) -> bool {
        matches!(self, Self::Refused { name, .. } if name == exception)
    }

    /// The same as the belly has it.
    pub(super) fn fault(self, store: &str, operation: &'static str) -> Fault {
        match self {
            Self::Throttled => Fault::Away("throttled: the table takes no more at this time".to_owned()),
            Self::Away(why) => Fault::Away(why),
            Self::Refused { name, message, .. } => {
                let source = format!("{name}: {message}").into();
                Fault::Failed(crate::Error::Backend { store: store.to_owned(), operation, source })
            }
        }
    }
}

impl Calls {
    pub(super) fn new(
        client: HttpClient,
        place: Place,
        chain: CredentialChain,
        clock: Duration,
        per_s: u32,
    ) -> Self {
        Self {
            client,
            place,
            chain,
            pace: StatementPace::new(per_s),
            since_epoch: clock,
            begun: Instant::now(),
            made: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
        }
    }

    /// How many requests were made.
    pub(super) fn made(&self) -> u64 {
        self.made.load(Relaxed)
    }

    /// How often a call was refused since the table takes no more.
    pub(super) fn throttled(&self) -> u64 {
        self.throttled.load(Relaxed)
    }

    /// Calls, and waits for what comes of it.
    pub(super) async fn call(&self, name: &'static str, body: &Value) -> Result<Value, CallFailure> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.once(name, body).await {
                Err(CallFailure::Throttled) => {
                    self.throttled.fetch_add(1, Relaxed);
                    sleep(wait).await;
                    wait *= 2;
                }
                // The next try finds new ones.
                Err(failure) if EXPIRED.iter().any(|name| failure.is(name)) => self.chain.forget().await,
                settled => return settled,
            }
        }
        let settled = self.once(name, body).await;
        if matches!(settled, Err(CallFailure::Throttled)) {
            self.throttled.fetch_add(1, Relaxed);
        }
        settled
    }

    async fn once(&self, name: &'static str, body: &Value) -> Result<Value, CallFailure> {
        self.pace.wait().await;
        self.made.fetch_add(1, Relaxed);
        let now = self.since_epoch + self.begun.elapsed();
        let away = |error: &dyn std::fmt::Display| CallFailure::Away(error.to_string());
        let credentials = self.chain.get(now).await.map_err(|failure| away(&failure))?;
        let Place { region, url } = &self.place;
        let signing = Signing { credentials: &credentials, region, service: Service::DynamoDb.name(), now };
        let target = format!("{API}{name}");
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        let request = signed(&signing, url, &headers, body.to_string().into_bytes());
        // Each call does the same when it is made twice.
        let request = request.map_err(|error| away(&error))?.idempotent();
        let answer = self.client.send(request).await.map_err(|failure| away(&failure))?;
        read(&answer)
    }
}

/// What an answer says.
fn read(answer: &HttpAnswer) -> Result<Value, CallFailure> {
    let body = serde_json::from_slice::<Value>(&answer.body);
    if answer.status == 200 {
        return body.map_err(|_| CallFailure::Away("the answer is no JSON".to_owned()));
    }
    let body = body.unwrap_or_default();
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    // `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`
    let name = text("__type").rsplit('#').next().unwrap_or_default();
    if THROTTLED.contains(&name) || answer.status == 429 || answer.status == 503 {
        return Err(CallFailure::Throttled);
    }
    if name.is_empty() || answer.status >= 500 {
        return Err(CallFailure::Away(format!("it answered with status {} {name}", answer.status)));
    }
    // Some exceptions have a small letter here, and some a capital one.
    let message = [text("message"), text("Message")].concat();
    Err(CallFailure::Refused { name: name.to_owned(), message, item: body.get("Item").cloned() })
}
