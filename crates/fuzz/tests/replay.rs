//! Replays the corpus through every target, and random bytes beside it.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test ends at the first error")]

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use kadscope_fuzz::{FuzzTarget, TARGETS};

/// Random inputs for each target, and as many changed seeds.
const ROUNDS: u64 = 200;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The seeds of one target, in the order of their names.
fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fuzz().join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
}

/// The names of what is in a folder of `fuzz/`, without their extension.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz().join(folder)).expect("readable");
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    entries.filter_map(|entry| stem(entry.expect("readable").path())).collect()
}

/// Numbers that look random and are always the same (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

fn holds(name: &str, target: FuzzTarget, what: &str, bytes: &[u8]) {
    assert!(catch_unwind(|| target(bytes)).is_ok(), "{name} does not hold of {what}: {bytes:02x?}");
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name").1;
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has no corpus");
    for (path, bytes) in &seeds {
        holds(name, target, &path.display().to_string(), bytes);
    }
    let mut numbers = Numbers(7);
    for round in 0..ROUNDS {
        let len = numbers.below(300);
        let random = numbers.bytes(len);
        holds(name, target, &format!("random bytes {round}"), &random);
        let mut changed = seeds[numbers.below(seeds.len())].1.clone();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(changed.len());
            match changed.get_mut(at) {
                Some(byte) => *byte = numbers.bytes(1)[0],
                None => changed.push(0),
            }
        }
        holds(name, target, &format!("changed seed {round}"), &changed);
    }
}

macro_rules! replay {
    ($($(#[$when:meta])? $name:ident)*) => {
        $($(#[$when])? #[test] fn $name() { replay(stringify!($name)); })*

        const REPLAYED: &[&str] = &[$($(#[$when])? stringify!($name)),*];
    };
}

replay! {
    access address admission advertisement autonat belly_row bitswap certificate event_log exchange gateway_address gateway_answer identify kad_answer kad_message lookup name_query opt_out
    perf_answer protobuf
    routing_answer routing_table scenario session_dialer session_listener session_pair session_secured_dialer
    session_secured_listener session_secured_tls_dialer session_tls_dialer store_file store_url value written_key
    #[cfg(feature = "dynamodb")] aws_credentials
    #[cfg(feature = "dynamodb")] dynamo_item
    #[cfg(feature = "postgres")] measured
    #[cfg(feature = "postgres")] password_line
    #[cfg(feature = "postgres")] spilled
}

/// Those that need a feature.
const OF_FEATURES: [&str; 5] = ["aws_credentials", "dynamo_item", "measured", "password_line", "spilled"];

#[test]
fn every_target_has_a_driver_a_corpus_and_a_replay() {
    let mut targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(REPLAYED.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), targets);
    targets.extend(OF_FEATURES.map(str::to_owned));
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("readable");
    assert!(targets.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}
