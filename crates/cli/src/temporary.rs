//! Temporary files and directories. They go with who made them; what somebody left who was killed goes when the next one
//! makes some of its kind.
//!
//! Whoever made one holds a lock on it (`flock`), which the system gives back at the end of the process, whatever that was.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use rustix::{
    fs::{FlockOperation, flock},
    process::geteuid,
};
use tempfile::TempDir;

/// How often one is made anew that another process took for left behind, in the moment before it was locked.
const TRIES: usize = 16;

/// A directory, until it is dropped.
#[derive(Debug)]
pub(crate) struct TemporaryDir {
    dir: TempDir,
    _lock: File,
}

impl TemporaryDir {
    /// Makes one whose name begins in this way, in the directory for temporary files, and sweeps those there whose makers
    /// have gone.
    pub(crate) fn make(prefix: &str) -> io::Result<Self> {
        Self::make_in(&std::env::temp_dir(), prefix)
    }

    fn make_in(parent: &Path, prefix: &str) -> io::Result<Self> {
        sweep(parent, |name| name.starts_with(prefix), |path| fs::remove_dir_all(path));
        for _ in 0..TRIES {
            let dir = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
            if let Some(lock) = lock(dir.path())? {
                return Ok(Self { dir, _lock: lock });
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Makes a file that is not there yet, and locks it as long as it is open.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    for _ in 0..TRIES {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        // Who sweeps holds it for a moment only. A file system without locks has nobody who sweeps.
        flock(&file, FlockOperation::LockExclusive).ok();
        if is_at(&file, path) {
            return Ok(file);
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Removes what is of a kind in a directory, belongs to this user and is nobody's any more. What cannot be removed stays.
pub(crate) fn sweep(
    parent: &Path,
    is_of_kind: impl Fn(&str) -> bool,
    remove: impl Fn(&Path) -> io::Result<()>,
) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        let is_ours =
            entry.metadata().is_ok_and(|found| found.uid() == geteuid().as_raw() && !found.is_symlink());
        if !is_ours || !entry.file_name().to_str().is_some_and(&is_of_kind) {
            continue;
        }
        let path = entry.path();
        // The lock is held until it is gone.
        if let Ok(Some(_lock)) = lock(&path)
            && let Err(error) = remove(&path)
        {
            tracing::debug!(%error, path = %path.display(), "what was left behind stays");
        }
    }
}

/// Locks what is at a path; `None` if somebody else holds it, or took it away meanwhile.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    Ok(Some(file).filter(|file| is_locked && is_at(file, path)))
}

/// Whether an open file is the one at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let same =
        |open: fs::Metadata, there: fs::Metadata| (open.dev(), open.ino()) == (there.dev(), there.ino());
    file.metadata().is_ok_and(|open| fs::symlink_metadata(path).is_ok_and(|there| same(open, there)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_left_behind_is_swept_and_what_is_held_stays() {
        let parent = tempfile::tempdir().unwrap();
        let [left, other] = ["x-left", "other"].map(|name| parent.path().join(name));
        for dir in [&left, &other] {
            fs::create_dir(dir).unwrap();
            fs::write(dir.join("truth.json"), "{}").unwrap();
        }
        let held = TemporaryDir::make_in(parent.path(), "x-").unwrap();
        assert_eq!((left.exists(), other.exists()), (false, true));
        let next = TemporaryDir::make_in(parent.path(), "x-").unwrap();
        assert!(held.path().exists() && next.path().exists());
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_is_being_written_is_not_swept() {
        let parent = tempfile::tempdir().unwrap();
        let [one, two] = ["a.partial", "b.partial"].map(|name| parent.path().join(name));
        let open = create(&one).unwrap();
        drop(create(&two).unwrap());
        sweep(parent.path(), |name| name.ends_with(".partial"), |path| fs::remove_file(path));
        assert_eq!((one.exists(), two.exists()), (true, false));
        assert!(create(&one).is_err(), "it is there");
        drop(open);
    }
}
