//! What is logged to stderr, as `KADSCOPE_LOG` says.

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{exit::Failed, output, render::text::escaped};

/// The variable.
const VARIABLE: &str = "KADSCOPE_LOG";

/// What is logged if nothing is said.
const DEFAULT: &str = "warn";

/// Logs from now on. The error names the variable.
pub(crate) fn to_stderr() -> Result<(), Failed> {
    let said = std::env::var_os(VARIABLE).unwrap_or_default();
    let filter =
        filter(&said.to_string_lossy()).map_err(|problem| Failed::usage(format!("{VARIABLE}: {problem}")))?;
    let colour = output::Style::of_stderr().is_coloured();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).init();
    Ok(())
}

/// Reads a filter. A word that is no level would be taken for the name of a module, and nothing be logged as was meant.
fn filter(said: &str) -> Result<EnvFilter, String> {
    let directives: Vec<&str> =
        said.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    let is_bare = |directive: &&&str| {
        directive.ends_with('=') || (!directive.contains('=') && directive.parse::<LevelFilter>().is_err())
    };
    let form =
        "write error, warn, info, debug or trace, or MODULE=LEVEL such as kadscope_net=debug, after commas";
    if let Some(wrong) = directives.iter().find(is_bare) {
        return Err(format!("`{}` has no level; {form}", escaped(wrong)));
    }
    let text = if directives.is_empty() { DEFAULT.to_owned() } else { directives.join(",") };
    EnvFilter::try_new(&text)
        .map_err(|error| format!("`{}`: {}; {form}", escaped(&text), escaped(&error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_modules_are_taken_and_typing_mistakes_refused() {
        for good in ["", "info", " debug , kadscope_net=trace,", "off", "warn,kadscope_crawl[visit]=debug"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for wrong in ["inof", "wran,kadscope_net=debug", "kadscope_net=loud", "kadscope_net=", "trace2"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }
}
