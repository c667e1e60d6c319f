//! How an operation is written as JSON and read back: times as whole nanoseconds, peers as their ids, names as `kad` calls things.
//!
//! What is read comes from servers of anybody: lists and keys beyond their bounds are refused, texts are cut to theirs.

use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr, time::Duration};

use kad::{
    PeerId, Persistence,
    failure::{Failure, FailureClass, Phase},
    lookup::RpcFate,
    network::{Security, Transport},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

use super::{MAX_KEY_BYTES, MAX_REQUESTS, MAX_STEPS, MAX_TEXT_BYTES, OperationRequest, OperationStep};
use crate::explain::{MAX_PIECES, PathPiece};

/// What knows nothing of serde, or has bounds that serde does not know: it is written as something else.
pub(crate) trait Written: Sized {
    /// As what it is written.
    type As;

    fn write(&self) -> Self::As;

    /// The error says what it is not.
    fn read(written: Self::As) -> Result<Self, String>;
}

pub(crate) fn serialize<T: Written<As: Serialize>, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.write().serialize(serializer)
}

pub(crate) fn deserialize<'de, T: Written<As: Deserialize<'de>>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::read(T::As::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl<T: Written> Written for Option<T> {
    type As = Option<T::As>;

    fn write(&self) -> Self::As {
        self.as_ref().map(T::write)
    }

    fn read(written: Self::As) -> Result<Self, String> {
        written.map(T::read).transpose()
    }
}

/// In nanoseconds.
impl Written for Duration {
    type As = u64;

    fn write(&self) -> u64 {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX)
    }

    fn read(written: u64) -> Result<Self, String> {
        Ok(Self::from_nanos(written))
    }
}

impl Written for PeerId {
    type As = String;

    fn write(&self) -> String {
        self.to_string()
    }

    fn read(written: String) -> Result<Self, String> {
        written.parse().map_err(|_| format!("`{}` is no id of a peer", cut(&written)))
    }
}

/// The beginning of a text that is too long.
impl Written for String {
    type As = Self;

    fn write(&self) -> Self {
        cut(self).to_owned()
    }

    fn read(written: Self) -> Result<Self, Self> {
        Ok(cut(&written).to_owned())
    }
}

/// In hexadecimal digits.
impl Written for Vec<u8> {
    type As = String;

    fn write(&self) -> String {
        to_hex(self)
    }

    fn read(written: String) -> Result<Self, String> {
        let wrong = || format!("a key is at most {MAX_KEY_BYTES} bytes in hexadecimal digits");
        from_hex(&written, MAX_KEY_BYTES).ok_or_else(wrong)
    }
}

macro_rules! closed_names {
    ($($name:ty),+) => {$(
        impl Written for $name {
            type As = Cow<'static, str>;

            fn write(&self) -> Self::As {
                self.name().into()
            }

            fn read(written: Self::As) -> Result<Self, String> {
                Self::from_name(&written).ok_or_else(|| format!("`{}` is none of these names", cut(&written)))
            }
        }
    )+};
}

closed_names!(Persistence, RpcFate, Phase, FailureClass, Transport, Security);

/// A failure as it is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct WrittenFailure {
    #[serde(with = "self")]
    phase: Phase,
    #[serde(with = "self")]
    class: FailureClass,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Written for Failure {
    type As = WrittenFailure;

    fn write(&self) -> WrittenFailure {
        let detail = self.detail.as_deref().map(str::to_owned);
        WrittenFailure { phase: self.phase, class: self.class, detail }
    }

    fn read(WrittenFailure { phase, class, detail }: WrittenFailure) -> Result<Self, String> {
        Ok(match detail {
            Some(detail) => Self::with_detail(phase, class, &detail),
            None => Self::new(phase, class),
        })
    }
}

/// What is written as text that can be parsed.
pub(super) fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT_BYTES.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// Two digits a byte.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect()
}

/// At most so many bytes; `None` for what is no hexadecimal text of them.
pub(super) fn from_hex(text: &str, most: usize) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let is_text = digits.len().is_multiple_of(2) && digits.len() <= 2 * most;
    let pairs = is_text.then(|| digits.chunks_exact(2))?;
    pairs.map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?)).collect()
}

pub(super) fn steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<OperationStep>, D::Error> {
    list(deserializer, MAX_STEPS)
}

pub(super) fn requests<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<OperationRequest>, D::Error> {
    list(deserializer, MAX_REQUESTS)
}

pub(super) fn pieces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathPiece>, D::Error> {
    list(deserializer, MAX_PIECES)
}

/// A list that is given up as soon as it is too long.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    most: usize,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(List(most, PhantomData))
}

/// Reads a list of at most so many.
struct List<T>(usize, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {}", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            if list.len() == self.0 {
                return Err(A::Error::invalid_length(self.0 + 1, &self));
            }
            list.push(entry);
        }
        Ok(list)
    }
}
