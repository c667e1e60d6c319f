//! What every belly must do, whatever keeps its records.

use std::{collections::BTreeSet, time::Duration};

use kad::{
    answer::entry,
    message::{ConnectionType, Record},
    records::{PROVIDE_VALIDITY, PROVIDER_ADDRESS_LIFETIME},
    values::{CheckedValue, Version},
};
use kadscope_store::{Belly, BellyConfig, BellyUrl, Kept, NewProvider};

pub(crate) const START: Duration = Duration::from_secs(1_767_225_600);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_micros(1);

/// Where a belly is.
pub(crate) struct Place {
    pub(crate) url: BellyUrl,
    /// Whether what was closed is there when it is opened again.
    pub(crate) is_kept: bool,
}

pub(crate) fn config() -> BellyConfig {
    BellyConfig {
        write_interval: Duration::from_millis(20),
        read_deadline: Duration::from_secs(20),
        ..BellyConfig::default()
    }
}

impl Place {
    pub(crate) async fn open(&self) -> Belly {
        self.open_with(config()).await
    }

    pub(crate) async fn open_with(&self, config: BellyConfig) -> Belly {
        Belly::open(&self.url, config).await.unwrap()
    }

    /// Closes a belly that keeps its records, and opens it again: nothing of it is in memory then.
    async fn again(&self, belly: Belly, config: BellyConfig) -> Belly {
        if !self.is_kept {
            return belly;
        }
        belly.close().await.unwrap();
        self.open_with(config).await
    }
}

pub(crate) fn whole(id: &[u8]) -> Vec<u8> {
    entry(id, [&[4, 127, 0, 0, 1, 6, 15, 161][..]].into_iter(), ConnectionType::NotConnected)
}

fn bare(id: &[u8]) -> Vec<u8> {
    entry(id, std::iter::empty(), ConnectionType::NotConnected)
}

pub(crate) fn add(belly: &Belly, key: &[u8], id: &[u8], now: Duration) -> Kept {
    belly.add_provider(key, NewProvider::new(id, &whole(id)).unwrap(), now)
}

pub(crate) async fn ids(belly: &Belly, key: &[u8], now: Duration) -> Vec<Vec<u8>> {
    let held = belly.providers(key, 0, now).wait().await.unwrap();
    held.known(now).map(|known| known.id.to_vec()).collect()
}

async fn entries(belly: &Belly, key: &[u8], now: Duration) -> Vec<Vec<u8>> {
    let held = belly.providers(key, 0, now).wait().await.unwrap();
    held.known(now).map(|known| known.entry.to_vec()).collect()
}

pub(crate) async fn two_providers_of_a_key_in_one_second_are_both_kept(place: &Place) {
    let belly = place.open().await;
    assert_eq!(add(&belly, b"key", b"one", START), Kept::Yes);
    assert_eq!(add(&belly, b"key", b"two", START), Kept::Yes);
    assert_eq!(ids(&belly, b"key", START).await.len(), 2);
    let belly = place.again(belly, config()).await;
    let both: BTreeSet<_> = ids(&belly, b"key", START).await.into_iter().collect();
    assert_eq!(both, BTreeSet::from([b"one".to_vec(), b"two".to_vec()]));
    assert_eq!(ids(&belly, b"other", START).await, Vec::<Vec<u8>>::new());
    belly.close().await.unwrap();
}

pub(crate) async fn the_newest_come_first_and_the_oldest_make_room(place: &Place) {
    let config = BellyConfig { per_key: 3, ..config() };
    let belly = place.open_with(config).await;
    for (second, id) in (0..).zip([b"a", b"b", b"c", b"d", b"a"]) {
        add(&belly, b"key", id, START + Duration::from_secs(second));
    }
    let now = START + Duration::from_secs(5);
    assert_eq!(ids(&belly, b"key", now).await, [b"a", b"d", b"c"]);
    let belly = place.again(belly, config).await;
    assert_eq!(ids(&belly, b"key", now).await, [b"a", b"d", b"c"]);
    belly.close().await.unwrap();
}

pub(crate) async fn addresses_live_a_day_and_records_two(place: &Place) {
    let belly = place.open().await;
    add(&belly, b"key", b"peer", START);
    let mut belly = place.again(belly, config()).await;
    for (age, expected) in [
        (PROVIDER_ADDRESS_LIFETIME, vec![whole(b"peer")]),
        (PROVIDER_ADDRESS_LIFETIME + MOMENT, vec![bare(b"peer")]),
        (PROVIDE_VALIDITY, vec![bare(b"peer")]),
        (PROVIDE_VALIDITY + MOMENT, vec![]),
    ] {
        assert_eq!(entries(&belly, b"key", START + age).await, expected, "{age:?}");
        let page = belly.provider_records(None, 10, START + age).await.unwrap();
        assert_eq!(
            page.records.into_iter().map(|record| record.entry).collect::<Vec<_>>(),
            expected,
            "{age:?}"
        );
        belly = place.again(belly, config()).await;
    }
    add(&belly, b"key", b"peer", START + PROVIDE_VALIDITY * 2);
    assert_eq!(ids(&belly, b"key", START + PROVIDE_VALIDITY * 3).await, [b"peer"], "it was announced anew");
    belly.close().await.unwrap();
}

