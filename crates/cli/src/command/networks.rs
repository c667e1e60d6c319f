//! `kadscope networks`: the networks that are known by name.

use serde::Serialize;

use crate::{
    args::NetworksArgs,
    bootstrap,
    exit::Code,
    network::{self, NetworkFile, PRESETS},
    output, render,
};

/// All of them.
#[derive(Debug, Serialize)]
struct Listing {
    /// In the order in which they are listed.
    networks: Vec<Described>,
}

/// What is said of a network.
#[derive(Debug, Serialize)]
pub(crate) struct Described {
    /// Its file.
    #[serde(flatten)]
    pub(crate) file: NetworkFile,
    /// How many peers there are to begin with; `bootstrap` has their addresses.
    pub(crate) bootstrap_peers: usize,
}

pub(crate) fn run(args: &NetworksArgs) -> anyhow::Result<Code> {
    let Some(name) = &args.network else {
        let networks = PRESETS.iter().map(|(name, _)| network::load(name).map(|(file, _)| describe(file)));
        let networks = networks.collect::<Result<Vec<_>, _>>()?;
        if args.json {
            output::print_json(&Listing { networks })?;
        } else {
            output::print_text(&render::networks(&networks, output::Style::of_stdout()))?;
        }
        return Ok(Code::Done);
    };
    let (file, text) = network::load(name)?;
    let is_own = network::is_path(name);
    if is_own {
        bootstrap::check_policy(&file.bootstrap, file.addresses.into(), file.addresses.name())?;
    }
    if args.json {
        output::print_json(&describe(file))?;
    } else if is_own {
        output::print_text(&render::verdict(name, &describe(file), output::Style::of_stdout()))?;
    } else {
        // As it is, with its comments: to be saved and edited.
        output::print(&text)?;
    }
    Ok(Code::Done)
}

fn describe(file: NetworkFile) -> Described {
    Described { bootstrap_peers: file.bootstrap_peers(), file }
}
