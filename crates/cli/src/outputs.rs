//! The files that a command writes. All are opened here, beside all files that the command reads or writes: none of these
//! is replaced, whatever it is called, and nothing else is that is not of the kind that is written there.

mod kind;

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use store::StoreUrl;

pub(crate) use self::kind::Kind;
use crate::exit::Failed;

/// What stands beside a store while it is in use. Source: SQLite, "Temporary Files Used By SQLite".
const BESIDE_A_STORE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Enough of a file to see of which kind it is, in bytes.
const BEGINNING: u64 = 4096;

/// A file by what it is: its device and its number there.
type Inode = (u64, u64);

/// Files that are read or written, by what they are.
#[derive(Debug, Default)]
pub(crate) struct InUse(Vec<(Inode, String)>);

/// A file that is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a> {
    /// What it is, for errors: `the truth`.
    pub(crate) what: &'a str,
    /// Where.
    pub(crate) path: &'a Path,
    /// What is written there.
    pub(crate) kind: Kind,
    /// Whether a file of another kind may be replaced.
    pub(crate) force: bool,
}

impl InUse {
    /// Remembers a file that is read. One that does not exist is nobody's yet.
    pub(crate) fn read(&mut self, what: &str, path: &Path) {
        if let Ok(file) = fs::metadata(path) {
            self.remember(&file, what, path);
        }
    }

    /// Remembers a store and what stands beside it, locks of crawls that are under way included.
    pub(crate) fn store(&mut self, url: &StoreUrl) {
        let StoreUrl::Sqlite(store) = url else { return };
        for suffix in BESIDE_A_STORE {
            let mut path = store.as_os_str().to_owned();
            path.push(suffix);
            self.read("the store", Path::new(&path));
        }
        for lock in locks_beside(store) {
            self.read("a lock of the store", &lock);
        }
    }

    /// Whether a file may be replaced. From now on it counts as written.
    pub(crate) fn admit(&mut self, output: Output<'_>) -> Result<(), Failed> {
        let Output { what, path, kind, force } = output;
        let failed =
            |problem: String| Failed::usage(format!("cannot write {what} to {}: {problem}", path.display()));
        let file = match fs::metadata(path) {
            Ok(file) if file.is_file() => file,
            // A pipe or a device holds nothing that could be lost.
            _ => return Ok(()),
        };
        self.refuse(what, path)?;
        let beginning = beginning(path).map_err(|error| failed(error.to_string()))?;
        if !force && !beginning.is_empty() && !kind.is_begun_by(&beginning) {
            return Err(failed(format!("it exists, and is not {kind}; --force replaces it")));
        }
        self.remember(&file, what, path);
        Ok(())
    }

    /// Refuses a file that is read or written already.
    pub(crate) fn refuse(&self, what: &str, path: &Path) -> Result<(), Failed> {
        let inode = fs::metadata(path).ok().map(|file| inode_of(&file));
        match self.0.iter().find(|(used, _)| Some(*used) == inode) {
            None => Ok(()),
            Some((_, other)) => {
                Err(Failed::usage(format!("cannot write {what} to {}: that file is {other}", path.display())))
            }
        }
    }

    /// Opens a file that is written as things happen. What stood in it goes away if it may.
    pub(crate) fn create(&mut self, output: Output<'_>) -> Result<File, Failed> {
        self.admit(output)?;
        let Output { what, path, .. } = output;
        let failed =
            |error: io::Error| Failed::usage(format!("cannot write {what} to {}: {error}", path.display()));
        let file = File::create(path).map_err(failed)?;
        self.remember(&file.metadata().map_err(failed)?, what, path);
        Ok(file)
    }

    fn remember(&mut self, file: &Metadata, what: &str, path: &Path) {
        if file.is_file() {
            self.0.push((inode_of(file), format!("{what} ({})", path.display())));
        }
    }
}

fn inode_of(file: &Metadata) -> Inode {
    (file.dev(), file.ino())
}

fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BEGINNING).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The locks of the crawls that are under way in a store.
fn locks_beside(store: &Path) -> Vec<PathBuf> {
    let Some(name) = store.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let directory = store.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let prefix = format!("{name}-run-");
    let is_lock = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&prefix))
    };
    entries.flatten().map(|entry| entry.path()).filter(is_lock).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn output(path: &Path) -> Output<'_> {
        Output { what: "the truth", path, kind: Kind::Truth, force: false }
    }

    fn refusal(in_use: &mut InUse, path: &Path) -> String {
        in_use.create(output(path)).unwrap_err().to_string()
    }

    #[test]
    fn a_file_in_use_is_refused_by_whatever_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("list"), "").unwrap();
        fs::hard_link(path("list"), path("hard")).unwrap();
        symlink(path("list"), path("soft")).unwrap();
        for name in ["a.sqlite", "a.sqlite-wal", "a.sqlite-run-00.lock"] {
            fs::write(path(name), "").unwrap();
        }
        let mut in_use = InUse::default();
        in_use.read("the opt-out list", &path("list"));
        in_use.store(&StoreUrl::Sqlite(path("a.sqlite")));
        for name in ["list", "hard", "soft"] {
            assert!(refusal(&mut in_use, &path(name)).contains("that file is the opt-out list ("), "{name}");
        }
        assert!(refusal(&mut in_use, &path("a.sqlite-wal")).contains("is the store ("));
        assert!(refusal(&mut in_use, &path("a.sqlite-run-00.lock")).contains("is a lock of the store ("));
        let forced = in_use.create(Output { force: true, ..output(&path("hard")) });
        assert!(forced.is_err(), "no force makes it right");
        in_use.create(output(&path("new"))).unwrap();
        assert!(refusal(&mut in_use, &path("new")).contains("is the truth ("), "the other output");
    }

    #[test]
    fn a_file_of_another_kind_is_replaced_by_force_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("thesis.tex");
        fs::write(&path, "\\documentclass{article}").unwrap();
        assert!(refusal(&mut InUse::default(), &path).contains("is not a truth file; --force replaces it"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "\\documentclass{article}");
        InUse::default().create(Output { force: true, ..output(&path) }).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        fs::write(&path, r#"{"seed":1,"bootstrap":[],"peers":[]}"#).unwrap();
        InUse::default().create(output(&path)).unwrap();
    }

    #[test]
    fn devices_are_written_whatever_else_is() {
        let mut in_use = InUse::default();
        for _ in 0..2 {
            in_use.create(output(Path::new("/dev/null"))).unwrap();
        }
    }
}
