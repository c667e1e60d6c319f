//! How the program ends: the documented exit codes, and what an error means to them.

use std::{fmt, process::ExitCode};

use jail::NamespaceError;
use testnet::WireError;

use crate::{args::Variables, output};

/// The exit codes. [`help::EXIT_CODES`](crate::help::EXIT_CODES) says the same to users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// What was asked for is done.
    Done,
    /// Something that has no code of its own.
    Unexpected,
    /// The command line or a file that it names is wrong.
    Usage,
    /// The store could not be opened, read or written.
    Store,
    /// None of the peers to begin with answered.
    Network,
    /// What was looked for was not found.
    NotFound,
    /// Stopped by Ctrl-C, SIGTERM or SIGHUP. Everything in hand was kept.
    Cancelled,
    /// A command that was run in a world ended by this one, whatever it means there.
    Command(u8),
}

impl Code {
    /// As the system knows it.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::Store => 3,
            Self::Network => 4,
            Self::NotFound => 5,
            Self::Cancelled => 130,
            Self::Command(number) => number,
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.number())
    }
}

/// An error that is known to be of one kind.
#[derive(Debug)]
pub(crate) struct Failed {
    code: Code,
    text: String,
}

impl Failed {
    /// The user asked for something that cannot be.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { code: Code::Usage, text: text.into() }
    }

    /// A command could not be run: with the code that shells have for that.
    pub(crate) fn command(number: u8, text: impl Into<String>) -> Self {
        Self { code: Code::Command(number), text: text.into() }
    }

    /// A network that another process of ours was to run, which has said why it could not.
    pub(crate) fn testnet(status: std::process::ExitStatus) -> Self {
        let code =
            if status.code() == Some(Code::Usage.number().into()) { Code::Usage } else { Code::Unexpected };
        Self { code, text: format!("the testnet ended before it began ({status})") }
    }

    /// Nobody answered.
    pub(crate) fn network(text: impl Into<String>) -> Self {
        Self { code: Code::Network, text: text.into() }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failed {}

/// Prints what the parser of the command line says: help and version too come as its errors.
pub(crate) fn of_arguments(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Nobody is left to be told that the terminal went away.
        drop(error.print());
        return Code::Done.into();
    }
    let text = error.render();
    let text =
        if output::Style::of_stderr().is_coloured() { text.ansi().to_string() } else { text.to_string() };
    output::note_raw(&text);
    Code::Usage.into()
}

/// Prints an error, with the variable that it is about if there is one, and says how the program ends by it.
pub(crate) fn of_error(error: &anyhow::Error, variables: &Variables) -> ExitCode {
    let style = output::Style::of_stderr();
    let text = format!("{error:#}");
    output::note(&format!("{} {text}", style.red("error:")));
    if let Some(origin) = variables.explain(&text) {
        output::note(&origin);
    }
    code_of(error).into()
}

fn code_of(error: &anyhow::Error) -> Code {
    for cause in error.chain() {
        if let Some(failed) = cause.downcast_ref::<Failed>() {
            return failed.code;
        }
        if cause.is::<testnet::ScenarioError>() {
            return Code::Usage;
        }
        if let Some(NamespaceError::Interface { .. }) = cause.downcast_ref() {
            return Code::Usage;
        }
        if let Some(WireError::NeedsWorld | WireError::NeedsRoutes { .. }) = cause.downcast_ref() {
            return Code::Usage;
        }
        if let Some(store::BellyError::Url { .. }) = cause.downcast_ref() {
            return Code::Usage;
        }
        match cause.downcast_ref::<store::Error>() {
            Some(store::Error::Url { .. } | store::Error::NothingKept | store::Error::NotBuilt { .. }) => {
                return Code::Usage;
            }
            Some(_) => return Code::Store,
            None => {}
        }
    }
    Code::Unexpected
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    fn code(error: impl std::error::Error + Send + Sync + 'static) -> Code {
        code_of(&Err::<(), _>(error).context("while testing").unwrap_err())
    }

    #[test]
    fn every_kind_of_error_has_its_code() {
        assert_eq!(code(Failed::usage("so")), Code::Usage);
        assert_eq!(code(Failed::network("so")), Code::Network);
        assert_eq!(code(store::Error::NothingKept), Code::Usage);
        assert_eq!(code(store::Error::Missing { path: "x".into() }), Code::Store);
        assert_eq!(code(testnet::Scenario::named("nowhere").unwrap_err()), Code::Usage);
        assert_eq!(code(WireError::NeedsWorld), Code::Usage);
        assert_eq!(code(std::io::Error::other("so")), Code::Unexpected);
    }

    #[test]
    fn the_help_names_every_code() {
        for code in [
            Code::Done,
            Code::Unexpected,
            Code::Usage,
            Code::Store,
            Code::Network,
            Code::NotFound,
            Code::Cancelled,
        ] {
            let number = code.number().to_string();
            let named = crate::help::EXIT_CODES.lines().any(|line| line.trim_start().starts_with(&number));
            assert!(named, "{number}");
        }
    }
}
