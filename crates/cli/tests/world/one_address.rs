//! Where loopback is one address: a namespace as other systems have it.

use crate::program::{KADSCOPE, command, run};

/// As on systems whose loopback interface has 127.0.0.1 and no more.
const SCRIPT: &str = r#"
set -eu
ip link set lo up
ip addr del 127.0.0.1/8 dev lo
ip addr add 127.0.0.1/32 dev lo
! ping -c 1 -W 1 127.1.0.0 > /dev/null 2>&1
"$KADSCOPE" demo --json --peers 60 --dir "$DIR"
"#;

#[test]
fn the_demo_is_right_in_everything_where_loopback_is_one_address() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut script = command("unshare", ["--map-root-user", "--net", "bash", "-c", SCRIPT]);
    let ended = run(script.env("KADSCOPE", KADSCOPE).env("DIR", dir.path()));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let summary: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let truth = &summary["truth"];
    for share in ["peer_recall", "peer_precision", "edge_recall", "edge_precision", "reachability_accuracy"] {
        assert_eq!(truth[share], 1.0, "{share}: {truth:#}");
    }
    assert_eq!(truth["wrong_classes"], 0, "{truth:#}");
    let truth = std::fs::read_to_string(dir.path().join("truth.json")).expect("the truth");
    assert!(truth.contains("/ip4/127.0.0.1/") && !truth.contains("/ip4/127.1."), "each has its ports");
}
