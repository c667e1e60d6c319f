//! Scenario files: what is read, and what mistakes are called.

use super::life::{Absence, Law};
use super::*;
use crate::state::{Stage, State};

fn error(text: &str) -> String {
    Scenario::parse(text, "net.toml").expect_err(text).to_string()
}

#[test]
fn every_built_in_scenario_is_read_and_described() {
    for (name, _) in BUILT_IN {
        let scenario = Scenario::named(name).expect(name);
        assert!(!scenario.description.is_empty(), "{name}");
    }
    let demo = Scenario::named("demo").expect("demo");
    assert_eq!((demo.peers, demo.agents.len()), (1000, 8));
    assert_eq!(demo.with_peers(50).peers, 50);
}

#[test]
fn faults_has_every_state_that_there_is() {
    let faults = Scenario::named("faults").expect("faults");
    for name in State::NAMES.iter().filter(|name| !["online", "unroutable"].contains(name)) {
        assert!(faults.states.iter().any(|entry| entry.state.name() == *name), "{name}");
    }
}

#[test]
fn a_number_of_peers_is_a_whole_scenario() {
    let scenario = Scenario::parse("peers = 7", "x").expect("a scenario");
    assert_eq!(scenario, Scenario { peers: 7, ..Scenario::default() });
}

#[test]
fn parameters_of_states_are_read() {
    let text =
        "states = [{ state = 'reset', at = 'multiplex', share = 0.1 }, { state = 'slow', share = 0.2 }]";
    let states = Scenario::parse(text, "x").expect("a scenario").states;
    assert_eq!(states[0].state, State::Reset(Stage::Multiplex));
    assert_eq!((states[1].state, states[1].share.get()), (State::Slow(1000), 0.2));
}

#[test]
fn a_mistake_is_named_with_its_line_and_what_is_allowed() {
    for (text, parts) in [
        ("peers = 5\npers = 6", &["net.toml", "line 2", "`pers`", "expected one of", "`peers`"][..]),
        ("peers = 5\n\n[[states]]\nstate = 'sleepy'\nshare = 0.1", &["line 3", "`sleepy`", "wrong_peer_id"]),
        ("[[states]]\nstate = 'reset'\nshare = 0.1", &["line 1", "`at`", "multiplex"]),
        ("[[states]]\nstate = 'reset'\nat = 'dinner'\nshare = 0.1", &["dinner", "`accept`", "line"]),
        ("[[states]]\nstate = 'online'\nat = 'accept'\nshare = 0.1", &["`online` takes no `at`"]),
        ("[[states]]\nstate = 'garbage'\nat = 'stream'\nshare = 0.1", &["secure or request"]),
        ("[[states]]\nstate = 'slow'\ndelay_ms = 4000\nshare = 0.1", &["`delay_ms`", "1 to 3000", "4000"]),
        ("\n[tables]\nholes = 1.5", &["line 3", "from 0 to 1", "1.5"]),
        ("[tables]\nk = 21", &["line 2", "`k`", "1 to 20"]),
        ("[tables]\nstale = 0.95", &["line 2", "`stale`"]),
        ("[tables.poor]\nbits = 17", &["line 2", "`bits`", "1 to 16"]),
        ("peers = 0", &["line 1", "`peers`", "1 to"]),
        ("peers = 3\nbootstrap = 4", &["line 2", "`bootstrap`"]),
        ("protocol = 'kad'", &["line 1", "`protocol`", "`/`"]),
        ("[transports]\ntcp = 0.5", &["line 1", "`transports`", "0.5"]),
        ("[keys]\nrsa = 0.5", &["line 1", "`keys`", "0.5"]),
        ("peers = 1000\n[keys]\nrsa = 0.1\necdsa = 0.9", &["line 3", "`rsa`", "at most 64", "100"]),
        ("[securities]\ntls = 0.3\nnoise = 0.3", &["line 1", "`securities`", "0.6"]),
        ("[addresses]\nip4 = 0.5\ndual = 0.4", &["line 1", "`addresses`", "0.9"]),
        ("[addresses]\nper_ip = 5", &["line 2", "`per_ip`", "1 to 4"]),
        (
            "[[regions]]\nname = 'a'\nshare = 1.0\nrtt_ms = { a = 1 }\ncontinents = ['Mu']",
            &["line 5", "`Mu`", "EU"],
        ),
        ("[[agents]]\nname = 'a'\nshare = 0.5", &["line 1", "`agents`", "not to 1"]),
        ("observer = 'eu'", &["`observer`", "`regions`"]),
        ("[[regions]]\nname = 'eu'\nshare = 1.0", &["`rtt_ms`", "`eu`", "missing"]),
        ("[[regions]]\nname = 'eu'\nshare = 1.0\nrtt_ms = { eu = 1, us = 2 }", &["line 4", "`us`", "eu"]),
        (
            "[[regions]]\nname = 'a'\nshare = 0.5\nrtt_ms = { a = 1 }\n[[regions]]\nname = 'a'\nshare = 0.5",
            &["`a`", "twice"],
        ),
        (
            "states = [{ state = 'refusing', share = 0.6 }, { state = 'silent', share = 0.6 }]",
            &["`states`", "1.2"],
        ),
        ("peers = ", &["net.toml", "line 1"]),
        ("peers = 9\n[life]\nspeed = 0", &["line 3", "`speed`", "above 0"]),
        ("[life]\nforget_s = -1", &["line 2", "`forget_s`", "604800"]),
        ("[life]", &["line 1", "`life`", "[[life.classes]]"]),
        ("[life]\nsped = 2", &["line 2", "`sped`", "`speed`"]),
        ("[[life.outages]]\nfrom_s = 5", &["`lasts_s`"]),
        ("[[life.outages]]\nfrom_s = 5\nlasts_s = 0", &["`outages`", "above 0"]),
        (
            "[[life.outages]]\nfrom_s = 5\nlasts_s = 9\ndials = 'busy'",
            &["`busy`", "`no_route`", "`no_answer`"],
        ),
        (
            "[[life.outages]]\nfrom_s = 5\nlasts_s = 9\n[[life.outages]]\nfrom_s = 13\nlasts_s = 1",
            &["`outages`", "13 s", "14 s"],
        ),
    ] {
        let error = error(text);
        for part in parts {
            assert!(error.contains(part), "{part:?} is missing in {error:?}");
        }
    }
}

