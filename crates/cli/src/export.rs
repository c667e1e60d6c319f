//! Rows on their way out of the house: where they are written, and in which format.

mod sink;

pub(crate) use self::sink::Sink;
