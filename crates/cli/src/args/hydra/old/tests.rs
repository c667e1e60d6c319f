//! Every flag and variable of hydra-booster, one dash or two, and which of several decides.

use super::{
    table::{TABLE, Takes},
    *,
};
use crate::args::command;

type Variables<'a> = &'a [(&'a str, &'a str)];

fn read(words: &[&str], variables: Variables<'_>) -> Result<Modernised, String> {
    let args = ["kadscope", "hydra"].iter().chain(words).map(OsString::from).collect();
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(known, value)| *known == name && !value.is_empty())
            .map(|(_, value)| (*value).to_owned())
    };
    modernised(args, &command(), variable).map_err(|error| error.to_string())
}

/// The words behind the command.
fn words(words: &[&str], variables: Variables<'_>) -> Vec<String> {
    let modern = read(words, variables).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    modern.args.into_iter().skip(2).map(|arg| arg.into_string().unwrap()).collect()
}

fn error(words: &[&str], variables: Variables<'_>) -> String {
    match read(words, variables) {
        Err(error) => error,
        Ok(modern) => panic!("{words:?} {variables:?}: {:?}", modern.args),
    }
}

/// A value of each flag that is not its default, and what it becomes; `None` for a line that says what became of it.
const VALUES: &[(&str, &str, Option<&str>)] = &[
    ("nheads", "5", Some("--heads=5")),
    ("random-seed", "c2VjcmV0", Some("--seed-text=c2VjcmV0")),
    ("id-offset", "7", Some("--offset=7")),
    ("db", "postgresql://me@db/x", Some("--belly=postgresql://me@db/x")),
    ("mem", "true", Some("--belly=memory")),
    ("pstore", "peers", None),
    (
        "provider-store",
        "dynamodb://table=t,ttl=24h,queryLimit=9",
        Some("--belly=dynamodb://table=t,ttl=24h,queryLimit=9"),
    ),
    ("delegate-timeout", "1500", Some("--delegated-timeout=1500ms")),
    ("httpapi-addr", "127.0.0.1:7779", Some("--api-addr=127.0.0.1:7779")),
    ("metrics-addr", "127.0.0.1:9758", Some("--metrics-addr=127.0.0.1:9758")),
    ("enable-relay", "true", None),
    ("port-begin", "4001", Some("--port=4001")),
    ("protocol-prefix", "/mine", Some("--protocol=/mine/kad/1.0.0")),
    ("bucket-size", "20", Some("")),
    ("bootstrap-conc", "8", Some("--joins-at-once=8")),
    ("bootstrap-peers", "/ip4/127.0.0.1/tcp/1/p2p/x", Some("--bootstrap=/ip4/127.0.0.1/tcp/1/p2p/x")),
    ("stagger", "1m30s", Some("--stagger=90000000us")),
    ("ui-theme", "gooey", Some("--ui=gooey")),
    ("name", "Alasybil", Some("--name=Alasybil")),
    ("idgen-addr", "http://127.0.0.1:7779", Some("--idgen=http://127.0.0.1:7779")),
    ("disable-prov-gc", "true", None),
    ("disable-providers", "false", Some("")),
    ("disable-values", "false", Some("")),
    ("disable-prefetch", "true", Some("--no-prefetch=true")),
    ("disable-prov-counts", "true", None),
    ("disable-db-create", "true", Some("--no-tables=true")),
    ("disable-rcmgr", "true", None),
    ("rcmgr-limits", "limits.json", None),
    ("connmgr-high-water", "3000", Some("--connections-per-head=3000")),
    ("connmgr-low-water", "100", None),
    ("connmgr-grace-period", "30s", None),
    ("reframe-addr", "http://127.0.0.1:1", None),
];

fn value_of(name: &str) -> (&'static str, Option<&'static str>) {
    let (_, value, became) = VALUES.iter().find(|(known, ..)| *known == name).expect("a value for each row");
    (value, *became)
}

#[test]
fn every_flag_is_read_with_one_dash_or_two_and_its_value_behind_it_or_in_it() {
    for flag in TABLE.iter().filter(|flag| flag.name.is_some()) {
        let name = flag.name.unwrap();
        let (value, became) = value_of(name);
        let one = [format!("-{name}={value}")];
        let two = [format!("--{name}={value}")];
        let apart = [format!("-{name}"), value.to_owned()];
        let is_ours = ["name", "metrics-addr", "stagger"].contains(&name);
        let forms: &[&[String]] = match (flag.takes, is_ours) {
            (Takes::Switch, _) => &[&one, &two],
            (_, true) => &[&one, &apart],
            (_, false) => &[&one, &two, &apart],
        };
        for form in forms {
            let form: Vec<&str> = form.iter().map(String::as_str).collect();
            let modern = read(&form, &[]).unwrap();
            let turned: Vec<_> = modern.args.iter().skip(2).map(|arg| arg.to_str().unwrap()).collect();
            let expected: Vec<_> = became.into_iter().filter(|word| !word.is_empty()).collect();
            assert_eq!(turned, expected, "{form:?}");
            assert_eq!(modern.notes.len(), usize::from(became.is_none()), "{form:?}: {:?}", modern.notes);
            assert!(
                modern.notes.iter().all(|note| note.starts_with(&format!("-{name}: ")) && note.len() > 20)
            );
        }
    }
}

