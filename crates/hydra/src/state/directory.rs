//! The directory: one process at a time, files that are replaced whole.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::StateError;

/// The file whose lock says that somebody uses the directory. It stays when nobody does: whoever removed it could remove the lock of
/// another one.
const LOCK: &str = "lock";

/// The longest file that is read, in bytes: 65,535 heads with two addresses each are 20 MB.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// A directory of which this process alone makes use, until it is dropped.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    /// `None` of one that is only looked at.
    lock: Option<File>,
}

/// A file in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateFile {
    /// Its name.
    pub(crate) name: &'static str,
    /// What to do when it is damaged.
    pub(crate) remedy: &'static str,
}

impl StateDirectory {
    /// Takes a directory, which is made if it does not exist. An error if another process has it.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let failed = |doing, source| StateError::Io { doing, path: path.to_owned(), source };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|source| failed("make the state directory", source))?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).mode(0o600).open(path.join(LOCK));
        let lock = lock.map_err(|source| failed("use the state directory", source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(StateError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed("lock the state directory", source)),
        }
    }

    /// Looks at what a directory holds, whoever uses it: nothing is made, and nothing may be written.
    pub fn look(path: &Path) -> Self {
        Self { path: path.to_owned(), lock: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a file says; `None` if there is none.
    pub(crate) fn read<T: DeserializeOwned>(&self, file: StateFile) -> Result<Option<T>, StateError> {
        let path = self.path.join(file.name);
        let failed = |source| StateError::Io { doing: "read", path: path.clone(), source };
        let open = match File::open(&path) {
            Ok(open) => open,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if open.metadata().map_err(failed)?.mode() & 0o077 != 0 {
            return Err(StateError::Exposed { path });
        }
        let mut bytes = Vec::new();
        open.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(self.damaged(file, format!("it is longer than {MAX_FILE_BYTES} bytes")));
        }
        // The category and the place alone: the text of an error could show what stands there.
        let parsed = serde_json::from_slice(&bytes);
        parsed
            .map(Some)
            .map_err(|error| self.damaged(file, format!("line {}, column {}", error.line(), error.column())))
    }

    /// Replaces a file, or leaves it as it was: the new one is on the disk before it takes the place of the old one.
    pub(crate) fn write(&self, file: StateFile, value: &impl Serialize) -> Result<(), StateError> {
        let path = self.path.join(file.name);
        let failed = |source| StateError::Io { doing: "write", path: path.clone(), source };
        if self.lock.is_none() {
            return Err(failed(io::ErrorKind::ReadOnlyFilesystem.into()));
        }
        let new = self.path.join(format!("{}.new", file.name));
        let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        let write = || {
            // One that a crash left behind may have another mode.
            drop(fs::remove_file(&new));
            let mut open = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
            open.write_all(&bytes)?;
            open.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(failed)
    }

    /// The error for a file that does not say what it should.
    pub(crate) fn damaged(&self, file: StateFile, why: String) -> StateError {
        StateError::Damaged { path: self.path.join(file.name), why, remedy: file.remedy }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const FILE: StateFile = StateFile { name: "a.json", remedy: "put it right" };

    #[test]
    fn of_two_processes_one_has_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("deep/below");
        let first = StateDirectory::open(&path).unwrap();
        let refused = StateDirectory::open(&path).unwrap_err();
        assert!(matches!(refused, StateError::InUse { .. }), "{refused}");
        assert!(refused.to_string().contains("deep/below"), "{refused}");
        drop(first);
        StateDirectory::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_is_its_owners_alone_and_replaced_whole() {
        let place = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(place.path()).unwrap();
        assert_eq!(state.read::<u64>(FILE).unwrap(), None);
        // What a crash left behind while it wrote is in nobody's way.
        fs::write(place.path().join("a.json.new"), "half of").unwrap();
        for value in [1_u64, 2] {
            state.write(FILE, &value).unwrap();
            assert_eq!(state.read::<u64>(FILE).unwrap(), Some(value));
        }
        let path = place.path().join("a.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!place.path().join("a.json.new").exists());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = state.read::<u64>(FILE).unwrap_err().to_string();
        assert!(exposed.contains("chmod 600"), "{exposed}");
    }

    #[test]
    fn a_damaged_file_is_named_with_what_to_do_and_not_shown() {
        let place = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(place.path()).unwrap();
        state.write(FILE, &"x").unwrap();
        fs::write(place.path().join("a.json"), "\"hunter2").unwrap();
        let error = state.read::<String>(FILE).unwrap_err().to_string();
        assert!(error.contains("a.json is damaged") && error.ends_with("put it right"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(fs::read(place.path().join("a.json")).unwrap(), b"\"hunter2", "and it stays");
    }

    #[test]
    fn who_only_looks_leaves_no_trace() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("none");
        let looked = StateDirectory::look(&path);
        assert_eq!(looked.read::<u64>(FILE).unwrap(), None);
        assert!(looked.write(FILE, &1).is_err());
        assert!(!path.exists());
    }
}
