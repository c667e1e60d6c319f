//! Files that are not ours, too new, damaged or held by others: refused by name and left as they are.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Barrier,
    thread,
    time::Duration,
};

use kadscope_store::{Error, Limits, RunFilter, Store, StoreUrl};
use rusqlite::Connection;
use schema::RunState;
use tempfile::TempDir;

#[path = "suite/conformance.rs"]
#[expect(dead_code, reason = "the suite itself runs elsewhere")]
mod conformance;
#[path = "suite/rows.rs"]
mod rows;

fn open_with(path: &Path, limits: Limits) -> Result<Store, Error> {
    Store::open_with(&StoreUrl::Sqlite(path.to_owned()), limits).map(Option::unwrap)
}

fn open(path: &Path) -> Result<Store, Error> {
    open_with(path, Limits { busy_timeout: Duration::from_millis(50), ..Limits::default() })
}

/// A store with one crawl, closed.
async fn a_store() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    conformance::keep(&open(&path).unwrap(), &rows::start(1), rows::crawl(500, 50, true)).await;
    (directory, path)
}

fn contents(directory: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap_or_default())).collect()
}

/// Opens a file that must be refused, and checks that nothing in its directory has changed.
fn refused(path: &Path) -> Error {
    let before = contents(path.parent().unwrap());
    let error = open(path).err().unwrap();
    assert!(contents(path.parent().unwrap()) == before, "{} was touched", path.display());
    assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    let existing = Store::open_existing(&StoreUrl::Sqlite(path.to_owned())).err().unwrap();
    assert_eq!(existing.to_string(), error.to_string());
    error
}

#[test]
fn files_that_are_no_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.sqlite");
    let like_a_header = [b"SQLite format 3\0".as_slice(), &[0; 4000]].concat();
    for content in [b"x".as_slice(), &[0; 100], &[0; 8192], b"SQLite format 3", &b"Dear diary, ".repeat(1000)]
    {
        fs::write(&path, content).unwrap();
        assert!(matches!(refused(&path), Error::NotADatabase { .. }), "{content:?}");
    }
    fs::write(&path, like_a_header).unwrap();
    refused(&path);
}

#[test]
fn databases_of_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.db");
    for (journal, id) in [("delete", 0), ("delete", 7), ("wal", 0), ("wal", 7)] {
        let other = Connection::open(&path).unwrap();
        other.pragma_update(None, "journal_mode", journal).unwrap();
        other.pragma_update(None, "application_id", id).unwrap();
        other.execute_batch("CREATE TABLE IF NOT EXISTS song (title TEXT)").unwrap();
        drop(other);
        assert!(
            matches!(refused(&path), Error::Foreign { application_id, .. } if application_id == id),
            "{id}"
        );
    }
}

#[tokio::test]
async fn files_of_newer_versions() {
    let (_directory, path) = a_store().await;
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    // While its writer is there, the version stands only in the log.
    let in_use = open(&path).err().unwrap();
    assert!(matches!(in_use, Error::Newer { version: 99, supported: 1, .. }), "{in_use}");
    drop(newer);
    assert!(matches!(refused(&path), Error::Newer { version: 99, supported: 1, .. }));
}

