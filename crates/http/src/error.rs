//! What can go wrong with the listener, and with asking another one.

use std::{io, net::SocketAddr};

use crate::{access::MIN_TOKEN_BYTES, client::HttpFailure};

/// What can go wrong. None of the texts has a token or a password in it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Others than this machine could ask, and nobody has said that they may.
    #[error(
        "others than this machine can reach {address}: it takes a token, or a word that everybody may ask"
    )]
    NeedsToken {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// A token that could be guessed.
    #[error(
        "a token has at least {MIN_TOKEN_BYTES} visible characters of ASCII and nothing else, not {bytes} bytes"
    )]
    WeakToken {
        /// How long what was given is.
        bytes: usize,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// What is to be asked is no address of ours.
    #[error("it is no URL that can be asked: {why}")]
    Url {
        /// What is wrong with it, without its text.
        why: &'static str,
    },
    /// What is to be said cannot stand in a header.
    #[error("the value cannot stand in the header {name}")]
    Header {
        /// The header.
        name: &'static str,
    },
    /// TLS cannot be spoken.
    #[error("TLS cannot be spoken: {why}")]
    Roots {
        /// Why not.
        why: String,
    },
    /// Nobody answered.
    #[error("{host} did not answer: {failure}")]
    NoAnswer {
        /// Who was asked.
        host: String,
        /// Why not.
        failure: HttpFailure,
    },
}
