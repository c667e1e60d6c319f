//! Rows as `COPY ... FROM STDIN (FORMAT binary)` wants them.
//!
//! A header, for each row the number of its columns and for each column its length and its bytes, and a trailer. All numbers
//! are big-endian. The caller knows the types of the columns: nothing here says them but the elements of arrays.

use std::{fmt, pin::Pin};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::SinkExt as _;
use schema::Timestamp;
use tokio_postgres::{CopyInSink, Transaction};

/// Signature, flags, length of what extends the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Stands for the number of columns behind the last row.
const TRAILER: i16 = -1;

/// Stands for the length of what is NULL.
const NULL: i32 = -1;

/// From so many bytes on what is written is sent: the server takes it while more is written.
const CHUNK_BYTES: usize = 64 * 1024;

/// 2000-01-01, from which PostgreSQL counts, in microseconds since 1970.
const EPOCH_US: i64 = 946_684_800_000_000;

/// The earliest moment that PostgreSQL has, 4714-11-24 BC, and the last, in the year 294276; microseconds since 2000.
const TIMES_US: (i64, i64) = (-211_813_488_000_000_000, 9_223_371_331_199_999_999);

/// The types of arrays' elements that every PostgreSQL has.
const INT4: u32 = 23;
const INT8: u32 = 20;

/// A moment as PostgreSQL counts it; the nearest that it has, for what is beyond.
pub(crate) fn since_2000(time: Timestamp) -> i64 {
    time.0.saturating_sub(EPOCH_US).clamp(TIMES_US.0, TIMES_US.1)
}

/// A moment as we count it.
pub(crate) const fn since_1970(since_2000: i64) -> Timestamp {
    Timestamp(since_2000.saturating_add(EPOCH_US))
}

/// A COPY under way.
pub(crate) struct CopyIn {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    rows: CopyRows,
    columns: i16,
}

impl fmt::Debug for CopyIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyIn").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl CopyIn {
    /// Begins to copy into these columns of a table.
    pub(crate) async fn begin(
        transaction: &Transaction<'_>,
        table: &str,
        columns: &[&str],
    ) -> Result<Self, tokio_postgres::Error> {
        let statement = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", columns.join(", "));
        let sink = Box::pin(transaction.copy_in(&statement).await?);
        // PostgreSQL has at most 1,600.
        let columns = i16::try_from(columns.len()).unwrap_or(i16::MAX);
        Ok(Self { sink, rows: CopyRows::new(), columns })
    }

    /// Begins a row, to which a value for each column has to be written; what was written before is on its way.
    pub(crate) async fn row(&mut self) -> Result<&mut CopyRows, tokio_postgres::Error> {
        if self.rows.bytes.len() >= CHUNK_BYTES {
            self.sink.feed(self.rows.bytes.split().freeze()).await?;
        }
        self.rows.bytes.put_i16(self.columns);
        Ok(&mut self.rows)
    }

    /// Ends it; waits until the server has all rows.
    pub(crate) async fn finish(mut self) -> Result<(), tokio_postgres::Error> {
        self.rows.bytes.put_i16(TRAILER);
        self.sink.feed(self.rows.bytes.freeze()).await?;
        self.sink.as_mut().finish().await.map(drop)
    }
}

/// Values on their way.
#[derive(Debug)]
pub(crate) struct CopyRows {
    bytes: BytesMut,
}

impl CopyRows {
    fn new() -> Self {
        Self { bytes: BytesMut::from(HEADER) }
    }

    pub(crate) fn null(&mut self) {
        self.bytes.put_i32(NULL);
    }

    pub(crate) fn int(&mut self, value: impl Into<Option<i32>>) {
        self.or_null(value.into(), |this, value| {
            this.bytes.put_i32(4);
            this.bytes.put_i32(value);
        });
    }

    pub(crate) fn big(&mut self, value: impl Into<Option<i64>>) {
        self.or_null(value.into(), |this, value| {
            this.bytes.put_i32(8);
            this.bytes.put_i64(value);
        });
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.bytes.put_i32(1);
        self.bytes.put_u8(u8::from(value));
    }

    pub(crate) fn time(&mut self, value: Timestamp) {
        self.big(since_2000(value));
    }