#[tokio::test]
async fn files_without_a_version_are_refused_in_one_line() {
    let (_directory, path) = a_store().await;
    let old = Connection::open(&path).unwrap();
    old.pragma_update(None, "user_version", 0).unwrap();
    drop(old);
    let error = refused(&path);
    assert!(matches!(error, Error::Unversioned { .. }), "{error}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

#[tokio::test]
async fn tables_of_another_layout_are_said_in_one_line() {
    let (_directory, path) = a_store().await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("ALTER TABLE run RENAME COLUMN vantage TO viewpoint").unwrap();
    drop(other);
    let error = open(&path).unwrap().runs(&RunFilter::default()).unwrap_err();
    assert!(matches!(error, Error::Layout { .. }), "{error}");
    assert!(error.to_string().lines().count() == 1 && error.to_string().contains("vantage"), "{error}");
}

#[tokio::test]
async fn files_that_were_cut() {
    let (_directory, path) = a_store().await;
    let whole = fs::read(&path).unwrap();
    for kept in [600, 4096, 4097, whole.len() / 2, whole.len() - 4096] {
        fs::write(&path, &whole[..kept]).unwrap();
        let error = refused(&path);
        assert!(matches!(error, Error::Damaged { .. } | Error::NotADatabase { .. }), "{kept}: {error}");
    }
}

#[tokio::test]
async fn pages_that_were_overwritten() {
    let (_directory, path) = a_store().await;
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    for page in (1..pages).step_by(pages / 12) {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0xff);
        fs::write(&path, damaged).unwrap();
        let error = refused(&path);
        assert!(matches!(error, Error::Damaged { .. }), "page {page}: {error}");
    }
}

#[tokio::test]
async fn damage_in_a_file_too_large_to_check_shows_when_it_is_read() {
    let (_directory, path) = a_store().await;
    let whole = fs::read(&path).unwrap();
    let limits = Limits { check_up_to_bytes: 0, ..Limits::default() };
    // As much of its second half as does not have the descriptions of tables, without which it is no store.
    let pages = whole.len() / 4096;
    let store = (pages / 2..pages).find_map(|first| {
        let mut damaged = whole.clone();
        damaged[first * 4096..].fill(0xff);
        fs::write(&path, damaged).unwrap();
        open_with(&path, limits).ok()
    });
    let store = store.unwrap();
    assert!(matches!(store.check(), Err(Error::Damaged { .. })));
    let (start, mut errors) = (rows::start(1), Vec::new());
    errors.extend(store.peers(start.id).err());
    errors.extend(store.visits(start.id).unwrap().filter_map(Result::err));
    assert!(!errors.is_empty());
    assert!(errors.iter().all(|error| matches!(error, Error::Damaged { .. })), "{errors:?}");
}

#[tokio::test]
async fn names_that_only_a_newer_version_knows() {
    let cases = [
        ("UPDATE name SET name = 'carrier_pigeon' WHERE name = 'tcp'", "transport", "carrier_pigeon"),
        ("UPDATE name SET name = 'third_pass' WHERE name = 'first'", "kind", "third_pass"),
        ("UPDATE name SET name = 'bored' WHERE name = 'private'", "skip reason", "bored"),
        ("UPDATE failure SET class = 'eaten'", "failure class", "eaten"),
        ("UPDATE failure SET phase = 'moon'", "phase", "moon"),
    ];
    for (sql, vocabulary, name) in cases {
        let (_directory, path) = a_store().await;
        Connection::open(&path).unwrap().execute(sql, ()).unwrap();
        let error = open(&path).unwrap().visits(rows::start(1).id).unwrap().find_map(Result::err).unwrap();
        assert!(error.to_string().contains(&format!("{vocabulary} `{name}`")), "{error}");
    }
    let (_directory, path) = a_store().await;
    Connection::open(&path).unwrap().execute("UPDATE run SET state = 'asleep'", ()).unwrap();
    assert!(
        matches!(open(&path).unwrap().runs(&RunFilter::default()), Err(Error::UnknownName { name, .. }) if name == "asleep")
    );
}

#[tokio::test]
async fn values_that_were_never_written() {
    for sql in [
        "UPDATE visit SET neighbors = x'80'",
        "UPDATE visit SET prefixes = x'00'",
        "UPDATE description SET listen_addrs = x'ff'",
        "UPDATE fates SET list = x'ff'",
        "UPDATE fates SET list = x'020e00'",
        "UPDATE visit SET times = x'630101'",
        "UPDATE visit SET fates = 99999 WHERE fates IS NOT NULL",
        "UPDATE visit SET dial_us = -1",
        "UPDATE description SET agent = 99 WHERE agent IS NOT NULL",
        "UPDATE address SET multiaddr = 'nowhere'",
        "UPDATE protocol_set SET protocols = '{'",
    ] {
        let (_directory, path) = a_store().await;
        let db = Connection::open(&path).unwrap();
        db.pragma_update(None, "foreign_keys", false).unwrap();
        db.execute(sql, ()).unwrap();
        let error = open(&path).unwrap().visits(rows::start(1).id).unwrap().find_map(Result::err).unwrap();
        assert!(matches!(error, Error::Damaged { .. }), "{sql}: {error}");
    }
}

#[test]
fn places_where_no_file_can_be() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in
        [directory.path().join("missing/a.sqlite"), file.join("a.sqlite"), directory.path().to_owned()]
    {
        assert!(matches!(open(&path).err().unwrap(), Error::Directory { .. }), "{}", path.display());
    }
    assert_eq!(contents(directory.path()).len(), 1);
    let absent = StoreUrl::Sqlite(directory.path().join("absent.sqlite"));
    assert!(matches!(Store::open_existing(&absent), Err(Error::Missing { .. })));
    assert!(matches!(Store::open_existing(&StoreUrl::None), Err(Error::NothingKept)));
    assert!(Store::open(&StoreUrl::None).unwrap().is_none());
    assert_eq!(contents(directory.path()).len(), 1);
}

