//! What a program in a world is told: variables of its environment, and how one gets in.

use std::{
    env,
    ffi::{OsStr, OsString},
    iter,
    path::PathBuf,
};

use jail::Entered;
use serde::{Deserialize, Serialize};
use testnet::names;

use crate::shell;

/// The variables with the addresses of all bootstrap peers, without names and by the name that lists them.
const LITERAL: &str = "KADSCOPE_WORLD_BOOTSTRAP";
const NAMED: &str = "KADSCOPE_WORLD_BOOTSTRAP_NAMES";

/// The variables that name a file of trusted root certificates: for what is built on OpenSSL's conventions (Go, Rust's
/// rustls-native-certs, OpenSSL), for Node.js, and for ourselves.
const ROOTS: [&str; 3] = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "KADSCOPE_TLS_ROOTS"];

/// Where programs are looked for.
const PATH: &str = "PATH";

/// What is said of a world.
#[derive(Debug)]
pub(super) struct Environment {
    /// Addresses of the bootstrap peers, without names.
    pub(super) bootstrap: Vec<String>,
    /// The name under which crawls of it are kept.
    pub(super) network: String,
    /// The Kademlia protocol.
    pub(super) protocol: String,
    /// The file with the root certificate of the world's names, by its whole path.
    pub(super) roots: PathBuf,
    /// The truth file, by its whole path.
    pub(super) truth: PathBuf,
    /// The log of who comes and goes, likewise; `None` where nobody does.
    pub(super) events: Option<PathBuf>,
}

/// The same for programs outside: part of the announcement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Described {
    /// The process whose namespaces make the world.
    pub(crate) pid: u32,
    /// What to put before a command to run it in the world.
    pub(crate) enter: Vec<String>,
    /// The name of the bootstrap peers, as an address.
    pub(crate) bootstrap_name: String,
    /// The file with the root certificate of the world's names.
    pub(crate) roots: PathBuf,
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
            (NAMED, self.named().join(",").into()),
            ("KADSCOPE_NETWORK_NAME", self.network.clone().into()),
            ("KADSCOPE_WORLD_TRUTH", self.truth.clone().into()),
        ];
        variables.extend(ROOTS.map(|name| (name, self.roots.clone().into())));
        if let Some(events) = &self.events {
            variables.push(("KADSCOPE_WORLD_EVENTS", events.clone().into()));
        }
        if self.protocol != kad::message::AMINO_PROTOCOL {
            variables.push(("KADSCOPE_PROTOCOL", self.protocol.clone().into()));
        }
        variables
    }

    /// The same for a program that is started here: it finds this one by its name, whatever the search path was.
    pub(super) fn variables_of_child(&self) -> Vec<(&'static str, OsString)> {
        let here = env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
        let path = here.and_then(|here| with_directory(env::var_os(PATH).as_deref(), here));
        let path = path.map(|path| (PATH, path));
        self.variables().into_iter().chain(path).collect()
    }

    /// The bootstrap peers by the name that lists them, each with its id: other programs want to know it.
    fn named(&self) -> Vec<String> {
        let mut named: Vec<String> = Vec::new();
        for id in self.bootstrap.iter().filter_map(|address| address.rsplit_once("/p2p/")) {
            let address = format!("{}/p2p/{}", bootstrap_name(), id.1);
            if !named.contains(&address) {
                named.push(address);
            }
        }
        named
    }

    /// What to put before a command, so that it runs in the world and knows its variables.
    fn how_to_enter(&self, entered: Entered) -> Vec<String> {
        [nsenter(entered), vec!["env".to_owned()], self.assignments()].concat()
    }

    /// The same for people with a shell; there the command also begins in the directory where the shell is.
    pub(super) fn how_to_enter_by_shell(&self, entered: Entered) -> String {
        let [enter, assignments] = [nsenter(entered), self.assignments()].map(|words| shell::line(&words));
        format!("{enter} env --chdir=\"$PWD\" {assignments}")
    }

    /// Without the literal addresses, which are many and printed apart.
    fn assignments(&self) -> Vec<String> {
        let short = self.variables().into_iter().filter(|(name, _)| ![LITERAL, NAMED].contains(name));
        short.map(|(name, value)| format!("{name}={}", value.to_string_lossy())).collect()
    }

    /// For the announcement.
    pub(super) fn described(&self, entered: Entered) -> Described {
        let (enter, bootstrap_name) = (self.how_to_enter(entered), bootstrap_name());
        Described {
            pid: std::process::id(),
            enter,
            bootstrap_name,
            roots: self.roots.clone(),
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

/// A search path with one directory more, which is looked into last. `None` if its name cannot be in one.
fn with_directory(path: Option<&OsStr>, directory: PathBuf) -> Option<OsString> {
    let before = path.filter(|path| !path.is_empty()).map(env::split_paths);
    env::join_paths(before.into_iter().flatten().chain(iter::once(directory))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(protocol: &str) -> Environment {
        let bootstrap =
            ["/ip4/5.0.0.1/tcp/1/p2p/a", "/ip4/5.0.0.1/udp/1/quic-v1/p2p/a", "/ip6/::1/tcp/1/p2p/b"];
        Environment {
            bootstrap: bootstrap.map(str::to_owned).into(),
            network: "own".into(),
            protocol: protocol.into(),
            roots: "/r".into(),
            truth: "/t t".into(),
            events: None,
        }
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
    fn every_bootstrap_peer_is_named_once_with_its_id() {
        let name = "/dnsaddr/bootstrap.world.test";
        assert_eq!(environment("/x").named(), [format!("{name}/p2p/a"), format!("{name}/p2p/b")]);
    }

    #[test]
    fn our_own_directory_is_the_last_that_is_looked_into() {
        let with = |path: Option<&str>| with_directory(path.map(OsStr::new), "/own".into()).unwrap();
        assert_eq!(with(Some("/bin:/usr/bin")), "/bin:/usr/bin:/own");
        assert_eq!([with(None), with(Some(""))], ["/own", "/own"]);
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
    }
}
