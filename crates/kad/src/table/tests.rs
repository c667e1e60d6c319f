//! Tables: what is closest, how they come to rest, what a refresh looks up, who is tested.

use proptest::prelude::*;

use super::*;

/// A key with these first bytes. Short ones make shared prefixes of every length.
fn key(bytes: &[u8]) -> Key {
    let mut key = [0; 32];
    key[..bytes.len()].copy_from_slice(bytes);
    Key::from_bytes(key)
}

fn newcomer(key: Key) -> Newcomer<()> {
    Newcomer { key, peer: (), groups: Vec::new(), is_replaceable: false }
}

fn table(keys: impl IntoIterator<Item = Key>) -> RoutingTable<()> {
    let mut table = RoutingTable::new(key(&[]), TableRules::default());
    for key in keys {
        assert_eq!(table.insert(newcomer(key), Duration::ZERO), Ok(Insertion::Added));
    }
    table
}

proptest! {
    #[test]
    fn closest_are_those_that_sorting_all_by_distance_finds(
        own: [u8; 2],
        steps in prop::collection::vec((any::<[u8; 2]>(), any::<[bool; 2]>()), 0..300),
        target: [u8; 2],
        size in 1usize..5,
    ) {
        let limits = GroupLimits { per_prefix: 4, per_table: 8 };
        let rules = TableRules { bucket_size: size, groups: Some(limits) };
        let mut table = RoutingTable::new(key(&own), rules);
        for (bytes, [comes, is_replaceable]) in steps {
            let at = key(&bytes);
            let groups = vec![AddressGroup::ClassA(bytes[1] % 4)];
            if comes {
                let had_room = table.has_room_for(&at);
                let was_there = table.get(&at).is_some();
                let came = table.insert(Newcomer { key: at, peer: (), groups, is_replaceable }, Duration::ZERO);
                prop_assert_eq!(table.get(&at).is_some(), came.is_ok());
                let is_new = matches!(came, Ok(Insertion::Added | Insertion::InPlaceOf(_)));
                prop_assert!(had_room || !is_new);
                prop_assert!(is_new || !had_room || came == Err(Rejected::Group));
                prop_assert_eq!(was_there, came == Ok(Insertion::Known));
            } else {
                table.remove(&at);
            }
            let last = table.buckets.len() - 1;
            for (index, bucket) in table.buckets.iter().enumerate() {
                prop_assert!(bucket.len() <= size);
                let shared = |peer: &TablePeer<()>| (table.own.common_prefix_len(&peer.key) as usize).min(last);
                prop_assert!(bucket.iter().all(|peer| shared(peer) == index));
            }
        }
        let mut all: Vec<Key> = table.iter().map(|peer| peer.key).collect();
        prop_assert_eq!(all.len(), table.len());
        all.sort_by_key(|peer| peer.distance(&key(&target)));
        for count in [0, 1, 7, all.len()] {
            let found: Vec<Key> = table.closest(&key(&target), count).iter().map(|peer| peer.key).collect();
            prop_assert_eq!(found.as_slice(), &all[..count.min(all.len())]);
        }
        for peer in &all {
            prop_assert!(table.remove(peer).is_some());
        }
        prop_assert!(table.is_empty() && table.buckets() == 1 && table.groups.is_empty());
    }
}

#[test]
fn a_bucket_that_unfolded_to_nothing_hides_no_depth() {
    let far = |n: u8| key(&[0x80, n]);
    let mut table = table((0..20).map(far).chain([key(&[0x40])]).chain((21..40).map(|n| key(&[0x40, n]))));
    assert_eq!(table.insert(newcomer(key(&[0x40, 99])), Duration::ZERO), Err(Rejected::Full));
    assert_eq!((table.buckets(), table.depth(), table.refreshed().len()), (3, 1, 2));
}

#[test]
fn a_full_bucket_keeps_what_it_has() {
    let far = |n: u8| key(&[0x80, n]);
    let mut table = table((0..20).map(far).chain([key(&[1])]));
    assert_eq!(table.insert(newcomer(far(20)), Duration::ZERO), Err(Rejected::Full));
    assert_eq!(table.insert(newcomer(far(3)), Duration::from_secs(9)), Ok(Insertion::Known));
    assert_eq!(
        table.get(&far(3)).map(|peer| (peer.added, peer.answered.as_secs())),
        Some((Duration::ZERO, 9))
    );
    assert_eq!(table.insert(newcomer(key(&[])), Duration::ZERO), Err(Rejected::Own));
    assert!(table.remove(&far(3)).is_some() && table.remove(&far(3)).is_none());
    assert_eq!(table.insert(newcomer(far(20)), Duration::ZERO), Ok(Insertion::Added));
    assert_eq!((table.len(), table.buckets(), table.depth(), table.len_at(0)), (21, 2, 7, 20));
}

