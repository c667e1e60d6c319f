//! Varints and fields: what is read was there, and what is written is read.

use kad::protobuf::{Fields, Value, read_varint, varint_len, write_varint};

/// Reads the bytes as a varint and as a message.
pub fn check(bytes: &[u8]) {
    let mut rest = bytes;
    match read_varint(&mut rest) {
        Ok(value) => {
            let used = bytes.len() - rest.len();
            let mut written = Vec::new();
            write_varint(&mut written, value);
            assert_eq!(written.len(), varint_len(value));
            // There are longer ways to write a number, but none is shorter.
            assert!((written.len()..=10).contains(&used));
            assert_eq!(read_varint(&mut written.as_slice()), Ok(value));
        }
        Err(_) => assert_eq!(rest, bytes, "an error takes nothing"),
    }

    let mut taken = 0;
    let mut failed = false;
    for field in Fields::new(bytes) {
        assert!(!failed, "an error is the last");
        match field {
            Ok((number, value)) => {
                assert!(number > 0);
                taken += match value {
                    Value::Varint(_) | Value::Passed => 2,
                    Value::Bytes(bytes) => 2 + bytes.len(),
                };
                assert!(taken <= bytes.len(), "more was read than there is");
            }
            Err(_) => failed = true,
        }
    }
}
