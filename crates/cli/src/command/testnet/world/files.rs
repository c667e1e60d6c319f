//! The files of a world: those that the user named, else temporary ones, which go with the world.

use std::path::{Path, PathBuf, absolute};

use anyhow::Context as _;
use testnet::{Scenario, TestnetConfig};

use crate::{exit::Failed, temporary::TemporaryDir};

/// What the names of temporary directories begin with.
const PREFIX: &str = "kadscope-world-";

/// Where what is true is written.
#[derive(Debug)]
pub(super) struct Files {
    /// What is true of every peer when the world begins.
    pub(super) truth: PathBuf,
    /// Who comes and goes; `None` where nobody does.
    pub(super) events: Option<PathBuf>,
    /// The root certificate of the world's names.
    pub(super) roots: PathBuf,
    /// Where they are that the user did not name.
    pub(super) dir: TemporaryDir,
}

impl Files {
    /// Decides where the files will be, by their whole paths, and makes the directory of those that have no name.
    pub(super) fn of(config: &TestnetConfig, scenario: &Scenario) -> anyhow::Result<Self> {
        let named = |path: Option<&Path>| path.map(whole).transpose();
        if config.truth.as_deref() == Some(Path::new("-")) {
            return Err(Failed::usage(
                "in a world the truth is a file, which programs there find by KADSCOPE_WORLD_TRUTH: --truth FILE",
            )
            .into());
        }
        let (truth, events) = (named(config.truth.as_deref())?, named(config.events.as_deref())?);
        let lives = scenario.life.is_some();
        let dir = TemporaryDir::make(PREFIX).context("cannot make a directory for the files of the world")?;
        let unnamed = |name: &str| dir.path().join(name);
        Ok(Self {
            truth: truth.unwrap_or_else(|| unnamed("truth.json")),
            events: events.or_else(|| lives.then(|| unnamed("events.ndjson"))),
            roots: unnamed("roots.pem"),
            dir,
        })
    }
}

fn whole(path: &Path) -> Result<PathBuf, Failed> {
    absolute(path).map_err(|error| Failed::usage(format!("cannot write to {}: {error}", path.display())))
}