#[test]
fn what_only_who_cannot_be_dialled_is_told_is_checked() {
    for (text, parts) in [
        (
            "[[states]]\nstate = 'behind_nat'\nstays_s = 600\nshare = 0.1",
            &["`stays_s`", "below `calls_every_s`", "600"][..],
        ),
        ("[[states]]\nstate = 'behind_nat'\ncalls_every_s = 0\nshare = 0.1", &["`calls_every_s`", "86400"]),
        ("[[states]]\nstate = 'online'\nstays_s = 6\nshare = 0.1", &["`online` takes no `stays_s`"]),
    ] {
        let error = error(text);
        assert!(parts.iter().all(|part| error.contains(part)), "{error:?}");
    }
}

#[test]
fn a_name_is_not_a_path_and_an_unknown_one_is_told_the_known() {
    let unknown = Scenario::named_or_load("dmeo").expect_err("unknown").to_string();
    assert!(unknown.contains("`dmeo`") && unknown.contains("half-dead"), "{unknown}");
    let missing = Scenario::named_or_load("./nowhere.toml").expect_err("missing").to_string();
    assert!(missing.contains("./nowhere.toml"), "{missing}");
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("own.toml");
    std::fs::write(&path, "peers = 9").expect("written");
    assert_eq!(Scenario::named_or_load(&path.to_string_lossy()).expect("own").peers, 9);
}

#[test]
fn a_delay_is_found_in_whichever_region_it_is_written() {
    let text = "observer = 'us'\n[[regions]]\nname = 'eu'\nshare = 0.5\nrtt_ms = { eu = 20, us = 90 }\n\
                [[regions]]\nname = 'us'\nshare = 0.5\nrtt_ms = { us = 30 }";
    let scenario = Scenario::parse(text, "x").expect("a scenario");
    assert_eq!([0, 1].map(|to| scenario.rtt_between_ms(scenario.observer_region(), to)), [90, 30]);
}

/// A scenario with one class of life that has these keys as well.
fn living(keys: &str) -> String {
    format!(
        "[[life.classes]]\nname = 'a'\nshare = 0.6\nup = {{ law = 'weibull', median_s = 60, shape = 0.5 }}\n\
         down = {{ law = 'log_normal', median_s = 600, sigma = 1 }}\n{keys}"
    )
}

