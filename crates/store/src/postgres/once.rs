//! What is kept once over all runs, as the dictionaries want it: by which hash it is known, and what is written of it.

use std::fmt::Write as _;

use kad::{
    Address, Multiaddr, PeerId,
    failure::{Failure, FailureClass},
};

use super::{
    dictionary::{Once, Texts, hash},
    text::{joined, kept},
    values::Hash,
};

impl Once for PeerId {
    fn hash(&self) -> Hash {
        hash(&[&self.to_bytes()])
    }

    fn texts(&self) -> Texts {
        [Some(self.to_base58()), None, None]
    }
}

impl Once for Address {
    fn hash(&self) -> Hash {
        hash(&[self.as_bytes()])
    }

    /// As text; with the bytes beside it where no text that can be kept stands for exactly these bytes.
    fn texts(&self) -> Texts {
        if let Some(address) = self.multiaddr() {
            let text = address.to_string();
            if text.parse::<Multiaddr>().is_ok_and(|parsed| parsed == *address) && *kept(&text) == *text {
                return [Some(text), None, None];
            }
        }
        let mut digits = String::with_capacity(2 * self.as_bytes().len());
        for byte in self.as_bytes() {
            // Writing into a string cannot fail.
            write!(digits, "{byte:02x}").ok();
        }
        [Some(format!("0x{digits}")), Some(digits), None]
    }
}

/// What a peer calls its program.
pub(crate) struct Agent<'a>(pub(crate) &'a str);

impl Once for Agent<'_> {
    fn hash(&self) -> Hash {
        hash(&[self.0.as_bytes()])
    }

    fn texts(&self) -> Texts {
        [Some(kept(self.0).into_owned()), None, None]
    }
}

/// What it says it speaks.
pub(crate) struct Protocols<'a>(pub(crate) &'a [String]);

impl Once for Protocols<'_> {
    fn hash(&self) -> Hash {
        let parts: Vec<_> = self.0.iter().map(String::as_bytes).collect();
        hash(&parts)
    }

    fn texts(&self) -> Texts {
        [Some(joined(self.0)), None, None]
    }
}

impl Once for Failure {
    fn hash(&self) -> Hash {
        let detail = self.detail.as_deref().map(str::as_bytes);
        let parts = [self.class.name().as_bytes(), self.phase.name().as_bytes()];
        hash(&parts.into_iter().chain(detail).collect::<Vec<_>>())
    }

    fn texts(&self) -> Texts {
        let detail = self.detail.as_deref().map(|detail| kept(detail).into_owned());
        [Some(self.class.name().to_owned()), Some(self.phase.name().to_owned()), detail]
    }
}

/// A failure of which the class says it all: that of the request for a prefix.
impl Once for FailureClass {
    fn hash(&self) -> Hash {
        hash(&[self.name().as_bytes()])
    }

    fn texts(&self) -> Texts {
        [Some(self.name().to_owned()), None, None]
    }
}
