//! What is kept once over all runs, as the dictionaries want it: by which hash it is known, and what is written of it.

use std::{borrow::Cow, fmt::Write as _};

use kad::{
    Address, Multiaddr, PeerId,
    failure::{Failure, FailureClass},
};

use super::{
    dictionary::{New, Once},
    text::{joined, kept},
    values::Key,
};

impl Once for PeerId {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.to_bytes().into()
    }

    /// No id is long: it is its own key.
    fn written(&self) -> New {
        New { key: Key(self.to_base58().into_bytes().into()), texts: [None, None, None], raw: None }
    }
}

impl Once for Address {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.as_bytes().into()
    }

    /// As text; with the bytes beside it where no text that can be kept stands for exactly these bytes.
    fn written(&self) -> New {
        let key = Key::hash(self.as_bytes());
        if let Some(address) = self.multiaddr() {
            let text = address.to_string();
            if text.parse::<Multiaddr>().is_ok_and(|parsed| parsed == *address) && *kept(&text) == *text {
                return New { key, texts: [Some(text), None, None], raw: None };
            }
        }
        let mut digits = "0x".to_owned();
        for byte in self.as_bytes() {
            // Writing into a string cannot fail.
            write!(digits, "{byte:02x}").ok();
        }
        New { key, texts: [Some(digits), None, None], raw: Some(self.as_bytes().to_vec()) }
    }
}

/// What a peer calls its program.
pub(crate) struct Agent<'a>(pub(crate) &'a str);

impl Once for Agent<'_> {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.0.as_bytes().into()
    }

    fn written(&self) -> New {
        New {
            key: Key::hash(self.0.as_bytes()),
            texts: [Some(kept(self.0).into_owned()), None, None],
            raw: None,
        }
    }
}

/// What it says it speaks.
pub(crate) struct Protocols<'a>(pub(crate) &'a [String]);

impl Once for Protocols<'_> {
    fn bytes(&self) -> Cow<'_, [u8]> {
        joined(self.0).into_bytes().into()
    }

    fn written(&self) -> New {
        let joined = joined(self.0);
        New { key: Key::hash(joined.as_bytes()), texts: [Some(joined), None, None], raw: None }
    }
}

impl Once for Failure {
    fn bytes(&self) -> Cow<'_, [u8]> {
        // No name has a NUL.
        let mut bytes = format!("{}\0{}", self.class.name(), self.phase.name()).into_bytes();
        if let Some(detail) = &self.detail {
            bytes.push(0);
            bytes.extend(detail.as_bytes());
        }
        bytes.into()
    }

    fn written(&self) -> New {
        let detail = self.detail.as_deref().map(|detail| kept(detail).into_owned());
        New {
            key: Key::hash(&self.bytes()),
            texts: [Some(self.class.name().to_owned()), Some(self.phase.name().to_owned()), detail],
            raw: None,
        }
    }
}

/// A failure of which the class says it all: that of the request for a prefix.
impl Once for FailureClass {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.name().as_bytes().into()
    }

    fn written(&self) -> New {
        New {
            key: Key::hash(self.name().as_bytes()),
            texts: [Some(self.name().to_owned()), None, None],
            raw: None,
        }
    }
}
