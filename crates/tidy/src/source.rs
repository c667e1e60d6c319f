//! Rules about files of Rust.

use std::collections::BTreeMap;

use crate::File;

/// The most lines of production code in a file.
pub const MAX_LINES: usize = 500;

/// Names that say nothing.
const EMPTY_NAMES: &[&str] =
    &["base", "common", "helper", "helpers", "imp", "manager", "managers", "misc", "util", "utils"];

/// Complains of a file that does not say in its first line what it is for.
pub fn opening(file: &File) -> Option<String> {
    let opens = file.text.starts_with("//! ");
    (!opens).then(|| format!("{}: the first line does not open with `//! `", file.path))
}

/// Complains of production code that is longer than [`MAX_LINES`]; tests at its end are not counted.
pub fn length(file: &File) -> Option<String> {
    let lines = production_lines(&file.text).count();
    (lines > MAX_LINES)
        .then(|| format!("{}: {lines} lines of production code, {MAX_LINES} are allowed", file.path))
}

/// Complains of a file or folder within a crate that is named after nothing.
pub fn name(file: &File) -> Option<String> {
    let inside = file.path.split_once('/')?.1;
    let is_empty = |part: &&str| part.split('.').next().is_some_and(|stem| EMPTY_NAMES.contains(&stem));
    inside
        .split('/')
        .find(is_empty)
        .map(|name| format!("{}: `{name}` names nothing; call it what it is", file.path))
}

/// Public types that stand twice for a reason: of the two each build has one.
const TWICE: &[&str] = &[
    // Of network namespaces, and of systems that have none.
    "Routes",
];

/// Complains of names of public types that stand twice in these files: a newcomer who reads one must not meet another.
pub fn names_that_stand_twice<'a>(files: impl Iterator<Item = &'a File>) -> Vec<String> {
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        for name in production_lines(&file.text).filter_map(public_type) {
            homes.entry(name).or_default().push(&file.path);
        }
    }
    homes.retain(|name, homes| homes.len() > 1 && !TWICE.contains(name));
    homes.into_iter().map(|(name, homes)| format!("`{name}` stands in {}", homes.join(" and "))).collect()
}

/// The name of the public type that a line begins, at the outermost level or in a macro of the whole file.
fn public_type(line: &str) -> Option<&str> {
    let outermost = line.strip_prefix("    ").unwrap_or(line).strip_prefix("pub ")?;
    let is_associated = line.starts_with(' ') && outermost.starts_with("type ");
    let rest = ["struct ", "enum ", "trait ", "type ", "union "]
        .iter()
        .find_map(|kind| outermost.strip_prefix(kind))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|_| !is_associated)
}

/// Words that some files may not have in their code.
#[derive(Debug)]
pub struct Ban {
    /// The words. A word that begins with a letter is found only where it begins.
    pub words: &'static [&'static str],
    /// Why.
    pub reason: &'static str,
    /// Crates that may.
    pub except: &'static [&'static str],
}

/// Everything that depends on a transport, for the crate that may.
pub const TRANSPORTS: Ban = Ban {
    words: &[
        "libp2p_core",
        "libp2p_noise",
        "libp2p_quic",
        "libp2p_swarm",
        "libp2p_tcp",
        "libp2p_tls",
        "libp2p_yamux",
        "multistream_select",
        "quinn",
        "rustls",
        "snow",
    ],
    reason: "only `net` names transports and muxers",
    except: &["net"],
};

/// SQL and who speaks it.
pub const SQL: Ban = Ban {
    words: &["rusqlite", "\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"CREATE "],
    reason: "only `store` speaks SQL",
    // The program shows it to users, and has no means to speak it.
    except: &["store", "cli"],
};

/// Output, the environment and the end of the process.
pub const TERMINAL: Ban = Ban {
    words: &[
        "print!(",
        "println!(",
        "eprint!(",
        "eprintln!(",
        "dbg!(",
        "stdout()",
        "stderr()",
        "std::env::",
        "env::var(",
        "env::args(",
        "process::exit",
    ],
    reason: "only `cli` prints, reads the environment and exits",
    except: &["cli"],
};

/// The wall clock.
pub const WALL_CLOCK: Ban =
    Ban { words: &["SystemTime::now"], reason: "wall time is read once a run, in `cli`", except: &["cli"] };

/// What code that decides must not touch.
pub const WORLD: Ban = Ban {
    words: &[
        "tokio",
        "std::net",
        "std::fs",
        "std::io",
        "std::thread",
        "std::process",
        "Instant",
        "SystemTime",
        "thread_rng",
        "rand::",
    ],
    reason: "it does no IO, reads no clock and draws no random numbers",
    except: &[],
};

/// What code must not touch that is determined by its seed alone. It may draw random numbers from that.
pub const SEEDED: Ban = Ban {
    words: &["tokio", "std::net", "std::fs", "std::io", "std::thread", "Instant", "SystemTime", "thread_rng"],
    reason: "it hangs on its seed alone, does no IO and reads no clock",
    except: &[],
};

/// What must not be left lying about, wherever it is.
pub const UNFINISHED: Ban = Ban {
    words: &[
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimplem", "ented!("),
        concat!("#[ig", "nore"),
    ],
    reason: "what is not finished is an issue, and every test runs",
    except: &[],
};

impl Ban {
    /// Complains of each line of production code with one of the words. Comments are not code.
    pub fn in_production(&self, file: &File) -> Vec<String> {
        if file.crate_name().is_some_and(|name| self.except.contains(&name)) {
            return Vec::new();
        }
        let lines = production_lines(&file.text).enumerate();
        self.complaints(file, lines.filter(|(_, line)| !line.trim_start().starts_with("//")))
    }

    /// Complains of each line with one of the words.
    pub fn anywhere(&self, file: &File) -> Vec<String> {
        self.complaints(file, file.text.lines().enumerate())
    }

    fn complaints<'a>(&self, file: &File, lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<String> {
        let found = |(index, line): (usize, &str)| {
            let word = self.words.iter().find(|word| has_word(line, word))?;
            Some(format!("{}:{}: `{word}`: {}", file.path, index + 1, self.reason))
        };
        lines.filter_map(found).collect()
    }
}

/// Whether a line has a word. One that begins with a letter is not found within another word.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let starts_inside = |at: usize| {
        word.starts_with(is_part) && line.get(..at).is_some_and(|before| before.ends_with(is_part))
    };
    line.match_indices(word).any(|(at, _)| !starts_inside(at))
}

