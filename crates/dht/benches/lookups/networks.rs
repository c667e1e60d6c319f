//! The networks of the table.

/// The name of the network in which nothing is wrong.
pub(crate) const HEALTHY: &str = "healthy";

/// Every network, in the order of the table.
pub(crate) const NETWORKS: &[(&str, &str)] = &[
    (HEALTHY, ""),
    ("20 % of the entries of tables stale", "[tables]\nstale = 0.2\n"),
    ("half of the entries stale", "[tables]\nstale = 0.5\n"),
    ("30 % of the entries missing", "[tables]\nholes = 0.3\n"),
    ("2 % of round trips lost, 5 % of attempts 3 s late", LOSSES),
    ("20 % of the peers dead", FIFTH_DEAD),
    ("half of the peers dead", HALF_DEAD),
    ("5 % of the peers invent others", "[[states]]\nstate = 'inventing'\nshare = 0.05\n"),
];

/// Where peers are: the delays decide how long a lookup takes, and nothing else.
pub(crate) const REGIONS: &str = "
[[regions]]
name = 'europe'
share = 0.45
rtt_ms = { europe = 30, america = 100, asia = 200 }
[[regions]]
name = 'america'
share = 0.3
rtt_ms = { america = 40, asia = 170 }
[[regions]]
name = 'asia'
share = 0.25
rtt_ms = { asia = 60 }
";

const LOSSES: &str = "
[attempts]
loss = 0.02
late_share = 0.05
late_ms = 3000
";

const FIFTH_DEAD: &str = "
[[states]]
state = 'refusing'
share = 0.08
[[states]]
state = 'dropping'
share = 0.08
[[states]]
state = 'silent'
at = 'request'
share = 0.04
";

const HALF_DEAD: &str = "
[[states]]
state = 'refusing'
share = 0.2
[[states]]
state = 'dropping'
share = 0.2
[[states]]
state = 'silent'
at = 'request'
share = 0.1
";
