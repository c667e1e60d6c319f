//! The little of DAG-CBOR that a signed record needs: one map with text for keys, of whose values numbers and byte
//! strings are read and all others passed over.
//!
//! <https://ipld.io/specs/codecs/dag-cbor/spec/>; what is taken beside that (`undefined`, short floats, text that is no
//! UTF-8, keys in any order) is what go-ipld-prime takes.

/// How deep lists and maps may lie in each other.
const MAX_DEPTH: u32 = 32;

/// One value of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// An integer that fits.
    Number(i64),
    /// A byte string.
    Bytes(&'a [u8]),
    /// Anything else.
    Other,
}

/// The entries of the map that these bytes are; `None` if they are none, or more than one.
pub(super) fn map(mut bytes: &[u8]) -> Option<Vec<(&[u8], Item<'_>)>> {
    let (5, count) = head(&mut bytes)? else { return None };
    let entries = entries(&mut bytes, count, MAX_DEPTH)?;
    bytes.is_empty().then_some(entries)
}

fn entries<'a>(rest: &mut &'a [u8], count: u64, depth: u32) -> Option<Vec<(&'a [u8], Item<'a>)>> {
    let mut entries = Vec::new();
    for _ in 0..count {
        let (3, length) = head(rest)? else { return None };
        let key = take(rest, length)?;
        entries.push((key, item(rest, depth)?));
    }
    let mut keys: Vec<&[u8]> = entries.iter().map(|&(key, _)| key).collect();
    keys.sort_unstable();
    keys.windows(2).all(|pair| pair[0] != pair[1]).then_some(entries)
}

fn item<'a>(rest: &mut &'a [u8], depth: u32) -> Option<Item<'a>> {
    let deeper = depth.checked_sub(1)?;
    match head(rest)? {
        (0, number) => Some(i64::try_from(number).map_or(Item::Other, Item::Number)),
        (1, number) => Some(Item::Number(-1 - i64::try_from(number).ok()?)),
        (2, length) => take(rest, length).map(Item::Bytes),
        (3, length) => take(rest, length).map(|_| Item::Other),
        (4, count) => {
            for _ in 0..count {
                item(rest, deeper)?;
            }
            Some(Item::Other)
        }
        (5, count) => entries(rest, count, deeper).map(|_| Item::Other),
        // A link: the bytes of a CID behind a zero.
        (6, 42) => match item(rest, deeper)? {
            Item::Bytes([0, _, ..]) => Some(Item::Other),
            _ => None,
        },
        (7, _) => Some(Item::Other),
        _ => None,
    }
}

/// The type of the next item and its number: its value, its length or how much is in it. Numbers stand in as few bytes
/// as they fit into, and nothing is of indefinite length. Of floats the finite ones are taken.
fn head(rest: &mut &[u8]) -> Option<(u8, u64)> {
    let (&first, tail) = rest.split_first()?;
    *rest = tail;
    let (kind, short) = (first >> 5, first & 31);
    let bytes = match short {
        0..24 => return (kind != 7 || (20..24).contains(&short)).then_some((kind, u64::from(short))),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let number = take(rest, bytes)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
    let is_fit = match (kind, short) {
        (7, 24) => false,
        // The exponent of what is infinite or no number has only ones.
        (7, 25) => number >> 10 & 0x1f != 0x1f,
        (7, 26) => number >> 23 & 0xff != 0xff,
        (7, _) => number >> 52 & 0x7ff != 0x7ff,
        (_, 24) => number >= 24,
        (_, _) => number >> (4 * bytes) != 0,
    };
    is_fit.then_some((kind, number))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_bytes_are_read_and_the_rest_passed_over() {
        let bytes = b"\xa5\x61a\x18\xff\x61b\x38\x18\x61c\x42xy\x61d\x82\x01\xa1\x61e\x60\x61f\xf6";
        let entries = map(bytes).expect("a map");
        let expected = [Item::Number(255), Item::Number(-25), Item::Bytes(b"xy"), Item::Other, Item::Other];
        assert_eq!(entries.iter().map(|&(_, item)| item).collect::<Vec<_>>(), expected);
        assert_eq!(
            map(b"\xa1\x61a\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
            Some(vec![(&b"a"[..], Item::Other)])
        );
        assert_eq!(map(b"\xa1\x61a\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(map(&[0xa0]), Some(Vec::new()));
    }

    #[test]
    fn what_lies_deep_is_refused() {
        let nested = |depth| [b"\xa1\x61a", vec![0x81; depth].as_slice(), &[0]].concat();
        assert!(map(&nested(31)).is_some());
        assert_eq!(map(&nested(32)), None);
        assert_eq!(map(&nested(9000)), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            drop((map(&bytes), map(&[&[0xa1, 0x60], &bytes[..]].concat())));
        }
    }
}
