//! Gateways over HTTP: of an address comes one request and nothing more, and an answer says the same in whatever pieces it
//! comes.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use kad::{
    Multiaddr,
    bitswap::BlockPresence,
    failure::{FailureClass, Phase},
    gateway::{Gateway, GatewayQuestion},
};
use net::read_gateway_answer;
use tokio::io::{AsyncRead, ReadBuf};

/// The most of an answer that is read here, in bytes: half of what is taken, so that the bound is not what pieces change.
const MAX_BYTES: usize = 16 * 1024;

/// The fields of a request, its first line and the empty one included.
const LINES: usize = 7;

/// Reads the bytes as an address, in its binary form or as text.
pub fn check_address(bytes: &[u8]) {
    let text = || str::from_utf8(bytes).ok()?.parse().ok();
    let Some(address) = Multiaddr::try_from(bytes.to_vec()).ok().or_else(text) else { return };
    let Some(gateway) = Gateway::of(&address) else { return };
    let question = GatewayQuestion { cid: vec![1, 0x55, 0, 1, 7], agent: "fuzz\r\n\r\nGET /".to_owned() };
    let request = gateway.request(&question);
    assert!(request.iter().all(|byte| b"\r\n ".contains(byte) || byte.is_ascii_graphic()), "{address}");
    let lines: Vec<&[u8]> = request.split(|&byte| byte == b'\n').collect();
    let [first, .., empty, end] = &lines[..] else { unreachable!("a request has lines") };
    assert!(
        lines.len() == LINES + 1 && *empty == b"\r" && end.is_empty(),
        "{address} makes more than a request"
    );
    assert!(first.split(|&byte| byte == b' ').count() == 3 && first.starts_with(b"HEAD /"), "{address}");
    assert_eq!(request.split(|&byte| byte == b'\r').count(), LINES + 1);
}

/// Reads what follows the first byte as an answer, once whole and once in pieces of the size that this byte says.
pub fn check_answer(bytes: &[u8]) {
    let Some((&size, answer)) = bytes.split_first() else { return };
    if answer.len() > MAX_BYTES {
        return;
    }
    let whole = read(answer, answer.len());
    assert_eq!(whole, read(answer, usize::from(size).max(1)), "an answer depends on its pieces");
    if let Ok(said) = whole {
        let ends = [&b"\n\r\n"[..], b"\n\n"];
        assert!(ends.iter().any(|end| answer.windows(end.len()).any(|bytes| bytes == *end)), "it has no end");
        assert!(said.is_err() || answer.starts_with(b"HTTP/1."));
    }
}

/// What an answer says, without the text of what failed.
type Read = Result<Result<BlockPresence, FailureClass>, (Phase, FailureClass)>;

fn read(answer: &[u8], step: usize) -> Read {
    let reading = pin!(read_gateway_answer(Pieces { rest: answer, step }));
    match reading.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(said) => said
            .map(|said| said.map_err(|failure| failure.class))
            .map_err(|failure| (failure.phase, failure.class)),
        Poll::Pending => unreachable!("nothing is waited for"),
    }
}

/// Bytes that come in pieces of some size, and then the end.
struct Pieces<'a> {
    rest: &'a [u8],
    step: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let size = self.step.min(room.remaining()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(size);
        room.put_slice(piece);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}
