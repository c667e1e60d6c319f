//! A belly in memory, and its lists.

use kad::{answer::entry, message::ConnectionType, records::PROVIDER_ADDRESS_LIFETIME};
use proptest::prelude::*;

use super::*;

const START: Duration = Duration::from_secs(1_767_225_600);
const HOUR: Duration = Duration::from_secs(3600);

fn whole(id: &[u8]) -> Vec<u8> {
    entry(id, [&[4, 127, 0, 0, 1, 6, 15, 161][..]].into_iter(), ConnectionType::NotConnected)
}

fn add(belly: &Belly, key: &[u8], id: &[u8], now: Duration) -> Kept {
    belly.add_provider(key, NewProvider::new(id, &whole(id)).unwrap(), now)
}

fn ids(belly: &Belly, key: &[u8], now: Duration) -> Vec<Vec<u8>> {
    match belly.providers(key, 0, now) {
        Reading::Known(held) => held.known(now).map(|known| known.id.to_vec()).collect(),
        other => panic!("{other:?}"),
    }
}

fn small(bytes: usize, per_key: usize) -> Belly {
    Belly::in_memory(&BellyConfig { provider_bytes: bytes, per_key, ..BellyConfig::default() })
}

#[test]
fn addresses_live_a_day_and_a_record_two() {
    let belly = small(1 << 20, 16);
    add(&belly, b"key", b"peer", START);
    let seen = |age| match belly.providers(b"key", 0, START + age) {
        Reading::Known(held) => held
            .known(START + age)
            .map(|known| (known.entry.to_vec(), known.has_addresses))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let bare = entry(b"peer", std::iter::empty(), ConnectionType::NotConnected);
    assert_eq!(seen(PROVIDER_ADDRESS_LIFETIME), [(whole(b"peer"), true)]);
    assert_eq!(seen(PROVIDER_ADDRESS_LIFETIME + Duration::from_micros(1)), [(bare.clone(), false)]);
    assert_eq!(seen(PROVIDE_VALIDITY), [(bare, false)]);
    assert_eq!(seen(PROVIDE_VALIDITY + Duration::from_micros(1)), []);
}

#[test]
fn the_newest_comes_first_and_the_oldest_makes_room() {
    let belly = small(1 << 20, 3);
    for (second, id) in (0..).zip([b"a", b"b", b"c"]) {
        add(&belly, b"key", id, START + Duration::from_secs(second));
    }
    assert_eq!(ids(&belly, b"key", START), [b"c", b"b", b"a"]);
    add(&belly, b"key", b"a", START + HOUR);
    add(&belly, b"key", b"d", START + HOUR);
    assert_eq!(ids(&belly, b"key", START + HOUR), [b"d", b"a", b"c"]);
}

#[test]
fn what_others_say_of_a_provider_never_outlives_what_it_says_itself() {
    let belly = small(1 << 20, 16);
    let (own, others) = (whole(b"own"), whole(b"other"));
    add(&belly, b"key", b"own", START);
    let fetched = [NewProvider::new(b"own", &own).unwrap(), NewProvider::new(b"other", &others).unwrap()];
    assert_eq!(belly.add_fetched(b"key", &fetched, HOUR, START + HOUR), 1);
    assert_eq!(ids(&belly, b"key", START + HOUR), [&b"other"[..], b"own"]);
    // Hearing of it again does not keep it alive.
    assert_eq!(belly.add_fetched(b"key", &fetched, HOUR, START + HOUR * 3 / 2), 0);
    assert_eq!(ids(&belly, b"key", START + HOUR * 5 / 2), [b"own"]);
    // What it says itself does.
    assert_eq!(belly.add_fetched(b"key", &fetched, HOUR, START + HOUR * 3), 1);
    assert_eq!(add(&belly, b"key", b"other", START + HOUR * 3), Kept::Yes);
    assert_eq!(ids(&belly, b"key", START + HOUR * 5), [&b"other"[..], b"own"]);
    assert_eq!(
        belly.add_fetched(b"key", &fetched, HOUR, START + PROVIDE_VALIDITY + HOUR / 2),
        1,
        "own has expired"
    );
}

#[tokio::test]
async fn what_has_expired_is_collected_by_what_comes() {
    let belly = small(1 << 20, 16);
    for key in 0..100u32 {
        add(&belly, &key.to_be_bytes(), b"peer", START);
    }
    let bytes = belly.backlog().memory_bytes;
    for key in 0..10_000u32 {
        add(&belly, &(key % 200).to_be_bytes(), b"late", START + PROVIDE_VALIDITY + HOUR);
    }
    assert_eq!(belly.counts().await.unwrap(), RecordCounts { providers: 200, values: 0, is_exact: true });
    belly.collect(START + PROVIDE_VALIDITY * 3);
    assert_eq!(belly.counts().await.unwrap().providers, 0);
    assert_eq!(belly.backlog().memory_bytes, 0, "{bytes}");
}

#[tokio::test]
async fn memory_has_a_bound_and_the_oldest_go() {
    let belly = small(1 << 20, 16);
    for key in 0..20_000u32 {
        add(&belly, &key.to_be_bytes(), b"peer", START + Duration::from_millis(key.into()));
    }
    assert!(belly.backlog().memory_bytes <= 1 << 20);
    let kept = |keys: std::ops::Range<u32>| {
        keys.filter(|key| !ids(&belly, &key.to_be_bytes(), START).is_empty()).count()
    };
    assert!(kept(19_000..20_000) > 950, "{}", kept(19_000..20_000));
    assert!(kept(0..10_000) < 500, "{}", kept(0..10_000));
}

#[tokio::test]
async fn pages_advance_and_end_while_records_come() {
    let belly = small(64 << 20, 64);
    let records =
        (0..300u32).flat_map(|key| (0..=key % 20).map(move |id| (key.to_be_bytes(), id.to_be_bytes())));
    let expected: std::collections::BTreeSet<_> = records.collect();
    for (key, id) in &expected {
        add(&belly, key, id, START);
    }
    let (mut seen, mut after, mut pages) = (std::collections::BTreeSet::new(), None, 0u32);
    loop {
        let page = belly.provider_records(after.as_ref(), 7, START).await.unwrap();
        assert!(page.records.len() <= 7);
        for record in page.records {
            if record.key.len() == 4 {
                assert!(seen.insert((record.key, record.id)), "a record twice");
            }
        }
        pages += 1;
        add(&belly, &[&b"more"[..], &pages.to_be_bytes()].concat(), b"late", START);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected.iter().map(|(key, id)| (key.to_vec(), id.to_vec())).collect());
}

#[test]
fn what_is_too_long_is_counted() {
    let belly = small(1 << 20, 16);
    assert_eq!(add(&belly, &[1; MAX_KEY_BYTES + 1], b"peer", START), Kept::Shed(WriteShed::Size));
    assert_eq!(add(&belly, b"", b"peer", START), Kept::Shed(WriteShed::Size));
    assert_eq!(belly.backlog().shed_writes[WriteShed::Size as usize], 2);
}

proptest! {
    #[test]
    fn a_list_is_what_a_plain_one_would_be(
        steps in proptest::collection::vec((0u8..12, 0u64..5_000, any::<bool>()), 0..300)
    ) {
        const CAP: usize = 6;
        let belly = small(1 << 24, CAP);
        // What the same rules give, in the plainest way: oldest first.
        let mut plain: Vec<(u8, Duration)> = Vec::new();
        let mut now = START;
        for (id, minutes, is_held) in steps {
            now += Duration::from_secs(minutes);
            let holder = is_held.then(|| belly.providers(b"key", 0, now));
            add(&belly, b"key", &[id; 5], now);
            plain.retain(|(other, received)| *other != id && now.saturating_sub(*received) <= PROVIDE_VALIDITY);
            plain.push((id, now));
            if plain.len() > CAP {
                plain.remove(0);
            }
            drop(holder);
            let expected: Vec<_> = plain.iter().rev().map(|(id, _)| vec![*id; 5]).collect();
            prop_assert_eq!(ids(&belly, b"key", now), expected);
        }
    }
}
