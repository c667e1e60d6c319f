//! Names of programs.

use super::super::program_of;

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
