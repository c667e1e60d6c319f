//! Targets fall where they are to fall, and the numbers that they are made of are those of the definition.

use std::{fs, path::Path};

use super::*;

/// The numbers, found by trying one after the other.
fn counters() -> Vec<u8> {
    let mut counters = vec![None; 1 << 16];
    let mut missing = counters.len();
    for counter in 0_u32.. {
        let slot = &mut counters[usize::from(Key::of(&target(counter)).prefix16())];
        if slot.is_none() {
            *slot = Some(counter);
            missing -= 1;
        }
        if missing == 0 {
            break;
        }
    }
    counters.into_iter().flatten().flat_map(|counter| counter.to_le_bytes().into_iter().take(3)).collect()
}

#[test]
fn the_file_holds_what_trying_finds() {
    let found = counters();
    if std::env::var_os("KADSCOPE_WRITE").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/preimage/counters.bin");
        fs::write(file, &found).expect("writable");
    }
    assert!(COUNTERS[..] == found, "counters.bin is stale: see where it is included");
    assert!(
        (0..=u16::MAX).all(|prefix| Key::of(&target_of(prefix)).prefix16() == prefix),
        "a number has no room"
    );
}

#[test]
fn a_target_falls_into_its_bucket() {
    for n in 0..2_000_u32 {
        let key = Key::of(&n.to_be_bytes());
        for length in 0..=MAX_PREFIX_BITS {
            let target = target_at(&key, length).expect("in range");
            assert_eq!(Key::of(&target).common_prefix_len(&key), length);
        }
        assert_eq!(target_at(&key, 16), None);
        assert_eq!(Key::of(&target_of(key.prefix16())).prefix16(), key.prefix16());
        let target = target_among(&key, n % 16, 0xa5a5).expect("in range");
        let found = Key::of(&target);
        assert_eq!(found.common_prefix_len(&key), n % 16);
        let free = (1 << (15 - n % 16)) - 1;
        assert_eq!(found.prefix16() & free, 0xa5a5 & free);
    }
}
