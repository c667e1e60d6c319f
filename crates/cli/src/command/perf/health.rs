//! `kadscope perf health`: whether a server is ready to be measured with, as an exit code.

use crate::{args::PerfHealthArgs, exit::Code, output, token};

/// The variable that may have the token of a server's HTTP API itself.
pub(super) const TOKEN_VARIABLE: &str = "KADSCOPE_PERF_TOKEN";

/// What is asked.
const READINESS: &str = "/readiness";

pub(super) async fn run(args: &PerfHealthArgs) -> anyhow::Result<Code> {
    let token = token::text_of(args.token_file.as_deref(), TOKEN_VARIABLE)?;
    let url = format!("{}{READINESS}", args.server.trim_end_matches('/'));
    let asked = http::ask_within(&url, token.as_deref(), args.timeout).await?;
    if asked.is_well() {
        output::print("OK\n")?;
        return Ok(Code::Done);
    }
    output::print(&format!("not ready ({})\n", asked.status))?;
    Ok(Code::Unexpected)
}
