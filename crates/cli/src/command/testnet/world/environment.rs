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
    /// The log of who comes and goes, likewise; `None` where nobody does.
    pub(super) events: Option<PathBuf>,
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
    /// The log of who comes and goes; missing where nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<PathBuf>,
}

impl Environment {
    /// Names and values. `KADSCOPE_BOOTSTRAP` and `KADSCOPE_PROTOCOL` are what `kadscope crawl` reads.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = vec![
            ("KADSCOPE_BOOTSTRAP", bootstrap_name().into()),
            (LITERAL, self.bootstrap.join(",").into()),
            ("KADSCOPE_WORLD_TRUTH", self.truth.clone().into()),
        ];
        if let Some(events) = &self.events {
            variables.push(("KADSCOPE_WORLD_EVENTS", events.clone().into()));
        }
        if self.protocol != kad::message::AMINO_PROTOCOL {
            variables.push(("KADSCOPE_PROTOCOL", self.protocol.clone().into()));
        }
        variables
    }

    /// What to put before a command, so that it runs in the world and knows its variables.
    fn how_to_enter(&self, entered: Entered) -> Vec<String> {
        [nsenter(entered), vec!["env".to_owned()], self.assignments()].concat()
    }

    /// The same for people with a shell; there the command also begins in the directory where the shell is.
    pub(super) fn how_to_enter_by_shell(&self, entered: Entered) -> String {
        let [enter, assignments] = [nsenter(entered), self.assignments()].map(|words| as_shell_words(&words));
        format!("{enter} env --chdir=\"$PWD\" {assignments}")
    }

    /// Without the literal addresses, which are many and printed apart.
    fn assignments(&self) -> Vec<String> {
        let short = self.variables().into_iter().filter(|(name, _)| *name != LITERAL);
        short.map(|(name, value)| format!("{name}={}", value.to_string_lossy())).collect()
    }

    /// For the announcement.
    pub(super) fn described(&self, entered: Entered) -> Described {
        let (enter, bootstrap_name) = (self.how_to_enter(entered), bootstrap_name());
        Described {
            pid: std::process::id(),
            enter,
            bootstrap_name,
            truth: self.truth.clone(),
            events: self.events.clone(),
        }
    }
}

fn nsenter(entered: Entered) -> Vec<String> {
    let user: &[&str] = if entered.is_user { &["--preserve-credentials", "--user"] } else { &[] };
    let pid = std::process::id().to_string();
    let words = [&["nsenter"], user, &["--net", "--mount", "--target", &pid]].concat();
    words.into_iter().map(str::to_owned).collect()
}

fn bootstrap_name() -> String {
    format!("/dnsaddr/{}", names::BOOTSTRAP)
}

/// Words as a shell reads them.
fn as_shell_words(words: &[String]) -> String {
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
        Environment { bootstrap, protocol: protocol.into(), truth: "/t t".into(), events: None }
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
        let line = |is_user| environment("/x").how_to_enter_by_shell(Entered { is_user, is_net: true });
        let pid = std::process::id();
        let there = "env --chdir=\"$PWD\" KADSCOPE_BOOTSTRAP=";
        let user = format!("nsenter --preserve-credentials --user --net --mount --target {pid} {there}");
        assert!(line(true).starts_with(&user), "{}", line(true));
        let root = format!("nsenter --net --mount --target {pid} {there}");
        assert!(line(false).starts_with(&root), "{}", line(false));
        assert!(line(true).contains(" 'KADSCOPE_WORLD_TRUTH=/t t' "), "{}", line(true));
        assert_eq!(as_shell_words(&["it's".into(), String::new()]), r"'it'\''s' ''");
    }
}
