//! A world of ours: a network on public addresses that nothing can leave, for programs that are run in it.

use std::{ffi::OsStr, fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{
    program::{Network, kadscope},
    truth::Generated,
};

/// A world, until it is dropped.
#[derive(Debug)]
pub(crate) struct World {
    network: Network,
    /// What goes before a command that is run in it.
    enter: Vec<String>,
    truth: PathBuf,
    _home: TempDir,
}

impl World {
    /// Starts the world of a scenario, and waits until it stands.
    pub(crate) fn of(scenario: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let [file, truth] = ["scenario.toml", "truth.json"].map(|name| home.path().join(name));
        fs::write(&file, scenario).expect("a file");
        let mut testnet = kadscope();
        testnet.args(["testnet", "--world", "--json", "--until-eof", "--scenario"]).arg(file);
        let network = Network::start(testnet.arg("--truth").arg(&truth));
        let enter = network.announcement()["world"]["enter"].as_array().expect("a list");
        let enter = enter.iter().map(|word| word.as_str().expect("a word").to_owned()).collect();
        Self { network, enter, truth, _home: home }
    }

    /// A program in it, which knows its variables.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let (first, rest) = self.enter.split_first().expect("words");
        let mut command = Command::new(first);
        command.args(rest).arg(program);
        command
    }

    /// Where to begin, by addresses.
    pub(crate) fn bootstrap(&self) -> Vec<String> {
        self.network.bootstrap()
    }

    /// Where to begin, by one name that does not say whose it is.
    pub(crate) fn bootstrap_name(&self) -> String {
        self.network.announcement()["world"]["bootstrap_name"].as_str().expect("a name").to_owned()
    }

    /// What was generated.
    pub(crate) fn truth(&self) -> Generated {
        Generated::read(&self.truth)
    }
}
