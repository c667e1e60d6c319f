//! Files that the user names: read whole, up to a bound, with errors that name them.

use std::{fs::File, io::Read as _, path::Path};

use crate::exit::Failed;

/// What some editors put before a text, and nobody sees.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a text of at most `max_bytes`. `what` says in errors what it is.
pub(crate) fn read(path: &Path, what: &str, max_bytes: u64) -> Result<String, Failed> {
    let failed = |problem: &str| Failed::usage(format!("cannot read {what} {}: {problem}", path.display()));
    let text = String::from_utf8(read_bytes(path, what, max_bytes)?).map_err(|error| {
        let text = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        failed(&format!("line {} is no UTF-8", text.split(|&byte| byte == b'\n').count()))
    })?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text))
}

/// The same for any bytes.
pub(crate) fn read_bytes(path: &Path, what: &str, max_bytes: u64) -> Result<Vec<u8>, Failed> {
    let failed = |problem: &dyn std::fmt::Display| {
        Failed::usage(format!("cannot read {what} {}: {problem}", path.display()))
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > max_bytes {
        return Err(failed(&format!("it is longer than {max_bytes} bytes")));
    }
    Ok(bytes)
}
