//! Whether strangers may be given records: nobody is, unless a person has said so.

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::{args::Policy, exit::Failed, network::Network, output};

/// Whether that may be done: asked on the terminal, unless the network is one's own. An error says what to do where nobody can be
/// asked.
pub(crate) fn is_agreed(network: &Network, what: &str) -> anyhow::Result<bool> {
    match network.addresses {
        Policy::Loopback | Policy::Private => return Ok(true),
        Policy::Public | Policy::Any => {}
    }
    if !io::stdin().is_terminal() {
        return Err(Failed::usage(format!("--yes says to {what}, where nobody can be asked")).into());
    }
    output::note_raw(&format!("Shall I {what}? [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
