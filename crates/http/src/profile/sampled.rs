//! Samples of all threads' stacks, taken by a timer of the system.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::StatusCode,
    routing::get,
};
use pprof::{ProfilerGuardBuilder, Report};
use tokio::{sync::Semaphore, time::sleep};

/// For how long samples are taken if nobody says.
const DEFAULT_SECONDS: u64 = 10;

/// For how long at most: shorter than a request may take.
const MAX_SECONDS: u64 = 30;

/// Samples a second of CPU time: no multiple of what programs do in round numbers of milliseconds.
const SAMPLES_PER_S: i32 = 99;

/// Libraries in whose midst a stack cannot be walked safely. Source: the docs of pprof.
const BLOCKED: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

/// The route.
pub(crate) fn routes() -> Router {
    // The timer is one of the whole process.
    Router::new().route("/debug/profile", get(profile)).with_state(Arc::new(Semaphore::new(1)))
}

/// Lines of `FRAME;FRAME;FRAME COUNT`, outermost first, as flame graphs are made of.
async fn profile(
    State(one): State<Arc<Semaphore>>,
    RawQuery(query): RawQuery,
) -> Result<String, (StatusCode, String)> {
    let seconds = seconds(query.as_deref()).map_err(|why| (StatusCode::BAD_REQUEST, why.to_owned()))?;
    let busy = (StatusCode::CONFLICT, "a profile is being made\n".to_owned());
    let _one = one.try_acquire().map_err(|_| busy)?;
    let failed = |error: pprof::Error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"));
    let guard = ProfilerGuardBuilder::default()
        .frequency(SAMPLES_PER_S)
        .blocklist(&BLOCKED)
        .build()
        .map_err(failed)?;
    sleep(Duration::from_secs(seconds)).await;
    let report = guard.report().build().map_err(failed)?;
    Ok(folded(&report))
}

/// What `seconds=N` says.
fn seconds(query: Option<&str>) -> Result<u64, &'static str> {
    let said =
        query.into_iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("seconds="));
    let Some(said) = said else { return Ok(DEFAULT_SECONDS) };
    match said.parse() {
        Ok(seconds) if (1..=MAX_SECONDS).contains(&seconds) => Ok(seconds),
        _ => Err("seconds is a whole number from 1 to 30\n"),
    }
}

fn folded(report: &Report) -> String {
    let mut text = String::new();
    for (frames, count) in &report.data {
        text += if frames.thread_name.is_empty() { "thread" } else { &frames.thread_name };
        for symbol in frames.frames.iter().rev().flatten() {
            text.push(';');
            text += &symbol.name().replace(';', ":");
        }
        // Writing into a string cannot fail.
        let _ = writeln!(text, " {count}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_is_bounded() {
        assert_eq!(seconds(None), Ok(10));
        assert_eq!(seconds(Some("seconds=3")), Ok(3));
        assert_eq!(seconds(Some("x=1&seconds=30")), Ok(30));
        for wrong in ["seconds=0", "seconds=31", "seconds=", "seconds=-1", "seconds=1.5"] {
            assert!(seconds(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
