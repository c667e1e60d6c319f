//! What is written beside a network: opened before it starts, so that what cannot be written is said at once, and written
//! once it is made.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use testnet::{TestnetConfig, Truth, World};
use tokio::task::spawn_blocking;

use crate::{
    exit::Failed,
    outputs::{InUse, Kind, Output},
};

/// The files that the user named.
#[derive(Debug)]
pub(super) struct Files {
    /// What is true of every peer when the network begins; `None` also where it goes to stdout.
    pub(super) truth: Option<(File, PathBuf)>,
    /// Who comes and goes, as it happens.
    pub(super) events: Option<File>,
}

impl Files {
    /// Opens them, unless they hold what must not be lost.
    pub(super) fn open(config: &TestnetConfig, in_use: &mut InUse) -> Result<Self, Failed> {
        let truth = config.truth.as_deref().filter(|path| !is_stdout(Some(path)));
        let mut create = |what, path, kind| in_use.create(Output { what, path, kind, force: config.force });
        let truth =
            truth.map(|path| Ok((create("the truth", path, Kind::Truth)?, path.to_owned()))).transpose()?;
        let events = config.events.as_deref();
        let events = events.map(|path| create("the events", path, Kind::Events)).transpose()?;
        Ok(Self { truth, events })
    }
}

/// Whether a file is named as `-`.
pub(super) fn is_stdout(path: Option<&Path>) -> bool {
    path == Some(Path::new("-"))
}

/// Writes down what is true, if there is a file for it, on a thread that nobody else waits for.
pub(super) async fn write_truth(world: &Arc<World>, to: Option<(File, PathBuf)>) -> anyhow::Result<()> {
    let Some((file, path)) = to else { return Ok(()) };
    let world = Arc::clone(world);
    let written = spawn_blocking(move || Truth::of(world).write_json(file)).await?;
    let failed = |error| Failed::usage(format!("cannot write the truth to {}: {error}", path.display()));
    Ok(written.map_err(failed)?)
}

/// What is true as one more line of the result; made on such a thread as well.
pub(super) async fn truth_line(world: &Arc<World>) -> anyhow::Result<String> {
    let world = Arc::clone(world);
    let make = move || {
        let mut line = Vec::new();
        Truth::of(world).write_json(&mut line).map(|()| line)
    };
    let line = spawn_blocking(make).await??;
    Ok(String::from_utf8_lossy(&line).into_owned() + "\n")
}
