//! The flags of hydra-booster, a row each. Source: its `main.go` at version 0.7.4, and its README where that says otherwise.

use self::Turn::{Checked, Sure};
use super::{Said, turning as to};

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A whole number.
    Whole,
    /// Any text.
    Text,
    /// Yes or no; yes if it says nothing.
    Switch,
    /// A time, as Go writes it.
    Time,
}

/// What came of a flag: options of ours with their values, and what is to be said about it.
#[derive(Debug, Default)]
pub(crate) struct Turned {
    pub(super) options: Vec<(&'static str, String)>,
    pub(super) note: Option<&'static str>,
}

/// From what was said to what came of it.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// Whatever was said.
    Sure(fn(&Said) -> Turned),
    /// Unless something else should stand there: the error says what.
    Checked(fn(&Said) -> Result<Turned, String>),
}

/// A flag of hydra-booster, with its variable.
#[derive(Debug)]
pub(crate) struct OldFlag {
    /// Without its dash; `None` of what was a variable alone.
    pub(crate) name: Option<&'static str>,
    /// The variable that says the same.
    pub(crate) variable: Option<&'static str>,
    /// What it takes.
    pub(crate) takes: Takes,
    /// Options of ours that decide the same thing.
    pub(crate) options: &'static [&'static str],
    /// What it became, for the page: Markdown.
    pub(crate) became: &'static str,
    /// The same as a function of what was said.
    turn: Turn,
}

impl OldFlag {
    /// Whether it says the secret that nobody may see.
    pub(crate) fn is_seed(&self) -> bool {
        self.name == Some("random-seed")
    }

    /// What came of what was said. The error says what should stand there.
    pub(super) fn turned(&self, said: &Said) -> Result<Turned, String> {
        match self.turn {
            Sure(turn) => Ok(turn(said)),
            Checked(turn) => turn(said),
        }
    }
}

macro_rules! rows {
    ($($name:expr, $variable:expr, $takes:ident, $options:expr, $turn:expr, $became:expr;)*) => {
        /// All of them.
        pub(crate) const TABLE: &[OldFlag] = &[$(OldFlag {
            name: $name,
            variable: $variable,
            takes: Takes::$takes,
            options: &$options,
            became: $became,
            turn: $turn,
        },)*];
    };
}

