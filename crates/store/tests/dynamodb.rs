//! The belly in DynamoDB: the suite of every belly on moto, tables that hydra-booster made, and what only DynamoDB does.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

#[path = "suite/moto.rs"]
mod moto;
// What every belly must do; a few lines of it DynamoDB cannot promise, and has tests of its own for.
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "suite/belly.rs"]
mod suite;
#[path = "dynamodb/throttled.rs"]
mod throttled;

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use kad::{
    Keypair,
    message::Record,
    records::kept_record,
    values::{CheckedValue, Version},
};
use kadscope_store::{Belly, BellyConfig, BellyError, BellyUrl, Error};
use moto::Moto;
use suite::{HOUR, Place, START, add, ids};

/// More than moto answers.
const UNBOUND: u32 = 100_000;

fn config() -> BellyConfig {
    BellyConfig { statements_per_s: UNBOUND, ..suite::config() }
}

async fn open(url: &BellyUrl) -> Belly {
    Belly::open(url, config()).await.unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

macro_rules! on_moto {
    ($($name:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let moto = Moto::start();
                let place = Place { url: moto.url("table=providers"), is_kept: true };
                suite::$name(&place).await;
            }
        )+
    };
}

on_moto! {
    two_providers_of_a_key_in_one_second_are_both_kept
    the_newest_come_first_and_the_oldest_make_room
    addresses_live_a_day_and_records_two
    what_is_added_is_in_the_very_next_answer
    what_others_say_never_outlives_what_a_provider_says
    the_better_value_stays
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_loses_nothing_and_counts_are_said_to_be_approximate() {
    let moto = Moto::start();
    let url = moto.url("table=providers");
    let belly = open(&url).await;
    for record in 0..300u32 {
        add(&belly, &(record / 3).to_be_bytes(), &record.to_be_bytes(), START);
    }
    belly.put_value(b"/pk/x", &CheckedValue { value: b"key", version: None }, START);
    belly.close().await.unwrap();
    let counts = open(&url).await.counts().await.unwrap();
    assert_eq!((counts.providers, counts.values, counts.is_exact), (300, 1, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_advance_and_end() {
    let moto = Moto::start();
    let belly = open(&moto.url("table=providers")).await;
    let records = (0..30u8).flat_map(|key| (0..=key % 5).map(move |id| (vec![key], vec![id])));
    let expected: BTreeSet<_> = records.collect();
    for (key, id) in &expected {
        add(&belly, key, id, START);
    }
    assert!(belly.flush().await);
    let (mut seen, mut after, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = belly.provider_records(after.as_ref(), 7, START).await.unwrap();
        assert!(page.records.len() <= 7 && pages < 100);
        for record in page.records {
            assert!(seen.insert((record.key, record.id)), "a record twice");
        }
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collision_is_counted_and_both_are_found_by_who_reads_the_old_layout() {
    let moto = Moto::start();
    let url = moto.url("table=providers");
    let belly = open(&url).await;
    let all: BTreeSet<_> = (0..20u8).map(|id| vec![b'p', id]).collect();
    for _ in 0..2 {
        for id in &all {
            add(&belly, b"key", id, START);
        }
        assert!(belly.flush().await);
    }
    let collisions = belly.backlog().collisions;
    assert!(collisions >= 19, "{collisions}");
    let found = moto.old(&["get", "providers", &hex(b"key")], "");
    assert_eq!(
        found.lines().map(str::to_owned).collect::<BTreeSet<_>>(),
        all.iter().map(|id| hex(id)).collect()
    );
    assert_eq!(found.lines().count(), 20, "what is told again comes to stand where it stood");
    // Another process has all of them, too.
    let other = open(&url).await;
    assert_eq!(ids(&other, b"key", START).await.into_iter().collect::<BTreeSet<_>>(), all);
}

/// A table of the original with 2,600 items of a key: more than one request gives.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_hydra_booster_made_works_as_it_is() {
    let moto = Moto::start();
    moto.old(&["make", "old"], "");
    moto.old(&["make-values", "old-values"], "");
    let now = START.as_secs();
    let mut lines = String::new();
    // Announced again and again by a few, before all of which an old one that nobody has announced since.
    let key = hex(b"key");
    writeln!(lines, "{key} {} {}", now + 10, hex(b"early")).unwrap();
    for item in 0..2600u64 {
        writeln!(lines, "{key} {} {}", now + 100 + item, hex(&[b'p', u8::try_from(item % 4).unwrap()]))
            .unwrap();
    }
    writeln!(lines, "{key} {} {}", now - 1, hex(b"late")).unwrap();
    moto.old(&["put", "old"], &lines);
    let url = moto.url("table=old,ttl=24h,queryLimit=10000");
    let belly = open(&url).await;
    // The newest first, each once; the last page has the early one; what has expired is there and not served.
    let expected = [&[b'p', 3][..], &[b'p', 2], &[b'p', 1], &[b'p', 0], b"early"];
    assert_eq!(ids(&belly, b"key", START).await, expected);
    assert_eq!(ids(&belly, b"key", START + Duration::from_secs(11)).await, &expected[..4]);
    // The limit counts providers, not items.
    let limited = open(&moto.url("table=old,ttl=24h,queryLimit=5")).await;
    assert_eq!(ids(&limited, b"key", START).await, expected);
    let limited = open(&moto.url("table=old,ttl=24h,queryLimit=2")).await;
    assert_eq!(ids(&limited, b"key", START).await, &expected[..2]);
    // What is added stands beside, for the original as well, and lives no longer than the table's records do.
    add(&belly, b"new", b"peer", START);
    belly.close().await.unwrap();
    assert_eq!(moto.old(&["get", "old", &hex(b"new")], "").trim(), hex(b"peer"));
    let belly = open(&url).await;
    assert_eq!(ids(&belly, b"new", START + HOUR * 24).await, [b"peer"]);
    let belly = {
        belly.close().await.unwrap();
        open(&url).await
    };
    assert!(ids(&belly, b"new", START + HOUR * 24 + Duration::from_secs(1)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_the_original_are_read_and_ours_by_it() {
    let moto = Moto::start();
    moto.old(&["make-values", "old"], "");
    let public = Keypair::generate_ed25519().public();
    let key = [b"/pk/", &public.to_peer_id().to_bytes()[..]].concat();
    let record = kept_record(&key, &public.encode_protobuf(), START);
    moto.old(&["put-value", "old", &hex(&key), &hex(&record)], "");
    let belly = open(&moto.url("table=providers,values=old")).await;
    let read = belly.value(&key, 0, START + HOUR).wait().await.unwrap().unwrap();
    assert_eq!(Record::decode(&read).unwrap().value, public.encode_protobuf());
    let ours = CheckedValue {
        value: b"value",
        version: Some(Version { sequence: Some(1), valid_until: START + HOUR }),
    };
    belly.put_value(b"/ipns/x", &ours, START);
    belly.close().await.unwrap();
    let read = moto.old(&["get-value", "old", &hex(b"/ipns/x")], "");
    assert_eq!(read.trim(), hex(&kept_record(b"/ipns/x", b"value", START)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_write_one_value_leave_the_better_one() {
    let moto = Moto::start();
    let url = moto.url("table=providers");
    let (one, other) = (open(&url).await, open(&url).await);
    for sequence in 0..20 {
        let version = Some(Version { sequence: Some(sequence), valid_until: START + HOUR });
        let value = sequence.to_be_bytes();
        let belly = if sequence % 2 == 0 { &one } else { &other };
        belly.put_value(b"/ipns/x", &CheckedValue { value: &value, version }, START);
    }
    assert!(one.flush().await && other.flush().await);
    let read = open(&url).await.value(b"/ipns/x", 0, START).wait().await.unwrap().unwrap();
    assert_eq!(Record::decode(&read).unwrap().value, 19u64.to_be_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_adds_is_seen_when_the_list_is_no_longer_fresh() {
    let moto = Moto::start();
    let url = moto.url("table=providers");
    let (one, other) = (open(&url).await, open(&url).await);
    assert!(ids(&other, b"key", START).await.is_empty());
    add(&one, b"key", b"peer", START);
    assert!(one.flush().await);
    assert_eq!(ids(&other, b"key", START + Duration::from_millis(1001)).await, [b"peer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_do_not_fit_or_are_missing_are_refused_by_name() {
    let moto = Moto::start();
    moto.old(&["make-values", "other"], "");
    let refused =
        async |settings: &str, config| Belly::open(&moto.url(settings), config).await.map(drop).unwrap_err();
    let error = refused("table=other", config()).await;
    assert!(matches!(error, BellyError::Store(Error::Layout { .. })), "{error}");
    assert!(error.to_string().contains("key (B, HASH) and ttl (N, RANGE)"), "{error}");
    let error = refused("table=missing", BellyConfig { makes_tables: false, ..config() }).await;
    assert!(error.to_string().contains("missing") && error.to_string().contains("switched off"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_stay_under_the_ceiling() {
    let moto = Moto::start();
    let url = moto.url("table=providers");
    drop(open(&url).await);
    let belly = Belly::open(&url, BellyConfig { statements_per_s: 40, ..suite::config() }).await.unwrap();
    let (begun, before) = (tokio::time::Instant::now(), belly.backlog().statements);
    for key in 0..100u32 {
        add(&belly, &key.to_be_bytes(), b"peer", START);
    }
    assert!(belly.flush().await);
    let (took, made) = (begun.elapsed(), belly.backlog().statements - before);
    assert!(made >= 100, "{made}");
    assert!(made as f64 <= 40.0 * (took.as_secs_f64() + 1.0), "{made} in {took:?}");
}
