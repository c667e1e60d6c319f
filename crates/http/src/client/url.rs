//! Where to ask: `http://HOST[:PORT][/PATH][?QUERY]` or the same with `https`.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::Uri;

use crate::error::HttpError;

/// Where something is asked. Shown without what stands behind a `?`, which may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUrl {
    is_https: bool,
    /// As it stands in the URL: an IPv6 address has its brackets.
    authority: String,
    host: String,
    port: u16,
    /// Begins with `/`.
    path: String,
    /// Without the `?`.
    query: Option<String>,
}

impl HttpUrl {
    /// Whether what is said is encrypted.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host: a name, or an address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, said or not.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host, and the port if the URL says one, as it stands in `Host`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path; it begins with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands behind `?`; `None` without one.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Whether nobody but this machine is at its end: an address of loopback, not a name that may lead there.
    pub fn is_loopback(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The same place with further segments behind its path, and without a query.
    pub fn below(&self, segments: &str) -> Result<Self, HttpError> {
        let path = format!("{}/{}", self.path.trim_end_matches('/'), segments.trim_start_matches('/'));
        let uri: Uri =
            path.parse().map_err(|_| HttpError::Url { why: "what is asked for cannot stand in a URL" })?;
        Ok(Self { path: uri.path().to_owned(), query: uri.query().map(str::to_owned), ..self.clone() })
    }

    /// What stands in the first line of a request.
    pub(super) fn target(&self) -> String {
        match &self.query {
            None => self.path.clone(),
            Some(query) => format!("{}?{query}", self.path),
        }
    }
}

impl FromStr for HttpUrl {
    type Err = HttpError;

    /// The errors do not have its text, which may have a password in it.
    fn from_str(text: &str) -> Result<Self, HttpError> {
        let wrong = |why| HttpError::Url { why };
        let uri: Uri = text.parse().map_err(|_| wrong("write http://HOST:PORT, or https://HOST"))?;
        let is_https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("it begins with http:// or https://")),
        };
        let authority = uri.authority().ok_or(wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it has a user or a password in it, which nobody here wants; give a token"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        Ok(Self {
            is_https,
            authority: authority.to_string(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            path: if uri.path().is_empty() { "/".to_owned() } else { uri.path().to_owned() },
            query: uri.query().map(str::to_owned),
        })
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> HttpUrl {
        text.parse().unwrap()
    }

    #[test]
    fn urls_are_read_and_secrets_never_shown() {
        let read = |text| (url(text).host().to_owned(), url(text).port(), url(text).target());
        assert_eq!(read("http://127.0.0.1:9600"), ("127.0.0.1".into(), 9600, "/".into()));
        assert_eq!(read("https://a.example/x?y=z"), ("a.example".into(), 443, "/x?y=z".into()));
        assert_eq!(read("http://[::1]/x"), ("::1".into(), 80, "/x".into()));
        assert_eq!(format!("{0} {0:?}", url("https://a/x?token=s")), "https://a/x HttpUrl(https://a/x)");
        assert!(url("http://[::1]:1").is_loopback() && !url("http://localhost").is_loopback());
        for wrong in ["", "a:1", "/x", "ftp://a", "http://", "http://a b", "http://me:hunter22hunter22@a:1"] {
            let error = wrong.parse::<HttpUrl>().expect_err(wrong);
            assert!(!error.to_string().contains("hunter22"), "{error}");
        }
    }

    #[test]
    fn a_place_has_places_below_it() {
        let below = |base: &str| url(base).below("routing/v1/x?y=z").unwrap().target();
        assert_eq!(below("https://a"), "/routing/v1/x?y=z");
        assert_eq!(below("https://a/"), "/routing/v1/x?y=z");
        assert_eq!(below("https://a/b/?c"), "/b/routing/v1/x?y=z");
        url("https://a").below("a b").unwrap_err();
    }
}
