//! Says of a run without an end whether its process is alive: that holds a lock on a file beside the database, and
//! the system lets go of the lock when the process ends, however it ends.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use schema::RunId;

use super::open::beside;

/// The lock of a run that is under way. Dropping it lets go and removes the file.
#[derive(Debug)]
pub(super) struct Alive {
    path: PathBuf,
    file: File,
}

fn lock_path(database: &Path, run: RunId) -> PathBuf {
    beside(database, &format!("-run-{run}.lock"))
}

impl Alive {
    /// Takes the lock of a run, before anybody can know of it.
    pub(super) fn new(database: &Path, run: RunId) -> io::Result<Self> {
        let path = lock_path(database, run);
        let file = File::create(&path)?;
        file.try_lock()?;
        Ok(Self { path, file })
    }

    /// Whether the process that makes a run is alive. Errors count as yes: nobody is declared dead by mistake.
    pub(super) fn is_held(database: &Path, run: RunId) -> bool {
        match File::open(lock_path(database, run)) {
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => false,
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
            },
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// Removes the file that a killed process left. Whoever lists runs calls a run without a file interrupted, too.
    pub(super) fn remove_left_over(database: &Path, run: RunId) {
        let path = lock_path(database, run);
        if path.exists() && !Self::is_held(database, run) {
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
