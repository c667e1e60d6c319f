//! No packet leaves this machine: a crawl of a network that announces foreign addresses, in a network namespace that has
//! a way out, whose interface counts what is sent.

use std::process::Command;

/// Makes the way out: a pair of interfaces with a default route over it, and no IPv6 chatter of the kernel's own. Then
/// runs the network and the crawl, and prints what the interface sent before and after a packet that does leave.
const SCRIPT: &str = r#"
set -eu
ip link set lo up
ip link add out type veth peer name far
sysctl -qw net.ipv6.conf.out.disable_ipv6=1 net.ipv6.conf.far.disable_ipv6=1
ip addr add 10.9.9.1/24 dev out
ip link set out up
ip link set far up
ip route add default via 10.9.9.2
sent() { awk '$1 == "out:" { print $11 }' /proc/net/dev; }
before=$(sent)
"$KADSCOPE" testnet --scenario faults --peers 300 --json --until-eof > "$DIR/network" < "$DIR/hold" &
network=$!
exec 3> "$DIR/hold"
until [ -s "$DIR/network" ]; do kill -0 $network; done
bootstrap=$(grep -o '/ip4/[^"]*' "$DIR/network" | head -n 1)
"$KADSCOPE" crawl --addresses loopback --store none --json --bootstrap "$bootstrap" > "$DIR/summary"
exec 3>&-
wait $network
crawled=$(sent)
bash -c 'echo > /dev/udp/10.9.9.2/9' || true
echo "$before $crawled $(sent)"
"#;

#[test]
fn nothing_is_ever_sent_to_an_address_that_is_not_loopback() {
    let dir = tempfile::tempdir().expect("a directory");
    let fifo = Command::new("mkfifo").arg(dir.path().join("hold")).status().expect("mkfifo");
    assert!(fifo.success());
    let run = Command::new("unshare")
        .args(["--map-root-user", "--net", "bash", "-c", SCRIPT])
        .env("KADSCOPE", env!("CARGO_BIN_EXE_kadscope"))
        .env("DIR", dir.path())
        .output()
        .expect("unshare, of util-linux");
    let told = String::from_utf8_lossy(&run.stdout);
    let wrong = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.success(),
        "needs user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns) \
         and iproute2: {wrong}"
    );
    let sent: Vec<u64> = told.split_whitespace().map(|n| n.parse().expect("a counter")).collect();
    let [before, crawled, probed] = sent[..] else { panic!("three counters: {told} {wrong}") };
    assert_eq!(crawled, before, "packets left");
    assert!(probed > crawled, "the counter counts");
    let summary = std::fs::read_to_string(dir.path().join("summary")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    for reason in ["skipped_private", "skipped_special_purpose", "skipped_relayed"] {
        assert!(
            summary["addresses"][reason].as_u64() > Some(0),
            "{reason} was announced: {}",
            summary["addresses"]
        );
    }
}
