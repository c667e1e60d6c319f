//! The byte streams that a session can run on: TCP itself, or WebSocket over it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use kad::network::{Transport, WssCertificate};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::ws::WebSocket;

/// An open byte stream.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Ws(Box<WebSocket>),
}

impl Socket {
    /// The TCP connection at the bottom.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Tcp(tcp) => tcp,
            Self::Ws(ws) => ws.tcp(),
        }
    }

    /// What the server's certificate is, where that is another one than the session's.
    pub(crate) fn certificate(&self) -> Option<WssCertificate> {
        match self {
            Self::Tcp(_) => None,
            Self::Ws(ws) => ws.certificate(),
        }
    }

    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::Tcp(_) => Transport::Tcp,
            Self::Ws(ws) => ws.transport(),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, out),
            Self::Ws(ws) => ws.poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Ws(ws) => ws.poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Ws(ws) => ws.poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Ws(ws) => ws.poll_close(cx),
        }
    }
}
