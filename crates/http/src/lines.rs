//! Answers of any length: lines of JSON that are made while they are read, in bounded memory.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    http::header::CONTENT_TYPE,
    response::{IntoResponse as _, Response},
};
use hyper::body::{Bytes, Frame};
use serde::Serialize;
use tokio::{
    sync::mpsc,
    time::{Sleep, sleep},
};

/// What an answer of lines of JSON says that it is. Source: `github.com/ndjson/ndjson-spec`, 2.
pub const LINES_TYPE: &str = "application/x-ndjson";

/// About how many bytes are gathered before they are handed on.
const CHUNK_BYTES: usize = 16 << 10;

/// How long the next lines may take to be made. Who waits for a store has a deadline of its own, which is shorter.
const MAX_MAKING: Duration = Duration::from_secs(60);

/// Nobody reads what is written any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NobodyReads;

/// What is handed on.
enum Part {
    Some(Bytes),
    /// All has been said. An answer without this was broken off.
    End,
}

/// Where lines are written to.
#[derive(Debug)]
pub struct LineWriter {
    gathered: Vec<u8>,
    to: mpsc::Sender<Part>,
}

impl LineWriter {
    /// Writes one line, and waits until there is room for it.
    pub async fn line(&mut self, line: &(impl Serialize + Sync)) -> Result<(), NobodyReads> {
        // Writing into memory does not fail, and what is no JSON is none of ours: it would end the answer here.
        serde_json::to_writer(&mut self.gathered, line).map_err(|_| NobodyReads)?;
        self.gathered.push(b'\n');
        if self.gathered.len() >= CHUNK_BYTES { self.hand_on().await } else { Ok(()) }
    }

    /// Says that this was all. Whoever reads an answer without this is shown that it broke off.
    pub async fn end(mut self) {
        if self.gathered.is_empty() || self.hand_on().await.is_ok() {
            drop(self.to.send(Part::End).await);
        }
    }

    async fn hand_on(&mut self) -> Result<(), NobodyReads> {
        let gathered = std::mem::replace(&mut self.gathered, Vec::with_capacity(CHUNK_BYTES + 1024));
        self.to.send(Part::Some(gathered.into())).await.map_err(|_| NobodyReads)
    }
}

/// An answer whose lines are written while it is read, and no faster. It ends with the connection; what writes is dropped then.
pub fn lines<W: Future<Output = ()> + Send + 'static>(write: impl FnOnce(LineWriter) -> W) -> Response {
    let (to, parts) = mpsc::channel(1);
    let making = Box::pin(write(LineWriter { gathered: Vec::new(), to }));
    let body = Lines { parts, making: Some(making), waits: None };
    ([(CONTENT_TYPE, LINES_TYPE)], Body::new(body)).into_response()
}

/// The body of such an answer.
struct Lines {
    parts: mpsc::Receiver<Part>,
    /// What writes; `None` once it has ended.
    making: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Ends when the next part took too long.
    waits: Option<Pin<Box<Sleep>>>,
}

/// An answer was broken off, so that who reads it sees that it is not whole.
#[derive(Debug)]
struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer broke off")
    }
}

impl std::error::Error for BrokenOff {}

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = self.get_mut();
        loop {
            match this.parts.poll_recv(cx) {
                Poll::Ready(Some(Part::Some(bytes))) => {
                    this.waits = None;
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Poll::Ready(Some(Part::End)) => return Poll::Ready(None),
                Poll::Ready(None) => return Poll::Ready(Some(Err(BrokenOff))),
                Poll::Pending => {}
            }
            // What it has sent by now wakes the receiver.
            match this.making.as_mut().map(|making| making.as_mut().poll(cx)) {
                Some(Poll::Ready(())) => this.making = None,
                Some(Poll::Pending) | None => break,
            }
        }
        match this.waits.get_or_insert_with(|| Box::pin(sleep(MAX_MAKING))).as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(BrokenOff))),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// Everything in an answer, or how it broke off.
    async fn read(response: Response) -> Result<String, axum::Error> {
        assert_eq!(response.headers()[CONTENT_TYPE], LINES_TYPE);
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8(bytes.into()).unwrap())
    }

    #[tokio::test]
    async fn lines_come_whole_and_in_order() {
        let all = lines(|mut writer| async move {
            for number in 0..50_000_u32 {
                writer.line(&number).await.unwrap();
            }
            writer.end().await;
        });
        let expected: Vec<String> = (0..50_000).map(|number| number.to_string()).collect();
        assert_eq!(read(all).await.unwrap(), expected.join("\n") + "\n");
        assert_eq!(read(lines(LineWriter::end)).await.unwrap(), "");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_whole_does_not_look_like_it() {
        let broken = lines(|mut writer| async move { writer.line(&1).await.unwrap() });
        assert!(read(broken).await.is_err());
        let stuck = lines(|mut writer| async move {
            writer.line(&1).await.unwrap();
            std::future::pending::<()>().await;
        });
        assert!(read(stuck).await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_made_before_it_is_read() {
        let made = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counts = std::sync::Arc::clone(&made);
        let endless = lines(|mut writer| async move {
            while writer.line(&"x".repeat(1000)).await.is_ok() {
                counts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
        let mut body = endless.into_body();
        for _ in 0..10 {
            body.frame().await.unwrap().unwrap();
        }
        // Ten chunks of 17 lines, one that waits, and one that is being gathered.
        let made = made.load(std::sync::atomic::Ordering::Relaxed);
        assert!((170..=204).contains(&made), "{made}");
    }
}
