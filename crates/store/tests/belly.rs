//! The suite of every belly, in memory and in an SQLite file, and what only a file has.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first error")]

#[path = "suite/belly_killed.rs"]
mod killed;
#[path = "suite/belly.rs"]
mod suite;

use std::fs;

use kadscope_store::{Belly, BellyConfig, BellyError, BellyUrl, Error, Store, StoreUrl};
use suite::{Place, START, add, config, ids};
use tempfile::TempDir;

fn file() -> (TempDir, Place) {
    let directory = tempfile::tempdir().unwrap();
    let url = BellyUrl::Sqlite(directory.path().join("a belly ü?#%.sqlite"));
    (directory, Place { url, is_kept: true })
}

macro_rules! on_each {
    ($($name:ident)+) => {
        mod in_memory {
            use super::*;
            $(
                #[tokio::test]
                async fn $name() {
                    suite::$name(&Place { url: BellyUrl::Memory, is_kept: false }).await;
                }
            )+
        }
        mod in_a_file {
            use super::*;
            $(
                #[tokio::test]
                async fn $name() {
                    let (_directory, place) = file();
                    suite::$name(&place).await;
                }
            )+
        }
    };
}

on_each! {
    two_providers_of_a_key_in_one_second_are_both_kept
    the_newest_come_first_and_the_oldest_make_room
    addresses_live_a_day_and_records_two
    what_is_added_is_in_the_very_next_answer
    what_others_say_never_outlives_what_a_provider_says
    the_better_value_stays
    pages_advance_and_end_while_records_come
    records_are_counted
    what_has_expired_is_collected_while_others_read
    closing_loses_nothing
    what_nobody_is_given_is_deleted
}

#[test]
fn a_kill_loses_a_second_at_most() {
    let (_directory, place) = file();
    killed::a_kill_loses_a_second_at_most(&place, "a_belly_that_is_killed", &place.url.to_string());
}

/// The process that is killed.
#[test]
fn a_belly_that_is_killed() {
    killed::write_until_killed(|url| url.parse().unwrap());
}

async fn refused(url: &BellyUrl) -> BellyError {
    match Belly::open(url, config()).await {
        Err(error) => error,
        Ok(_) => panic!("{url} was opened"),
    }
}

#[tokio::test]
async fn one_process_has_a_file() {
    let (_directory, place) = file();
    let belly = place.open().await;
    assert!(matches!(refused(&place.url).await, BellyError::InUse { .. }));
    belly.close().await.unwrap();
    place.open().await.close().await.unwrap();
}

#[tokio::test]
async fn files_of_others_are_refused_by_name_and_left_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store.sqlite");
    drop(Store::open(&StoreUrl::Sqlite(store.clone())).unwrap());
    let text = directory.path().join("text.sqlite");
    fs::write(&text, "not a database, but long enough to be taken for one ".repeat(100)).unwrap();
    let level_db = directory.path().join("hydra-belly");
    fs::create_dir(&level_db).unwrap();
    for name in ["CURRENT", "MANIFEST-000004", "000005.ldb"] {
        fs::write(level_db.join(name), "x").unwrap();
    }
    let before = fs::read(&store).unwrap();
    assert!(matches!(
        refused(&BellyUrl::Sqlite(store.clone())).await,
        BellyError::Store(Error::Foreign { .. })
    ));
    assert_eq!(fs::read(&store).unwrap(), before);
    assert!(matches!(refused(&BellyUrl::Sqlite(text)).await, BellyError::Store(Error::NotADatabase { .. })));
    let said = refused(&BellyUrl::Sqlite(level_db.clone())).await.to_string();
    assert!(said.contains("LevelDB") && said.contains("hydra-booster") && said.contains("sqlite:"), "{said}");
    assert_eq!(fs::read_dir(&level_db).unwrap().count(), 3);
    // Nor is a belly a store.
    let (_directory, place) = file();
    place.open().await.close().await.unwrap();
    let BellyUrl::Sqlite(path) = &place.url else { panic!("{}", place.url) };
    assert!(matches!(Store::open(&StoreUrl::Sqlite(path.clone())), Err(Error::Foreign { .. })));
    let absent = BellyUrl::Sqlite(directory.path().join("absent.sqlite"));
    let error =
        Belly::open(&absent, BellyConfig { makes_tables: false, ..config() }).await.map(drop).unwrap_err();
    assert!(matches!(error, BellyError::Store(Error::Missing { .. })), "{error}");
}

/// What is read is asked for once, many keys together, and remembered: also that nobody provides a key.
#[tokio::test]
async fn many_questions_are_few_statements() {
    let (_directory, place) = file();
    let belly = place.open().await;
    for key in 0..1000u32 {
        add(&belly, &key.to_be_bytes(), b"peer", START);
    }
    belly.close().await.unwrap();
    let belly = place.open_with(BellyConfig { statements_per_s: 20, ..config() }).await;
    for _ in 0..3 {
        let readings: Vec<_> = (0..2000u32)
            .map(|key| (key, belly.providers(&key.to_be_bytes(), u64::from(key % 7), START)))
            .collect();
        for (key, reading) in readings {
            let found = reading.wait().await.unwrap().known(START).count();
            assert_eq!(found, usize::from(key < 1000));
        }
    }
    let backlog = belly.backlog();
    assert!(backlog.statements <= 20, "{backlog:?}");
    assert_eq!((backlog.reads_waiting, backlog.reads.classes.iter().sum::<u64>()), (0, 2000));
    assert_eq!(ids(&belly, b"nobody's", START).await, Vec::<Vec<u8>>::new());
    belly.close().await.unwrap();
}