pub(crate) async fn what_is_added_is_in_the_very_next_answer(place: &Place) {
    let (belly, asked) = (place.open().await, place.url.clone());
    let head = belly.clone();
    for round in 0..200u32 {
        let key = (round % 20).to_be_bytes();
        let now = START + Duration::from_millis(u64::from(round) * 90);
        add(&belly, &key, &round.to_be_bytes(), now);
        let answer = ids(&head, &key, now).await;
        assert_eq!(answer.first(), Some(&round.to_be_bytes().to_vec()), "{asked} {round}");
        assert_eq!(answer.len(), usize::try_from(round / 20 + 1).unwrap(), "{asked} {round}");
    }
    belly.close().await.unwrap();
}

pub(crate) async fn what_others_say_never_outlives_what_a_provider_says(place: &Place) {
    let belly = place.open().await;
    let (own, other) = (whole(b"own"), whole(b"other"));
    let fetched = [NewProvider::new(b"own", &own).unwrap(), NewProvider::new(b"other", &other).unwrap()];
    add(&belly, b"key", b"own", START);
    let mut belly = place.again(belly, config()).await;
    // Told again and again, by a belly that does not remember the last time.
    for minutes in [0, 20, 40] {
        let now = START + Duration::from_secs(60 * minutes);
        belly.add_fetched(b"key", &fetched, HOUR, now);
        belly = place.again(belly, config()).await;
        assert_eq!(ids(&belly, b"key", now).await.len(), 2);
    }
    let late = START + HOUR + MOMENT;
    assert_eq!(ids(&belly, b"key", late).await, [b"own"]);
    add(&belly, b"key", b"other", late);
    belly.add_fetched(b"key", &fetched, HOUR, late + HOUR);
    let belly = place.again(belly, config()).await;
    assert_eq!(ids(&belly, b"key", late + HOUR * 10).await, [&b"other"[..], b"own"]);
    belly.close().await.unwrap();
}

fn named(value: &[u8], sequence: u64, hours: u32) -> CheckedValue<'_> {
    CheckedValue {
        value,
        version: Some(Version { sequence: Some(sequence), valid_until: START + HOUR * hours }),
    }
}

async fn value(belly: &Belly, key: &[u8], now: Duration) -> Option<Vec<u8>> {
    let record = belly.value(key, 0, now).wait().await.unwrap();
    record.map(|record| Record::decode(&record).unwrap().value)
}

pub(crate) async fn the_better_value_stays(place: &Place) {
    let belly = place.open().await;
    let key = b"/ipns/x";
    assert_eq!(value(&belly, key, START).await, None);
    assert_eq!(belly.put_value(key, &named(b"five", 5, 2), START), Kept::Yes);
    assert_eq!(belly.put_value(key, &named(b"four", 4, 9), START), Kept::Worse);
    assert_eq!(belly.put_value(key, &named(b"six", 6, 1), START + HOUR * 2), Kept::Worse, "it has expired");
    assert_eq!(belly.put_value(b"/pk/x", &CheckedValue { value: b"key", version: None }, START), Kept::Yes);
    let belly = place.again(belly, config()).await;
    // Memory does not know of a better one any more; the backend does.
    belly.put_value(key, &named(b"four", 4, 9), START);
    assert_eq!(value(&belly, key, START).await, Some(b"five".to_vec()));
    let belly = place.again(belly, config()).await;
    assert_eq!(value(&belly, key, START + HOUR * 2).await, Some(b"five".to_vec()));
    assert_eq!(value(&belly, key, START + HOUR * 2 + MOMENT).await, None);
    assert_eq!(value(&belly, b"/pk/x", START + HOUR * 48).await, Some(b"key".to_vec()));
    assert_eq!(value(&belly, b"/pk/x", START + HOUR * 48 + MOMENT).await, None);
    assert_eq!(
        belly.put_value(key, &named(b"four", 4, 9), START + HOUR * 3),
        Kept::Yes,
        "the better one has expired"
    );
    let belly = place.again(belly, config()).await;
    assert_eq!(value(&belly, key, START + HOUR * 3).await, Some(b"four".to_vec()));
    belly.close().await.unwrap();
}

