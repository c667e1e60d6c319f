//! The status line of hydra-booster, word for word (`ui/logey.go`), with what its words mean: peers, not connections.

use std::time::Duration;

use hydra::HydraNow;

/// How a hydra stands, in one line.
pub(super) fn status_line(now: &HydraNow, uptime: Duration, memory_bytes: u64) -> String {
    format!(
        "[NumHeads: {}, Uptime: {}, MemoryUsage: {}, PeersConnected: {}, TotalUniquePeersSeen: {}, BootstrapsDone: {}, \
         ProviderRecords: {}, RoutingTableSize: {}]",
        now.heads.len(),
        go_duration(uptime),
        humanized(memory_bytes),
        now.connected_peers,
        now.unique_peers,
        now.bootstrapped_heads,
        now.provider_records,
        now.table_size,
    )
}

/// A time in whole seconds as Go writes it: `8s`, `1m5s`, `2h0m0s`.
fn go_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m{rest}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// An amount of data as `go-humanize` writes it: `48 MB`, `4.8 MB`, `999 B`.
fn humanized(bytes: u64) -> String {
    if bytes < 10 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if amount < 1000.0 {
            break;
        }
        (amount, unit) = (amount / 1000.0, larger);
    }
    // It rounds to a tenth first, and shows that only below ten.
    let tenths = (amount * 10.0 + 0.5).floor() / 10.0;
    if tenths < 10.0 { format!("{tenths:.1} {unit}") } else { format!("{tenths:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::seen, *};

    #[test]
    fn the_line_is_the_old_one() {
        let line =
            status_line(&HydraNow { provider_records: 0, ..seen() }, Duration::from_millis(8400), 48_000_000);
        let expected = "[NumHeads: 3, Uptime: 8s, MemoryUsage: 48 MB, PeersConnected: 41, TotalUniquePeersSeen: 23, \
                        BootstrapsDone: 3, ProviderRecords: 0, RoutingTableSize: 66]";
        assert_eq!(line, expected);
    }

    #[test]
    fn times_and_amounts_are_written_as_go_does() {
        for (seconds, expected) in
            [(0, "0s"), (59, "59s"), (65, "1m5s"), (3600, "1h0m0s"), (90_061, "25h1m1s")]
        {
            assert_eq!(go_duration(Duration::from_secs(seconds)), expected);
        }
        // Source: the documentation of `humanize.Bytes`: 82,854,982 is 83 MB.
        for (bytes, expected) in [
            (0, "0 B"),
            (9, "9 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (4_810_000, "4.8 MB"),
            (82_854_982, "83 MB"),
            (1_500_000_000, "1.5 GB"),
        ] {
            assert_eq!(humanized(bytes), expected);
        }
    }
}
