//! The dials under way on one socket, and what the network says of their addresses.

use std::{
    collections::{HashMap, hash_map::Entry},
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use kad::failure::{Failure, FailureClass, Phase};
use tokio::sync::oneshot;

use crate::failure::from_io;

/// What ends a dial at once. Other errors may pass, and QUIC sends again.
const FATAL: [FailureClass; 5] = [
    FailureClass::ConnectionRefused,
    FailureClass::NetworkUnreachable,
    FailureClass::HostUnreachable,
    FailureClass::HostDown,
    FailureClass::PermissionDenied,
];

/// The dials under way on one socket.
#[derive(Debug, Default)]
pub(super) struct Dials(
    Mutex<HashMap<SocketAddr, Vec<oneshot::Sender<Failure>>, foldhash::fast::RandomState>>,
);

impl Dials {
    /// Reports errors about that address until the watch is dropped.
    pub(super) fn watch(&self, addr: SocketAddr) -> Watch<'_> {
        let (report, failure) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(addr).or_default().push(report);
        Watch { dials: self, addr, failure }
    }

    /// Tells those who dial an address of an error there, if it is one that ends a dial.
    pub(super) fn report(&self, addr: SocketAddr, error: &io::Error) {
        let failure = from_io(Phase::Connect, error);
        if !FATAL.contains(&failure.class) {
            return;
        }
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&addr);
        for dial in waiting.unwrap_or_default() {
            // A dial that has just ended needs no report.
            dial.send(failure.clone()).ok();
        }
    }
}

/// Hears what the network says of one address.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    dials: &'a Dials,
    addr: SocketAddr,
    failure: oneshot::Receiver<Failure>,
}

impl Watch<'_> {
    /// Why no answer will come, when that is known. Not to be polled again after that.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        match Pin::new(&mut self.failure).poll(cx) {
            Poll::Ready(Ok(failure)) => Poll::Ready(failure),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.failure.close();
        let mut dials = self.dials.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = dials.entry(self.addr) {
            entry.get_mut().retain(|dial| !dial.is_closed());
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }
}