pub(crate) async fn pages_advance_and_end_while_records_come(place: &Place) {
    let belly = place.open().await;
    let records =
        (0..120u32).flat_map(|key| (0..=key % 10).map(move |id| (key.to_be_bytes(), id.to_be_bytes())));
    let expected: BTreeSet<_> = records.collect();
    for (key, id) in &expected {
        add(&belly, key, id, START);
    }
    let (mut seen, mut after, mut pages) = (BTreeSet::new(), None, 0u32);
    loop {
        let page = belly.provider_records(after.as_ref(), 37, START).await.unwrap();
        assert!(page.records.len() <= 37);
        for record in page.records.into_iter().filter(|record| record.key.len() == 4) {
            assert!(seen.insert((record.key, record.id)), "a record twice");
        }
        pages += 1;
        for more in 0..50u32 {
            let key = [&b"more "[..], &pages.to_be_bytes(), &more.to_be_bytes()].concat();
            add(&belly, &key, b"late", START);
        }
        assert!(pages < 1000, "no end");
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: BTreeSet<_> = expected.iter().map(|(key, id)| (key.to_vec(), id.to_vec())).collect();
    assert_eq!(seen, expected);
    belly.close().await.unwrap();
}

pub(crate) async fn records_are_counted(place: &Place) {
    let belly = place.open().await;
    for _ in 0..2 {
        for key in 0..100u32 {
            add(&belly, &key.to_be_bytes(), b"one", START);
            add(&belly, &key.to_be_bytes(), b"two", START);
        }
        belly.put_value(b"/ipns/x", &named(b"five", 5, 2), START);
        assert!(belly.flush().await);
    }
    let counts = belly.counts().await.unwrap();
    assert_eq!((counts.providers, counts.values, counts.is_exact), (200, 1, true));
    belly.close().await.unwrap();
}

pub(crate) async fn what_has_expired_is_collected_while_others_read(place: &Place) {
    let belly = place.open_with(config()).await;
    for key in 0..3000u32 {
        add(&belly, &key.to_be_bytes(), b"old", START);
    }
    assert!(belly.flush().await);
    let late = START + PROVIDE_VALIDITY + HOUR * 2;
    let mut rounds = 0u32;
    loop {
        for key in 0..100u32 {
            add(&belly, &key.to_be_bytes(), b"new", late);
        }
        belly.collect(late);
        for key in 0..200u32 {
            let answer = ids(&belly, &key.to_be_bytes(), late).await;
            assert_eq!(answer, if key < 100 { vec![b"new".to_vec()] } else { vec![] });
        }
        assert!(belly.flush().await);
        rounds += 1;
        if belly.counts().await.unwrap().providers == 100 {
            break;
        }
        assert!(rounds < 1000, "{:?}", belly.counts().await);
    }
    belly.close().await.unwrap();
}

pub(crate) async fn closing_loses_nothing(place: &Place) {
    const RECORDS: u32 = 20_000;
    let belly = place.open().await;
    for record in 0..RECORDS {
        let (key, id) = ((record / 3).to_be_bytes(), record.to_be_bytes());
        assert_eq!(add(&belly, &key, &id, START), Kept::Yes);
    }
    let belly = place.again(belly, config()).await;
    assert_eq!(belly.counts().await.unwrap().providers, u64::from(RECORDS));
    let clone = belly.clone();
    belly.close().await.unwrap();
    if place.is_kept {
        assert!(matches!(add(&clone, b"key", b"late", START), Kept::Shed(_)));
    }
}

/// Of a key with many providers the backend keeps, in the end, as many as anybody is given.
pub(crate) async fn what_nobody_is_given_is_deleted(place: &Place) {
    let config = BellyConfig { per_key: 5, collect_interval: Duration::from_millis(20), ..config() };
    let belly = place.open_with(config).await;
    for second in 0..20u32 {
        add(&belly, b"key", &second.to_be_bytes(), START + Duration::from_secs(second.into()));
        add(&belly, b"other", &second.to_be_bytes(), START);
        // Memory holds no more than five itself, and what it drops before it is written never comes there.
        assert!(belly.flush().await);
    }
    let now = START + Duration::from_secs(20);
    let belly = place.again(belly, config).await;
    let newest: Vec<_> = (15..20u32).rev().map(|second| second.to_be_bytes().to_vec()).collect();
    let began = tokio::time::Instant::now();
    loop {
        assert_eq!(ids(&belly, b"key", now).await, newest);
        assert_eq!(ids(&belly, b"other", now).await.len(), 5);
        let counts = belly.counts().await.unwrap();
        if counts.providers == 10 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{counts:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    belly.close().await.unwrap();
}