    /// Text, JSON as text, or the label of an enum. It must hold no NUL.
    pub(crate) fn text<'a>(&mut self, value: impl Into<Option<&'a str>>) {
        self.or_null(value.into(), |this, value| this.raw(value.as_bytes()));
    }

    /// Bytes where there are some.
    pub(crate) fn bytes(&mut self, value: Option<&[u8]>) {
        self.or_null(value, Self::raw);
    }

    pub(crate) fn raw(&mut self, value: &[u8]) {
        self.sized(|bytes| bytes.put_slice(value));
    }

    /// An array of `integer`, in which what is `None` is NULL.
    pub(crate) fn ints(&mut self, values: impl IntoIterator<Item = Option<i32>>) {
        self.array(INT4, values, put_int);
    }

    /// The same, but NULL as a whole where nothing else is in it.
    pub(crate) fn ints_if_any(&mut self, values: impl IntoIterator<Item = Option<i32>>) {
        self.array_if_any(INT4, values, put_int);
    }

    /// An array of `bigint`, likewise.
    pub(crate) fn bigs_if_any(&mut self, values: impl IntoIterator<Item = Option<i64>>) {
        self.array_if_any(INT8, values, |bytes, value| {
            bytes.put_i32(8);
            bytes.put_i64(value);
        });
    }

    /// An array of texts or labels, likewise; `element` is the number of their type.
    pub(crate) fn texts_if_any<'a>(
        &mut self,
        element: u32,
        values: impl IntoIterator<Item = Option<&'a str>>,
    ) {
        self.array_if_any(element, values, |bytes, value| {
            bytes.put_i32(length(value.len()));
            bytes.put_slice(value.as_bytes());
        });
    }

    fn array_if_any<T>(
        &mut self,
        element: u32,
        values: impl IntoIterator<Item = Option<T>>,
        put: impl Fn(&mut BytesMut, T),
    ) {
        let start = self.bytes.len();
        if self.array(element, values, put) == 0 {
            self.bytes.truncate(start);
            self.null();
        }
    }

    /// Returns how many values are not NULL.
    fn array<T>(
        &mut self,
        element: u32,
        values: impl IntoIterator<Item = Option<T>>,
        put: impl Fn(&mut BytesMut, T),
    ) -> i32 {
        let (mut all, mut some) = (0, 0);
        self.sized(|bytes| {
            let start = bytes.len();
            let head = |all: i32, some: i32| {
                // One dimension, or none; whether there is a NULL; how many, and the number of the first.
                let parts = [i32::from(all > 0), i32::from(some < all), element.cast_signed(), all, 1];
                let mut head = [0; 20];
                head.chunks_exact_mut(4)
                    .zip(parts)
                    .for_each(|(to, part)| to.copy_from_slice(&part.to_be_bytes()));
                head
            };
            bytes.put_slice(&head(0, 0));
            for value in values {
                all += 1;
                match value {
                    Some(value) => {
                        some += 1;
                        put(bytes, value);
                    }
                    None => bytes.put_i32(NULL),
                }
            }
            if all == 0 {
                // Without a dimension there is nothing behind the type.
                return bytes.truncate(start + 12);
            }
            bytes[start..start + 20].copy_from_slice(&head(all, some));
        });
        some
    }

    fn or_null<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => put(self, value),
            None => self.null(),
        }
    }

    /// Puts the length of what `put` writes before it.
    fn sized(&mut self, put: impl FnOnce(&mut BytesMut)) {
        let start = self.bytes.len();
        self.bytes.put_i32(0);
        put(&mut self.bytes);
        let size = length(self.bytes.len() - start - 4);
        self.bytes[start..start + 4].copy_from_slice(&size.to_be_bytes());
    }
}

fn put_int(bytes: &mut BytesMut, value: i32) {
    bytes.put_i32(4);
    bytes.put_i32(value);
}

/// A length; nothing of ours comes near what does not fit.
fn length(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_as_the_protocol_says() {
        let mut rows = CopyRows::new();
        rows.int(7);
        rows.null();
        rows.text("ab");
        rows.flag(true);
        rows.ints([Some(1), None]);
        let mut expected = b"PGCOPY\n\xff\r\n\0".to_vec();
        expected.extend([0; 8]);
        expected.extend([0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255, 0, 0, 0, 2, b'a', b'b', 0, 0, 0, 1, 1]);
        // One dimension, NULLs in it, of int4; two elements, the first has the number 1.
        expected.extend([0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1]);
        expected.extend([0, 0, 0, 4, 0, 0, 0, 1, 255, 255, 255, 255]);
        assert_eq!(rows.bytes, expected);
    }

    #[test]
    fn an_empty_array_has_no_dimension() {
        let mut rows = CopyRows::new();
        rows.ints([]);
        assert_eq!(rows.bytes[HEADER.len()..], [0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23]);
    }

    #[test]
    fn an_array_of_nothing_is_null() {
        let mut rows = CopyRows::new();
        rows.ints_if_any([None, None]);
        rows.texts_if_any(25, []);
        assert_eq!(rows.bytes[HEADER.len()..], [255; 8]);
    }

    #[test]
    fn moments_beyond_what_the_database_has_are_the_nearest_that_it_has() {
        let now = Timestamp(1_795_000_000_000_000);
        assert_eq!(since_1970(since_2000(now)), now);
        assert_eq!(since_2000(Timestamp(EPOCH_US)), 0);
        assert_eq!(since_2000(Timestamp(i64::MAX)), i64::MAX - EPOCH_US);
        assert_eq!(since_2000(Timestamp(i64::MIN)), TIMES_US.0);
    }
}
