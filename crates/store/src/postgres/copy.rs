//! Rows as `COPY ... FROM STDIN (FORMAT binary)` wants them.
//!
//! A header, for each row the number of its columns and for each column its length and its bytes, and a trailer. All numbers
//! are big-endian. The caller knows the types of the columns: nothing here says them but the elements of arrays.

use bytes::{BufMut as _, Bytes, BytesMut};
use schema::Timestamp;

/// Signature, flags, length of what extends the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Stands for the number of columns behind the last row.
const TRAILER: i16 = -1;

/// Stands for the length of what is NULL.
const NULL: i32 = -1;

/// What is sent at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// 2000-01-01, from which PostgreSQL counts, in microseconds since 1970.
const EPOCH_US: i64 = 946_684_800_000_000;

/// The earliest moment that PostgreSQL has, 4714-11-24 BC, and the last, in the year 294276; microseconds since 2000.
const TIMES_US: (i64, i64) = (-211_813_488_000_000_000, 9_223_371_331_199_999_999);

/// The types of arrays' elements that every PostgreSQL has.
pub(crate) const INT4: u32 = 23;
pub(crate) const INT8: u32 = 20;

/// A moment as PostgreSQL counts it; the nearest that it has, for what is beyond.
pub(crate) fn since_2000(time: Timestamp) -> i64 {
    time.0.saturating_sub(EPOCH_US).clamp(TIMES_US.0, TIMES_US.1)
}

/// A moment as we count it.
pub(crate) const fn since_1970(since_2000: i64) -> Timestamp {
    Timestamp(since_2000.saturating_add(EPOCH_US))
}

/// Rows of one table on their way.
#[derive(Debug)]
pub(crate) struct CopyRows {
    bytes: BytesMut,
    rows: u64,
}

impl CopyRows {
    pub(crate) fn new() -> Self {
        Self { bytes: BytesMut::from(HEADER), rows: 0 }
    }

    /// How many rows were begun.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// All of it, in pieces that are sent one after the other.
    pub(crate) fn into_chunks(mut self) -> impl Iterator<Item = Bytes> {
        self.bytes.put_i16(TRAILER);
        let mut rest = self.bytes.freeze();
        std::iter::from_fn(move || {
            let size = rest.len().min(CHUNK_BYTES);
            (size > 0).then(|| rest.split_to(size))
        })
    }

    /// Begins a row; so many values have to follow.
    pub(crate) fn row(&mut self, columns: usize) {
        self.rows += 1;
        // PostgreSQL has at most 1,600.
        self.bytes.put_i16(i16::try_from(columns).unwrap_or(i16::MAX));
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

    pub(crate) fn raw(&mut self, value: &[u8]) {
        self.sized(|bytes| bytes.put_slice(value));
    }

    /// An array of `integer`; NULL where `values` are `None`, and for each of them that is.
    pub(crate) fn ints(&mut self, values: Option<&[Option<i32>]>) {
        self.array(INT4, values, |bytes, value| {
            bytes.put_i32(4);
            bytes.put_i32(*value);
        });
    }

    /// An array of `bigint`, likewise.
    pub(crate) fn bigs(&mut self, values: Option<&[Option<i64>]>) {
        self.array(INT8, values, |bytes, value| {
            bytes.put_i32(8);
            bytes.put_i64(*value);
        });
    }

    /// An array of texts or labels, likewise; `element` is the number of their type.
    pub(crate) fn texts<T: AsRef<str>>(&mut self, element: u32, values: Option<&[Option<T>]>) {
        self.array(element, values, |bytes, value| {
            let value = value.as_ref();
            bytes.put_i32(length(value.len()));
            bytes.put_slice(value.as_bytes());
        });
    }

    fn array<T>(&mut self, element: u32, values: Option<&[Option<T>]>, put: impl Fn(&mut BytesMut, &T)) {
        let Some(values) = values else { return self.null() };
        self.sized(|bytes| {
            bytes.put_i32(i32::from(!values.is_empty()));
            bytes.put_i32(i32::from(values.iter().any(Option::is_none)));
            bytes.put_u32(element);
            if values.is_empty() {
                return;
            }
            bytes.put_i32(length(values.len()));
            // The number of the first.
            bytes.put_i32(1);
            for value in values {
                match value {
                    Some(value) => put(bytes, value),
                    None => bytes.put_i32(NULL),
                }
            }
        });
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

/// A length; nothing of ours comes near what does not fit.
fn length(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_as_the_protocol_says() {
        let mut rows = CopyRows::new();
        rows.row(5);
        rows.int(7);
        rows.null();
        rows.text("ab");
        rows.flag(true);
        rows.ints(Some(&[Some(1), None]));
        let sent: Vec<u8> = rows.into_chunks().flatten().collect();
        let mut expected = b"PGCOPY\n\xff\r\n\0".to_vec();
        expected.extend([0; 8]);
        expected.extend([
            0, 5, 0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255, 0, 0, 0, 2, b'a', b'b', 0, 0, 0, 1, 1,
        ]);
        // One dimension, NULLs in it, of int4; two elements, the first has the number 1.
        expected.extend([0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1]);
        expected.extend([0, 0, 0, 4, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255]);
        assert_eq!(sent, expected);
    }

    #[test]
    fn an_empty_array_has_no_dimension() {
        let mut rows = CopyRows::new();
        rows.texts::<&str>(25, Some(&[]));
        let sent: Vec<u8> = rows.into_chunks().flatten().skip(HEADER.len()).collect();
        assert_eq!(sent, [0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255]);
    }

    #[test]
    fn what_is_large_goes_in_pieces() {
        let mut rows = CopyRows::new();
        rows.raw(&vec![1; 3 * CHUNK_BYTES]);
        let sizes: Vec<_> = rows.into_chunks().map(|chunk| chunk.len()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), HEADER.len() + 4 + 3 * CHUNK_BYTES + 2);
        assert!(sizes.iter().all(|&size| size <= CHUNK_BYTES));
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
