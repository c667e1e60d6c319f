//! Which interfaces there are. `/sys/class/net` shows those of the namespace in which it was mounted; `/proc` those of
//! the process that reads it.

use std::fs;

use super::NamespaceError;

/// The interfaces of this thread's network namespace.
const LIST: &str = "/proc/thread-self/net/dev";

/// Interfaces that some kernels put into every new namespace, one for each kind of tunnel that they know.
const FALLBACK_TUNNELS: &[&str] =
    &["tunl0", "sit0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0"];

/// Makes sure that this process is in a network namespace without any interface but loopback: no packet can leave it.
pub fn only_loopback() -> Result<(), NamespaceError> {
    let list = fs::read_to_string(LIST).map_err(NamespaceError::setup(format!("reading {LIST}")))?;
    match another_than_loopback(&list) {
        None => Ok(()),
        Some(name) => Err(NamespaceError::Interface { name: name.to_owned(), advice: advice(name) }),
    }
}

/// Two lines of headings, then a line for each interface: its name, a colon, counters.
fn another_than_loopback(list: &str) -> Option<&str> {
    let names = list.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim()));
    names.into_iter().find(|name| *name != "lo")
}

fn advice(name: &str) -> &'static str {
    if FALLBACK_TUNNELS.contains(&name) {
        "This system puts it into every namespace; it no longer does after, as root: \
         sysctl net.core.fb_tunnels_only_for_init_net=2"
    } else {
        "Use a namespace that has nothing but lo, as `kadscope testnet --world` makes one"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: &str = "Inter-|   Receive  |  Transmit\n face |bytes    packets|bytes    packets\n";

    #[test]
    fn any_other_interface_is_seen() {
        assert_eq!(another_than_loopback(HEADINGS), None);
        let lo = format!("{HEADINGS}    lo:       0       0       0\n");
        assert_eq!(another_than_loopback(&lo), None);
        let more = format!("{lo}enp0s31f6:123 4 5\n");
        assert_eq!(another_than_loopback(&more), Some("enp0s31f6"));
        let first = format!("{HEADINGS}  sit0:  0 0\n    lo: 0 0\n");
        assert_eq!(another_than_loopback(&first), Some("sit0"));
    }

    #[test]
    fn tunnels_of_the_kernel_have_their_own_advice() {
        assert!(advice("sit0").contains("fb_tunnels_only_for_init_net"));
        assert!(advice("eth0").contains("nothing but lo"));
    }
}
