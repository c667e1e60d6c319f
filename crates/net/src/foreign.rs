//! What bytes of another protocol look like: the short text that a failure says of them. What they are is not guessed.

/// The most that is shown of a text, in bytes.
const MAX_TEXT_BYTES: usize = 60;

/// The fewest bytes that are shown as a text: fewer are read by chance.
const MIN_TEXT_BYTES: usize = 4;

/// The most that is shown of bytes that are no text.
const MAX_RAW_BYTES: usize = 8;

/// How bytes begin: the beginning of their first line if it is a text in ASCII (`SSH-2.0-OpenSSH_9.6`), else their first
/// bytes in hexadecimal.
pub(crate) fn looks_like(bytes: &[u8]) -> String {
    let is_text = |byte: &&u8| matches!(byte, b' '..=b'~');
    let text: String =
        bytes.iter().take(MAX_TEXT_BYTES).take_while(is_text).map(|&byte| char::from(byte)).collect();
    if text.len() >= MIN_TEXT_BYTES {
        return format!("`{}`", text.trim_end());
    }
    let raw = bytes.iter().take(MAX_RAW_BYTES).map(|byte| format!(" {byte:02x}"));
    format!("bytes{}", raw.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_up_to_its_end_and_bytes_in_hexadecimal() {
        for (bytes, shown) in [
            (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "`SSH-2.0-OpenSSH_9.6`"),
            (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", "`HTTP/1.1 400 Bad Request`"),
            (b"220 mail.example.org ESMTP \xff", "`220 mail.example.org ESMTP`"),
            (b"\x15\x03\x01\x00\x02\x02\x46", "bytes 15 03 01 00 02 02 46"),
            (b"ok\n", "bytes 6f 6b 0a"),
            (b"\x1b[2J\x1b[2J", "bytes 1b 5b 32 4a 1b 5b 32 4a"),
        ] {
            assert_eq!(looks_like(bytes), shown);
        }
        assert_eq!(looks_like(&[b'x'; 1000]).len(), MAX_TEXT_BYTES + 2);
    }
}
