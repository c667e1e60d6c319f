//! A thread that receives. All datagrams of an endpoint pass through one task. Among hundreds of tasks that compute
//! handshakes it would have its turn every tenth of a second, and the socket's buffer would overflow meanwhile.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// The endpoints that a thread drives.
type Endpoints = Arc<Mutex<Vec<quinn::Endpoint>>>;

/// The thread and its runtime. When this is dropped, the thread ends with the last connection of its endpoints.
#[derive(Debug)]
pub(super) struct Receiver {
    runtime: Handle,
    endpoints: Endpoints,
    _stop: oneshot::Sender<()>,
}

impl Receiver {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let endpoints = Endpoints::default();
        let (stop, stopped) = oneshot::channel::<()>();
        let driven = Arc::clone(&endpoints);
        thread::Builder::new().name("quic".to_owned()).spawn(move || {
            runtime.block_on(async {
                // Nothing is ever sent: an error says that the other end was dropped.
                stopped.await.ok();
                let endpoints = std::mem::take(&mut *driven.lock().unwrap_or_else(PoisonError::into_inner));
                for endpoint in endpoints {
                    endpoint.wait_idle().await;
                }
            });
        })?;
        Ok(Self { runtime: handle, endpoints, _stop: stop })
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
