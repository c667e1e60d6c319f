//! `kadscope completions`: a script for a shell, which asks the program what fits.

use clap_complete::env::Shells;

use crate::{
    args::{self, CompletionsArgs},
    exit::{Code, Failed},
    output,
};

/// What the program is called by the script.
const PROGRAM: &str = "kadscope";

pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<Code> {
    let name = args.shell.to_string();
    let shells = Shells::builtins();
    let shell =
        shells.completer(&name).ok_or_else(|| Failed::usage(format!("nothing is known of {name}")))?;
    let mut script = Vec::new();
    shell.write_registration(args::COMPLETE_VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Code::Done)
}