#[tokio::test]
async fn a_file_that_another_holds_to_itself() {
    let (_directory, path) = a_store().await;
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "locking_mode", "exclusive").unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE run SET vantage = 'x'; COMMIT").unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(error.to_string().contains("another process holds the file"), "{error}");
}

#[tokio::test]
async fn a_file_that_another_writes_and_does_not_let_go() {
    let (_directory, path) = a_store().await;
    let store = open(&path).unwrap();
    let writer = store.begin_run(&rows::start(2)).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(store.begin_run(&rows::start(3)), Err(Error::Locked { .. })));
    assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 2, "reading goes on");

    let sender = writer.sender();
    sender.send(schema::Row::Peer(schema::PeerNumber(0), rows::peer(0))).await.unwrap();
    sender.closed().await;
    other.execute_batch("ROLLBACK").unwrap();
    let error = writer.finish(rows::end(RunState::Succeeded)).await.unwrap_err();
    assert!(matches!(error, Error::Locked { operation: "append rows", .. }), "{error}");
    assert_eq!(store.run(rows::start(2).id).unwrap().state, RunState::Interrupted);
}

#[tokio::test]
async fn a_file_that_another_writes_for_a_while_is_waited_for() {
    let (_directory, path) = a_store().await;
    let store = open_with(&path, Limits::default()).unwrap();
    let writer = store.begin_run(&rows::start(2)).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    conformance::send(&writer, rows::crawl(100, 5, true)).await;
    let finish = tokio::spawn(writer.finish(rows::end(RunState::Succeeded)));
    tokio::task::yield_now().await;
    assert_eq!(store.run(rows::start(2).id).unwrap().totals.visits, 0);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(finish.await.unwrap().unwrap().visits, 100);
}

#[test]
fn many_make_one_file_at_once() {
    for _ in 0..10 {
        let directory = tempfile::tempdir().unwrap();
        let (path, barrier) = (directory.path().join("new.sqlite"), Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    open_with(&path, Limits::default()).unwrap().runs(&RunFilter::default()).unwrap();
                });
            }
        });
        // Two that close at once may each take the other for one that stays, and leave the log to whoever comes next.
        drop(open_with(&path, Limits::default()).unwrap());
        assert_eq!(contents(directory.path()).len(), 1, "the log is gone");
    }
}

/// The journal of a first transaction in a new file: it says that there were no pages before.
fn journal_of_a_new_file() -> Vec<u8> {
    let magic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let (records, nonce, pages_before, sector_bytes, page_bytes) = (0_u32, 1_u32, 0_u32, 512_u32, 4096_u32);
    let numbers = [records, nonce, pages_before, sector_bytes, page_bytes].map(u32::to_be_bytes);
    let mut journal = [magic.as_slice(), numbers.as_flattened()].concat();
    journal.resize(512, 0);
    journal
}

#[tokio::test]
async fn a_file_whose_making_was_cut_short_is_made_anew() {
    let (directory, path) = a_store().await;
    let whole = fs::read(&path).unwrap();
    for pages in [1, 2, 5] {
        fs::write(&path, &whole[..pages * 4096]).unwrap();
        fs::write(directory.path().join("store.sqlite-journal"), journal_of_a_new_file()).unwrap();
        let store = open(&path).unwrap();
        assert_eq!(store.runs(&RunFilter::default()).unwrap(), []);
        conformance::keep(&store, &rows::start(1), rows::crawl(10, 5, true)).await;
    }
}

#[tokio::test]
async fn a_log_that_was_not_folded_in_is_read() {
    let (directory, path) = a_store().await;
    let store = open(&path).unwrap();
    conformance::keep(&store, &rows::start(2), rows::crawl(50, 5, true)).await;
    // As a machine that goes down leaves it: the log is there, and the file is not yet what its header says.
    let copy = directory.path().join("copy.sqlite");
    let log = fs::read(directory.path().join("store.sqlite-wal")).unwrap();
    assert!(!log.is_empty());
    fs::write(directory.path().join("copy.sqlite-wal"), log).unwrap();
    fs::copy(&path, &copy).unwrap();
    assert_eq!(open(&copy).unwrap().runs(&RunFilter::default()).unwrap().len(), 2);
}

#[test]
fn an_empty_file_is_made_a_store() {
    let file = tempfile::NamedTempFile::new().unwrap();
    open(file.path()).unwrap();
    Store::open_existing(&StoreUrl::Sqlite(file.path().to_owned())).unwrap();
}
