//! Says of a crawl without an end whether its process is alive: that holds a lock on a file beside the database, and
//! the system lets go of the lock when the process ends, however it ends.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use schema::CrawlId;

use crate::open::beside;

/// The lock of a crawl that is under way. Dropping it lets go and removes the file.
#[derive(Debug)]
pub(crate) struct Alive {
    path: PathBuf,
    file: File,
}

fn lock_path(database: &Path, crawl: CrawlId) -> PathBuf {
    beside(database, &format!("-crawl-{crawl}.lock"))
}

impl Alive {
    /// Takes the lock of a crawl, before anybody can know of it.
    pub(crate) fn new(database: &Path, crawl: CrawlId) -> io::Result<Self> {
        let path = lock_path(database, crawl);
        let file = File::create(&path)?;
        file.try_lock()?;
        Ok(Self { path, file })
    }

    /// Whether the process that makes a crawl is alive. Errors count as yes: nobody is declared dead by mistake.
    pub(crate) fn is_held(database: &Path, crawl: CrawlId) -> bool {
        match File::open(lock_path(database, crawl)) {
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => false,
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
            },
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// Removes the file that a killed process left. Whoever lists crawls calls a crawl without a file interrupted, too.
    pub(crate) fn remove_left_over(database: &Path, crawl: CrawlId) {
        let path = lock_path(database, crawl);
        if path.exists() && !Self::is_held(database, crawl) {
            remove(&path);
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        remove(&self.path);
        // The file is closed, and with it the lock let go, after this.
        if let Err(error) = self.file.unlock() {
            tracing::debug!(path = %self.path.display(), %error, "could not unlock");
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(path = %path.display(), %error, "could not remove the lock file");
    }
}