#[test]
fn every_variable_says_what_its_flag_says_and_a_flag_beats_it() {
    for flag in TABLE {
        let Some(variable) = flag.variable else { continue };
        let Some(name) = flag.name else {
            assert_eq!(read(&[], &[(variable, "x")]).unwrap().notes.len(), 1, "{variable}");
            continue;
        };
        let (value, became) = value_of(name);
        let by_variable = read(&[], &[(variable, value)]).unwrap();
        let by_flag = read(&[&format!("-{name}={value}")], &[]).unwrap();
        assert_eq!(by_variable.args, by_flag.args, "{variable}");
        assert_eq!(by_variable.notes.len(), usize::from(became.is_none()), "{variable}");
        assert!(by_variable.notes.iter().all(|note| note.starts_with(variable)));
        // The flag wins, also where it says what the default says, and against a value that is nonsense.
        let (both, alone) = match name {
            "nheads" => ("-nheads=1", vec!["--heads=1"]),
            "id-offset" => ("-id-offset=-1", vec!["--offset=0"]),
            "port-begin" => ("-port-begin=-1", vec!["--port=0"]),
            "delegate-timeout" => ("-delegate-timeout=0", vec![]),
            "connmgr-high-water" => ("-connmgr-high-water=1800", vec!["--connections-per-head=1800"]),
            "disable-prefetch" => ("-disable-prefetch=false", vec!["--no-prefetch=false"]),
            "disable-db-create" => ("-disable-db-create=F", vec!["--no-tables=false"]),
            "disable-prov-gc" => ("-disable-prov-gc=false", vec![]),
            "disable-prov-counts" => ("-disable-prov-counts=0", vec![]),
            "disable-rcmgr" => ("-disable-rcmgr=false", vec![]),
            "connmgr-low-water" => ("-connmgr-low-water=1200", vec![]),
            "connmgr-grace-period" => ("-connmgr-grace-period=60s", vec![]),
            "random-seed" => ("-random-seed=", vec![]),
            "bootstrap-peers" => ("-bootstrap-peers=none", vec!["--alone=true"]),
            "db" => ("-db=a.sqlite", vec!["--belly=sqlite:a.sqlite"]),
            _ => continue,
        };
        for other in [value, "nonsense"] {
            assert_eq!(words(&[both], &[(variable, other)]), alone, "{both} against {variable}={other}");
        }
    }
}

#[test]
fn explicit_minus_one_beats_the_variable_and_is_no_number_of_heads() {
    let error = error(&["-nheads=-1"], &[("HYDRA_NHEADS", "5")]);
    assert!(error.contains("-nheads=-1: a hydra has at least one head"), "{error}");
}

#[test]
fn our_options_and_variables_beat_old_variables() {
    let old = [("HYDRA_NHEADS", "5")];
    assert_eq!(words(&["--heads", "3"], &old), ["--heads", "3"]);
    assert_eq!(words(&["--indices=0..9"], &old), ["--indices=0..9"]);
    assert!(words(&[], &[("HYDRA_NHEADS", "5"), ("KADSCOPE_HYDRA_HEADS", "3")]).is_empty());
    assert!(words(&[], &[("HYDRA_RANDOM_SEED", "x"), (SEED_VARIABLE, "y")]).is_empty());
    assert!(words(&["--seed-file=s"], &[("HYDRA_RANDOM_SEED", "x")]) == ["--seed-file=s"]);
    assert_eq!(words(&["-mem"], &[("HYDRA_DB", "postgres://me@db/x")]), ["--belly=memory"]);
    assert_eq!(words(&["-mem=false"], &[("HYDRA_DB", "x.db")]), ["--belly=sqlite:x.db"]);
    assert_eq!(words(&[], &[("HYDRA_NHEADS", "")]), [""; 0], "an empty variable says nothing");
}

#[test]
fn what_says_the_same_twice_is_refused() {
    let twice = error(&["-nheads", "5", "--heads", "3"], &[]);
    assert!(twice.contains("-nheads and --heads say the same thing"), "{twice}");
    assert_eq!(words(&["-nheads", "5", "-nheads=6"], &[]), ["--heads=6"], "as in Go the last one counts");
}

