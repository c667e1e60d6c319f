//! Who may ask: whoever is on this machine, whoever has the token, or everybody where somebody has said so.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use axum::http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, HOST},
};
use multibase::Base;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::HttpError;

/// The fewest characters of a token: 16 of base64 are 96 bits, which nobody guesses.
pub const MIN_TOKEN_BYTES: usize = 16;

/// A secret by which those are known who may ask. Only its digest is kept, so that it is in no dump and in no log.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl Token {
    /// Takes a token as it stands in a file or a variable: blanks around it say nothing. An error if it is too short, or
    /// cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, HttpError> {
        let text = text.trim();
        if text.len() < MIN_TOKEN_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HttpError::WeakToken { bytes: text.len() });
        }
        Ok(Self(Sha256::digest(text.as_bytes()).into()))
    }

    /// Whether this is what somebody says, in a time that tells nothing of either.
    fn is(&self, said: &[u8]) -> bool {
        let said: [u8; 32] = Sha256::digest(said).into();
        self.0.ct_eq(&said).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Who may ask.
#[derive(Debug, Clone)]
pub enum Access {
    /// Whoever is on this machine; the listener is on a loopback address.
    ThisMachine,
    /// Whoever has the token.
    Bearer(Token),
    /// Everybody: somebody has said so.
    Everybody,
}

impl Access {
    /// Who may ask at an address. An error where that would be everybody, and `open` does not say so.
    pub fn at(address: SocketAddr, token: Option<Token>, open: bool) -> Result<Self, HttpError> {
        match token {
            Some(token) => Ok(Self::Bearer(token)),
            None if address.ip().to_canonical().is_loopback() => Ok(Self::ThisMachine),
            None if open => Ok(Self::Everybody),
            None => Err(HttpError::NeedsToken { address }),
        }
    }

    /// Whether a request with these headers is answered; the status that refuses it if not.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        match self {
            Self::Everybody => Ok(()),
            Self::Bearer(token) => {
                let said = headers.get(AUTHORIZATION);
                let is_said = said.and_then(bearer).is_some_and(|said| token.is(said))
                    || said.and_then(password).is_some_and(|said| token.is(&said));
                if is_said { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
            }
            // A page in a browser of this machine can ask here by a name of its own that it lets lead to loopback.
            Self::ThisMachine => match headers.get(HOST) {
                Some(host) if !names_this_machine(host) => Err(StatusCode::MISDIRECTED_REQUEST),
                _ => Ok(()),
            },
        }
    }
}

/// The credentials in a header, of the scheme Bearer. Source: RFC 6750, 2.1; the scheme's case says nothing (RFC 9110, 11.1).
fn bearer(header: &HeaderValue) -> Option<&[u8]> {
    let (scheme, said) = header.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| said.trim_ascii())
}

/// The password of the scheme Basic, whoever the user: programs that know only URLs say the token so. Source: RFC 7617, 2.
fn password(header: &HeaderValue) -> Option<Vec<u8>> {
    let (scheme, said) = header.to_str().ok()?.split_at_checked("Basic ".len())?;
    let pair = scheme.eq_ignore_ascii_case("Basic ").then(|| Base::Base64Pad.decode(said.trim()).ok())??;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

/// Whether a host is an address, or the name that every machine has for itself.
fn names_this_machine(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn headers(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn nobody_listens_to_everybody_unless_it_is_said() {
        let at = |address: &str, token: Option<&str>, open| {
            Access::at(address.parse().unwrap(), token.map(|token| Token::new(token).unwrap()), open)
        };
        assert!(matches!(at("127.0.0.1:1", None, false), Ok(Access::ThisMachine)));
        assert!(matches!(at("[::1]:1", None, false), Ok(Access::ThisMachine)));
        assert!(matches!(at("[::ffff:127.0.0.1]:1", None, true), Ok(Access::ThisMachine)));
        for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"] {
            assert!(matches!(at(address, None, false), Err(HttpError::NeedsToken { .. })), "{address}");
            assert!(matches!(at(address, None, true), Ok(Access::Everybody)), "{address}");
            assert!(matches!(at(address, Some(SECRET), false), Ok(Access::Bearer(_))), "{address}");
        }
        assert!(matches!(at("127.0.0.1:1", Some(SECRET), false), Ok(Access::Bearer(_))));
    }

    #[test]
    fn only_the_token_itself_is_let_in() {
        let access = Access::Bearer(Token::new(&format!("{SECRET}\n")).unwrap());
        for good in [format!("Bearer {SECRET}"), format!("bearer  {SECRET} ")] {
            assert_eq!(access.check(&headers(AUTHORIZATION, &good)), Ok(()), "{good}");
        }
        for wrong in ["", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", SECRET] {
            let refused = access.check(&headers(AUTHORIZATION, wrong));
            assert_eq!(refused, Err(StatusCode::UNAUTHORIZED), "{wrong}");
        }
        assert_eq!(access.check(&HeaderMap::new()), Err(StatusCode::UNAUTHORIZED));
    }

    #[test]
    fn the_token_may_be_the_password_of_any_user() {
        let access = Access::Bearer(Token::new(SECRET).unwrap());
        let basic = |text: &str| format!("Basic {}", Base::Base64Pad.encode(text));
        for good in [basic(&format!("hydra:{SECRET}")), basic(&format!(":{SECRET}"))] {
            assert_eq!(access.check(&headers(AUTHORIZATION, &good)), Ok(()), "{good}");
        }
        for wrong in [basic(SECRET), basic("hydra:"), basic(&format!("{SECRET}:x")), "Basic !".to_owned()] {
            assert!(access.check(&headers(AUTHORIZATION, &wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_can_be_guessed_is_no_token_and_none_is_shown() {
        for weak in ["", "short", "0123456789abcde", "0123456789 abcdef0", "0123456789abcdé0123"] {
            let error = Token::new(weak).unwrap_err();
            assert!(weak.is_empty() || !error.to_string().contains(weak), "{error}");
        }
        assert_eq!(format!("{:?}", Token::new(SECRET).unwrap()), "Token(..)");
    }

    #[test]
    fn pages_of_other_names_are_not_this_machine() {
        for (host, is_ours) in [
            ("127.0.0.1:9600", true),
            ("localhost", true),
            ("LocalHost:1", true),
            ("[::1]:9600", true),
            ("evil.example", false),
            ("evil.example:9600", false),
            ("localhost.evil.example", false),
            ("", false),
        ] {
            assert_eq!(Access::ThisMachine.check(&headers(HOST, host)).is_ok(), is_ours, "{host}");
        }
    }
}
