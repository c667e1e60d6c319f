//! Whom one head would have in a table of its own: a part of the peers that all heads know.

use kad::{Key, message::K};

use super::index::KeyIndex;

/// The peers that matter to whoever is at `own`, without itself: the [`K`] closest to it, the closest first, and of each bucket
/// farther away the `per_bucket` closest of it, from the nearest bucket on.
pub(super) fn view<'a, T>(index: &'a KeyIndex<T>, own: &Key, per_bucket: usize) -> Vec<(&'a Key, &'a T)> {
    let pair = |key, item| (key, item);
    let mut view = index.closest(own, K + 1, pair);
    view.retain(|(key, _)| *key != own);
    view.truncate(K);
    // Fewer than these are all that there are.
    let Some(farthest) = view.get(K - 1).map(|(key, _)| own.distance(key)) else { return view };
    for shared in (0..=farthest.leading_zeros()).rev() {
        let of_bucket = index.closest(&flipped(own, shared), per_bucket, pair);
        let farther =
            |(key, _): &(&Key, _)| own.common_prefix_len(key) == shared && own.distance(key) > farthest;
        view.extend(of_bucket.into_iter().filter(farther));
    }
    view
}

/// How many peers a table of whoever is at `own` would hold with buckets of this size: [`K`] of each, where there are as many.
pub(super) fn table_size<T>(index: &KeyIndex<T>, own: &Key, bucket_size: usize) -> usize {
    view(index, own, bucket_size).len()
}

/// The key that differs from this one in the bit after the first `shared` alone.
fn flipped(key: &Key, shared: u32) -> Key {
    let mut bytes = *key.as_bytes();
    if let Some(byte) = bytes.get_mut(shared as usize / 8) {
        *byte ^= 0x80 >> (shared % 8);
    }
    Key::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn index(count: u32) -> KeyIndex<()> {
        let mut index = KeyIndex::default();
        for n in 0..count {
            index.insert(Key::of(&n.to_be_bytes()), ());
        }
        index
    }

    #[test]
    fn a_view_is_the_closest_peers_and_some_of_each_bucket() {
        let (index, own) = (index(2_000), Key::of(&7_u32.to_be_bytes()));
        for per_bucket in [3, K] {
            let seen: Vec<Key> = view(&index, &own, per_bucket).into_iter().map(|(key, ())| *key).collect();
            let mut all: Vec<Key> = index.iter().map(|(key, ())| *key).filter(|key| *key != own).collect();
            all.sort_by_key(|key| key.distance(&own));
            assert_eq!(seen[..K], all[..K]);
            let buckets = |keys: &[Key]| {
                let mut buckets: BTreeMap<u32, usize> = BTreeMap::new();
                for key in keys {
                    *buckets.entry(own.common_prefix_len(key)).or_default() += 1;
                }
                buckets
            };
            let farther = buckets(&all[K..]).into_iter();
            let expected: BTreeMap<u32, usize> =
                farther.map(|(shared, count)| (shared, count.min(per_bucket))).collect();
            let deepest = own.common_prefix_len(&all[K - 1]);
            let mut found = buckets(&seen[K..]);
            // Of the bucket that is cut by the closest, some are among these.
            let cut = (found.remove(&deepest).unwrap_or(0), expected.get(&deepest).copied().unwrap_or(0));
            assert!(cut.0 <= cut.1, "{cut:?}");
            assert_eq!(found, expected.into_iter().filter(|(shared, _)| *shared < deepest).collect());
        }
    }

    #[test]
    fn where_there_are_few_everybody_is_in_view() {
        let (index, own) = (index(15), Key::of(b"a head"));
        assert_eq!(table_size(&index, &own, K), 15);
    }
}
