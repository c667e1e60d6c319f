//! The networks of the table: 2,000 peers unless it says otherwise.

use crate::sweep::Setting;

const fn setting(what: &'static str, scenario: &'static str) -> Setting {
    Setting { what, scenario }
}

/// Every line of the table, in its order.
pub(crate) const SETTINGS: &[Setting] = &[
    // Independent captures: entries are missing at random.
    setting("entries missing at random, 98.85 %", "peers = 2000\n[tables]\nholes = 0.9885"),
    setting("entries missing at random, 98.7 %", "peers = 2000\n[tables]\nholes = 0.987"),
    setting("entries missing at random, 98 %", "peers = 2000\n[tables]\nholes = 0.98"),
    setting("entries missing at random, 95 %", "peers = 2000\n[tables]\nholes = 0.95"),
    setting("the same 97.5 %, 300 peers", "peers = 300\n[tables]\nholes = 0.975"),
    setting("the same 99 %, 10,000 peers", "peers = 10000\n[tables]\nholes = 0.99"),
    setting("30 % of entries stale", "peers = 2000\n[tables]\nholes = 0.983\nstale = 0.3"),
    setting(
        "30 % of peers refuse",
        "peers = 2000\n[tables]\nholes = 0.982\n[[states]]\nstate = 'refusing'\nshare = 0.3",
    ),
    // Correlated captures.
    setting(
        "half of the tables empty",
        "peers = 2000\n[tables]\nholes = 0.96\npoor = { share = 0.5, bits = 16, holes = 1.0 }",
    ),
    setting(
        "tables poor in one quarter of the key space",
        "peers = 2000\n[tables]\nholes = 0.97\npoor = { share = 0.25, bits = 2, holes = 0.997 }",
    ),
    setting(
        "tables poor in 3 of 8 places",
        "peers = 2000\n[tables]\nholes = 0.97\npoor = { share = 0.375, bits = 3, holes = 0.997 }",
    ),
    setting(
        "tables empty in 8 of 16 places",
        "peers = 2000\n[tables]\nholes = 0.96\npoor = { share = 0.5, bits = 4, holes = 1.0 }",
    ),
    setting(
        "tables empty in 32 of 64 places",
        "peers = 2000\n[tables]\nholes = 0.96\npoor = { share = 0.5, bits = 6, holes = 1.0 }",
    ),
    setting("30 % of buckets copied", "peers = 2000\n[tables]\nholes = 0.98\ncopied = 0.3"),
    setting("half of the buckets copied", "peers = 2000\n[tables]\nholes = 0.975\ncopied = 0.5"),
    setting("90 % of buckets copied", "peers = 2000\n[tables]\nholes = 0.96\ncopied = 0.9"),
    setting("90 % of buckets copied, sparser", "peers = 2000\n[tables]\nholes = 0.98\ncopied = 0.9"),
    setting("all buckets copied", "peers = 2000\n[tables]\nholes = 0.96\ncopied = 1.0"),
    setting(
        "half of the peers named 0.5 times as often",
        "peers = 2000\n[tables]\nholes = 0.97\nshy = { share = 0.5, holes = 0.5 }",
    ),
    setting(
        "half of the peers named 0.3 times as often",
        "peers = 2000\n[tables]\nholes = 0.97\nshy = { share = 0.5, holes = 0.7 }",
    ),
    setting(
        "30 % of peers named 0.1 times as often",
        "peers = 2000\n[tables]\nholes = 0.96\nshy = { share = 0.3, holes = 0.9 }",
    ),
    setting(
        "30 % of peers named 0.1 times as often, denser",
        "peers = 2000\n[tables]\nholes = 0.9\nshy = { share = 0.3, holes = 0.9 }",
    ),
    setting(
        "15 % of peers named 0.03 times as often",
        "peers = 2000\n[tables]\nholes = 0.9\nshy = { share = 0.15, holes = 0.97 }",
    ),
    setting(
        "half copied, 4 of 16 places empty, 30 % named 0.3 times as often",
        "peers = 2000\n[tables]\nholes = 0.95\ncopied = 0.5\npoor = { share = 0.25, bits = 4, holes = 1.0 }\nshy = { share = 0.3, holes = 0.7 }",
    ),
    // What no count of captures can show, and what shows nothing.
    setting(
        "10 % of peers in nobody's table",
        "peers = 2000\n[tables]\nholes = 0.9\nshy = { share = 0.1, holes = 1.0 }",
    ),
    setting(
        "10 % of peers in nobody's table, sparse",
        "peers = 2000\n[tables]\nholes = 0.98\nshy = { share = 0.1, holes = 1.0 }",
    ),
    setting(
        "entries missing at random, 99.25 %: the network falls apart",
        "peers = 2000\n[tables]\nholes = 0.9925",
    ),
    setting("nothing missing (converged)", "peers = 2000"),
];
