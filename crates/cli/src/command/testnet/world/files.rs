//! The files of a world: those that the user named, else temporary ones, which go with the world.

use std::path::{Path, PathBuf, absolute};

use anyhow::Context as _;
use tempfile::TempDir;
use testnet::{Config, Scenario};

use crate::exit::Failed;

/// Where what is true is written.
#[derive(Debug)]
pub(super) struct Files {
    /// What is true of every peer when the world begins.
    pub(super) truth: PathBuf,
    /// Who comes and goes; `None` where nobody does.
    pub(super) events: Option<PathBuf>,
    /// Where they are that the user did not name.
    pub(super) dir: Option<TempDir>,
}

impl Files {
    /// Decides where the files will be, by their whole paths, and makes the directory of those that have no name.
    pub(super) fn of(config: &Config, scenario: &Scenario) -> anyhow::Result<Self> {
        let named = |path: Option<&Path>| path.map(whole).transpose();
        if config.truth.as_deref() == Some(Path::new("-")) {
            return Err(Failed::usage(
                "in a world the truth is a file, which programs there find by KADSCOPE_WORLD_TRUTH: --truth FILE",
            )
            .into());
        }
        let (truth, events) = (named(config.truth.as_deref())?, named(config.events.as_deref())?);
        let lives = scenario.life.is_some();
        let dir = if truth.is_none() || (lives && events.is_none()) {
            let dir = tempfile::Builder::new().prefix("kadscope-world-").tempdir();
            Some(dir.context("cannot make a directory for the truth; --truth and --events put it elsewhere")?)
        } else {
            None
        };
        let unnamed = |name: &str| dir.as_ref().map(|dir| dir.path().join(name));
        Ok(Self {
            truth: truth.or_else(|| unnamed("truth.json")).unwrap_or_default(),
            events: events.or_else(|| unnamed("events.ndjson").filter(|_| lives)),
            dir,
        })
    }
}

fn whole(path: &Path) -> Result<PathBuf, Failed> {
    absolute(path).map_err(|error| Failed::usage(format!("cannot write to {}: {error}", path.display())))
}
