//! `kadscope completions`: a script for a shell.

use crate::{
    args::{self, CompletionsArgs},
    exit::Code,
    output,
};

pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<Code> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "kadscope", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Code::Done)
}
