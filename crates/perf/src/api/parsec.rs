//! What a server shows under a name of Parsec: the requests of its API, by who asked. What stands in place of its other names is in
//! `docs/metrics.md`. Source: Parsec 0.4.0, `server/server.go`, `metricsHandler`.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec,
};

use http::{
    Labels, Metric, MetricKind,
    axum::{body::Body, http::Request},
};

/// The header that says which fleets a scheduler has.
const SCHEDULER_ID: &str = "x-scheduler-id";

/// The most schedulers that are told apart, those included that say no name: each makes series of its own, and Parsec's have no bound.
const MAX_SCHEDULERS: usize = 16;

/// The longest name of one, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// What stands for everything that is not told apart.
const OTHER: &str = "other";

const METHODS: [&str; 4] = ["GET", "HEAD", "POST", OTHER];

/// The first part of a path.
const PATHS: [&str; 4] = ["provide", "retrieve", "readiness", OTHER];

/// The requests of one scheduler, for each method by path.
type Counts = [[u64; PATHS.len()]; METHODS.len()];

/// Requests by who asked, in the order in which they came first; the last of as many as there may be stands for all others.
#[derive(Debug, Default)]
pub(super) struct ParsecRequests(Mutex<Vec<(String, Counts)>>);

impl ParsecRequests {
    /// Counts one.
    pub(super) fn count(&self, request: &Request<Body>) {
        let method = place(&METHODS, request.method().as_str());
        let path = place(&PATHS, request.uri().path().split('/').nth(1).unwrap_or_default());
        let name = request.headers().get(SCHEDULER_ID).map_or(Ok(""), |name| name.to_str());
        let name = name.ok().filter(|name| name.len() <= MAX_NAME_BYTES).unwrap_or(OTHER);
        let mut all = self.all();
        let known = all.iter().position(|(known, _)| known == name);
        let index = known.unwrap_or_else(|| {
            let last = MAX_SCHEDULERS - 1;
            if all.len() < MAX_SCHEDULERS {
                let name = if all.len() == last { OTHER } else { name };
                all.push((name.to_owned(), Counts::default()));
            }
            all.len() - 1
        });
        if let Some(count) = all.get_mut(index).and_then(|(_, counts)| counts.get_mut(method)?.get_mut(path))
        {
            *count += 1;
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<(String, Counts)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a word stands; the last place is that of all others.
fn place(words: &[&str], word: &str) -> usize {
    words.iter().position(|known| *known == word).unwrap_or(words.len() - 1)
}

/// The metrics of the API that are called as Parsec calls them.
pub(super) fn metrics(requests: &Arc<ParsecRequests>) -> Vec<Metric> {
    let (of_series, of_counts) = (Arc::clone(requests), Arc::clone(requests));
    // Who asked comes first, so that series that are new come last.
    let series = move || {
        let names: vec::IntoIter<String> =
            of_series.all().iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().into_iter();
        Labels::none().with("scheduler", names).with("method", METHODS).with("path", PATHS)
    };
    let read = move || {
        let all = of_counts.all();
        all.iter().flat_map(|(_, counts)| counts.iter().flatten()).map(|count| *count as f64).collect()
    };
    vec![Metric::growing(
        (MetricKind::Counter, "parsec_http_requests_total"),
        "Requests of the API, refused ones too, by who asked, method and first part of the path; of 16 schedulers, others together.",
        series,
        read,
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(requests: &ParsecRequests, method: &str, path: &str, scheduler: Option<&str>) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(scheduler) = scheduler {
            request = request.header(SCHEDULER_ID, scheduler);
        }
        requests.count(&request.body(Body::empty()).unwrap());
    }

    #[test]
    fn requests_are_counted_as_parsec_does_and_strangers_make_no_series_without_end() {
        let requests = Arc::new(ParsecRequests::default());
        count(&requests, "GET", "/readiness", None);
        count(&requests, "POST", "/retrieve/QmX?a=b", Some("default,optprov"));
        count(&requests, "POST", "/retrieve/QmY", Some("default,optprov"));
        count(&requests, "BREW", "/tea", Some("default,optprov"));
        let shown = http::Metrics::default();
        shown.extend(metrics(&requests));
        let text = shown.text();
        for line in [
            r#"parsec_http_requests_total{scheduler="",method="GET",path="readiness"} 1"#,
            r#"parsec_http_requests_total{scheduler="default,optprov",method="POST",path="retrieve"} 2"#,
            r#"parsec_http_requests_total{scheduler="default,optprov",method="other",path="other"} 1"#,
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
        }
        for number in 0..100 {
            count(&requests, "POST", "/provide", Some(&format!("fleet {number}")));
        }
        count(&requests, "POST", "/provide", Some(&"long".repeat(100)));
        let all = requests.all();
        let (last, counts) = all.last().unwrap();
        assert_eq!((all.len(), last.as_str(), counts[2][0]), (MAX_SCHEDULERS, OTHER, 100 - 13 + 1));
    }
}
