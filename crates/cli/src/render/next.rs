//! What a newcomer can do with what the demo left behind: commands that can be copied as they are.

use std::path::Path;

use super::table::heading;
use crate::{
    command::network_name,
    output::Style,
    shell::{program, quoted},
};

/// Who runs what, in the last crawl. It is the first example of docs/operating.md.
const QUERY: &str = "SELECT agent, count(*) FROM peer_view WHERE agent IS NOT NULL AND run_id = (SELECT max(run_id) FROM run WHERE tool = 'crawl') GROUP BY agent ORDER BY 2 DESC";

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
    let name = quoted(&network_name(scenario));
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
        ("", format!("{program} crawl --network-name {name} --addresses loopback --bootstrap MULTIADDR")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_name_the_files() {
        let text = next(Path::new("d/a.sqlite"), Path::new("d/truth.json"), ("demo", false), Style::plain());
        assert!(text.contains("crawls --store d/a.sqlite\n") && text.contains("d/truth.json\n"), "{text}");
    }
}
