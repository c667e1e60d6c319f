//! Where the seed is from: a flag, a file, stdin, a variable. What is wrong with it is said without showing it.

use std::{
    env,
    io::{self, Read as _},
    path::Path,
};

use hydra::HeadSeed;

use crate::{
    args::{HeadsArgs, SEED_VARIABLE},
    exit::Failed,
    input,
};

/// The longest text that is read for a seed, in bytes.
const MAX_BYTES: u64 = 4096;

/// The seed that was said; `None` if none was.
pub(super) fn find(args: &HeadsArgs) -> Result<Option<HeadSeed>, Failed> {
    let (text, place) = if let Some(text) = &args.seed_text {
        (text.0.clone(), "-random-seed, or HYDRA_RANDOM_SEED".to_owned())
    } else if let Some(path) = &args.seed_file {
        let place = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
        (read(path)?, place)
    } else if let Some(text) = env::var(SEED_VARIABLE).ok().filter(|text| !text.is_empty()) {
        (text, SEED_VARIABLE.to_owned())
    } else {
        return Ok(None);
    };
    let seed = HeadSeed::parse(&text);
    seed.map(Some).map_err(|error| Failed::usage(format!("cannot use the seed of {place}: {error}")))
}

fn read(path: &Path) -> Result<String, Failed> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(MAX_BYTES).read_to_end(&mut bytes);
        read.map_err(|error| Failed::usage(format!("cannot read the seed from stdin: {error}")))?;
        bytes
    } else {
        input::read_bytes(path, "the seed", MAX_BYTES)?
    };
    // Whatever is no text is no base64 either, and says so below.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
