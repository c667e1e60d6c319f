//! Batches in a file while the database is away: more than memory holds, and what is left when the program ends.
//!
//! ```text
//! file    = magic sender record*
//! record  = length (u32) checksum (the first 8 bytes of the SHA-256 of what follows) what waits (`Load::encode`)
//! ```
//! All numbers are big-endian. A record that is cut short by a kill has a checksum that is wrong, and is the last. The program
//! that writes a file holds a lock on it: a file without one was left by a program that has ended.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use schema::RunId;
use sha2::{Digest as _, Sha256};

use super::batch::Load;

const MAGIC: &[u8; 8] = b"KADSPIL1";

/// Magic and run.
const HEADER_BYTES: usize = 8 + 16;

/// Length and checksum.
const RECORD_HEADER: usize = 4 + 8;

/// The longest record that is read back, in bytes: a batch of the largest rows has less.
const MAX_RECORD_BYTES: usize = 1 << 30;

/// How the names of these files end.
const EXTENSION: &str = "kadscope-spill";

/// A file of batches, read from its beginning and written at its end.
#[derive(Debug)]
pub(crate) struct Spill {
    path: PathBuf,
    file: File,
    run: RunId,
    read: u64,
    written: u64,
}

impl Spill {
    /// Makes the file of a run in a directory, which is made as well.
    pub(crate) fn create(directory: &Path, run: RunId) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let path = directory.join(format!("{run}.{EXTENSION}"));
        // Who is in a network is nobody's business but the owner's.
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        file.try_lock()?;
        file.write_all(MAGIC)?;
        file.write_all(&run.0)?;
        Ok(Self { path, file, run, read: HEADER_BYTES as u64, written: HEADER_BYTES as u64 })
    }

    /// The files in a directory that no living program writes, each to be read from its beginning.
    pub(crate) fn left_behind(directory: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let spills = paths.filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
        spills.filter_map(|path| Self::open(path).ok().flatten()).collect()
    }

    /// Opens a file; `None` if somebody writes it, or if it is none of ours.
    fn open(path: PathBuf) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0)?;
        let (magic, id) = header.split_at(MAGIC.len());
        let Some(run) = id.try_into().ok().filter(|_| magic == MAGIC).map(RunId) else { return Ok(None) };
        let written = file.metadata()?.len();
        Ok(Some(Self { path, file, run, read: HEADER_BYTES as u64, written }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whose rows these are.
    pub(crate) const fn run(&self) -> RunId {
        self.run
    }

    /// Its size in bytes.
    pub(crate) const fn size(&self) -> u64 {
        self.written
    }

    /// Adds something at the end.
    pub(crate) fn append(&mut self, waiting: &impl Load) -> io::Result<()> {
        let payload = waiting.encode();
        let mut record = Vec::with_capacity(RECORD_HEADER + payload.len());
        let length = u32::try_from(payload.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        record.extend(length.to_be_bytes());
        record.extend(checksum(&payload));
        record.extend(&payload);
        self.file.write_all_at(&record, self.written)?;
        self.written += record.len() as u64;
        Ok(())
    }

    /// What comes next; `None` at the end, or where a record is not whole.
    pub(crate) fn next<L: Load>(&mut self) -> io::Result<Option<L>> {
        if self.written < self.read + RECORD_HEADER as u64 {
            return Ok(None);
        }
        let mut header = [0; RECORD_HEADER];
        self.file.read_exact_at(&mut header, self.read)?;
        let (length, sum) = header.split_at(4);
        let length = length.iter().fold(0, |length, &byte| (length << 8) | usize::from(byte));
        let start = self.read + RECORD_HEADER as u64;
        if length > MAX_RECORD_BYTES || self.written < start + length as u64 {
            return Ok(None);
        }
        let mut payload = vec![0; length];
        self.file.read_exact_at(&mut payload, start)?;
        if checksum(&payload) != *sum {
            return Ok(None);
        }
        self.read = start + length as u64;
        Ok(L::decode(&payload))
    }

    /// Whether all that was written has been read.
    pub(crate) const fn is_read(&self) -> bool {
        self.read == self.written
    }

    /// Removes the file: all of it is in the database.
    pub(crate) fn remove(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "could not remove a file of rows that are kept");
        }
    }
}

fn checksum(payload: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.iter_mut().zip(Sha256::digest(payload)).for_each(|(to, from)| *to = from);
    sum
}

#[cfg(test)]
mod tests {
    use schema::{Row, Timestamp, Visit, VisitKind};

    use super::*;
    use crate::postgres::batch::{Batch, Waiting};

    fn waiting(number: i64) -> Waiting {
        let visit = Visit::begun(schema::PeerNumber(1), VisitKind::First, Timestamp(number));
        Waiting::Batch(Batch { number, created_at: Timestamp(7), rows: vec![Row::from(visit)] })
    }

    fn run() -> RunId {
        RunId::new(Timestamp(1), [1; 10])
    }

    #[test]
    fn what_was_written_is_read_while_more_is_written_and_found_after_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("new");
        let mut spill = Spill::create(&place, run()).unwrap();
        spill.append(&waiting(1)).unwrap();
        spill.append(&waiting(2)).unwrap();
        assert_eq!(spill.next().unwrap(), Some(waiting(1)));
        spill.append(&waiting(3)).unwrap();
        assert_eq!(spill.next().unwrap(), Some(waiting(2)));
        assert!(!spill.is_read());
        assert!(Spill::left_behind(&place).is_empty(), "it is in use");
        drop(spill);
        let [mut left] = <[_; 1]>::try_from(Spill::left_behind(&place)).unwrap();
        assert_eq!(left.run(), run());
        let all: Vec<_> = std::iter::from_fn(|| left.next::<Waiting>().unwrap()).collect();
        assert_eq!(all, [1, 2, 3].map(waiting));
        assert!(left.is_read());
        left.remove();
        assert!(Spill::left_behind(&place).is_empty());
    }

    /// A kill in the middle of writing, or a bit that turned: what stands before it is kept.
    #[test]
    fn a_record_that_is_not_whole_is_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = Spill::create(directory.path(), run()).unwrap();
        spill.append(&waiting(1)).unwrap();
        let whole = spill.size();
        spill.append(&waiting(2)).unwrap();
        let (path, size) = (spill.path().to_owned(), spill.size());
        drop(spill);
        let full = fs::read(&path).unwrap();
        for cut in whole..size {
            fs::write(&path, &full[..usize::try_from(cut).unwrap()]).unwrap();
            let [mut left] = <[_; 1]>::try_from(Spill::left_behind(directory.path())).unwrap();
            assert_eq!(left.next().unwrap(), Some(waiting(1)));
            assert_eq!(left.next::<Waiting>().unwrap(), None, "{cut}");
        }
        let mut turned = full;
        *turned.last_mut().unwrap() ^= 1;
        fs::write(&path, turned).unwrap();
        let [mut left] = <[_; 1]>::try_from(Spill::left_behind(directory.path())).unwrap();
        assert_eq!(left.next().unwrap(), Some(waiting(1)));
        assert_eq!(left.next::<Waiting>().unwrap(), None);
    }
}
