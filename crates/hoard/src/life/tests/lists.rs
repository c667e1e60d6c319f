//! Names of programs and ranges of clouds.

use super::super::{CloudRanges, CloudRangesError, program_of};

#[test]
fn programs_are_told_apart_by_name_and_version() {
    for (agent, program) in [
        (Some("kubo/0.30.0-rc1/abcdef/docker"), "kubo/0.30.0"),
        (Some("rust-libp2p/0.44.1+dirty"), "rust-libp2p/0.44.1"),
        (Some("storm"), "storm"),
        (Some(""), "unknown"),
        (None, "unknown"),
        (Some("a\u{0}b/1\n2"), "ab/12"),
    ] {
        assert_eq!(program_of(agent), program, "{agent:?}");
    }
    let long = program_of(Some(&"é".repeat(10_000)));
    assert_eq!((long.len(), long.chars().all(|letter| letter == 'é')), (64, true));
}

#[test]
fn an_address_belongs_to_the_longest_range_that_it_is_in() {
    let ranges =
        "# Made up.\n\n10.0.0.0/8 one\n10.1.0.0/16\ttwo and more\n2001:db8::/32 three\n10.1.2.3/32 host\n";
    let ranges = CloudRanges::parse(ranges).unwrap();
    for (address, name) in [
        ("10.9.9.9", Some("one")),
        ("10.1.9.9", Some("two and more")),
        ("10.1.2.3", Some("host")),
        ("2001:db8::1", Some("three")),
        ("2001:db9::1", None),
        ("11.0.0.1", None),
        ("::ffff:10.1.2.3", Some("host")),
    ] {
        assert_eq!(ranges.name_of(address.parse().unwrap()), name, "{address}");
    }
    for line in ["10.0.0.0/8", "10.0.0.0 one", "10.0.0.0/33 one", "::/129 one", "x/8 one"] {
        let parsed = CloudRanges::parse(&format!("# first\n{line}"));
        assert_eq!(parsed, Err(CloudRangesError::NotARange(2)), "{line}");
    }
    assert_eq!(CloudRanges::parse("0.0.0.0/0 all").unwrap().name_of("9.9.9.9".parse().unwrap()), Some("all"));
}
