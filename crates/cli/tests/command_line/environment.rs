//! What the environment says: lists add up with those of the command line, and errors name the variable.

use std::fs;

use crate::program::{Ended, kadscope, run};

fn with(args: &[&str], variable: (&str, &str)) -> Ended {
    kadscope(args).env(variable.0, variable.1).output().expect("an end").into()
}

#[test]
fn an_error_about_a_variable_names_it() {
    let crawl = ["crawl", "--store", "none", "--addresses", "loopback"];
    for (args, variable, value, text) in [
        (&crawl[..], "KADSCOPE_CRAWL_LIMIT", "many", "invalid value 'many'"),
        (&crawl, "KADSCOPE_NETWORK", "nowhere", "no network is named `nowhere`"),
        (&crawl, "KADSCOPE_OPT_OUT", "/nonexistent/list", "cannot read the opt-out list /nonexistent/list"),
        (&["crawls"], "KADSCOPE_STORE", "mysql://x", "invalid value 'mysql://x'"),
        (&["crawls"], "KADSCOPE_STORE", "missing.sqlite", "there is no such file"),
        (&["crawls"], "KADSCOPE_JSON", "perhaps", "--json"),
    ] {
        let ended = with(args, (variable, value));
        assert!(ended.code >= 2 && ended.stderr.contains(text), "{variable}: {}", ended.stderr);
        let origin = format!("it stands in the environment: {variable}={value}\n");
        assert!(ended.stderr.contains(&origin), "{variable}: {}", ended.stderr);
    }
    // The command line wins, and the variable is not to blame.
    let ended = with(&["crawls", "--store", "other.sqlite"], ("KADSCOPE_STORE", "missing.sqlite"));
    assert!(ended.code == 3 && !ended.stderr.contains("environment"), "{}", ended.stderr);
}

#[test]
fn a_log_filter_that_is_none_is_2() {
    for wrong in ["inof", "kadscope_net=loud", "warn,debgu"] {
        let ended = with(&["networks"], ("KADSCOPE_LOG", wrong));
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{wrong}");
        assert!(
            ended.stderr.contains("KADSCOPE_LOG: ") && ended.stderr.contains("MODULE=LEVEL"),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(with(&["networks"], ("KADSCOPE_LOG", " info, kadscope_net=debug,")).code, 0);
}

#[test]
fn what_editors_and_people_add_is_no_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let [list, flags, network] = ["list.txt", "a.flags", "lab.toml"].map(|name| dir.path().join(name));
    fs::write(&list, "\u{feff}192.0.2.1,\r\n  198.51.100.0/24 , # a range\r\n").expect("written");
    let lists = format!(" {} , {},", list.display(), list.display());
    fs::write(&flags, format!("\u{feff}--json\r\n--opt-out \"{lists}\"\r\n")).expect("written");
    let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let address = format!(" /ip4/127.0.0.1/tcp/9/p2p/{peer} , ");
    fs::write(
        &network,
        format!(
            "\u{feff}name = \"lab\"\r\nprotocols = [\"/lab\",]\r\naddresses = \"loopback\"\r\n\
        bootstrap = [\" /ip4/127.0.0.1/tcp/9/p2p/{peer} \",]\r\n"
        ),
    )
    .expect("written");
    let at = format!("@{}", flags.display());
    let network = network.to_str().expect("UTF-8");
    let ended = run(["crawl", "--store", "none", "--network", network, "--bootstrap", &address, &at]);
    assert_eq!(ended.code, 4, "nobody is there: {}", ended.stderr);
    assert_eq!(ended.json()["opt_out_entries"], 2);
    assert_eq!(run(["networks", network]).code, 0);
}

/// The network of a demo is a testnet in a process of its own: it is as the demo says.
#[test]
fn the_network_of_a_demo_does_not_do_what_the_environment_says_to_testnets() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("few.toml");
    fs::write(&scenario, "peers = 40\n").expect("written");
    let path = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let mut demo = kadscope(["demo", "--json", "--scenario", &path(&scenario), "--dir", &path(dir.path())]);
    let variables = [("KADSCOPE_TESTNET_PEERS", "30"), ("KADSCOPE_METRICS_ADDR", "127.0.0.1:0")];
    let ended: Ended = demo.envs(variables).output().expect("an end").into();
    assert_eq!((ended.code, &ended.json()["peers"]["discovered"]), (0, &40.into()), "{}", ended.stderr);
    assert!(!ended.stderr.contains("metrics"), "{}", ended.stderr);
}