rows! {
    Some("nheads"), Some("HYDRA_NHEADS"), Whole, ["heads", "indices"], Checked(to::heads),
        "`--heads`. Less than 1 is refused, `-1` too";
    Some("random-seed"), Some("HYDRA_RANDOM_SEED"), Text, ["seed-file"], Sure(to::seed),
        "The seed, as before, bit for bit. Better `--seed-file`, or `KADSCOPE_HYDRA_SEED`: a command line can be read by every program of the machine";
    Some("id-offset"), Some("HYDRA_ID_OFFSET"), Whole, ["offset", "indices"], Checked(to::offset),
        "`--offset`; `--indices` takes any set. `-1` is 0, other negative numbers are refused";
    Some("db"), Some("HYDRA_DB"), Text, ["belly"], Sure(to::db),
        "`--belly`: `postgres://` and `postgresql://` as they are; a path is an SQLite file. A directory with a LevelDB is refused by name";
    Some("mem"), None, Switch, ["belly"], Checked(to::mem), "`--belly memory`; beats `-db`, as before";
    Some("pstore"), Some("HYDRA_PSTORE"), Text, [], Sure(to::pstore),
        "Nothing: peers that were known are kept in the state directory (`--state`)";
    Some("provider-store"), Some("HYDRA_PROVIDER_STORE"), Text, [], Checked(to::provider_store),
        "`dynamodb://table=...` is `--belly`, also as the README wrote it (`dynamodb,table=...,ttl=SECONDS,...`); an `https://` URL is `--delegated`, asked beside the belly; `none` and everything else is refused";
    Some("delegate-timeout"), Some("HYDRA_DELEGATED_ROUTING_TIMEOUT"), Whole, ["delegated-timeout"], Checked(to::delegated_timeout),
        "`--delegated-timeout`; it was in milliseconds, 0 is the default";
    Some("httpapi-addr"), None, Text, ["api-addr"], Sure(to::api_addr), "`--api-addr`";
    Some("metrics-addr"), None, Text, ["metrics-addr"], Sure(to::metrics_addr),
        "`--metrics-addr`; nobody listens there unless it is said";
    Some("enable-relay"), None, Switch, [], Checked(to::relay), "Nothing: it did nothing then either";
    Some("port-begin"), Some("HYDRA_PORT_BEGIN"), Whole, ["port"], Checked(to::port),
        "`--port`. `-1` and 0 are ports that the system chooses, which are kept; beyond 65535 is refused";
    Some("protocol-prefix"), None, Text, ["protocol"], Checked(to::protocol),
        "`--protocol PREFIX/kad/1.0.0`; the bootstrap peers of another network are not dialled then";
    Some("bucket-size"), None, Whole, [], Checked(to::bucket_size), "20 is the only size; 0 is 20, all else is refused";
    Some("bootstrap-conc"), None, Whole, ["joins-at-once"], Checked(to::bootstrap_conc),
        "`--joins-at-once`. Less than 1 is refused";
    Some("bootstrap-peers"), Some("HYDRA_BOOTSTRAP_PEERS"), Text, ["bootstrap", "alone"], Sure(to::bootstrap),
        "`--bootstrap`; `none` is `--alone`";
    Some("stagger"), None, Time, ["stagger"], Checked(to::stagger), "`--stagger`; nobody waits before the first head";
    Some("ui-theme"), None, Text, ["ui"], Checked(to::ui), "`--ui logey`, `gooey` or `none`; all else is refused";
    Some("name"), Some("HYDRA_NAME"), Text, ["name"], Sure(to::name), "`--name`; not needed";
    Some("idgen-addr"), Some("HYDRA_IDGEN_ADDR"), Text, ["idgen"], Sure(to::idgen),
        "`--idgen`, with a token in `--idgen-token-file`; `--lease` has indices instead of keys";
    Some("disable-prov-gc"), Some("HYDRA_DISABLE_PROV_GC"), Switch, [], Checked(to::provider_gc),
        "Nothing: of several hydras on one belly one collects, by a lease";
    Some("disable-providers"), None, Switch, [], Checked(to::providers), "Refused: a head answers all that a server does";
    Some("disable-values"), None, Switch, [], Checked(to::values), "Refused: a head answers all that a server does";
    Some("disable-prefetch"), Some("HYDRA_DISABLE_PREFETCH"), Switch, ["no-prefetch"], Checked(to::no_prefetch), "`--no-prefetch`";
    Some("disable-prov-counts"), Some("HYDRA_DISABLE_PROV_COUNTS"), Switch, [], Checked(to::provider_counts),
        "Nothing: counting takes no scan, and of several hydras one counts";
    Some("disable-db-create"), Some("HYDRA_DISABLE_DBCREATE"), Switch, ["no-tables"], Checked(to::no_tables), "`--no-tables`";
    Some("disable-rcmgr"), Some("DISABLE_RCMGR"), Switch, [], Checked(to::rcmgr),
        "Nothing: the bounds are of the whole process (`--connections-per-head`, `--memory-limit`)";
    Some("rcmgr-limits"), Some("RCMGR_LIMITS"), Text, [], Sure(to::rcmgr_limits),
        "Nothing: the bounds are of the whole process (`--connections-per-head`, `--memory-limit`)";
    Some("connmgr-high-water"), Some("HYDRA_CONNMGR_HIGH_WATER"), Whole, ["connections-per-head"], Checked(to::high_water),
        "`--connections-per-head`";
    Some("connmgr-low-water"), Some("HYDRA_CONNMGR_LOW_WATER"), Whole, [], Checked(to::low_water),
        "Nothing: the longest idle connection goes when another one comes. Above the high mark is refused";
    Some("connmgr-grace-period"), Some("HYDRA_CONNMGR_GRACE_PERIOD"), Time, [], Checked(to::grace),
        "Nothing: the longest idle connection goes first";
    Some("reframe-addr"), Some("HYDRA_REFRAME_ADDR"), Text, [], Sure(to::reframe),
        "Nothing, as in hydra-booster's last version: the protocol is gone. `--delegated` asks by HTTP";
    None, Some("HYDRA_DELEGATED_ROUTING_ADDR"), Text, [], Sure(to::reframe),
        "Nothing, as in hydra-booster's last version: `--delegated` asks by HTTP";
    None, Some("HYDRA_STORE_THE_INDEX_ADDR"), Text, [], Sure(to::reframe),
        "Nothing, as in hydra-booster's last version: `--delegated` asks by HTTP";
    None, Some("GOLOG_LOG_LEVEL"), Text, ["log"], Sure(to::go_log), "Nothing: `--log` says what is logged";
}
