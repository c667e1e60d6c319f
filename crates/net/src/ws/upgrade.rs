//! The upgrade of a connection that we opened from HTTP to `WebSocket`: the request, and what an answer must say.
//!
//! The fields of the answer are lists of tokens, so a proxy that answers `Connection: keep-alive, Upgrade` has agreed. Who
//! does not speak HTTP is known by the first wrong byte. Source: RFC 6455, section 4.1; RFC 9110, section 5.6.1.

use httparse::{EMPTY_HEADER, Header, Status};
use kad::failure::{Failure, FailureClass, Phase};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        client::IntoClientRequest,
        handshake::{client::generate_request, derive_accept_key},
        protocol::Role,
    },
};

use super::{config, failure};
use crate::{failure::from_io, foreign::looks_like};

/// How each answer begins; other versions know no upgrade.
const BEGINNING: &[u8] = b"HTTP/1.1 ";

/// The longest answer up to its empty line, in bytes.
const MAX_ANSWER_BYTES: usize = 8 * 1024;

/// The most fields of an answer.
const MAX_FIELDS: usize = 64;

/// The room for one read, in bytes.
const READ_BYTES: usize = 1024;

/// The status of an answer that agrees.
const SWITCHING_PROTOCOLS: u16 = 101;

/// Asks for an upgrade, and waits for the answer.
pub(super) async fn upgrade<S>(uri: String, mut stream: S) -> Result<WebSocketStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = uri.into_client_request().and_then(generate_request);
    let (request, key) = request.map_err(|error| failure(&error))?;
    let io = |error| from_io(Phase::Connect, &error);
    stream.write_all(&request).await.map_err(io)?;
    stream.flush().await.map_err(io)?;
    let mut answer = Vec::new();
    let used = loop {
        if let Some(used) = agreed(&answer, &key)? {
            break used;
        }
        let mut room = [0; READ_BYTES];
        let read = stream.read(&mut room).await.map_err(io)?;
        if read == 0 {
            return Err(Failure::new(Phase::Connect, FailureClass::ConnectionClosed));
        }
        answer.extend_from_slice(room.get(..read).unwrap_or_default());
    };
    let rest = answer.split_off(used);
    Ok(WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config())).await)
}

/// How many bytes an answer has that agrees; `None` if more is needed.
fn agreed(answer: &[u8], key: &str) -> Result<Option<usize>, Failure> {
    if !(BEGINNING.starts_with(answer) || answer.starts_with(BEGINNING)) {
        return Err(malformed(&format!("not HTTP: {}", looks_like(answer))));
    }
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    match parsed.parse(answer) {
        Err(_) => Err(malformed(&format!("not an answer of HTTP: {}", looks_like(answer)))),
        Ok(Status::Partial) if answer.len() > MAX_ANSWER_BYTES => {
            Err(Failure::new(Phase::Connect, FailureClass::MessageTooLarge))
        }
        Ok(Status::Partial) => Ok(None),
        Ok(Status::Complete(used)) => {
            check(parsed.code.unwrap_or(0), parsed.headers, key).map(|()| Some(used))
        }
    }
}

