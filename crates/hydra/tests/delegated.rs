//! Asking a service of delegated routing beside the belly: when, what of it is counted, and what the belly keeps.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

#[path = "../../delegated/tests/suite/canned.rs"]
mod canned;

use std::time::Duration;

use http::{HttpClient, HttpClientConfig};
use kad::PeerId;
use kadscope_hydra::{
    Delegated, DelegatedConfig, FindFailure, FindSource, FindStrategy, OutcomeCounts, keep_found,
};
use store::{Belly, BellyConfig};
use tokio::sync::oneshot;

use canned::{KEY, PEER, Service, answer, lines, record, status};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// Asks it when this says so.
fn asking(service: &Service, strategy: FindStrategy) -> Delegated {
    let client = HttpClient::new(HttpClientConfig::default()).unwrap();
    let mut config = DelegatedConfig::new(service.base());
    (config.service.time, config.strategy) = (LONG, strategy);
    Delegated::new(client, config)
}

/// Asks once, and says how many were found; each outcome is counted once, by its name.
async fn found(answer: Vec<u8>, hangs_up: bool) -> Result<usize, FindFailure> {
    let service = Service::new(answer, hangs_up).await;
    let asked = asking(&service, FindStrategy::OnMiss);
    let found = asked.find(KEY).await.map(|answer| answer.providers.len());
    let counts = asked.counts().of(FindSource::Delegated);
    let expected = match found {
        Ok(0) => OutcomeCounts { none: 1, ..OutcomeCounts::default() },
        Ok(_) => OutcomeCounts { found: 1, ..OutcomeCounts::default() },
        Err(failure) => {
            let failed =
                FindFailure::ALL.iter().map(|&class| u64::from(class == failure)).collect::<Vec<_>>();
            OutcomeCounts { failed: failed.try_into().unwrap(), ..OutcomeCounts::default() }
        }
    };
    assert_eq!(counts, expected);
    found
}

#[tokio::test]
async fn what_comes_of_it_is_counted_by_its_name() {
    let whole = record("transport-bitswap");
    assert_eq!(found(lines(&format!("{whole}\n")), false).await, Ok(1));
    assert_eq!(found(lines(""), false).await, Ok(0));
    assert_eq!(found(answer("text/html", "<html>"), false).await, Err(FindFailure::Malformed));
    assert_eq!(found(status("429 Too Many Requests"), false).await, Err(FindFailure::Throttled));
    let mut broken = lines(&format!("{whole}\n{whole}\n"));
    broken.truncate(broken.len() - whole.len() / 2);
    assert_eq!(found(broken.clone(), true).await, Ok(1), "whoever was named until then is found");
    broken.truncate(broken.len() - whole.len());
    assert_eq!(found(broken, true).await, Err(FindFailure::BrokenOff));
    // One without an address is of no use to the heads, even where the answer breaks off.
    let mut bare = lines(&format!("{{\"Schema\":\"peer\",\"ID\":\"{PEER}\"}}\n{whole}\n"));
    bare.truncate(bare.len() - whole.len() / 2);
    assert_eq!(found(bare, true).await, Err(FindFailure::BrokenOff));
}

/// What the combination came to: found, none, failed.
fn combined(asked: &Delegated) -> (u64, u64, u64) {
    let counts = asked.counts().of(FindSource::Combination);
    (counts.found, counts.none, counts.failed.iter().sum())
}

#[tokio::test]
async fn the_strategy_says_when_it_is_asked() {
    let service = Service::new(lines(&record("transport-bitswap")), false).await;
    let with = |strategy| asking(&service, strategy);
    let on_miss = with(FindStrategy::OnMiss);
    let hit = on_miss.find_beside(KEY, async { Ok(Some(7)) }).await;
    assert!(hit.delegated.is_none() && service.requests() == 0);
    let miss = on_miss.find_beside(KEY, async { Ok(None::<()>) }).await;
    assert!(miss.delegated.unwrap().unwrap().has_somebody() && service.requests() == 1);
    let away = on_miss.find_beside(KEY, async { Err::<Option<()>, _>(FindFailure::Away) }).await;
    assert!(away.delegated.is_some());
    assert_eq!(combined(&on_miss), (3, 0, 0));
    let belly = on_miss.counts().of(FindSource::Belly);
    assert_eq!((belly.found, belly.none, belly.failed[FindFailure::Away as usize]), (1, 1, 1));

    let first = with(FindStrategy::BellyFirst);
    assert!(first.find_beside(KEY, async { Ok(Some(7)) }).await.delegated.is_some());

    // The belly answers only when the service has been asked.
    let parallel = with(FindStrategy::Parallel);
    let before = service.requests();
    let belly = async {
        while service.requests() == before {
            tokio::task::yield_now().await;
        }
        Ok(Some(7))
    };
    assert!(parallel.find_beside(KEY, belly).await.delegated.is_some());
}

#[tokio::test]
async fn the_combination_fails_if_nobody_was_found_and_one_failed() {
    let service = Service::new(status("500 Internal Server Error"), false).await;
    let asked = asking(&service, FindStrategy::Parallel);
    asked.find_beside(KEY, async { Ok(None::<()>) }).await;
    asked.find_beside(KEY, async { Ok(Some(7)) }).await;
    assert_eq!(combined(&asked), (1, 0, 1));
    let service = Service::new(status("404 Not Found"), false).await;
    let asked = asking(&service, FindStrategy::Parallel);
    asked.find_beside(KEY, async { Ok(None::<()>) }).await;
    assert_eq!(combined(&asked), (0, 1, 0));
}

#[tokio::test]
async fn nobody_waits_longer_for_a_belly_that_is_slow_than_it_takes() {
    let service = Service::new(lines(&record("transport-bitswap")), false).await;
    let asked = asking(&service, FindStrategy::Parallel);
    let (told, tells) = oneshot::channel();
    let beside = asked.find_beside(KEY, async { tells.await.map_err(|_| FindFailure::Closed) });
    let telling = async {
        while asked.counts().of(FindSource::Delegated).found == 0 {
            tokio::task::yield_now().await;
        }
        told.send(Some(7)).unwrap();
    };
    let (beside, ()) = tokio::join!(beside, telling);
    assert!(matches!(beside.belly, Ok(Some(7))) && beside.delegated.unwrap().is_ok());
}

#[tokio::test]
async fn who_was_found_is_in_the_bellys_next_answer_and_not_for_long() {
    const NOW: Duration = Duration::from_secs(1_767_225_600);
    const HOUR: Duration = Duration::from_secs(3600);
    let service = Service::new(lines(&record("transport-bitswap")), false).await;
    let answer = asking(&service, FindStrategy::OnMiss).find(KEY).await.unwrap();
    let belly = Belly::in_memory(&BellyConfig::default());
    assert_eq!(keep_found(&belly, KEY, &answer, HOUR, NOW), 1);
    let held = belly.providers(KEY, 0, NOW).wait().await.unwrap();
    let known: Vec<_> = held.known(NOW).map(|known| (known.id.to_vec(), known.has_addresses)).collect();
    assert_eq!(known, [(PEER.parse::<PeerId>().unwrap().to_bytes(), true)]);
    // Said again, it does not live longer by it.
    assert_eq!(keep_found(&belly, KEY, &answer, HOUR, NOW + HOUR / 2), 0);
    let late = NOW + HOUR + Duration::from_secs(1);
    assert!(belly.providers(KEY, 0, late).wait().await.unwrap().is_empty(late));
}
