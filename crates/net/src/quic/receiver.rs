//! A thread that receives. All datagrams of an endpoint pass through one task. Among hundreds of tasks that compute
//! handshakes it would have its turn every tenth of a second, and the socket's buffer would overflow meanwhile.

use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};
use tokio_util::task::TaskTracker;

/// The most threads that receive for those who listen.
const MAX_RECEIVERS: usize = 4;

/// The threads that receive for all who listen over QUIC. Each is started when it is needed.
#[derive(Debug)]
pub struct Receivers {
    threads: Box<[OnceLock<Arc<Receiver>>]>,
    turn: AtomicUsize,
}

impl Receivers {
    /// As many as there are cores, and not many.
    pub fn new() -> Self {
        let count = thread::available_parallelism().map_or(1, usize::from).min(MAX_RECEIVERS);
        Self { threads: (0..count).map(|_| OnceLock::new()).collect(), turn: AtomicUsize::new(0) }
    }

    /// The thread whose turn it is.
    pub(crate) fn next(&self) -> io::Result<Arc<Receiver>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.threads.len();
        let thread = self.threads.get(turn).ok_or(io::ErrorKind::NotFound)?;
        if let Some(receiver) = thread.get() {
            return Ok(Arc::clone(receiver));
        }
        // Of two that are the first at the same time, one starts a thread for nothing.
        let receiver = Arc::new(Receiver::start()?);
        Ok(Arc::clone(thread.get_or_init(|| receiver)))
    }
}

impl Default for Receivers {
    fn default() -> Self {
        Self::new()
    }
}

/// The endpoints that a thread drives.
type Endpoints = Arc<Mutex<Vec<quinn::Endpoint>>>;

/// The thread and its runtime. When this is dropped, the thread ends with the last connection of its endpoints.
#[derive(Debug)]
pub(crate) struct Receiver {
    runtime: Handle,
    endpoints: Endpoints,
    /// What is waited for of endpoints that are gone.
    closing: TaskTracker,
    _stop: oneshot::Sender<()>,
}

impl Receiver {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let endpoints = Endpoints::default();
        let (stop, stopped) = oneshot::channel::<()>();
        let (driven, closing) = (Arc::clone(&endpoints), TaskTracker::new());
        let last = closing.clone();
        thread::Builder::new().name("quic".to_owned()).spawn(move || {
            runtime.block_on(async {
                // Nothing is ever sent: an error says that the other end was dropped.
                stopped.await.ok();
                let endpoints = std::mem::take(&mut *driven.lock().unwrap_or_else(PoisonError::into_inner));
                for endpoint in endpoints {
                    endpoint.wait_idle().await;
                }
                last.close();
                last.wait().await;
            });
        })?;
        Ok(Self { runtime: handle, endpoints, closing, _stop: stop })
    }

    /// Its runtime, for tasks that end before it.
    pub(crate) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Opens what the thread's reactor is to drive.
    pub(crate) fn enter<T>(&self, open: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.enter();
        open()
    }

    /// Drives an endpoint that nobody listens at any more until its last connection has said goodbye.
    pub(super) fn close(&self, endpoint: quinn::Endpoint) {
        self.closing.spawn_on(async move { endpoint.wait_idle().await }, &self.runtime);
    }

    /// Opens an endpoint; the thread drives it, and all that is spawned meanwhile.
    pub(super) fn drive<T>(
        &self,
        open: impl FnOnce() -> io::Result<(quinn::Endpoint, T)>,
    ) -> io::Result<(quinn::Endpoint, T)> {
        let _entered = self.runtime.enter();
        let (endpoint, rest) = open()?;
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).push(endpoint.clone());
        Ok((endpoint, rest))
    }
}
