//! Measurements on their way into Parsec's tables: as they will stand there, and as bytes in a file while they wait.

use schema::Timestamp;

use super::parsec_values::{clamped, plain};
use crate::{
    Error,
    postgres::{In, Load, Out},
    register::{ParsecKind, ParsecRow},
};

/// Tells these bytes from those of rows of runs, which have other first bytes.
const MEASURED: u8 = 16;

/// A row of `provides_ecs`, or of `retrievals_ecs` if it has no step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeasuredRow {
    pub(super) scheduler: i32,
    pub(super) server: i32,
    pub(super) table_size: i32,
    pub(super) seconds: f64,
    pub(super) cid: String,
    pub(super) failure: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) step: Option<String>,
}

impl MeasuredRow {
    /// The row for a measurement: without what Go's programs break on. A failure without a word is no success.
    pub(super) fn of(row: ParsecRow) -> Result<Self, Error> {
        let refused = |what: &str, reason| Err(Error::ParsecValue { what: what.to_owned(), reason });
        if row.cid.is_empty() {
            return refused(
                "a measurement without a CID",
                "nothing would lead from a retrieval to its publication",
            );
        }
        let step = match row.kind {
            ParsecKind::Provide { step } => Some(plain(&step).into_owned()),
            ParsecKind::Retrieval => None,
        };
        let failure = row.failure.map(|failure| match &*plain(&failure) {
            "" => "failed".to_owned(),
            failure => failure.to_owned(),
        });
        Ok(Self {
            scheduler: row.scheduler.0.cast_signed(),
            server: row.server.0.cast_signed(),
            table_size: clamped(row.table_size),
            seconds: row.took.as_secs_f64(),
            cid: plain(&row.cid).into_owned(),
            failure,
            created_at: row.created_at,
            step,
        })
    }

    fn put(&self, out: &mut Out) {
        for number in [self.scheduler, self.server, self.table_size] {
            out.word(number.cast_unsigned());
        }
        out.long(self.seconds.to_bits());
        out.bytes(self.cid.as_bytes());
        out.option(self.failure.as_deref(), |out, failure| out.bytes(failure.as_bytes()));
        out.long(self.created_at.0.cast_unsigned());
        out.option(self.step.as_deref(), |out, step| out.bytes(step.as_bytes()));
    }

    fn get(bytes: &mut In<'_>) -> Option<Self> {
        let text = |bytes: &mut In<'_>| bytes.text().map(str::to_owned);
        Some(Self {
            scheduler: bytes.word()?.cast_signed(),
            server: bytes.word()?.cast_signed(),
            table_size: bytes.word()?.cast_signed(),
            seconds: f64::from_bits(bytes.long()?),
            cid: text(bytes)?,
            failure: bytes.option(text)?,
            created_at: bytes.time()?,
            step: bytes.option(text)?,
        })
    }
}

/// Rows that are written together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// From 1, ascending within one keeper.
    pub(super) number: i64,
    pub(super) rows: Vec<MeasuredRow>,
}

impl Load for Measured {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn numbered(self, number: i64) -> Self {
        Self { number, ..self }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Out::default();
        out.byte(MEASURED);
        out.long(self.number.cast_unsigned());
        out.list(&self.rows, |out, row| row.put(out));
        out.0
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = In(bytes);
        let is_ours = bytes.byte()? == MEASURED;
        let number = bytes.long()?.cast_signed();
        let rows = bytes.list(MeasuredRow::get)?;
        (is_ours && bytes.0.is_empty()).then_some(Self { number, rows })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::register::{SchedulerId, ServerId};

    fn row(kind: ParsecKind, failure: Option<&str>) -> ParsecRow {
        ParsecRow {
            kind,
            scheduler: SchedulerId(36),
            server: ServerId(62),
            table_size: 61,
            took: Duration::from_nanos(65_110_581),
            cid: "QmfKswoMA9d5HeNsiJxQDarGxzRvtoyiWDBNWN9tuMsw73".to_owned(),
            failure: failure.map(str::to_owned),
            created_at: Timestamp(1_795_000_000_000_001),
        }
    }

    #[test]
    fn no_value_that_breaks_programs_of_go_is_left() {
        let step = ParsecKind::Provide { step: "a\0".to_owned() };
        let odd = ParsecRow { table_size: u64::MAX, ..row(step, Some("not\0found")) };
        let odd = MeasuredRow::of(odd).unwrap();
        assert_eq!(odd.table_size, i32::MAX);
        assert_eq!(
            (odd.failure.as_deref(), odd.step.as_deref()),
            (Some("not\u{fffd}found"), Some("a\u{fffd}"))
        );
        assert_eq!(
            MeasuredRow::of(row(ParsecKind::Retrieval, Some(""))).unwrap().failure.as_deref(),
            Some("failed")
        );
        assert_eq!(MeasuredRow::of(row(ParsecKind::Retrieval, None)).unwrap().failure, None);
        let nameless = ParsecRow { cid: String::new(), ..row(ParsecKind::Retrieval, None) };
        assert!(matches!(MeasuredRow::of(nameless), Err(Error::ParsecValue { .. })));
    }

    #[test]
    fn what_waits_is_read_back_and_what_is_cut_is_nothing() {
        let step = ParsecKind::Provide { step: "provide".to_owned() };
        let rows =
            [row(step, None), row(ParsecKind::Retrieval, Some("é"))].map(|row| MeasuredRow::of(row).unwrap());
        let load = Measured { number: 7, rows: rows.to_vec() };
        let bytes = load.encode();
        assert_eq!(Measured::decode(&bytes), Some(load));
        for size in 0..bytes.len() {
            assert_eq!(Measured::decode(&bytes[..size]), None, "{size}");
        }
    }
}
