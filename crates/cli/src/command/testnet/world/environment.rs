//! What a program in a world is told: variables of its environment, and how one gets in.

use std::{ffi::OsString, path::PathBuf};

use serde::{Deserialize, Serialize};
use testnet::{names, namespace::Entered};

/// The variable with the addresses of all bootstrap peers, without names.
const LITERAL: &str = "KADSCOPE_WORLD_BOOTSTRAP";

/// What is said of a world.
#[derive(Debug)]
pub(super) struct Environment {
    /// Addresses of the bootstrap peers, without names.
    pub(super) bootstrap: Vec<String>,
    /// The Kademlia protocol.
    pub(super) protocol: String,
    /// The truth file, by its whole path.
    pub(super) truth: PathBuf,
}

/// The same for programs outside: part of the announcement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Described {
    /// The process whose namespaces make the world.
    pub(crate) pid: u32,
    /// What to put before a command to run it in the world.
    pub(crate) enter: Vec<String>,
    /// The name of the bootstrap peers, as an address.
    pub(crate) bootstrap_name: String,
    /// The truth file.
    pub(crate) truth: PathBuf,
}

impl Environment {
    /// Names and values. `KADSCOPE_BOOTSTRAP` and `KADSCOPE_PROTOCOL` are what `kadscope crawl` reads.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = vec![
            ("KADSCOPE_BOOTSTRAP", bootstrap_name().into()),
            (LITERAL, self.bootstrap.join(",").into()),
            ("KADSCOPE_WORLD_TRUTH", self.truth.clone().into()),
        ];
        if self.protocol != kad::message::AMINO_PROTOCOL {
            variables.push(("KADSCOPE_PROTOCOL", self.protocol.clone().into()));
        }
        variables
    }

    /// What to put before a command, so that it runs in the world and knows its variables; without the literal
    /// addresses, which are many and printed apart.
    pub(super) fn how_to_enter(&self, entered: Entered) -> Vec<String> {
        let mut words = vec!["nsenter".to_owned()];
        if entered.is_user {
            words.extend(["--preserve-credentials", "--user"].map(str::to_owned));
        }
        words.extend(["--net", "--mount", "--target"].map(str::to_owned));
        words.extend([std::process::id().to_string(), "env".to_owned()]);
        let short = self.variables().into_iter().filter(|(name, _)| *name != LITERAL);
        words.extend(short.map(|(name, value)| format!("{name}={}", value.to_string_lossy())));
        words
    }

    /// For the announcement.
    pub(super) fn described(&self, enter: Vec<String>) -> Described {
        Described {
            pid: std::process::id(),
            enter,
            bootstrap_name: bootstrap_name(),
            truth: self.truth.clone(),
        }
    }
}

fn bootstrap_name() -> String {
    format!("/dnsaddr/{}", names::BOOTSTRAP)
}

/// Words as a shell reads them.
pub(super) fn as_shell_words(words: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@".contains(c);
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.chars().all(is_plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(protocol: &str) -> Environment {
        let bootstrap = vec!["/a".into(), "/b".into()];
        Environment { bootstrap, protocol: protocol.into(), truth: "/t t".into() }
    }

    #[test]
    fn a_protocol_of_its_own_is_told() {
        let told = |environment: &Environment| {
            environment.variables().iter().any(|(name, _)| *name == "KADSCOPE_PROTOCOL")
        };
        assert!(!told(&environment(kad::message::AMINO_PROTOCOL)));
        assert!(told(&environment("/x/kad/1.0.0")));
    }

    #[test]
    fn how_to_enter_is_a_line_for_a_shell() {
        let line =
            |is_user| as_shell_words(&environment("/x").how_to_enter(Entered { is_user, is_net: true }));
        let pid = std::process::id();
        let user =
            format!("nsenter --preserve-credentials --user --net --mount --target {pid} env KADSCOPE_");
        assert!(line(true).starts_with(&user), "{}", line(true));
        let root = format!("nsenter --net --mount --target {pid} env KADSCOPE_");
        assert!(line(false).starts_with(&root), "{}", line(false));
        assert!(line(true).contains(" 'KADSCOPE_WORLD_TRUTH=/t t' "), "{}", line(true));
        assert_eq!(as_shell_words(&["it's".into(), String::new()]), r"'it'\''s' ''");
    }
}
