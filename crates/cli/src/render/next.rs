//! What a newcomer can do with what the demo left behind: commands that can be copied as they are.

use std::path::Path;

use super::table::heading;
use crate::output::Style;

/// Who runs what, in the last crawl. It is the first example of docs/operating.md.
const QUERY: &str = "SELECT agent, count(*) FROM peer_view WHERE reachable AND crawl_id = (SELECT max(crawl_id) FROM crawl) GROUP BY agent ORDER BY 2 DESC";

/// What the program is called by who runs it: by its path if it is not on the search path.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    if called.contains('/') { quoted(&called) } else { "kadscope".to_owned() }
}

/// The commands, with what each is for.
///
/// `shown` is the scenario, and whether it was shown in a world.
pub(crate) fn next(store: &Path, truth: &Path, shown: (&str, bool), style: Style) -> String {
    let (store, truth, program) =
        (quoted(&store.to_string_lossy()), quoted(&truth.to_string_lossy()), program());
    let mut steps = vec![
        ("What is kept, and the same with SQL:", format!("{program} crawls --store {store}")),
        ("", format!("sqlite3 -box {store} \"{QUERY}\"")),
        ("What was true of each peer:", format!("jq '.peers[0]' {truth}")),
    ];
    steps.extend(again(&program, shown));
    let mut lines = vec![String::new(), heading("What next", "", style)];
    for (purpose, command) in steps {
        if !purpose.is_empty() {
            lines.push(format!("  {}", style.dim(purpose)));
        }
        lines.push(format!("    {command}"));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// How to have such a network for oneself.
fn again(program: &str, (scenario, in_world): (&str, bool)) -> Vec<(&'static str, String)> {
    let scenario = quoted(scenario);
    if in_world {
        return vec![
            (
                "Any program in such a world; its bootstrap peers are in the environment:",
                format!("{program} testnet --world --scenario {scenario} -- {program} crawl --store none"),
            ),
            ("", format!("{program} testnet --world --scenario {scenario} -- bash")),
        ];
    }
    vec![
        (
            "A network that stays, and a crawl of it from another terminal:",
            format!("{program} testnet --scenario {scenario}"),
        ),
        ("", format!("{program} crawl --addresses loopback --bootstrap MULTIADDR")),
    ]
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_characters_is_one_word() {
        assert_eq!(quoted("/tmp/a-b.sqlite"), "/tmp/a-b.sqlite");
        assert_eq!(quoted("a b's"), r"'a b'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_commands_name_the_files() {
        let text = next(Path::new("d/a.sqlite"), Path::new("d/truth.json"), ("demo", false), Style::plain());
        assert!(text.contains("crawls --store d/a.sqlite\n") && text.contains("d/truth.json\n"), "{text}");
    }
}
