//! What one process does at a time: it holds a lock on a file as long as it does it, which the system lets go of if it is killed.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Held by whoever does it. Dropping it lets go and removes the file.
#[derive(Debug)]
pub(crate) struct Alone {
    path: PathBuf,
    _file: File,
}

impl Alone {
    /// Takes the lock on the file at `path`; `None` while somebody else has it.
    pub(crate) fn take(path: &Path) -> io::Result<Option<Self>> {
        Self::lock(path, File::create(path)?)
    }

    /// Locks a file that was opened at `path`. Who ended since has removed it: a lock on that one keeps nobody out.
    fn lock(path: &Path, file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) if is_at(&file, path)? => Ok(Some(Self { path: path.to_owned(), _file: file })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "could not remove the lock file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_one_is_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lock");
        let first = Alone::take(&path).unwrap().unwrap();
        assert!(Alone::take(&path).unwrap().is_none());
        drop(first);
        assert!(!path.exists());
        assert!(Alone::take(&path).unwrap().is_some());
    }

    /// The three steps of two processes that take it one after the other, in the order in which both would have it.
    #[test]
    fn who_opened_the_file_of_one_that_ended_since_is_not_alone_beside_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lock");
        let first = Alone::take(&path).unwrap().unwrap();
        let late = File::create(&path).unwrap();
        drop(first);
        let next = Alone::take(&path).unwrap();
        assert!(next.is_some());
        assert!(Alone::lock(&path, late).unwrap().is_none(), "the next one is at it");
        // Nor if there is no next one: the file that it would hold is at no path.
        let late = File::create(&path).unwrap();
        drop(next);
        assert!(Alone::lock(&path, late).unwrap().is_none());
    }
}
