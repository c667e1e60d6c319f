//! How much is said of who was measured, by the options of commands that write for others.

use std::path::Path;

use schema::{Privacy, Pseudonyms, Veil};

use crate::{exit::Failed, input};

/// The shortest key, in bytes.
const MIN_KEY_BYTES: usize = 32;

/// The longest key, in bytes.
const MAX_KEY_BYTES: u64 = 4096;

/// What stands between rows and their readers at a level; pseudonyms need a key.
pub(crate) fn veil(privacy: Privacy, key_file: Option<&Path>) -> Result<Veil, Failed> {
    Ok(match (privacy, key_file) {
        (Privacy::AsIs, _) => Veil::AsIs,
        (Privacy::WithoutIps, _) => Veil::WithoutIps,
        (Privacy::Pseudonymised, Some(path)) => {
            let no_key = || Failed::usage(format!("the key {} is empty", path.display()));
            Veil::Pseudonymised(Pseudonyms::new(&read_key(path)?).ok_or_else(no_key)?)
        }
        (Privacy::Pseudonymised, None) => {
            return Err(Failed::usage("pseudonyms need a key: --key-file FILE"));
        }
    })
}

fn read_key(path: &Path) -> Result<Vec<u8>, Failed> {
    const ADVICE: &str = "make one with `openssl rand -hex 32 > FILE`";
    let key = input::read_bytes(path, "the key", MAX_KEY_BYTES)
        .map_err(|error| Failed::usage(format!("{error}\n{ADVICE}")))?;
    if key.len() < MIN_KEY_BYTES {
        let length = key.len();
        return Err(Failed::usage(format!(
            "the key {} has {length} bytes, and less than {MIN_KEY_BYTES} can be guessed\n{ADVICE}",
            path.display()
        )));
    }
    Ok(key)
}
