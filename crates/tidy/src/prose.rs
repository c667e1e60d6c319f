//! Rules about documents and about text in general.

use std::collections::BTreeSet;

use crate::File;

/// Paths of one machine, which mean nothing on another.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Complains of paths that exist on one machine only.
pub fn machine_paths(file: &File) -> Vec<String> {
    let found = |(index, line): (usize, &str)| {
        let starts_a_path = |path: &&&str| {
            line.match_indices(**path).any(|(at, _)| {
                !line.get(..at).is_some_and(|before| {
                    before.ends_with(|c: char| c.is_alphanumeric() || "._-/".contains(c))
                })
            })
        };
        let path = MACHINE_PATHS.iter().find(starts_a_path)?;
        Some(format!("{}:{}: `{path}` is a path of one machine", file.path, index + 1))
    };
    file.text.lines().enumerate().filter_map(found).collect()
}

/// Complains of spaces at the end of lines and of a last line without an end.
pub fn whitespace(file: &File) -> Vec<String> {
    let spaces = file.text.lines().enumerate().filter(|(_, line)| line.ends_with([' ', '\t']));
    let mut problems: Vec<_> = spaces
        .map(|(index, _)| format!("{}:{}: spaces at the end of the line", file.path, index + 1))
        .collect();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        problems.push(format!("{}: the last line has no end", file.path));
    }
    problems
}

/// Complains of links to files that do not exist. `exists` is asked for paths from the root.
pub fn links(file: &File, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let targets =
        file.text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let outside =
        |target: &&str| target.contains("://") || target.starts_with('#') || target.starts_with("mailto:");
    let path = |target: &str| resolve(&file.path, target.split('#').next().unwrap_or_default());
    let broken = targets.filter(|target| !outside(target) && !exists(&path(target)));
    broken.map(|target| format!("{}: the link to {target} leads nowhere", file.path)).collect()
}

/// The path from the root of a link in a document.
fn resolve(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The names in backquotes that stand first in the rows of tables in one section of a document. `heading` is the whole
/// line that begins the section.
pub fn names_in_table(text: &str, heading: &str) -> BTreeSet<String> {
    let section =
        text.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with('#'));
    let name = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    section.filter_map(name).collect()
}

/// Complains of names that are in one of two sets only.
pub fn differences(place: &str, documented: &BTreeSet<String>, known: &BTreeSet<String>) -> Vec<String> {
    let missing = known.difference(documented).map(|name| format!("{place}: `{name}` is not documented"));
    let foreign = documented.difference(known).map(|name| format!("{place}: `{name}` is no name of ours"));
    missing.chain(foreign).collect()
}

/// Complains of rows of the glossary that are out of order or have a word that another row has.
pub fn glossary_order(text: &str) -> Vec<String> {
    let word = |line: &str| Some(line.strip_prefix("| ")?.split_once(" |")?.0.to_lowercase());
    let words: Vec<_> = text.lines().filter_map(word).skip(1).collect();
    let wrong = words.windows(2).filter(|pair| pair[0] >= pair[1]);
    wrong.map(|pair| format!("`{}` does not come after `{}`", pair[1], pair[0])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        for path in MACHINE_PATHS {
            assert_eq!(machine_paths(&File::new("a.md", &format!("see {path}x"))).len(), 1, "{path}");
            assert!(machine_paths(&File::new("a.md", &format!("see net{path}x"))).is_empty(), "{path}");
        }
    }

    #[test]
    fn loose_ends_are_found() {
        assert!(whitespace(&File::new("a.md", "a\nb\n")).is_empty());
        assert_eq!(whitespace(&File::new("a.md", "a \nb\t\nc")).len(), 3);
    }

    #[test]
    fn a_broken_link_is_found() {
        let exists = |path: &str| ["README.md", "docs/a.md", "docs/b/c.md"].contains(&path);
        let good = "[x](a.md#part) [y](../README.md) [z](b/c.md) [w](https://example.org/x) [v](#part)";
        assert!(links(&File::new("docs/b.md", good), exists).is_empty());
        assert_eq!(links(&File::new("docs/b.md", "[x](none.md) [y](README.md)"), exists).len(), 2);
    }

    #[test]
    fn names_are_read_from_their_section_and_compared_both_ways() {
        let text =
            "# A\n| `x` | 1 |\n## B\n| name | n |\n|---|---|\n| `y` | 2 |\n| `z` | 3 |\n## C\n| `w` | 4 |\n";
        let documented = names_in_table(text, "## B");
        assert_eq!(documented, BTreeSet::from(["y".to_owned(), "z".to_owned()]));
        let known = BTreeSet::from(["y".to_owned(), "new".to_owned()]);
        assert_eq!(differences("B", &documented, &known).len(), 2);
        assert!(differences("B", &documented, &documented).is_empty());
    }

    #[test]
    fn a_glossary_out_of_order_is_found() {
        let table = |rows: &str| format!("| word | meaning |\n|---|---|\n{rows}");
        assert!(glossary_order(&table("| a | 1 |\n| B | 2 |\n| c | 3 |\n")).is_empty());
        assert_eq!(glossary_order(&table("| b | 1 |\n| a | 2 |\n")).len(), 1);
        assert_eq!(glossary_order(&table("| a | 1 |\n| A | 2 |\n")).len(), 1);
    }
}
