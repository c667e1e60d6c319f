//! What is logged to stderr, and in which form.

use std::{io, sync::OnceLock};

use clap::{Args, ValueEnum};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{exit::Failed, output, render::text::escaped, secrets};

/// The variable of the option that says what is logged.
const VARIABLE: &str = "KADSCOPE_LOG";

/// What is logged if nothing is said.
const DEFAULT: &str = "warn";

/// What is logged, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct LogArgs {
    /// What is logged to stderr: error, warn, info, debug or trace, or MODULE=LEVEL, after commas [default: warn]
    #[arg(long, env = VARIABLE, value_name = "LEVEL", global = true, help_heading = "Logs")]
    log: Option<String>,

    /// How everything on stderr is written: for people, or as JSON, one object a line
    #[arg(
        long,
        env = "KADSCOPE_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        global = true,
        help_heading = "Logs"
    )]
    log_format: LogFormat,
}

/// The form of what stands on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    // Without help of their own: with it, the help of every command would be printed at its full length.
    #[default]
    Text,
    Json,
}

/// The form that was asked for. Whoever writes before that is known writes for people.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// In which form stderr is written.
pub(crate) fn format() -> LogFormat {
    FORMAT.get().copied().unwrap_or_default()
}

/// Logs from now on. The error names the option or its variable.
pub(crate) fn to_stderr(args: &LogArgs) -> Result<(), Failed> {
    let said = args.log.as_deref().unwrap_or_default();
    let filter = filter(said).map_err(|problem| Failed::usage(format!("--log, or {VARIABLE}: {problem}")))?;
    let _ = FORMAT.set(args.log_format);
    let colour = output::Style::of_stderr().is_coloured();
    // Of each event it is the filter that decides.
    let log =
        tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(colour).with_writer(Hiding);
    match args.log_format {
        LogFormat::Text => log.finish().with(filter).init(),
        LogFormat::Json => log.json().flatten_event(true).finish().with(filter).init(),
    }
    Ok(())
}

/// Writes to stderr what has nothing secret in it.
#[derive(Debug, Clone, Copy)]
struct Hiding;

impl<'a> MakeWriter<'a> for Hiding {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl io::Write for Hiding {
    /// Takes a whole event, which comes at once.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        output::to_stderr(&secrets::hidden(&text));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Reads a filter. A word that is no level would be taken for the name of a module, and nothing be logged as was meant.
fn filter(said: &str) -> Result<Targets, String> {
    let directives: Vec<&str> =
        said.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    let is_path = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
    };
    let is_wrong = |directive: &&&str| match directive.split_once('=') {
        None => !is_level(directive),
        Some((module, level)) => !is_path(module) || !is_level(level),
    };
    let form =
        "write error, warn, info, debug or trace, or MODULE=LEVEL such as kadscope_net=debug, after commas";
    if let Some(wrong) = directives.iter().find(is_wrong) {
        return Err(format!("`{}` has no level; {form}", escaped(wrong)));
    }
    let text = if directives.is_empty() { DEFAULT.to_owned() } else { directives.join(",") };
    text.parse::<Targets>()
        .map_err(|error| format!("`{}`: {}; {form}", escaped(&text), escaped(&error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_modules_are_taken_and_typing_mistakes_refused() {
        for good in ["", "info", " debug , kadscope_net=trace,", "off", "warn,kadscope_crawl::visit=debug"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for wrong in [
            "inof",
            "wran,kadscope_net=debug",
            "kadscope_net=loud",
            "kadscope_net=",
            "trace2",
            "kadscope_crawl[visit]=debug",
        ] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }
}
