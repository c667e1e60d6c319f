//! The token by which those are known who may watch a command: from a file, or from a variable, and never on a command line, where
//! every program of the machine can read it.

use std::{env, path::Path};

use http::Token;

use crate::{exit::Failed, input};

/// The variable that may have the token itself.
pub(crate) const VARIABLE: &str = "KADSCOPE_METRICS_TOKEN";

/// The longest file that is read for a token, in bytes.
const MAX_FILE_BYTES: u64 = 4096;

/// Its text; `None` if nobody has said one. A file wins.
pub(crate) fn text(file: Option<&Path>) -> Result<Option<String>, Failed> {
    text_of(file, VARIABLE)
}

/// The same of a token that another variable may have.
pub(crate) fn text_of(file: Option<&Path>, variable: &str) -> Result<Option<String>, Failed> {
    match file {
        Some(path) => input::read(path, "the token", MAX_FILE_BYTES).map(Some),
        None => Ok(env::var(variable).ok().filter(|text| !text.is_empty())),
    }
}

/// The same as it is compared with.
pub(crate) fn find(file: Option<&Path>) -> Result<Option<Token>, Failed> {
    let place = || file.map_or_else(|| VARIABLE.to_owned(), |path| path.display().to_string());
    let token = text(file)?.map(|text| Token::new(&text)).transpose();
    token.map_err(|error| Failed::usage(format!("cannot use the token in {}: {error}", place())))
}