#[test]
fn classes_of_life_are_read_with_their_defaults() {
    let life = Scenario::parse(&living(""), "x").expect("a scenario").life.expect("life");
    assert_eq!((life.speed, life.learn_s, life.forget_s), (1.0, 60.0, 600.0));
    let class = &life.classes[0];
    assert_eq!((class.name.as_str(), class.share.get(), class.absence), ("a", 0.6, Absence::Refused));
    assert_eq!(class.up, Law::Weibull { median_s: 60.0, shape: 0.5 });
    assert_eq!(class.down, Law::LogNormal { median_s: 600.0, sigma: 1.0 });
    assert_eq!((class.moves.addresses, class.rotates.ids, class.leaves.get()), (1, 1, 0.0));
    let keys = "absence = 'dropped'\nleaves = 0.5\nenters = { share = 0.1, within_s = 60 }\n\
                moves = { share = 1.0, addresses = 16 }\nrotates = { share = 0.5, ids = 2 }";
    let life = Scenario::parse(&living(keys), "x").expect("a scenario").life.expect("life");
    assert_eq!((life.classes[0].absence, life.classes[0].rotates.ids), (Absence::Dropped, 2));
}

#[test]
fn a_mistake_in_life_is_named_with_what_is_allowed() {
    let law = |text: &str| living("").replace("law = 'weibull', median_s = 60, shape = 0.5", text);
    for (text, parts) in [
        (living("moves = { share = 0.5 }"), &["`moves`", "`addresses`", "2 to 16"][..]),
        (living("moves = { share = 0.5, addresses = 17 }"), &["line 6", "`moves`", "17"]),
        (living("rotates = { share = 0.5, ids = 1 }"), &["`rotates`", "`ids`", "2 to 16"]),
        (living("rotates = { ids = 0 }"), &["`rotates`", "1 to 16"]),
        (living("enters = { share = 0.5 }"), &["`enters`", "`within_s`", "above 0"]),
        (living("leaves = 2"), &["line 6", "0 to 1"]),
        (living("absence = 'asleep'"), &["asleep", "`refused`", "`unreachable`"]),
        ((living("") + &living("")).replace("0.6", "0.3"), &["`a`", "twice"]),
        (living("") + &living("").replace("'a'", "'b'"), &["`life`", "1.2", "at most 1"]),
        (law("law = 'pareto', median_s = 60"), &["`pareto`", "exponential, log_normal, weibull"]),
        (law("law = 'weibull', median_s = 60"), &["`weibull`", "`shape`", "0.2"]),
        (law("law = 'weibull', median_s = 60, shape = 0.1"), &["`weibull`", "`shape`", "0.2"]),
        (law("law = 'log_normal', median_s = 60, shape = 1"), &["`log_normal`", "`sigma`"]),
        (law("law = 'exponential', median_s = 60, shape = 1"), &["`exponential`", "alone"]),
        (law("law = 'exponential', median_s = 0"), &["`median_s`", "0.001", "31557600"]),
        (law("law = 'exponential'"), &["median_s"]),
    ] {
        let error = error(&text);
        for part in parts {
            assert!(error.contains(part), "{part:?} is missing in {error:?}");
        }
    }
}

#[test]
fn holders_have_bounds_and_names_of_their_own() {
    let text = |rest: &str| format!("[[holders]]\nname = 'a'\nshare = 0.5\n{rest}");
    let read = |rest: &str| Scenario::parse(&text(rest), "x").map(|scenario| scenario.holders);
    let holder = read("").expect("holders").remove(0);
    assert_eq!((holder.keep().as_secs(), holder.addresses().as_secs()), (172_800, 86_400));
    for (rest, problem) in [
        ("keep_s = 172801", "line 4, `keep_s`: from 0 to 172800 seconds, not 172801"),
        ("addresses_s = -1", "line 4, `addresses_s`: from 0 to 172800 seconds, not -1"),
        ("addresses_since = 'ever'", "unknown variant `ever`"),
        ("[[holders]]\nname = 'a'\nshare = 0.1", "the kind `a` is there twice"),
        ("[[holders]]\nname = 'b'\nshare = 0.6", "add up to 1.1"),
        ("[[holders]]\nname = 'b'\nshare = 0.1\nagent = 'x/1'", "`x/1` is none of the scenario's agents"),
    ] {
        let error = read(rest).expect_err(rest).to_string();
        assert!(error.contains(problem), "{error}");
    }
}