/// Whether a whole answer agrees to what was asked for.
fn check(status: u16, fields: &[Header<'_>], key: &str) -> Result<(), Failure> {
    if status != SWITCHING_PROTOCOLS {
        let text = format!("websocket: status {status}");
        return Err(Failure::with_detail(Phase::Connect, FailureClass::ProtocolNotSupported, &text));
    }
    let accept = derive_accept_key(key.as_bytes());
    if !has_token(fields, "upgrade", "websocket") {
        return Err(malformed("an answer that upgrades to something else"));
    }
    if !has_token(fields, "connection", "upgrade") {
        return Err(malformed("an answer that does not upgrade its connection"));
    }
    if !values(fields, "sec-websocket-accept").any(|value| value.trim_ascii() == accept.as_bytes()) {
        return Err(malformed("an answer to another request"));
    }
    if values(fields, "sec-websocket-protocol").next().is_some() {
        return Err(malformed("a protocol that was not asked for"));
    }
    Ok(())
}

/// The values of all fields of that name.
fn values<'a>(fields: &'a [Header<'_>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

/// Whether the lists in the fields of that name hold a token.
fn has_token(fields: &[Header<'_>], name: &str, token: &str) -> bool {
    values(fields, name)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

fn malformed(what: &str) -> Failure {
    Failure::with_detail(Phase::Connect, FailureClass::Malformed, &format!("websocket: {what}"))
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What comes of an upgrade that is answered so, `step` bytes at a time; `KEY` stands for what the key leads to.
    async fn answered(answer: &str, step: usize) -> Result<(), Failure> {
        let (ours, mut theirs) = duplex(64 * 1024);
        let serve = async {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(theirs.read_u8().await.unwrap());
            }
            let request = String::from_utf8(request).unwrap();
            let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
            let answer = answer.replace("KEY", &derive_accept_key(key.as_bytes()));
            for piece in answer.as_bytes().chunks(step) {
                // The other side may have heard enough.
                theirs.write_all(piece).await.ok();
                tokio::task::yield_now().await;
            }
            theirs
        };
        let (upgraded, _theirs) = tokio::join!(upgrade("ws://127.0.0.1:1/".to_owned(), ours), serve);
        upgraded.map(drop)
    }

    fn with(fields: &str) -> String {
        format!("HTTP/1.1 101 Switching Protocols\r\n{fields}Sec-WebSocket-Accept: KEY\r\n\r\n")
    }

    #[tokio::test]
    async fn the_fields_only_have_to_contain_the_token() {
        for fields in [
            "Connection: Upgrade\r\nUpgrade: websocket\r\n",
            "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
            "connection: keep-alive,upgrade\r\nupgrade: WebSocket\r\n",
            "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n",
            "Upgrade: websocket\r\nConnection:  Upgrade , close \r\n",
        ] {
            for step in [1, 7, 10_000] {
                assert_eq!(answered(&with(fields), step).await, Ok(()), "{fields}");
            }
        }
    }

    #[tokio::test]
    async fn what_does_not_agree_is_told_apart() {
        let said = |what: &str| malformed(what);
        for (answer, expected) in [
            (
                with("Connection: keep-alive\r\nUpgrade: websocket\r\n"),
                said("an answer that does not upgrade its connection"),
            ),
            (
                with("Connection: Upgrades\r\nUpgrade: websocket\r\n"),
                said("an answer that does not upgrade its connection"),
            ),
            (
                with("Connection: Upgrade\r\nUpgrade: h2c\r\n"),
                said("an answer that upgrades to something else"),
            ),
            (
                with("Connection: Upgrade\r\nUpgrade: websocket\r\n").replace("KEY", "x"),
                said("an answer to another request"),
            ),
            (
                with("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\n"),
                said("a protocol that was not asked for"),
            ),
            (
                "HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n".to_owned(),
                Failure::with_detail(
                    Phase::Connect,
                    FailureClass::ProtocolNotSupported,
                    "websocket: status 404",
                ),
            ),
            ("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), said("not HTTP: `SSH-2.0-OpenSSH_9.6`")),
            ("\u{13}/multistream/1.0.0\n".to_owned(), said("not HTTP: bytes 13 2f 6d 75 6c 74 69 73")),
            ("HTTP/1.0 101 x\r\n\r\n".to_owned(), said("not HTTP: `HTTP/1.0 101 x`")),
            ("HTTP/1.1 abc\r\n\r\n".to_owned(), said("not an answer of HTTP: `HTTP/1.1 abc`")),
            (
                with(&format!("X: {}\r\n", "x".repeat(2 * MAX_ANSWER_BYTES))),
                Failure::new(Phase::Connect, FailureClass::MessageTooLarge),
            ),
        ] {
            assert_eq!(answered(&answer, 10_000).await, Err(expected), "{answer:.60}");
        }
    }
}
