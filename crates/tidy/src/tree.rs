//! Reads the files of the repository, and leaves out what was built or downloaded.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Folders that hold nothing of the repository's own, from its root.
const NOT_OURS: &[&str] =
    &[".git", "target", "peers/bin", "fuzz/target", "fuzz/artifacts", "fuzz/coverage", "kadscope-demo"];

/// What is larger was not written by hand, in bytes.
const MAX_TEXT_BYTES: u64 = 1 << 20;

/// One file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path from the root, with `/`.
    pub path: String,
    /// What it says; empty if it is not text, or too long to have been written by hand.
    pub text: String,
}

impl File {
    /// A file that says something.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The name of the crate's folder, if it is in one: `kad` for `crates/kad/src/key.rs`.
    pub fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether it is a file of Rust.
    pub fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    /// Whether its name ends in a dot and `extension`.
    pub fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Whether it becomes part of the program, tests within it aside.
    pub fn is_production(&self) -> bool {
        let is_tool_of_ours = matches!(self.crate_name(), Some("tidy" | "fuzz"));
        let is_test = self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        self.is_rust() && self.path.contains("/src/") && !is_tool_of_ours && !is_test
    }
}

/// The root of the repository that this crate stands in.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// All files under `root`, in the order of their paths. Links are not followed.
pub fn files(root: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let path = format!("{prefix}{}", name.to_string_lossy());
        if NOT_OURS.contains(&path.as_str()) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            // What another test writes and removes meanwhile is no file of the repository.
            let Ok(metadata) = entry.metadata() else { continue };
            let is_text = metadata.len() <= MAX_TEXT_BYTES;
            let text = is_text.then(|| fs::read_to_string(entry.path()).ok()).flatten();
            files.push(File { path, text: text.unwrap_or_default() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_production_is_told_by_the_path() {
        let is_production = |path| File::new(path, "").is_production();
        assert!(is_production("crates/kad/src/key.rs"));
        assert!(is_production("crates/net/src/session/mux.rs"));
        for path in [
            "crates/kad/src/message/tests.rs",
            "crates/net/tests/tcp.rs",
            "crates/store/benches/append.rs",
            "crates/tidy/src/tree.rs",
            "crates/kad/Cargo.toml",
            "fuzz/fuzz_targets/kad_message.rs",
        ] {
            assert!(!is_production(path), "{path}");
        }
    }

    #[test]
    fn this_file_is_found_and_nothing_that_was_built() {
        let files = files(&root()).expect("readable");
        assert!(
            files.iter().any(|file| file.path == "crates/tidy/src/tree.rs" && file.text.contains("NOT_OURS"))
        );
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
    }
}
