//! Asks an indexer again and again whether it names this server, each time for something else: that it has nobody may be kept on the way.

use std::time::Duration;

use http::{HttpClient, HttpFailure, HttpRequest, HttpUrl};
use kad::PeerId;
use multibase::Base;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::{
    entries::probes,
    step::{StepFailure, StepFailureClass},
};

/// How long one question may take.
const MAX_QUESTION_TIME: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// How often it is asked at most, whatever is set.
const MAX_QUESTIONS: u32 = 10_000;

/// How often, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Polling {
    /// Between two questions.
    pub(super) interval: Duration,
    /// For how long it is asked.
    pub(super) time: Duration,
}

impl Polling {
    /// How many questions that are: one at the beginning, and one after each interval. Source: Parsec, 121 with its defaults.
    pub(super) fn questions(self) -> usize {
        let intervals = self.time.as_nanos() / self.interval.as_nanos().max(1);
        1 + u32::try_from(intervals).unwrap_or(u32::MAX).min(MAX_QUESTIONS - 1) as usize
    }
}

/// What an indexer finds. Source: go-libipni, `find/model`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    #[serde(default)]
    multihash_results: Option<Vec<OfHash>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfHash {
    #[serde(default)]
    provider_results: Option<Vec<OfProvider>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfProvider {
    /// In base 64, padded.
    #[serde(rename = "ContextID", default)]
    context_id: Option<String>,
    #[serde(default)]
    provider: Option<Named>,
}

/// What is looked for: a key by its probes, at a peer, in a context.
type Sought<'a> = (&'a [u8], PeerId, &'a [u8]);

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "ID")]
    id: String,
}

/// Waits until the indexer names this peer as a provider of a key, by the probes of the key, until a deadline at most.
pub(super) async fn until_available(
    client: &HttpClient,
    indexer: &HttpUrl,
    (key, peer, context_id): Sought<'_>,
    polling: Polling,
    deadline: Instant,
) -> Result<(), StepFailure> {
    let began = Instant::now();
    // The time of the operation is over before that of the questions.
    let is_cut = deadline < began + polling.time;
    let deadline = deadline.min(began + polling.time);
    let mut last = StepFailure::new(StepFailureClass::NotFound, "");
    let mut next = began;
    for (asked, probe) in (1_u32..).zip(probes(key, polling.questions())) {
        if next > deadline {
            break;
        }
        sleep_until(next).await;
        // A question at the very end is answered, too.
        let time =
            deadline.saturating_duration_since(Instant::now()).max(polling.interval).min(MAX_QUESTION_TIME);
        let wait = match is_named(client, indexer, (&probe, peer, context_id), time).await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                last = StepFailure::new(StepFailureClass::NotFound, format!("asked {asked} times"));
                None
            }
            Err((failure, wait)) => {
                last = failure;
                wait
            }
        };
        next = (next + polling.interval)
            .max(Instant::now())
            .max(wait.map_or(next, |wait| Instant::now() + wait));
    }
    Err(if is_cut { StepFailure { class: StepFailureClass::Deadline, ..last } } else { last })
}

/// Whether the indexer names this peer; else, why it said nothing, and for how long it wants not to be asked.
async fn is_named(
    client: &HttpClient,
    indexer: &HttpUrl,
    (hash, peer, context_id): Sought<'_>,
    time: Duration,
) -> Result<bool, (StepFailure, Option<Duration>)> {
    let path = format!("multihash/{}", Base::Base58Btc.encode(hash));
    let failed = |failure: &HttpFailure| (StepFailure::from(failure), None);
    let refused =
        |error: http::HttpError| (StepFailure::new(StepFailureClass::Refused, error.to_string()), None);
    let request = HttpRequest::get(indexer.below(&path).map_err(refused)?);
    let request = request.header("accept", "application/json").map_err(refused)?;
    let request = request.within(time).at_most(MAX_ANSWER_BYTES);
    let answer = client.send(request).await.map_err(|failure| failed(&failure))?;
    match answer.status {
        200 => Ok(names(&answer.body, peer, context_id)),
        404 => Ok(false),
        status => {
            let wait = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
            Err((StepFailure::of_status(status, &answer.text()), wait.map(Duration::from_secs)))
        }
    }
}

/// Whether a peer is named; in this context, so that what was published before does not count.
fn names(body: &[u8], peer: PeerId, context_id: &[u8]) -> bool {
    let Ok(found) = serde_json::from_slice::<Found>(body) else { return false };
    let results = found.multihash_results.into_iter().flatten();
    let mut providers = results.flat_map(|of_hash| of_hash.provider_results.into_iter().flatten());
    let context_id = Base::Base64Pad.encode(context_id);
    providers.any(|result| {
        let is_peer = |named: Named| named.id.parse::<PeerId>().is_ok_and(|named| named == peer);
        result.context_id.is_none_or(|said| said == context_id) && result.provider.is_some_and(is_peer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_questions_as_parsec_asks() {
        let questions = |time, interval| Polling { interval, time }.questions();
        assert_eq!(questions(Duration::from_secs(120), Duration::from_secs(1)), 121);
        assert_eq!(questions(Duration::ZERO, Duration::from_secs(1)), 1);
        assert_eq!(questions(Duration::MAX, Duration::ZERO), 10_000);
    }

    #[test]
    fn only_who_is_named_is_available() {
        let peer = PeerId::random();
        let of = |id: &str| {
            format!(
                r#"{{"MultihashResults":[{{"Multihash":"EiA","ProviderResults":[{{"ContextID":"eA==","Metadata":"gBI=","Provider":{{"ID":"{id}","Addrs":[]}}}}]}}]}}"#
            )
        };
        assert!(names(of(&peer.to_string()).as_bytes(), peer, b"x"));
        assert!(!names(of(&peer.to_string()).as_bytes(), peer, b"y"), "that was published before");
        for other in [of(&PeerId::random().to_string()).as_str(), "", "{}", r#"{"MultihashResults":null}"#] {
            assert!(!names(other.as_bytes(), peer, b"x"), "{other}");
        }
    }
}
