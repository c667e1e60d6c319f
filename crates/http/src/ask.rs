//! Asks a listener such as ours one thing, as `kadscope health` does.

use std::{convert::Infallible, net::IpAddr, time::Duration};

use axum::http::{
    Request, Uri,
    header::{AUTHORIZATION, CONNECTION, HOST},
    uri::Authority,
};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::error::HttpError;

/// How long asking may take, connecting included.
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

/// Asks for `http://HOST[:PORT][/PATH]`, or without the scheme; a path of nothing is `/health`.
pub async fn ask(url: &str, token: Option<&str>) -> Result<HttpReply, HttpError> {
    let (authority, path) = parts(url)?;
    let host = authority.to_string();
    let no_answer = |why: String| HttpError::NoAnswer { host: host.clone(), why };
    match timeout(MAX_ASK_TIME, asked(&authority, &path, token)).await {
        Ok(asked) => asked.map_err(no_answer),
        Err(_) => Err(no_answer(format!("nothing came within {} s", MAX_ASK_TIME.as_secs()))),
    }
}

/// The host and the path of a URL. The errors do not have its text, which may have a password in it.
fn parts(url: &str) -> Result<(Authority, String), HttpError> {
    let wrong = |why| HttpError::Url { why };
    let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let uri: Uri = url.parse().map_err(|_| wrong("write http://HOST:PORT, or HOST:PORT"))?;
    if uri.scheme_str() != Some("http") {
        return Err(wrong("only http:// can be asked"));
    }
    let authority = uri.authority().ok_or(wrong("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("it has a user or a password in it, which nobody here wants; give a token"));
    }
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let path = if matches!(path, "" | "/") { DEFAULT_PATH } else { path };
    Ok((authority.clone(), path.to_owned()))
}

async fn asked(authority: &Authority, path: &str, token: Option<&str>) -> Result<HttpReply, String> {
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(80);
    let stream = match name.parse::<IpAddr>() {
        Ok(ip) => TcpStream::connect((ip, port)).await,
        Err(_) => TcpStream::connect((name, port)).await,
    };
    let stream = stream.map_err(|error| error.to_string())?;
    let text = |error: &dyn std::error::Error| error.to_string();
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
    let mut request = Request::get(path).header(HOST, authority.as_str()).header(CONNECTION, "close");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.trim()));
    }
    // Without the error's own text: it could show the header.
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| "the token cannot stand in a header")?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| text(&error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|_| "its answer broke off, or is too long")?.to_bytes();
        Ok(HttpReply { status, text: String::from_utf8_lossy(&body).into_owned() })
    };
    tokio::select! {
        biased;
        answer = answer => answer,
        // The connection ends first only where no answer comes, and whoever waits for one is told.
        never = driven(connection) => match never {},
    }
}

/// Lets a connection go on, and never ends.
async fn driven(connection: impl Future) -> Infallible {
    drop(connection.await);
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_passwords_never_shown() {
        let read = |url: &str| parts(url).map(|(host, path)| (host.to_string(), path)).ok();
        let health = |host: &str| Some((host.to_owned(), "/health".to_owned()));
        assert_eq!(read("http://127.0.0.1:9600"), health("127.0.0.1:9600"));
        assert_eq!(read("127.0.0.1:9600/"), health("127.0.0.1:9600"));
        assert_eq!(read("[::1]:9600"), health("[::1]:9600"));
        assert_eq!(read("localhost:1/ready?x"), Some(("localhost:1".to_owned(), "/ready?x".to_owned())));
        for wrong in ["", "https://a", "http://", "http://a b", "http://me:hunter22hunter22@a:1"] {
            let error = parts(wrong).expect_err(wrong);
            assert!(!error.to_string().contains("hunter22"), "{error}");
        }
    }
}