#[test]
fn what_cannot_be_is_named_with_what_to_write() {
    for (flags, said) in [
        (&["-nheads=0"][..], "-nheads=0: a hydra has at least one head"),
        (&["-nheads=many"], "-nheads=many: write a whole number"),
        (&["-nheads"], "-nheads needs a value"),
        (&["-id-offset=-2"], "an offset is 0 or more"),
        (&["-port-begin=65536"], "-port-begin=65536: a port is a number up to 65535"),
        (&["-bootstrap-conc=0"], "with less than 1 no head would ever join"),
        (&["-bootstrap-conc=-3"], "with less than 1 no head would ever join"),
        (&["-bucket-size=10"], "-bucket-size=10: buckets have 20 peers"),
        (&["-disable-values"], "-disable-values=true: a head that keeps no values"),
        (&["-disable-providers=T"], "-disable-providers=T: a head that keeps no provider records"),
        (&["-mem=yes"], "-mem=yes: write true or false"),
        (&["-ui-theme=fancy"], "-ui-theme=fancy: write logey, gooey or none"),
        (&["-stagger=5"], "-stagger=5: write a time with its unit"),
        (&["-connmgr-grace-period=1x"], "-connmgr-grace-period=1x: write a time"),
        (&["-connmgr-low-water=2000"], "the low water mark (2000) is above the high one (1800)"),
        (&["-connmgr-high-water=1000"], "the low water mark (1200) is above the high one (1000)"),
        (&["-connmgr-high-water=0"], "is above the high one (0)"),
        (&["-delegate-timeout=-1"], "a timeout is a number of milliseconds"),
        (&["-provider-store=redis://x"], "-provider-store=redis://x: write dynamodb://"),
        (&["-provider-store=none"], "a head that keeps no provider records loses"),
        (&["-provider-store=dynamodb://table=t,ttl=24h"], "queryLimit= must be said once"),
        (&["-provider-store=dynamodb://table=t,ttl=24h,queryLimit=x"], "queryLimit is a whole number"),
        (&["-provider-store=dynamodb://table=t,ttl,queryLimit=1"], "the table is written as"),
        (&["-protocol-prefix=mine"], "a prefix begins with `/`"),
        (
            &["-random-seed=hunter22", "-idgen-addr=http://127.0.0.1:1"],
            "-idgen-addr and -random-seed should not be set both",
        ),
    ] {
        let text = error(flags, &[]);
        assert!(text.contains(said), "{flags:?}: {text}");
        assert!(!text.contains("hunter22"), "{text}");
    }
    let by_variable = error(&[], &[("HYDRA_NHEADS", "five")]);
    assert!(by_variable.contains("HYDRA_NHEADS=five: write a whole number"), "{by_variable}");
}

#[test]
fn stores_are_read_as_the_code_and_as_the_readme_wrote_them() {
    let of = |text: &str| words(&[&format!("-provider-store={text}")], &[]);
    let expected = ["--belly=dynamodb://table=t,ttl=86400s,queryLimit=10"];
    assert_eq!(of("dynamodb,table=t,ttl=86400,queryLimit=10"), expected);
    assert_eq!(of("dynamodb://table=t,ttl=86400,queryLimit=10"), expected);
    assert_eq!(of("https://cid.contact"), ["--delegated=https://cid.contact"]);
    let db = |text: &str| words(&[&format!("-db={text}")], &[]);
    assert_eq!(db("postgres://a@b/c"), ["--belly=postgres://a@b/c"]);
    assert_eq!(db("hydra-belly"), ["--belly=sqlite:hydra-belly"]);
    let both =
        words(&["-db=dynamodb://table=ipns", "-provider-store=dynamodb,table=t,ttl=1,queryLimit=1"], &[]);
    assert_eq!(both, ["--belly=dynamodb://table=t,ttl=1s,queryLimit=1"]);
}

#[test]
fn other_words_and_other_commands_stay_as_they_are() {
    assert_eq!(
        words(&["--heads=2", "-dry-run", "-h", "--json", "--name", "x", "--", "-mem"], &[]),
        ["--heads=2", "--dry-run", "-h", "--json", "--name", "x", "--", "-mem"]
    );
    assert_eq!(words(&["--bootstrap", "none"], &[]), ["--alone"]);
    assert_eq!(words(&["--bootstrap=none"], &[]), ["--alone"]);
    assert_eq!(
        words(&["-httpapi-addr=:7779", "-metrics-addr=localhost:1"], &[]),
        ["--api-addr=0.0.0.0:7779", "--metrics-addr=127.0.0.1:1"]
    );
    let args: Vec<OsString> = ["kadscope", "crawl", "-nheads", "5"].map(OsString::from).to_vec();
    let same = modernised(args.clone(), &command(), |_| Some("5".to_owned())).unwrap();
    assert_eq!(same.args, args);
}

/// The page has a row for each, which says what it became.
#[test]
fn the_page_has_the_same_table() {
    let page = include_str!("../../../../../../docs/hydra.md");
    let code = |text: Option<&str>| text.map(|text| format!("`{text}`")).unwrap_or_default();
    let row = |flag: &OldFlag| {
        let name = flag.name.map(|name| format!("-{name}"));
        format!("| {} | {} | {}. |", code(name.as_deref()), code(flag.variable), flag.became)
    };
    let table: Vec<_> = TABLE.iter().map(row).collect();
    let missing: Vec<_> = table.iter().filter(|row| !page.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "docs/hydra.md should say:\n{}", table.join("\n"));
}
