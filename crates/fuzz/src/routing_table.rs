//! A routing table under any treatment: its buckets keep their bounds and their order, and what is closest is closest.

use std::time::Duration;

use kad::{
    Key,
    table::{
        AddressGroup, GroupLimits, Newcomer, Refresh, RefreshStep, RoutingTable, Settling, TableRules,
        TableTrials,
    },
};

/// The most steps of a refresh: of the owner and of each prefix.
const MAX_STEPS: usize = 17;

/// Takes the bytes as what happens to a table, three for each event.
pub fn check(bytes: &[u8]) {
    let Some((&setting, events)) = bytes.split_first() else { return };
    let bucket_size = usize::from(setting & 3) + 1;
    let limits = GroupLimits { per_prefix: 2, per_table: 3 };
    let rules = TableRules { bucket_size, groups: (setting & 4 != 0).then_some(limits) };
    let mut table = RoutingTable::new(key(0, 0), rules);
    let (mut settling, mut admission, mut now) =
        (Settling::default(), TableTrials::default(), Duration::ZERO);
    for event in events.chunks_exact(3) {
        let &[kind, high, low] = event else { return };
        let at = key(high, low);
        match kind % 8 {
            0..4 => {
                let is_replaceable = settling.comes(&mut table, now);
                let groups = vec![AddressGroup::ClassA(kind >> 5); usize::from(kind >> 4 & 1) + 1];
                drop(table.insert(Newcomer { key: at, peer: (), groups, is_replaceable }, now));
            }
            4 => drop(table.remove(&at)),
            5 => {
                now += Duration::from_secs(u64::from(high));
                settling.refreshed(now);
            }
            6 => table.note_lookup(&at, now),
            _ => {
                let is_begun = admission.begin(&table, &at);
                assert!(!is_begun || table.get(&at).is_none());
                assert!(!admission.end(&table, &at, None));
            }
        }
    }
    holds(&table, bucket_size);
    closest(&table);
    refresh(&table, now);
}

/// Keys that share up to 15 bits with the owner's.
fn key(high: u8, low: u8) -> Key {
    let mut bytes = [0; 32];
    [bytes[0], bytes[1]] = [high, low];
    Key::from_bytes(bytes)
}

fn holds(table: &RoutingTable<()>, bucket_size: usize) {
    let last = table.buckets() - 1;
    let mut sizes = vec![0; table.buckets()];
    let shared = |peer: &Key| table.own().common_prefix_len(peer) as usize;
    table.iter().for_each(|peer| sizes[shared(&peer.key).min(last)] += 1);
    assert!(sizes.iter().all(|&size| size <= bucket_size), "{sizes:?}");
    assert!(table.get(table.own()).is_none(), "a table holds its owner");
    let keys: Vec<Key> = table.iter().map(|peer| peer.key).collect();
    assert!(keys.iter().enumerate().all(|(index, peer)| !keys[..index].contains(peer)));
    assert_eq!(table.depth() as usize, keys.iter().map(shared).max().unwrap_or(0));
}

fn closest(table: &RoutingTable<()>) {
    for target in [key(0, 0), key(0x80, 1), key(0, 7), key(3, 0xff)] {
        let mut all: Vec<Key> = table.iter().map(|peer| peer.key).collect();
        all.sort_by_key(|peer| peer.distance(&target));
        all.truncate(5);
        let found: Vec<Key> = table.closest(&target, 5).iter().map(|peer| peer.key).collect();
        assert_eq!(found, all);
    }
}

fn refresh(table: &RoutingTable<()>, now: Duration) {
    let mut refresh = Refresh::new(Duration::from_secs(60), false);
    let mut steps = Vec::new();
    while let Some(step) = refresh.next(table, now, steps.len() % 3 != 2) {
        steps.push(step);
        assert!(steps.len() <= MAX_STEPS, "{steps:?}");
    }
    assert_eq!(steps.first(), Some(&RefreshStep::Own));
    let depth = table.depth();
    assert!(steps.iter().all(|step| matches!(step, RefreshStep::Own | RefreshStep::Prefix(0..16))));
    assert!(!steps.contains(&RefreshStep::Prefix(depth + 1)), "deeper than the table");
}
