//! Where an export is written: a file that is whole or not there, or stdout.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{output, temporary};

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 1 << 18;

/// Takes rows. What was written to a file is there once it is kept; without that it goes away.
pub(crate) struct Sink {
    writer: BufWriter<Box<dyn Write>>,
    /// `None` where rows go straight to where they belong.
    partial: Option<Partial>,
    /// Rows taken.
    pub(crate) rows: u64,
}

/// What the names of files end in that are not whole yet.
const PARTIAL: &str = ".kadscope.partial";

/// A file under a name of its own until it is whole, and locked: what is not locked was left by a kill.
#[derive(Debug)]
struct Partial {
    file: File,
    path: PathBuf,
    target: PathBuf,
}

impl Sink {
    /// Stdout.
    pub(crate) fn stdout() -> Self {
        Self::to(Box::new(io::stdout().lock()), None)
    }

    /// A file, replaced by a new one when that is whole. What is no plain file, a pipe for instance, is written to.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        let target = match fs::metadata(path) {
            Ok(found) if !found.is_file() => {
                let file = OpenOptions::new().write(true).open(path)?;
                return Ok(Self::to(Box::new(file), None));
            }
            // Not the link is replaced but what it leads to.
            Ok(_) => path.canonicalize()?,
            Err(_) => path.to_owned(),
        };
        let name = target.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
        let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        temporary::sweep(directory, is_partial, |left| fs::remove_file(left));
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}{PARTIAL}", std::process::id()));
        let path = target.with_file_name(hidden);
        let file = temporary::create(&path)?;
        let partial = Partial { file: file.try_clone()?, path, target };
        Ok(Self::to(Box::new(file), Some(partial)))
    }

    fn to(writer: Box<dyn Write>, partial: Option<Partial>) -> Self {
        Self { writer: BufWriter::with_capacity(BUFFER_BYTES, writer), partial, rows: 0 }
    }

    /// Takes one row, as an object on a line of its own.
    pub(crate) fn row(&mut self, row: &impl Serialize) -> io::Result<()> {
        let line = output::escape_controls(&serde_json::to_string(row)?);
        self.rows += 1;
        self.line(&line)
    }

    /// Takes one row, as a line of a table.
    pub(crate) fn record(&mut self, fields: &[String]) -> io::Result<()> {
        self.rows += 1;
        self.headings(fields)
    }

    /// Takes the headings of a table.
    pub(crate) fn headings(&mut self, fields: &[String]) -> io::Result<()> {
        let fields: Vec<_> = fields.iter().map(|field| quoted(&output::escape_controls(field))).collect();
        self.line(&fields.join(","))
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")
    }

    /// Everything was taken: makes it whole.
    pub(crate) fn keep(mut self) -> io::Result<()> {
        self.writer.flush()?;
        if let Some(partial) = &self.partial {
            partial.file.sync_all()?;
            fs::rename(&partial.path, &partial.target)?;
        }
        self.partial = None;
        Ok(())
    }
}

/// A field of a table as RFC 4180 has it: in quotes where it has quotes or commas, with quotes doubled.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

/// Whether a file is called as one of an export that is not whole.
fn is_partial(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(PARTIAL)
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink")
            .field("partial", &self.partial)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            drop(fs::remove_file(&partial.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_there_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ndjson");
        fs::write(&path, "before").unwrap();
        let mut sink = Sink::file(&path).unwrap();
        sink.row(&["\u{9b}\n"]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        sink.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[\"\\u009b\\n\"]\n");
        assert_eq!(names(dir.path()), ["a.ndjson"]);
    }

    #[test]
    fn a_field_that_has_commas_and_quotes_and_line_ends_is_one_field() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut sink = Sink::file(&path).unwrap();
        sink.headings(&["a".to_owned(), "b".to_owned()]).unwrap();
        sink.record(&["say \"x\", y".to_owned(), "two\nlines".to_owned()]).unwrap();
        assert_eq!(sink.rows, 1);
        sink.keep().unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(written, "a,b\n\"say \"\"x\"\", y\",two\\u000alines\n");
    }

    #[test]
    fn what_is_not_kept_goes_away() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = Sink::file(&dir.path().join("a.ndjson")).unwrap();
        sink.row(&1).unwrap();
        assert_eq!(names(dir.path()).len(), 1);
        drop(sink);
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    fn what_a_killed_export_left_is_swept_and_what_another_writes_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let left = dir.path().join(".may.ndjson.1.kadscope.partial");
        let foreign = dir.path().join(".other.partial");
        fs::write(&left, "{").unwrap();
        fs::write(&foreign, "").unwrap();
        let under_way = Sink::file(&dir.path().join("june.ndjson")).unwrap();
        assert!(!left.exists() && foreign.exists());
        Sink::file(&dir.path().join("july.ndjson")).unwrap().keep().unwrap();
        under_way.keep().unwrap();
        let mut left = names(dir.path());
        left.sort();
        assert_eq!(left, [".other.partial", "july.ndjson", "june.ndjson"]);
    }

    #[test]
    fn a_device_is_not_replaced_and_a_link_stays_one() {
        Sink::file(Path::new("/dev/null")).unwrap().keep().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let mut sink = Sink::file(&link).unwrap();
        sink.row(&1).unwrap();
        sink.keep().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "1\n");
    }
}
