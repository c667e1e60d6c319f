//! What a program finds in a world.

use std::fs;

use serde_json::Value;

use crate::program::{Ended, KADSCOPE, Running, command, in_world, run, world};

/// A crawl of a world, which is told by its environment where to begin.
const CRAWL: [&str; 4] = ["crawl", "--store", "none", "--json"];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn stdout_and_the_exit_code_are_the_commands() {
    let Ended { code, stdout, stderr } = in_world("echo hello; exit 7");
    assert_eq!((code, stdout.as_str()), (Some(7), "hello\n"), "{stderr}");
    assert!(stderr.contains("20 peers of the scenario healthy"), "{stderr}");
    assert_eq!(in_world("kill -TERM $$").code, Some(143));
    let json = run(&mut world(&["--json", "--", "true"]));
    assert_eq!((json.code, json.stdout.as_str()), (Some(0), ""));
    assert_eq!(self::json(&json.stderr)["world"]["bootstrap_name"], "/dnsaddr/bootstrap.world.test");
}

#[test]
fn a_command_that_cannot_be_run_has_the_code_that_shells_have_for_it() {
    let missing = run(&mut world(&["--", "no-such-program"]));
    assert_eq!(missing.code, Some(127));
    assert!(missing.stderr.contains("cannot run no-such-program: No such file"), "{}", missing.stderr);
    let text = run(&mut world(&["--", "/etc/passwd"]));
    assert_eq!(text.code, Some(126));
    assert!(text.stderr.contains("cannot run /etc/passwd: Permission denied"), "{}", text.stderr);
}

#[test]
fn a_crawl_needs_no_options_to_find_the_network_and_its_truth() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("own.toml");
    fs::write(&scenario, "seed = 3\npeers = 30\nprotocol = \"/own/kad/1.0.0\"\n").expect("written");
    let truth = "truth.json";
    let options = ["testnet", "--world", "--scenario", "own.toml", "--truth", truth, "--"];
    let script =
        format!("test -n \"$KADSCOPE_WORLD_BOOTSTRAP\" && cat \"$KADSCOPE_WORLD_TRUTH\" && {KADSCOPE}");
    let script: String = CRAWL.iter().fold(format!("cd / && {script}"), |script, word| script + " " + word);
    let args = options.into_iter().chain(["bash", "-c", &script]);
    let ended = run(command(KADSCOPE, args).current_dir(dir.path()));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said: Vec<Value> = serde_json::Deserializer::from_str(&ended.stdout)
        .into_iter()
        .map(|value| value.expect("JSON"))
        .collect();
    let [told, summary] = &said[..] else { panic!("two objects: {}", ended.stdout) };
    assert_eq!(told["peers"].as_array().map(Vec::len), Some(30));
    assert_eq!(summary["peers"]["reachable"], 30, "{summary}");
    // A file that was named stays, another one goes.
    assert_eq!(json(&fs::read_to_string(dir.path().join(truth)).expect("it stays")), *told);
    let ended = in_world("test -s $KADSCOPE_WORLD_TRUTH && echo $KADSCOPE_WORLD_TRUTH");
    assert_eq!(ended.code, Some(0));
    assert!(!fs::exists(ended.stdout.trim()).expect("readable"), "{}", ended.stdout);
}

#[test]
fn our_own_name_is_found_whatever_the_search_path_is() {
    for args in [&["--", "kadscope"][..], &["--", "/bin/sh", "-c", "exec kadscope \"$@\"", "sh"]] {
        let mut world = world(&[args, &CRAWL].concat());
        let ended = run(world.env_remove("PATH"));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let summary = json(&ended.stdout);
        assert_eq!((&summary["network"], &summary["peers"]["reachable"]), (&"healthy".into(), &20.into()));
    }
}

#[test]
fn other_programs_are_told_where_to_begin_in_their_own_form() {
    let ended = in_world(&format!(
        "echo $KADSCOPE_WORLD_BOOTSTRAP_NAMES; {KADSCOPE} {} --bootstrap $KADSCOPE_WORLD_BOOTSTRAP_NAMES",
        CRAWL.join(" ")
    ));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (names, summary) = ended.stdout.split_once('\n').expect("two lines");
    assert_eq!(json(summary)["peers"]["reachable"], 20);
    assert_eq!(names.split(',').count(), 5);
    for name in names.split(',').chain(["/dnsaddr/bootstrap.world.test/p2p/1"]) {
        assert!(name.starts_with("/dnsaddr/bootstrap.world.test/p2p/1"), "{name}");
    }
}