#[test]
fn a_peer_of_no_known_group_does_not_come_where_groups_have_limits() {
    let rules = TableRules { groups: Some(GroupLimits::default()), ..TableRules::default() };
    let mut table = RoutingTable::new(key(&[]), rules);
    let mut insert = |n: u8, addrs: &[&str]| {
        let addrs: Vec<_> = addrs.iter().map(|addr| addr.parse().expect("an address")).collect();
        let groups = AddressGroup::of(&addrs);
        table.insert(Newcomer { key: key(&[n]), peer: (), groups, is_replaceable: false }, Duration::ZERO)
    };
    assert_eq!(insert(0x80, &["/dns4/example.com/tcp/1"]), Err(Rejected::Group));
    assert_eq!(insert(0x80, &["/ip4/18.7.0.1/tcp/1", "/dns4/example.com/tcp/1"]), Err(Rejected::Group));
    assert_eq!(insert(0x80, &[]), Err(Rejected::Group));
    for n in [0x80, 0x81, 0x40] {
        assert_eq!(insert(n, &["/ip4/18.7.9.1/tcp/1"]), Ok(Insertion::Added));
    }
    assert_eq!(insert(0x20, &["/ip6/::ffff:18.7.1.1/tcp/1"]), Err(Rejected::Group));
    assert_eq!(insert(0x20, &["/ip4/18.8.1.1/tcp/1"]), Ok(Insertion::Added));
    assert_eq!(insert(0x82, &["/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8:9::1/tcp/1"]), Ok(Insertion::Added));
    assert_eq!(insert(0x83, &["/ip6/2001:db8:7::1/tcp/1"]), Err(Rejected::Group));
}

/// The figures of go-libp2p-kad-dht's formula, worked out apart from it.
#[test]
fn the_grace_of_a_silent_peer_follows_from_how_often_it_is_asked() {
    let minutes = |size, parallelism| answer_grace(size, parallelism, REFRESH_INTERVAL).as_secs_f64() / 60.0;
    assert!((minutes(20, 10) - 43.2193).abs() < 1e-4);
    assert!((minutes(20, 3) - 184.3313).abs() < 1e-4);
    assert!((minutes(20, 20) - 10.0).abs() < 1e-9 && (minutes(3, 10) - 10.0).abs() < 1e-9);

    let mut table = table([key(&[0x80]), key(&[0x40])]);
    assert!(table.note_answer(&key(&[0x40]), Duration::from_secs(1)));
    let grace = Duration::from_secs(60);
    let overdue = |table: &RoutingTable<()>, secs| {
        table.overdue(Duration::from_secs(secs), grace).map(|peer| peer.key).collect::<Vec<_>>()
    };
    assert_eq!(overdue(&table, 60), []);
    assert_eq!(overdue(&table, 61), [key(&[0x80])]);
    assert_eq!(overdue(&table, 62), [key(&[0x80]), key(&[0x40])]);
    assert!(!table.passes(None) && table.passes(Some(0)) && table.passes(Some(1)));
}

/// All steps of a refresh, each of which is brought to an end unless it is one of `failing`.
fn steps(table: &RoutingTable<()>, mut refresh: Refresh, now: u64, failing: &[u32]) -> (Vec<u32>, bool) {
    let now = Duration::from_secs(now);
    assert_eq!(refresh.next(table, now, true), Some(RefreshStep::Own));
    let (mut taken, mut is_done) = (Vec::new(), true);
    while let Some(step) = refresh.next(table, now, is_done) {
        let RefreshStep::Prefix(prefix) = step else { panic!("{step:?}") };
        taken.push(prefix);
        is_done = !failing.contains(&prefix);
    }
    (taken, refresh.is_whole())
}

