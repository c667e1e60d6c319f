//! `kadscope health`: whether a program of ours that stays up is well, as an exit code.

use crate::{args::HealthArgs, exit::Code, output, token};

/// How much of an answer is shown, in characters.
const SHOWN: usize = 500;

pub(crate) async fn run(args: &HealthArgs) -> anyhow::Result<Code> {
    let token = token::text(args.metrics_token_file.as_deref())?;
    let asked = http::ask(&args.url, token.as_deref()).await?;
    let said: String = asked.text.trim().chars().take(SHOWN).collect();
    let said = crate::render::text::escaped(&said);
    if asked.is_well() {
        output::print(&format!("{said}\n"))?;
        return Ok(Code::Done);
    }
    output::print(&format!("not well ({}): {said}\n", asked.status))?;
    Ok(Code::Unexpected)
}