#[test]
fn peers_on_secure_websocket_show_certificates_that_a_root_has_signed() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("web.toml");
    fs::write(
        &scenario,
        "peers = 30\ntransports = { wss = 1 }\naddresses = { ip4 = 0.5, dual = 0.5, named = 0.3 }\n",
    )
    .expect("written");
    let scenario = scenario.to_str().expect("UTF-8");
    let crawl = |script: &str| {
        let ended = run(&mut command(
            KADSCOPE,
            ["testnet", "--world", "--scenario", scenario, "--", "sh", "-c", script],
        ));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        json(&ended.stdout)
    };
    let script = format!("{KADSCOPE} {}", CRAWL.join(" "));
    let summary = crawl(&script);
    assert_eq!(summary["certificates"], serde_json::json!({"root": 30}), "{summary}");
    assert_eq!(summary["network"], "web");
    // Who trusts nobody reaches them as well.
    let summary = crawl(&format!("unset KADSCOPE_TLS_ROOTS; {script}"));
    assert_eq!(summary["certificates"], serde_json::json!({"unverified": 30}), "{summary}");
    // OpenSSL, by its own convention.
    let verified = run(&mut command(
        KADSCOPE,
        [
            "testnet",
            "--world",
            "--scenario",
            scenario,
            "--",
            "bash",
            "-c",
            "name=$(grep -o 'peer-[0-9]*.world.test' $KADSCOPE_WORLD_TRUTH | head -n 1); openssl s_client -verify_return_error \
         -verify_hostname $name -servername $name -connect $name:14003 < /dev/null",
        ],
    ));
    assert!(verified.stdout.contains("Verify return code: 0 (ok)"), "{verified:?}");
}

#[test]
fn names_resolve_by_the_systems_own_configuration_and_others_do_not_exist() {
    let ended =
        in_world("cat /etc/resolv.conf; getent ahostsv4 b0.bootstrap.world.test; getent ahosts example.org");
    assert!(ended.stdout.starts_with("nameserver 127.0.0.1\n"), "{}", ended.stdout);
    assert!(ended.stdout.lines().any(|line| line.contains("STREAM")), "{}", ended.stdout);
    assert_eq!(ended.code, Some(2), "getent: not found");
}

#[test]
fn every_public_address_of_the_world_is_local_and_no_other_is_there() {
    let script = r"
        wc -l < /proc/net/dev
        (echo > /dev/tcp/18.77.1.2/9) 2>&1 | grep -om1 'Connection refused'
        (echo > /dev/tcp/2a01:e00::77/9) 2>&1 | grep -om1 'Connection refused'
        for outside in 1.1.1.1 10.0.0.1 2606:4700::1; do
            (echo > /dev/tcp/$outside/53) 2>&1 | grep -om1 'Network is unreachable'
            (echo > /dev/udp/$outside/53) 2>&1 | grep -om1 'Network is unreachable'
        done";
    let (refused, unreachable) = ("Connection refused\n".repeat(2), "Network is unreachable\n".repeat(6));
    let ended = in_world(script);
    // Two headings, and lo.
    assert_eq!(ended.stdout, format!("3\n{refused}{unreachable}"), "{}", ended.stderr);
}

#[test]
fn who_is_not_root_is_root_inside() {
    let args = [
        "--user",
        "--map-user=1000",
        "--map-group=1000",
        KADSCOPE,
        "testnet",
        "--world",
        "--peers",
        "20",
        "--",
    ];
    let ended =
        run(&mut command("unshare", args.into_iter().chain(["sh", "-c", "id -u; cat /proc/self/uid_map"])));
    let said: Vec<&str> = ended.stdout.split_whitespace().collect();
    assert_eq!(said, ["0", "0", "1000", "1"], "{}", ended.stderr);
}

#[test]
fn a_world_without_a_command_says_how_to_enter_it() {
    let mut world = Running::start(&mut world(&["--json"]));
    let said = json(&world.line());
    let enter: Vec<&str> = said["world"]["enter"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|word| word.as_str().expect("text"))
        .collect();
    let args = enter[1..].iter().copied().chain([KADSCOPE]).chain(CRAWL);
    let ended = run(&mut command(enter[0], args));
    assert_eq!(json(&ended.stdout)["peers"]["reachable"], 20, "{}", ended.stderr);
    world.send(rustix::process::Signal::INT);
    assert_eq!(world.code(), Some(0));
}

#[test]
fn a_provider_finds_a_public_address_to_be_found_at() {
    let cid = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
    let script = format!(
        "{KADSCOPE} provide {cid} --read-back --yes --json && {KADSCOPE} lookup providers {cid} --json"
    );
    let ended = in_world(&script);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said: Vec<Value> = ended.stdout.lines().map(json).collect();
    let [published, found] = &said[..] else { panic!("two objects: {}", ended.stdout) };
    assert_eq!(published["have_record"], 20, "{published}");
    assert_eq!(found["found"][0]["peer"], published["provider"]);
    let found = found["found"][0]["addresses"].as_array().expect("addresses");
    let found: Vec<&Value> = found.iter().map(|given| &given["address"]).collect();
    assert_eq!(found, published["addresses"].as_array().expect("addresses").iter().collect::<Vec<_>>());
    let address = published["addresses"][0].as_str().expect("an address");
    assert!(!address.starts_with("/ip4/127."), "{address}");
}
