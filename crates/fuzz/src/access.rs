//! Who may ask by HTTP: nobody is let in without the token, and no page of another name is this machine.

use http::{
    Access, Token,
    axum::http::{
        HeaderMap, HeaderValue,
        header::{AUTHORIZATION, HOST},
    },
};

const SECRET: &str = "0123456789abcdef";

/// Reads the bytes as what a request says in `Authorization`, and as what it says in `Host`.
pub fn check(bytes: &[u8]) {
    let Ok(said) = HeaderValue::from_bytes(bytes) else { return };
    let Ok(token) = Token::new(SECRET) else { unreachable!("a constant") };
    let headers = |name| HeaderMap::from_iter([(name, said.clone())]);
    let credentials = bytes.trim_ascii().strip_suffix(SECRET.as_bytes());
    if Access::Bearer(token).check(&headers(AUTHORIZATION)).is_ok() {
        let scheme = credentials.map(<[u8]>::trim_ascii);
        assert!(
            scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer")),
            "let in without the token"
        );
    }
    if Access::ThisMachine.check(&headers(HOST)).is_ok() {
        assert!(is_address(bytes) || is_localhost(bytes), "a page of another name is let in");
    }
    assert!(Access::Everybody.check(&headers(HOST)).is_ok());
}

/// Whether nothing stands there that no address has: a name would have other letters, or end in a dot.
fn is_address(host: &[u8]) -> bool {
    host.iter().all(|byte| byte.is_ascii_hexdigit() || b".:[]".contains(byte))
        && (host.contains(&b':') || host.split(|&byte| byte == b'.').count() == 4)
}

fn is_localhost(host: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    let behind = host.strip_prefix(b"localhost").or_else(|| host.strip_prefix(b"[localhost]"));
    behind.is_some_and(|port| {
        port.iter().enumerate().all(|(at, byte)| match at {
            0 => *byte == b':',
            _ => byte.is_ascii_digit(),
        })
    })
}
