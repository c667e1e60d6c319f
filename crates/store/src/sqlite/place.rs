//! Whether the file that is open is still the one that its path names.
//!
//! A file that was removed or replaced can be written on as if nothing had happened: the rows go where nobody will find
//! them, and SQLite would remove the log of the file that has taken its place.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::Error;

/// A file by what it is, not by what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Place {
    /// The file that a path names now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: file.dev(), inode: file.ino() })
    }

    /// Whether the path still names it.
    pub(super) fn is_there(&self) -> bool {
        Self::of(&self.path).is_ok_and(|now| now == *self)
    }

    /// [`Error::Gone`] if the path names another file by now, or none.
    pub(super) fn check(&self, operation: &'static str) -> Result<(), Error> {
        if self.is_there() { Ok(()) } else { Err(Error::Gone { path: self.path.clone(), operation }) }
    }
}
