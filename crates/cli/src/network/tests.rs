//! The presets are sound, and what is wrong with a file is named.

use std::{collections::HashSet, fs, path::Path};

use proptest::prelude::*;

use super::*;
use crate::args::List;

const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

fn args() -> NetworkArgs {
    NetworkArgs {
        network: "ipfs".to_owned(),
        bootstrap: Vec::new(),
        network_name: None,
        protocol: None,
        addresses: None,
    }
}

#[test]
fn every_file_of_the_folder_is_a_preset_and_says_where_it_is_from() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../networks");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: HashSet<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, PRESETS.iter().map(|(name, _)| (*name).to_owned()).collect());
    let mut names = HashSet::new();
    for (name, text) in PRESETS {
        let file = NetworkFile::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(file.name, *name);
        assert!(file.aliases.iter().chain([&file.name]).all(|name| names.insert(name.clone())), "{name}");
        assert!(file.source.is_some() && file.retrieved.is_some() && !file.description.is_empty(), "{name}");
        assert_eq!(file.addresses, Policy::Public);
    }
}

#[test]
fn options_say_otherwise_than_the_network() {
    let ipfs = Network::of(args()).unwrap();
    assert_eq!((ipfs.name.as_str(), ipfs.bootstrap.len(), ipfs.addresses), ("ipfs", 7, Policy::Public));
    assert_eq!(ipfs.protocols, ["/ipfs/kad/1.0.0"]);
    let own: BootstrapAddress = format!("/ip4/127.0.0.1/tcp/1/p2p/{PEER}").parse().unwrap();
    let mine = Network::of(NetworkArgs {
        network: "polkadot".to_owned(),
        bootstrap: vec![List(vec![own.clone()])],
        network_name: Some("mine".to_owned()),
        protocol: Some("/mine/kad".to_owned()),
        addresses: Some(Policy::Loopback),
    });
    let mine = mine.unwrap();
    assert_eq!((mine.name.as_str(), mine.addresses), ("mine", Policy::Loopback));
    assert_eq!((mine.protocols.as_slice(), mine.bootstrap), (&["/mine/kad".to_owned()][..], vec![own]));
}

#[test]
fn an_agent_and_several_protocols_come_from_the_network() {
    let light = Network::of(NetworkArgs { network: "avail-mainnet-lc".to_owned(), ..args() }).unwrap();
    assert!(light.agent.is_some_and(|agent| agent.starts_with("avail-light-client/")));
    let polkadot = Network::of(NetworkArgs { network: "polkadot".to_owned(), ..args() }).unwrap();
    assert_eq!(polkadot.protocols[1], "/dot/kad");
}

/// What is said of a file in which this stands in place of that.
fn error_of(that: &str, this: &str) -> String {
    let good = format!(
        "name = \"mine\"\nprotocols = [\"/mine/kad\"]\nbootstrap = [\n    \"/ip4/127.0.0.1/tcp/1/p2p/{PEER}\",\n]\n"
    );
    assert!(NetworkFile::parse(&good).is_ok() && good.contains(that));
    NetworkFile::parse(&good.replace(that, &this.replace("PEER", PEER))).unwrap_err()
}

#[test]
fn what_is_wrong_with_a_file_is_named_with_line_key_and_what_is_allowed() {
    let errors = [
        ("protocols =", "protocol ="),
        ("name = \"mine\"", "name = \"My Net\""),
        ("name = \"mine\"\n", ""),
        ("[\"/mine/kad\"]", "[]"),
        ("[\"/mine/kad\"]", "[\"mine\"]"),
        ("[\"/mine/kad\"]", "\"/mine/kad\""),
        ("[\"/mine/kad\"]", "[\"/mine/kad\"]\naddresses = \"everything\""),
        ("[\"/mine/kad\"]", "[\"/mine/kad\"]\nretrieved = \"May\""),
        ("[\"/mine/kad\"]", "[\"/mine/kad\"]\nagent = \"\""),
        ("/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN", "/tcp/1"),
        ("/tcp/1/", "/udp/1/quic-v1/webtransport/"),
        ("/tcp/1/", "/tcp/1/p2p/PEER/p2p-circuit/"),
        ("name = \"mine\"\n", "name = \"mine\"\nbootstrap = []\n"),
        ("    \"/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN\",\n", ""),
    ];
    let said: Vec<String> = errors.map(|(that, this)| error_of(that, this)).into();
    insta::assert_snapshot!(said.join("\n\n"));
}

proptest! {
    /// The file of a user is a decoder's input like any other; a program without a library cannot be driven by a fuzzer.
    #[test]
    fn a_changed_file_is_a_network_within_its_bounds_or_refused_in_plain_text(
        preset in 0..PRESETS.len(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8), 0..6),
    ) {
        let mut bytes = PRESETS[preset].1.as_bytes().to_vec();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.drain(at..(at + usize::from(byte)).min(bytes.len() - 1))),
            }
        }
        match NetworkFile::parse(&String::from_utf8_lossy(&bytes)) {
            Ok(file) => {
                prop_assert!(!file.bootstrap.is_empty() && file.bootstrap_peers() <= 1000);
                prop_assert!((1..=4).contains(&file.protocols.len()));
                prop_assert!(file.protocols.iter().all(|name| check_protocol(name).is_ok()));
                let texts = [&file.name, &file.description].into_iter().chain(&file.agent).chain(&file.source);
                prop_assert!(texts.into_iter().all(|text| text.len() <= 1024 && !text.contains(char::is_control)));
                let written = toml::to_string(&file).unwrap();
                prop_assert_eq!(NetworkFile::parse(&written), Ok(file));
            }
            Err(error) => {
                prop_assert!(!error.is_empty() && !error.contains(|c: char| c.is_control() && c != '\n'), "{}", error);
            }
        }
    }
}

#[test]
fn names_and_files_that_are_not_there_are_said() {
    let said = |name: &str| load(name).unwrap_err().to_string();
    assert!(said("nowhere").contains("no network is named `nowhere`; known are ipfs, filecoin"));
    assert!(said("./nowhere").contains("./nowhere: No such file"));
    assert!(said("nowhere.toml").contains("nowhere.toml: No such file"));
}
