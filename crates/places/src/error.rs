//! Why a file says nothing of places: which file, what is wrong with it, and what to do.

use crate::DatabaseFact;

/// A file cannot be used. Every variant begins with the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is nothing in it.
    #[error("{file}: the file is empty; download it again")]
    Empty {
        /// The file.
        file: String,
    },
    /// It is packed.
    #[error("{file}: the file is compressed; unpack it first (`gunzip`, `tar -xzf`, `unzip`)")]
    Compressed {
        /// The file.
        file: String,
    },
    /// It does not end as databases of this format do.
    #[error(
        "{file}: not a database in MaxMind's format (.mmdb), or cut short: no metadata at its end; download it again"
    )]
    NotADatabase {
        /// The file.
        file: String,
    },
    /// It is such a database, and something in it is broken.
    #[error("{file}: the database is damaged: {problem}; download it again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong, in the words of whoever reads it.
        problem: String,
    },
    /// It is a sound database of another kind.
    #[error(
        "{file}: a database of type `{database_type}` does not say the {wanted} of an address; {}",
        wanted.advice()
    )]
    OtherKind {
        /// The file.
        file: String,
        /// What it says it is, cut to 64 bytes.
        database_type: String,
        /// What was to be read from it.
        wanted: DatabaseFact,
    },
    /// A list of ranges is in no layout that is known.
    #[error(
        "{file}: no list of address ranges that is known: {problem}. Known are the JSON files of AWS, Google Cloud, Azure and Oracle, \
         lists of ranges line by line, and geofeeds (RFC 8805)"
    )]
    NotRanges {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// A list does not say whose ranges they are.
    #[error("{file}: the list does not say whose ranges it has; say it before the file: NAME={file}")]
    NoName {
        /// The file.
        file: String,
    },
    /// A line of a table is none.
    #[error(
        "{file}, line {line}: not a range or a network and a name, as in `192.0.2.0/24 example` or `AS64496 example`"
    )]
    Line {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// There is more than is read.
    #[error("{file}: more than {most} ranges")]
    TooMany {
        /// The file.
        file: String,
        /// How many are read.
        most: usize,
    },
}
