//! Asks a listener such as ours one thing, as `kadscope health` does.

use std::time::Duration;

use crate::{
    client::{HttpClient, HttpClientConfig, HttpRequest, HttpUrl},
    error::HttpError,
};

/// How long asking may take where nobody says otherwise.
pub const MAX_ASK_TIME: Duration = Duration::from_secs(5);

/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What is asked if a URL names nothing.
const DEFAULT_PATH: &str = "/health";

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The status, 200 for instance.
    pub status: u16,
    /// What stands in the body, as far as it is text.
    pub text: String,
}

impl HttpReply {
    /// Whether all is well.
    pub fn is_well(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Asks for `http://HOST[:PORT][/PATH]`, or without the scheme; a path of nothing is `/health`. It takes at most [`MAX_ASK_TIME`].
pub async fn ask(url: &str, token: Option<&str>) -> Result<HttpReply, HttpError> {
    ask_within(url, token, MAX_ASK_TIME).await
}

/// Asks likewise, in a time of its own, connecting included.
pub async fn ask_within(url: &str, token: Option<&str>, within: Duration) -> Result<HttpReply, HttpError> {
    let url = place(url)?;
    let host = url.authority().to_owned();
    let client = HttpClient::new(HttpClientConfig {
        connect_time: within,
        request_time: within,
        max_body_bytes: MAX_ANSWER_BYTES,
        connections_per_host: 1,
        ..HttpClientConfig::default()
    })?;
    let mut request = HttpRequest::get(url).header("connection", "close")?;
    if let Some(token) = token {
        request = request.bearer(token)?;
    }
    match client.send(request).await {
        Ok(answer) => Ok(HttpReply { status: answer.status, text: answer.text() }),
        Err(failure) => Err(HttpError::NoAnswer { host, failure }),
    }
}

/// Where to ask. The errors do not have its text, which may have a password in it.
fn place(url: &str) -> Result<HttpUrl, HttpError> {
    let url = if url.contains("://") { url.parse() } else { format!("http://{url}").parse() };
    let url: HttpUrl = url?;
    if url.is_https() {
        return Err(HttpError::Url { why: "a listener of ours has no TLS: only http:// can be asked" });
    }
    if url.path() == "/" { url.below(DEFAULT_PATH) } else { Ok(url) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_passwords_never_shown() {
        let read = |url: &str| place(url).map(|url| url.to_string()).ok();
        let health = |host: &str| Some(format!("http://{host}/health"));
        assert_eq!(read("http://127.0.0.1:9600"), health("127.0.0.1:9600"));
        assert_eq!(read("127.0.0.1:9600/"), health("127.0.0.1:9600"));
        assert_eq!(read("[::1]:9600"), health("[::1]:9600"));
        assert_eq!(read("localhost:1/ready?x"), Some("http://localhost:1/ready".to_owned()));
        for wrong in ["", "https://a", "http://", "http://a b", "http://me:hunter22hunter22@a:1"] {
            let error = place(wrong).expect_err(wrong);
            assert!(!error.to_string().contains("hunter22"), "{error}");
        }
    }
}