/// The lines of a file until its tests begin.
fn production_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        let line = lines.next()?;
        let opens_tests = |next: &&str| next.starts_with("mod ") && next.ends_with('{');
        (line != "#[cfg(test)]" || !lines.peek().is_some_and(opens_tests)).then_some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "crates/crawl/src/run.rs";

    fn file(text: &str) -> File {
        File::new(PATH, text)
    }

    #[test]
    fn a_file_without_an_opening_is_found() {
        assert_eq!(opening(&file("//! What it is for.\n")), None);
        for wrong in ["", "// a remark\n", "use std::fs;\n//! late\n", "//!\n"] {
            assert!(opening(&file(wrong)).is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_are_not_counted() {
        let code = "fn f() {}\n".repeat(MAX_LINES);
        assert_eq!(length(&file(&code)), None);
        assert!(length(&file(&format!("{code}fn g() {{}}\n"))).is_some());
        let tests = "    fn t() {}\n".repeat(300);
        assert_eq!(length(&file(&format!("{code}#[cfg(test)]\nmod tests {{\n{tests}}}\n"))), None);
        // A module of tests in a file of its own does not end the code.
        assert!(length(&file(&format!("#[cfg(test)]\nmod tests;\n{code}"))).is_some());
    }

    #[test]
    fn a_type_that_stands_twice_is_found() {
        let one =
            File::new("crates/net/src/a.rs", "pub struct Door;\npub(crate) enum Wall {}\nstruct Roof;\n");
        let two =
            "named! {\n    pub enum Door: serde {\n    }\n}\npub trait Wall {}\npub struct Roof<T>(T);\n";
        let two = File::new("crates/kad/src/b.rs", two);
        let twice = names_that_stand_twice([&one, &two].into_iter());
        assert_eq!(twice, ["`Door` stands in crates/net/src/a.rs and crates/kad/src/b.rs"]);
        let tests = File::new("crates/kad/src/c.rs", "#[cfg(test)]\nmod tests {\n    pub struct Door;\n}\n");
        assert!(names_that_stand_twice([&one, &tests].into_iter()).is_empty());
        let reasoned = [File::new("a.rs", "pub struct Routes;"), File::new("b.rs", "pub struct Routes(u8);")];
        assert!(names_that_stand_twice(reasoned.iter()).is_empty());
    }

    #[test]
    fn an_empty_name_is_found() {
        assert_eq!(name(&file("")), None);
        assert_eq!(name(&File::new("crates/crawl/src/important.rs", "")), None);
        for path in ["crates/crawl/src/utils.rs", "crates/x/src/common/rows.rs", "crates/helpers/src/lib.rs"]
        {
            assert!(name(&File::new(path, "")).is_some(), "{path}");
        }
    }

    #[test]
    fn each_ban_finds_its_words_in_code_and_leaves_out_comments_tests_and_those_who_may() {
        for (ban, line) in [
            (&TRANSPORTS, "use quinn::Endpoint;"),
            (&SQL, "connection.execute(\"INSERT INTO x\", ())?;"),
            (&TERMINAL, "    eprintln!(\"x\");"),
            (&TERMINAL, "let home = std::env::var(\"HOME\");"),
            (&WALL_CLOCK, "let now = SystemTime::now();"),
            (&WORLD, "use tokio::time::sleep;"),
        ] {
            assert_eq!(ban.in_production(&file(line)).len(), 1, "{line}");
            assert!(ban.in_production(&file(&format!("// {line}"))).is_empty(), "{line}");
            assert!(ban.in_production(&file(&format!("#[cfg(test)]\nmod tests {{\n{line}\n}}"))).is_empty());
            for may in ban.except {
                let path = format!("crates/{may}/src/x.rs");
                assert!(ban.in_production(&File::new(&path, line)).is_empty(), "{line}");
            }
        }
    }

    #[test]
    fn what_is_unfinished_is_found_in_comments_and_tests_too() {
        let note = format!("// {}: later", UNFINISHED.words[0]);
        let skipped = format!("{}]", UNFINISHED.words[4]);
        for line in [&note, &skipped] {
            assert_eq!(UNFINISHED.anywhere(&File::new("crates/x/tests/y.rs", line)).len(), 1, "{line}");
        }
    }

    #[test]
    fn words_begin_where_they_begin() {
        assert!(has_word("println!(\"x\")", "println!("));
        assert!(!has_word("println!(\"x\")", "print!("));
        assert!(!has_word("eprintln!(\"x\")", "println!("));
        assert!(has_word("x(\"SELECT 1\")", "\"SELECT "));
        assert!(!has_word("my_tokio_x", "tokio"));
    }
}
