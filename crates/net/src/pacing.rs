//! How fast we may dial: over all hosts, each host, and each neighbourhood of hosts. Pure: time comes in as an argument.
//!
//! Each limit is a leaky bucket, kept as the moment at which it will have drained (the generic cell rate algorithm,
//! ITU-T I.371). Hosts of this machine and of private networks have no limit: they are our own.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use foldhash::fast::RandomState;
use tokio::time::Instant;

use kad::scope::{Scope, scope};

/// The most hosts and neighbourhoods whose buckets are kept. When there are more, those that have drained go; should
/// none have, the newcomer is let through uncounted rather than anybody's memory growing.
const MAX_BUCKETS: usize = 1 << 17;

/// One limit: so many dials a second in the long run, and so many at once before that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Dials a second.
    pub per_s: u32,
    /// Dials at once.
    pub burst: u32,
}

/// The limits of a good citizen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pacing {
    /// Over all hosts. Default 5,000 a second.
    pub total: Rate,
    /// To one IP address. Default 10 a second, 50 at once: many hosts run dozens of peers.
    pub per_ip: Rate,
    /// To one /24 of IPv4 or /48 of IPv6. Default 50 a second, 250 at once.
    pub per_network: Rate,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            total: Rate { per_s: 5_000, burst: 1_000 },
            per_ip: Rate { per_s: 10, burst: 50 },
            per_network: Rate { per_s: 50, burst: 250 },
        }
    }
}

/// The state of all limits.
#[derive(Debug)]
pub(crate) struct Pacer {
    pacing: Pacing,
    total: Option<Instant>,
    ips: HashMap<IpAddr, Instant, RandomState>,
    networks: HashMap<IpAddr, Instant, RandomState>,
}

impl Pacer {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self { pacing, total: None, ips: HashMap::default(), networks: HashMap::default() }
    }

    /// Takes a place for a dial to `ip`, and says when its time has come: `now`, or later.
    pub(crate) fn reserve(&mut self, now: Instant, ip: IpAddr) -> Instant {
        if matches!(scope(ip), Scope::Loopback | Scope::Private) {
            return now;
        }
        let own = book(&mut self.ips, ip, self.pacing.per_ip, now);
        let network = book(&mut self.networks, network(ip), self.pacing.per_network, now);
        let (drained, total) = self.pacing.total.next(self.total, now);
        self.total = Some(drained);
        own.max(network).max(total)
    }
}

impl Rate {
    /// With a bucket that will have drained at `drained`: when it will have drained after one dial more, and when that
    /// dial may start, not before `now`.
    fn next(self, drained: Option<Instant>, now: Instant) -> (Instant, Instant) {
        let interval = Duration::from_secs(1) / self.per_s.max(1);
        let drained = drained.map_or(now, |drained| drained.max(now)) + interval;
        let allowance = interval * self.burst.max(1);
        let start = drained.checked_sub(allowance).map_or(now, |start| start.max(now));
        (drained, start)
    }
}

fn book<K: Eq + Hash>(
    buckets: &mut HashMap<K, Instant, RandomState>,
    key: K,
    rate: Rate,
    now: Instant,
) -> Instant {
    if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
        buckets.retain(|_, drained| *drained > now);
        if buckets.len() >= MAX_BUCKETS {
            return now;
        }
    }
    let (drained, start) = rate.next(buckets.get(&key).copied(), now);
    buckets.insert(key, drained);
    start
}

/// The /24 or /48 that an address is in, as its first address.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(pacer: &mut Pacer, now: Instant, ips: impl Iterator<Item = IpAddr>) -> Vec<Duration> {
        ips.map(|ip| pacer.reserve(now, ip) - now).collect()
    }

    fn host(n: u32) -> IpAddr {
        // Public, each in another /24.
        Ipv4Addr::from_bits(0x0505_0001 + (n << 8)).into()
    }

    #[test]
    fn a_host_is_dialled_in_a_burst_and_then_at_its_rate() {
        let (mut pacer, now) = (Pacer::new(Pacing::default()), Instant::now());
        let waits = waits(&mut pacer, now, std::iter::repeat_n(host(0), 60));
        assert!(waits[..50].iter().all(Duration::is_zero));
        assert_eq!(waits[50], Duration::from_millis(100));
        assert_eq!(waits[59], Duration::from_secs(1));
        assert_eq!(pacer.reserve(now, host(1)), now, "another host does not wait");
        let later = now + Duration::from_secs(60);
        assert_eq!(pacer.reserve(later, host(0)), later, "it has drained");
    }

    #[test]
    fn a_neighbourhood_is_spared_too() {
        let (mut pacer, now) = (Pacer::new(Pacing::default()), Instant::now());
        let neighbours = (0..300_u32).map(|n| Ipv4Addr::from_bits(0x0505_0500 + n % 250).into());
        let waits = waits(&mut pacer, now, neighbours);
        assert_eq!(waits.iter().filter(|wait| wait.is_zero()).count(), 250);
        assert_eq!(waits[299], Duration::from_secs(1));
        let v6 = |n: u16| IpAddr::from([0x2a00, 1, 2, n, 0, 0, 0, 1]);
        assert_eq!(network(v6(1)), network(v6(2)));
    }

    #[test]
    fn all_hosts_together_have_a_limit_and_our_own_have_none() {
        let pacing = Pacing { total: Rate { per_s: 100, burst: 10 }, ..Pacing::default() };
        let (mut pacer, now) = (Pacer::new(pacing), Instant::now());
        let waits = waits(&mut pacer, now, (0..110).map(host));
        assert_eq!(waits[9], Duration::ZERO);
        assert_eq!(waits[109], Duration::from_secs(1));
        for own in ["127.0.0.1", "10.1.2.3", "::1"] {
            assert_eq!(pacer.reserve(now, own.parse().unwrap()), now);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut buckets = HashMap::default();
        let (rate, now) = (Rate { per_s: 1, burst: 1 }, Instant::now());
        for key in 0..MAX_BUCKETS {
            book(&mut buckets, key, rate, now);
        }
        assert_eq!(book(&mut buckets, MAX_BUCKETS, rate, now), now);
        assert_eq!(buckets.len(), MAX_BUCKETS);
        book(&mut buckets, MAX_BUCKETS, rate, now + Duration::from_secs(5));
        assert_eq!(buckets.len(), 1);
    }
}
