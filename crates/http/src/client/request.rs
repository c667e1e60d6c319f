//! What is asked.

use std::{fmt, time::Duration};

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request,
    header::{AUTHORIZATION, HOST, USER_AGENT},
};
use http_body_util::Full;
use hyper::body::Bytes;

use super::{
    failure::{HttpFailure, HttpFailureClass},
    url::HttpUrl,
};
use crate::error::HttpError;

/// A request. Its headers and its body are never shown.
#[derive(Clone)]
pub struct HttpRequest {
    method: Method,
    url: HttpUrl,
    headers: HeaderMap,
    body: Bytes,
    is_idempotent: bool,
    pub(super) time: Option<Duration>,
    pub(super) max_body_bytes: Option<usize>,
}

impl HttpRequest {
    /// Asks for what is there.
    pub fn get(url: HttpUrl) -> Self {
        Self::new(Method::GET, url, Bytes::new())
    }

    /// Hands something in.
    pub fn post(url: HttpUrl, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, url, body.into())
    }

    /// Puts something there.
    pub fn put(url: HttpUrl, body: impl Into<Bytes>) -> Self {
        Self::new(Method::PUT, url, body.into())
    }

    fn new(method: Method, url: HttpUrl, body: Bytes) -> Self {
        let is_idempotent = method.is_idempotent();
        Self { method, url, headers: HeaderMap::new(), body, is_idempotent, time: None, max_body_bytes: None }
    }

    /// With a header more, or with another value of one that is there. The error does not have the value's text.
    pub fn header(mut self, name: &'static str, value: &str) -> Result<Self, HttpError> {
        let wrong = |_| HttpError::Header { name };
        let mut value = HeaderValue::from_str(value).map_err(wrong)?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HttpError::Header { name })?;
        drop(self.headers.insert(name, value));
        Ok(self)
    }

    /// With a token that says who asks.
    pub fn bearer(self, token: &str) -> Result<Self, HttpError> {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {}", token.trim()))
    }

    /// Asking twice does no more than asking once, although it is a POST: it is asked again if a kept connection was lost.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.is_idempotent = true;
        self
    }

    /// With a time of its own instead of the client's, from asking to the last byte of the answer.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// With a bound of its own for the body of the answer instead of the client's, in bytes.
    #[must_use]
    pub fn at_most(mut self, max_body_bytes: usize) -> Self {
        self.max_body_bytes = Some(max_body_bytes);
        self
    }

    /// Where it is asked.
    pub fn url(&self) -> &HttpUrl {
        &self.url
    }

    pub(super) fn is_idempotent(&self) -> bool {
        self.is_idempotent
    }

    pub(super) fn encoded(&self, agent: &str) -> Result<Request<Full<Bytes>>, HttpFailure> {
        let request = Request::builder()
            .method(self.method.clone())
            .uri(self.url.target())
            .header(HOST, self.url.authority())
            .header(USER_AGENT, agent)
            .body(Full::new(self.body.clone()));
        // Without the error's own text: it could show a header.
        let malformed = |_| HttpFailure::new(HttpFailureClass::Malformed, "this cannot be asked");
        let mut request = request.map_err(malformed)?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_never_shown() {
        let url: HttpUrl = "http://a/x?key=hunter22".parse().unwrap();
        let request = HttpRequest::post(url, "hunter22").bearer("hunter22").unwrap();
        assert!(!format!("{request:?}").contains("hunter22"), "{request:?}");
        assert!(!format!("{:?}", request.encoded("a").unwrap().headers()).contains("hunter22"));
        let error = request.header("x-key", "hunter22\n").unwrap_err().to_string();
        assert!(error.contains("x-key") && !error.contains("hunter22"), "{error}");
    }
}
