//! What is measured, and how.

use std::{fmt, time::Duration};

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) seconds: Duration,
    pub(crate) connections: usize,
    /// Over QUIC instead of TCP.
    pub(crate) quic: bool,
    /// How many threads of the server's answer.
    pub(crate) threads: usize,
    /// Where records are kept.
    pub(crate) belly: String,
    /// How many connections are held that ask once; none are, where it is not said.
    pub(crate) hold: Option<usize>,
    words: Vec<String>,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Self {
        let mut options = Self {
            seconds: Duration::from_secs(3),
            connections: 40,
            quic: false,
            threads: 1,
            belly: "memory".to_owned(),
            hold: None,
            words: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut text = || args.next().cloned().expect("a word behind it");
            let mut number = || text().parse().expect("a number");
            match arg.as_str() {
                "--seconds" => options.seconds = Duration::from_secs(number()),
                "--connections" => options.connections = usize::try_from(number()).expect("a count"),
                "--threads" => options.threads = usize::try_from(number()).expect("a count"),
                "--belly" => options.belly = text(),
                "--hold" => options.hold = Some(usize::try_from(number()).expect("a count")),
                "--quic" => options.quic = true,
                word => options.words.push(word.to_owned()),
            }
        }
        options
    }

    /// Whether a row of that name is to be measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, connections, quic, threads, belly, .. } = self;
        let transport = if *quic { "QUIC" } else { "TCP" };
        write!(
            f,
            "{connections} connections over {transport}, {threads} threads answer, records in {belly}, {seconds:?} a row"
        )
    }
}
