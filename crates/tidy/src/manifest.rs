//! Rules about the manifests of crates: who may depend on whom.

use toml::{Table, Value};

use crate::File;

/// The crates of the program and which of our own each may depend on. `None` may depend on all.
const DIRECTION: &[(&str, Option<&[&str]>)] = &[
    ("kad", Some(&[])),
    ("dht", Some(&["kad"])),
    ("schema", Some(&["kad"])),
    ("net", Some(&["kad"])),
    ("http", Some(&[])),
    ("estimate", Some(&["kad"])),
    ("places", Some(&["kad", "schema"])),
    ("store", Some(&["kad", "schema", "http"])),
    ("crawl", Some(&["kad", "dht", "schema", "estimate"])),
    ("testnet", Some(&["kad", "schema", "net", "dht"])),
    ("report", Some(&["kad", "schema", "store", "estimate", "figure"])),
    ("delegated", Some(&["kad", "http"])),
    ("hydra", Some(&["kad", "dht", "schema", "store", "http", "delegated"])),
    ("figure", Some(&[])),
    ("perf", Some(&["kad", "dht", "schema", "store", "http", "delegated", "crawl", "estimate", "figure"])),
    ("hoard", Some(&["kad", "dht", "schema", "store", "crawl", "estimate", "figure", "places"])),
    ("monitor", Some(&["kad", "dht", "schema", "store", "http", "crawl", "estimate", "figure"])),
    ("jail", Some(&[])),
    ("cli", None),
    ("fuzz", None),
    ("tidy", None),
];

/// Crates of others that only some of ours may depend on.
const RESERVED: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "libp2p-core",
            "libp2p-noise",
            "libp2p-quic",
            "libp2p-swarm",
            "libp2p-tcp",
            "libp2p-tls",
            "libp2p-yamux",
            "multistream-select",
            "quinn",
            "snow",
        ],
        &["net", "fuzz"],
        "only `net` names transports and muxers",
    ),
    (
        &["rustls"],
        &["net", "http", "store", "fuzz"],
        "TLS is spoken to peers by `net`, to servers of the web by `http`, and to a database by `store`",
    ),
    (&["rusqlite", "tokio-postgres"], &["store"], "only `store` speaks SQL"),
    (&["axum", "hyper", "hyper-util"], &["http"], "only `http` listens for HTTP and asks by it"),
    (
        &["tokio", "rand", "rand_chacha", "socket2", "rustix"],
        &[
            "dht",
            "net",
            "http",
            "delegated",
            "store",
            "hydra",
            "perf",
            "hoard",
            "monitor",
            "crawl",
            "testnet",
            "jail",
            "cli",
            "fuzz",
        ],
        "`kad`, `schema` and `estimate` do no IO, read no clock and draw no random numbers",
    ),
    (&["anyhow"], &["cli"], "a library names its errors"),
];

/// Fields that every crate takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// Complains of everything in the manifest of a crate that goes against the rules.
pub fn problems(file: &File) -> Vec<String> {
    let Some(name) = file.crate_name() else { return vec![format!("{}: no manifest of a crate", file.path)] };
    let manifest = match file.text.parse::<Table>() {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("{}: {error}", file.path)],
    };
    let mut problems = Vec::new();
    for table in dependency_tables(&manifest, "dependencies") {
        problems.extend(table.keys().filter_map(|dependency| against_direction(name, dependency)));
        problems.extend(table.keys().filter_map(|dependency| against_reservation(name, dependency)));
    }
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let tables = dependency_tables(&manifest, kind);
        let own = tables.into_iter().flatten().filter(|(_, value)| !is_inherited(value));
        problems.extend(own.map(|(dependency, _)| format!("`{dependency}` is not taken from the workspace")));
    }
    let package = manifest.get("package").and_then(Value::as_table);
    let own = INHERITED
        .iter()
        .filter(|field| !package.and_then(|package| package.get(**field)).is_some_and(is_inherited));
    problems.extend(own.map(|field| format!("`package.{field}` is not taken from the workspace")));
    if !manifest.get("lints").is_some_and(is_inherited) {
        problems.push("the lints are not taken from the workspace".to_owned());
    }
    problems.into_iter().map(|problem| format!("{}: {problem}", file.path)).collect()
}

/// All tables of dependencies of one kind, those for some targets only included.
fn dependency_tables<'a>(manifest: &'a Table, kind: &str) -> Vec<&'a Table> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    tables.filter_map(|table| table.get(kind)?.as_table()).collect()
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn against_direction(name: &str, dependency: &str) -> Option<String> {
    let Some((_, allowed)) = DIRECTION.iter().find(|(known, _)| *known == name) else {
        return Some(format!("the crate `{name}` has no place in the table of directions"));
    };
    let is_ours = DIRECTION.iter().any(|(known, _)| *known == dependency);
    let is_allowed = allowed.is_none_or(|allowed| allowed.contains(&dependency));
    (is_ours && !is_allowed).then(|| format!("`{name}` may not depend on `{dependency}`"))
}

fn against_reservation(name: &str, dependency: &str) -> Option<String> {
    let (_, _, reason) = RESERVED
        .iter()
        .find(|(dependencies, users, _)| dependencies.contains(&dependency) && !users.contains(&name))?;
    Some(format!("`{name}` may not depend on `{dependency}`: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[package]\nname = 'x'\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\n\
        publish.workspace = true\n[lints]\nworkspace = true\n";

    fn found(name: &str, dependencies: &str) -> usize {
        problems(&File::new(&format!("crates/{name}/Cargo.toml"), &format!("{HEAD}{dependencies}"))).len()
    }

    #[test]
    fn the_direction_is_held() {
        assert_eq!(found("schema", "[dependencies]\nkad.workspace = true"), 0);
        assert_eq!(found("kad", "[dependencies]\nschema.workspace = true"), 1);
        assert_eq!(found("crawl", "[dependencies]\nstore.workspace = true"), 1);
        assert_eq!(found("crawl", "[target.'cfg(unix)'.dependencies]\nnet = { workspace = true }"), 1);
        assert_eq!(found("crawl", "[dev-dependencies]\ntestnet.workspace = true"), 0);
        assert_eq!(found("cli", "[dependencies]\nstore.workspace = true\nnet.workspace = true"), 0);
        assert_eq!(found("stranger", "[dependencies]\nserde.workspace = true"), 1);
    }

    #[test]
    fn crates_of_others_have_their_users() {
        assert_eq!(found("net", "[dependencies]\nquinn.workspace = true"), 0);
        assert_eq!(found("testnet", "[dependencies]\nquinn.workspace = true"), 1);
        assert_eq!(found("testnet", "[dev-dependencies]\nquinn.workspace = true"), 0);
        assert_eq!(found("crawl", "[dependencies]\nrusqlite.workspace = true"), 1);
        assert_eq!(found("kad", "[dependencies]\ntokio.workspace = true"), 1);
    }

    #[test]
    fn what_is_not_taken_from_the_workspace_is_found() {
        assert_eq!(found("kad", "[dependencies]\nbytes = '1'"), 1);
        assert_eq!(found("kad", "[dev-dependencies]\nbytes = { version = '1' }"), 1);
        let bare = File::new("crates/kad/Cargo.toml", "[package]\nname = 'x'\nedition = '2021'");
        assert_eq!(problems(&bare).len(), INHERITED.len() + 1);
        assert_eq!(problems(&File::new("crates/kad/Cargo.toml", "[")).len(), 1);
    }
}
