//! Reads an answer of HTTP up to its empty line: its status, and of what type the thing is that was asked for.

use httparse::{EMPTY_HEADER, Response, Status};
use kad::{
    bitswap::BlockPresence,
    failure::{Failure, FailureClass, Phase},
    gateway::presence,
};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{failure::from_io, foreign::looks_like};

/// The longest that comes before the empty line of the answer, in bytes, hints before it included. Gateways send up to some
/// KiB of roots and policies.
const MAX_ANSWER_BYTES: usize = 32 * 1024;

/// The most fields of an answer.
const MAX_FIELDS: usize = 100;

/// The room for one read, in bytes.
const READ_BYTES: usize = 2048;

/// How each answer begins.
const BEGINNING: &[u8] = b"HTTP/1.";

/// Reads a gateway's answer as far as its empty line. An error says that it is none; one within that it tells nothing of the
/// block.
pub async fn read_answer(
    mut stream: impl AsyncRead + Unpin,
) -> Result<Result<BlockPresence, Failure>, Failure> {
    let mut came = Vec::new();
    let mut hints = 0;
    loop {
        match parse(came.get(hints..).unwrap_or_default())? {
            // What is said before the answer (RFC 9110, section 15.2).
            Some(Parsed { status: 100..200, used, .. }) => {
                hints += used;
                continue;
            }
            Some(Parsed { status, content_type, .. }) => {
                return Ok(presence(status, content_type.as_deref()));
            }
            None => {}
        }
        if came.len() >= MAX_ANSWER_BYTES {
            return Err(Failure::new(Phase::Connect, FailureClass::MessageTooLarge));
        }
        let mut room = [0; READ_BYTES];
        let read = stream.read(&mut room).await.map_err(|error| from_io(Phase::Connect, &error))?;
        if read == 0 {
            return Err(Failure::new(Phase::Connect, FailureClass::ConnectionClosed));
        }
        came.extend_from_slice(room.get(..read).unwrap_or_default());
    }
}

/// What the beginning of an answer says.
struct Parsed {
    status: u16,
    content_type: Option<Vec<u8>>,
    /// How many bytes it took.
    used: usize,
}

/// An answer up to its empty line; `None` if more is needed.
fn parse(bytes: &[u8]) -> Result<Option<Parsed>, Failure> {
    if !(BEGINNING.starts_with(bytes) || bytes.starts_with(BEGINNING)) {
        return Err(malformed(bytes));
    }
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut response = Response::new(&mut fields);
    let Status::Complete(used) = response.parse(bytes).map_err(|_| malformed(bytes))? else {
        return Ok(None);
    };
    let content_type = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-type"));
    let content_type = content_type.map(|field| field.value.to_vec());
    Ok(Some(Parsed { status: response.code.unwrap_or(0), content_type, used }))
}

fn malformed(bytes: &[u8]) -> Failure {
    Failure::with_detail(Phase::Connect, FailureClass::Malformed, &format!("not HTTP: {}", looks_like(bytes)))
}
