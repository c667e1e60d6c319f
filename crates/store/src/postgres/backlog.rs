//! Batches that wait for the database, in the order in which they came: some in memory, more in a file.

use std::{collections::VecDeque, io, path::PathBuf};

use schema::RunId;

use super::{batch::Load, spill::Spill};

/// Rows that wait in memory; those of a crawl are some kilobytes each. A kill loses them.
pub(crate) const MEMORY_ROWS: usize = 10_000;

/// The largest file of what waits, in bytes. When it is full the tool waits, too.
pub(crate) const SPILL_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// What waits for the database.
#[derive(Debug)]
pub(crate) struct Backlog<L> {
    run: RunId,
    /// `None`: there is no place for a file, memory has to do.
    directory: Option<PathBuf>,
    /// What comes first. If there is a file, all of it is there, and here is what was read of it and is on its way.
    memory: VecDeque<L>,
    rows: usize,
    spill: Option<Spill>,
}

impl<L: Load> Backlog<L> {
    pub(crate) const fn new(run: RunId, directory: Option<PathBuf>) -> Self {
        Self { run, directory, memory: VecDeque::new(), rows: 0, spill: None }
    }

    /// What a killed program left in a file.
    pub(crate) fn of_spill(spill: Spill) -> Self {
        Self { spill: Some(spill), ..Self::new(RunId([0; 16]), None) }
    }

    /// Puts something behind all that waits; gives it back if there is no room.
    pub(crate) fn push(&mut self, waiting: L) -> Result<(), L> {
        let rows = waiting.rows();
        let has_file = self.spill.is_some();
        if !has_file && (self.memory.is_empty() || self.rows + rows <= MEMORY_ROWS) {
            self.rows += rows;
            self.memory.push_back(waiting);
            return Ok(());
        }
        match self.write(&waiting) {
            Ok(true) => Ok(()),
            Ok(false) => Err(waiting),
            Err(error) => {
                tracing::warn!(%error, "rows that wait for the database cannot be put into a file: the tool waits");
                Err(waiting)
            }
        }
    }

    /// Writes something to the file; false if there is no room for it.
    fn write(&mut self, waiting: &L) -> io::Result<bool> {
        if self.spill.is_none() {
            let Some(directory) = &self.directory else { return Ok(false) };
            let mut spill = Spill::create(directory, self.run)?;
            tracing::warn!(path = %spill.path().display(), "the database is away: rows wait in a file");
            for waiting in &self.memory {
                spill.append(waiting)?;
            }
            self.memory.clear();
            self.rows = 0;
            self.spill = Some(spill);
        }
        match &mut self.spill {
            Some(spill) if spill.size() < SPILL_BYTES => spill.append(waiting).map(|()| true),
            _ => Ok(false),
        }
    }

    /// What comes next; `None` if nothing waits.
    pub(crate) fn first(&mut self) -> io::Result<Option<&L>> {
        if self.memory.is_empty()
            && let Some(spill) = &mut self.spill
        {
            match spill.next::<L>()? {
                Some(waiting) => {
                    self.rows += waiting.rows();
                    self.memory.push_back(waiting);
                }
                None => self.remove_spill(),
            }
        }
        Ok(self.memory.front())
    }

    /// The first is in the database.
    pub(crate) fn done(&mut self) {
        if let Some(done) = self.memory.pop_front() {
            self.rows -= done.rows();
        }
        if self.memory.is_empty() && self.spill.as_ref().is_some_and(Spill::is_read) {
            self.remove_spill();
        }
    }

    fn remove_spill(&mut self) {
        if let Some(spill) = self.spill.take() {
            spill.remove();
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.spill.is_none()
    }

    /// Leaves all that waits in a file, to be found by whoever opens the database next; `None` if nothing waits, or if there is
    /// no place for a file. Its beginning may be in the database: batches that are sent twice are taken once.
    pub(crate) fn leave(mut self) -> io::Result<Option<PathBuf>> {
        if self.spill.is_none()
            && let Some(last) = self.memory.pop_back()
            && !self.write(&last)?
        {
            return Ok(None);
        }
        Ok(self.spill.map(|spill| spill.path().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use schema::{PeerNumber, Row, Timestamp, Visit, VisitKind};

    use super::*;
    use crate::postgres::batch::{Batch, Waiting};

    fn batch(number: i64, rows: usize) -> Waiting {
        let row = Row::from(Visit::begun(PeerNumber(0), VisitKind::First, Timestamp(0)));
        Waiting::Batch(Batch { number, created_at: Timestamp(0), rows: vec![row; rows] })
    }

    fn drain(backlog: &mut Backlog<Waiting>) -> Vec<i64> {
        let mut numbers = Vec::new();
        while let Some(Waiting::Batch(batch)) = backlog.first().unwrap() {
            numbers.push(batch.number);
            backlog.done();
        }
        numbers
    }

    #[test]
    fn past_what_memory_holds_a_file_does_and_the_order_stays() {
        let directory = tempfile::tempdir().unwrap();
        let files = || directory.path().read_dir().unwrap().count();
        let mut backlog = Backlog::new(RunId([1; 16]), Some(directory.path().to_owned()));
        for number in 1..=10 {
            backlog.push(batch(number, 1000)).unwrap();
        }
        assert_eq!(files(), 0, "memory is enough");
        for number in 11..=13 {
            backlog.push(batch(number, 1000)).unwrap();
        }
        assert_eq!(files(), 1);
        // What comes while it is emptied stands behind what is in the file.
        backlog.first().unwrap();
        backlog.done();
        backlog.push(batch(14, 1)).unwrap();
        assert_eq!(drain(&mut backlog), (2..=14).collect::<Vec<_>>());
        assert_eq!(files(), 0, "removed when it is empty");
        assert!(backlog.is_empty());
    }

    #[test]
    fn without_a_place_for_a_file_what_is_too_much_is_given_back() {
        let mut backlog = Backlog::new(RunId([1; 16]), None);
        backlog.push(batch(1, MEMORY_ROWS)).unwrap();
        assert_eq!(backlog.push(batch(2, 1)), Err(batch(2, 1)));
        backlog.done();
        // One that is larger than all of memory has its turn, too.
        backlog.push(batch(3, 2 * MEMORY_ROWS)).unwrap();
    }

    #[test]
    fn what_waits_at_the_end_is_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut backlog = Backlog::new(RunId([1; 16]), Some(directory.path().to_owned()));
        for number in 1..=3 {
            backlog.push(batch(number, 5)).unwrap();
        }
        assert!(backlog.leave().unwrap().is_some());
        let [left] = <[_; 1]>::try_from(Spill::left_behind(directory.path())).unwrap();
        assert_eq!(left.run(), RunId([1; 16]));
        assert_eq!(drain(&mut Backlog::of_spill(left)), [1, 2, 3]);
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }

    /// Memory was full, the file was begun, and some of it is in the database: the rest is found in its order.
    #[test]
    fn what_waits_in_memory_and_in_a_file_is_left_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let mut backlog = Backlog::new(RunId([1; 16]), Some(directory.path().to_owned()));
        for number in 1..=5 {
            backlog.push(batch(number, MEMORY_ROWS / 2)).unwrap();
        }
        backlog.first().unwrap();
        backlog.done();
        backlog.first().unwrap();
        backlog.push(batch(6, 1)).unwrap();
        backlog.leave().unwrap().unwrap();
        let [left] = <[_; 1]>::try_from(Spill::left_behind(directory.path())).unwrap();
        assert_eq!(drain(&mut Backlog::of_spill(left)), [1, 2, 3, 4, 5, 6]);
    }
}
