//! The rules of the repository that a machine can check, as functions from text to complaints.
//!
//! Nothing of the program depends on this crate. `tests/repository.rs` applies each rule to the repository; beside each
//! rule stands a test that it can fail. [`source`] is about Rust files, [`manifest`] about dependencies, [`prose`] about
//! documents, [`tree`] reads the files.

pub mod manifest;
pub mod prose;
pub mod source;
pub mod tree;

pub use tree::File;