#[test]
fn a_refresh_looks_up_what_is_due_and_little_behind_a_gap() {
    let refresh = |is_forced| Refresh::new(REFRESH_INTERVAL, is_forced);
    // Peers at 0, 1, 2 and 9 bits.
    let mut table = table([key(&[0x80]), key(&[0x40]), key(&[0x20]), key(&[0, 0x40])]);
    assert_eq!((table.depth(), table.refreshed().len()), (9, 10));
    assert_eq!(steps(&table, refresh(false), 0, &[]), ((0..=8).collect(), false));
    // A prefix that could not be looked up shows no gap.
    assert_eq!(steps(&table, refresh(false), 0, &[3]), ((0..=9).collect(), false));
    assert_eq!(steps(&table, refresh(false), 0, &[3, 4, 5, 6, 7, 8]), ((0..=9).collect(), true));
    table.note_lookup(&key(&[0x80]), Duration::from_secs(5));
    table.note_lookup(&key(&[0x10]), Duration::from_secs(5));
    assert_eq!(steps(&table, refresh(false), 605, &[]), (vec![1, 2, 4, 5, 6, 7, 8], false));
    assert_eq!(steps(&table, refresh(true), 605, &[]), ((0..=8).collect(), false));
    assert_eq!(steps(&table, refresh(false), 606, &[]), ((0..=8).collect(), false));

    assert!(table.remove(&key(&[0, 0x40])).is_some());
    assert_eq!(steps(&table, refresh(true), 0, &[]), (vec![0, 1, 2], true));
    let empty = RoutingTable::new(key(&[]), TableRules::default());
    assert_eq!(steps(&empty, refresh(false), 0, &[]), (vec![0], false));
}

#[test]
fn no_prefix_is_refreshed_that_targets_cannot_be_made_for() {
    let mut table = table([key(&[0, 0, 0, 1])]);
    assert_eq!((table.depth(), table.refreshed().len()), (31, 16));
    table.note_lookup(&key(&[0, 0, 0, 1]), Duration::ZERO);
    assert!(table.refreshed().iter().all(Option::is_none));
}

#[test]
fn those_whom_a_new_table_met_first_make_way_until_it_has_settled() {
    let mut settling = Settling::default();
    let mut table = RoutingTable::new(key(&[]), TableRules { bucket_size: 1, groups: None });
    let at = Duration::from_secs;
    let come = |settling: &mut Settling, table: &mut RoutingTable<()>, n: u8, now: u64| {
        let is_replaceable = settling.comes(table, at(now));
        table.insert(Newcomer { is_replaceable, ..newcomer(key(&[n])) }, at(now))
    };
    assert_eq!(come(&mut settling, &mut table, 0x80, 0), Ok(Insertion::Added));
    assert!(
        matches!(come(&mut settling, &mut table, 0x81, 1), Ok(Insertion::InPlaceOf(peer)) if peer.key == key(&[0x80]))
    );
    assert!(settling.refreshed(at(2)), "the first refresh is followed by another");
    assert!(matches!(come(&mut settling, &mut table, 0x82, 3), Ok(Insertion::InPlaceOf(_))));
    assert_eq!(come(&mut settling, &mut table, 0x83, 4), Err(Rejected::Full));
    assert_eq!(come(&mut settling, &mut table, 0x40, 4), Ok(Insertion::Added));
    assert!(table.remove(&key(&[0x82])).is_some() && table.remove(&key(&[0x40])).is_some());

    // Empty again: it begins anew, and is frozen a minute after the second refresh.
    assert_eq!(come(&mut settling, &mut table, 0x80, 5), Ok(Insertion::Added));
    assert!(settling.refreshed(at(6)) && !settling.refreshed(at(10)));
    settling.pass(&mut table, at(69));
    assert!(table.iter().all(|peer| peer.is_replaceable));
    assert_eq!(come(&mut settling, &mut table, 0x81, 70), Err(Rejected::Full));
}

#[test]
fn whoever_may_come_is_tested_once_at_a_time() {
    let (mut admission, far) = (TableTrials::default(), |n: u8| key(&[0x80, n]));
    let mut table = table((0..19).map(far));
    assert!(!admission.begin(&table, &far(3)), "it is there");
    assert!(admission.begin(&table, &far(30)) && !admission.begin(&table, &far(30)));
    assert!(!admission.end(&table, &far(30), None) && admission.is_empty());
    assert!(!admission.end(&table, &far(30), Some(1)), "it was not being tested");
    assert!(admission.begin(&table, &far(30)) && admission.end(&table, &far(30), Some(0)));
    assert_eq!(table.insert(newcomer(far(30)), Duration::ZERO), Ok(Insertion::Added));
    assert!(!admission.begin(&table, &far(31)), "its bucket is full of others like it");
    assert!(admission.begin(&table, &key(&[0x40])) && !admission.end(&table, &key(&[0x40]), Some(0)));
    assert!(admission.begin(&table, &key(&[0x40])) && admission.end(&table, &key(&[0x40]), Some(1)));
    for n in 0..=255 {
        assert!(admission.begin(&table, &key(&[0x40, n])));
    }
    assert_eq!(admission.len(), MAX_ADMISSION_TESTS);
    assert!(!admission.begin(&table, &key(&[0x20])));
}
