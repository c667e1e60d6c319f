//! The file of passwords that PostgreSQL's programs share, `~/.pgpass`: lines of `HOST:PORT:DATABASE:USER:PASSWORD`.
//!
//! `*` stands for anything, `\` before a colon or a backslash takes its meaning, and the first line that fits counts. A file
//! that others than its owner may read is passed over with a warning, as by PostgreSQL's programs.

use std::{fs, io::Read as _, os::unix::fs::MetadataExt as _, path::Path};

use crate::url::postgres::Password;

/// The most that is read of a file, in bytes: more than anybody writes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Who wants to connect where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The host's name or address; `localhost` for a socket.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
}

/// The password that the file at `path` has; `None` if there is no such file, none that may be used, or no line that fits.
pub(crate) fn find(path: &Path, wanted: Wanted<'_>) -> Option<Password> {
    let file = fs::File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() {
        tracing::warn!(path = %path.display(), "the file of passwords is passed over: it is no plain file");
        return None;
    }
    if metadata.mode() & 0o077 != 0 {
        tracing::warn!(
            path = %path.display(),
            "the file of passwords is passed over: others than its owner may use it (chmod 0600 makes it good)"
        );
        return None;
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    text.lines().find_map(|line| password(line, wanted))
}

/// The password of a line, if it is for what is wanted.
pub(crate) fn password(line: &str, wanted: Wanted<'_>) -> Option<Password> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for value in [wanted.host, &wanted.port.to_string(), wanted.database, wanted.user] {
        let (field, behind) = field(rest)?;
        rest = behind;
        if field != "*" && unescaped(field) != value {
            return None;
        }
    }
    Some(Password(unescaped(field(rest).map_or(rest, |(field, _)| field))))
}

/// What stands before the next colon that has its meaning, and what behind it; `None` if there is none.
fn field(line: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = line.find(|c| {
        let ends = c == ':' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    Some((&line[..end], &line[end + 1..]))
}

fn unescaped(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const WANTED: Wanted<'_> = Wanted { host: "db", port: 5432, database: "dht", user: "me" };

    fn found(line: &str) -> Option<String> {
        password(line, WANTED).map(|secret| secret.0)
    }

    #[test]
    fn a_line_fits_by_all_of_its_fields() {
        assert_eq!(found("db:5432:dht:me:secret").as_deref(), Some("secret"));
        assert_eq!(found("*:*:*:*:secret").as_deref(), Some("secret"));
        assert_eq!(found(r"d\b:*:*:me:a\:b\\c").as_deref(), Some(r"a:b\c"));
        for other in [
            "x:5432:dht:me:s",
            "db:1:dht:me:s",
            "db:5432:x:me:s",
            "db:5432:dht:x:s",
            "#*:*:*:*:s",
            "db:5432",
            "",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        fs::write(&path, "# mine\nx:*:*:*:no\n*:*:*:me:first\n*:*:*:*:second\n").unwrap();
        let with_mode = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            find(&path, WANTED).map(|secret| secret.0)
        };
        assert_eq!(with_mode(0o600).as_deref(), Some("first"));
        assert_eq!(with_mode(0o400).as_deref(), Some("first"));
        assert_eq!([0o640, 0o604, 0o620].map(with_mode), [None, None, None]);
        assert!(find(&directory.path().join("missing"), WANTED).is_none());
        assert!(find(directory.path(), WANTED).is_none());
    }
}
