//! Files that are stores, but for some bytes: read, or refused by name and left as they were.
//!
//! The bytes are changes to a small store that [`template`] makes: three bytes say where, one says how many bytes follow,
//! and these are put there. The first byte of all says whether the file is checked for damage before it is read.

mod template;

use std::{fs, path::Path, sync::LazyLock};

use store::{Error, Limits, RunFilter, Store, StoreUrl};
use tempfile::TempDir;

/// More rows than that are not in the store; a damaged one may go round in circles.
const MAX_ROWS: usize = 1000;

static STORE: LazyLock<Option<Vec<u8>>> = LazyLock::new(template::make);

/// Changes a store as the bytes say, and reads all of it.
pub fn check(bytes: &[u8]) {
    let template = STORE.as_deref().unwrap_or_else(|| unreachable!("there is no place to make a store"));
    let Some((&first, changes)) = bytes.split_first() else { return };
    let file = apply(template, changes);
    let Ok(folder) = TempDir::new() else { return };
    let path = folder.path().join("crawls.sqlite");
    if fs::write(&path, &file).is_err() {
        return;
    }
    let limits = Limits { check_up_to_bytes: if first % 2 == 0 { 0 } else { u64::MAX }, ..Limits::default() };
    match Store::open_existing_with(&StoreUrl::Sqlite(path.clone()), limits) {
        Ok(store) => {
            assert!(version(&file) <= version(template), "a file of a newer version is not refused");
            read(&store);
        }
        Err(Error::Foreign { .. } | Error::Newer { .. } | Error::NotADatabase { .. }) => {
            left_alone(&path, &file);
        }
        Err(_) => {}
    }
    if changes.is_empty() {
        assert!(is_whole(&path), "the store itself cannot be read");
    }
}

fn apply(template: &[u8], mut changes: &[u8]) -> Vec<u8> {
    let mut bytes = template.to_vec();
    while let [a, b, c, len, rest @ ..] = changes {
        let (new, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        let at = (usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c)) % bytes.len().max(1);
        for (old, new) in bytes.iter_mut().skip(at).zip(new) {
            *old = *new;
        }
        changes = rest;
    }
    bytes
}

/// The version of the layout, in the header that every SQLite file begins with (`user_version`).
fn version(file: &[u8]) -> Option<u32> {
    file.get(60..)?.first_chunk().copied().map(u32::from_be_bytes)
}

fn read(store: &Store) {
    for run in store.runs(&RunFilter::default()).unwrap_or_default().into_iter().take(MAX_ROWS) {
        let id = run.start.id;
        store.run(id).ok();
        store.peers(id).ok();
        let visits = store.visits(id).into_iter().flatten();
        visits.take(MAX_ROWS).take_while(Result::is_ok).for_each(drop);
        let neighbors = store.neighbors(id).into_iter().flatten();
        neighbors.take(MAX_ROWS).take_while(Result::is_ok).for_each(drop);
    }
    store.check().ok();
}

fn left_alone(path: &Path, bytes: &[u8]) {
    assert!(fs::read(path).is_ok_and(|now| now == bytes), "a file that was refused has changed");
    let beside = path.parent().and_then(|folder| fs::read_dir(folder).ok()).map(Iterator::count);
    assert_eq!(beside, Some(1), "a file was left beside one that was refused");
}

fn is_whole(path: &Path) -> bool {
    let Ok(store) = Store::open_existing(&StoreUrl::Sqlite(path.to_owned())) else { return false };
    let Ok(runs) = store.runs(&RunFilter::default()) else { return false };
    runs.len() == 1 && runs.iter().all(|run| run.totals.visits == template::VISITS)
}
