//! Serves a chain of advertisements over HTTP, and notes when a block is asked for.
//!
//! Source: go-libipni 0.7.8, `dagsync/ipnisync`: below `/ipni/v1/ad/`, and without that for indexers that ask as they did before.

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{
    Access, HttpError, Listening, Metrics, Readiness, Room, TakenAddress,
    axum::{
        Router,
        extract::{Path, State},
        http::{
            StatusCode,
            header::{CACHE_CONTROL, CONTENT_TYPE},
        },
        response::{IntoResponse as _, Response},
        routing::get,
    },
};
use tokio::{sync::watch, time::Instant};

use super::{block::BlockCid, chain::AdvertisementChain};

/// Blocks never change. Source: index-provider's publisher.
const FOR_EVER: &str = "public, max-age=29030400, immutable";

/// What is served, and who waits for what to be asked for.
struct Served {
    chain: Mutex<AdvertisementChain>,
    /// When it was first asked for; `None` before. As many as somebody waits for.
    watched: Mutex<HashMap<BlockCid, Option<Instant>>>,
    /// Counts up when one of them is asked for.
    asked: watch::Sender<u64>,
}

/// A publisher that listens.
pub(super) struct Publisher {
    served: Arc<Served>,
    address: SocketAddr,
    /// `None` once it is closed.
    listening: Mutex<Option<Listening>>,
}

/// A block that somebody waits for to be asked for, from when it could be.
pub(super) struct WatchedBlock {
    served: Arc<Served>,
    cid: BlockCid,
}

impl Publisher {
    /// Serves a chain to everybody who reaches this address.
    pub(super) fn open(chain: AdvertisementChain, listen: SocketAddr) -> Result<Self, HttpError> {
        let served = Arc::new(Served {
            chain: Mutex::new(chain),
            watched: Mutex::default(),
            asked: watch::Sender::default(),
        });
        let readiness = Readiness::not_yet("");
        readiness.ready();
        // What is advertised is for everybody.
        let mut room = Room::new(Access::Everybody, readiness, Metrics::default());
        room.routes = routes(Arc::clone(&served));
        let listening = room.open(TakenAddress::bind(listen)?)?;
        Ok(Self { served, address: listening.address(), listening: Mutex::new(Some(listening)) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the chain; what is said of blocks to be watched is watched before anybody can ask for it.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut AdvertisementChain) -> T,
        blocks: impl FnOnce(&T) -> Vec<BlockCid>,
    ) -> (T, Vec<WatchedBlock>) {
        let mut chain = self.served.chain();
        let changed = change(&mut chain);
        let watched = blocks(&changed).into_iter().map(|cid| WatchedBlock::new(&self.served, cid)).collect();
        drop(chain);
        (changed, watched)
    }

    /// Looks at the chain.
    pub(super) fn look<T>(&self, look: impl FnOnce(&AdvertisementChain) -> T) -> T {
        look(&self.served.chain())
    }

    /// Listens no more.
    pub(super) async fn close(&self) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listening) = listening {
            listening.close().await;
        }
    }
}

impl WatchedBlock {
    fn new(served: &Arc<Served>, cid: BlockCid) -> Self {
        served.watched().insert(cid.clone(), None);
        Self { served: Arc::clone(served), cid }
    }

    /// When it was first asked for; waits until it is.
    pub(super) async fn asked(&self) -> Instant {
        let mut changes = self.served.asked.subscribe();
        loop {
            if let Some(asked) = self.served.watched().get(&self.cid).copied().flatten() {
                return asked;
            }
            // The sender is in our hands.
            drop(changes.changed().await);
        }
    }

    /// Whether it was asked for.
    pub(super) fn was_asked(&self) -> bool {
        self.served.watched().get(&self.cid).is_some_and(Option::is_some)
    }
}

impl Drop for WatchedBlock {
    fn drop(&mut self) {
        self.served.watched().remove(&self.cid);
    }
}

impl Served {
    fn chain(&self) -> MutexGuard<'_, AdvertisementChain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<BlockCid, Option<Instant>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, cid: &BlockCid) {
        if let Some(first) = self.watched().get_mut(cid)
            && first.is_none()
        {
            *first = Some(Instant::now());
            self.asked.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

fn routes(served: Arc<Served>) -> Router {
    Router::new()
        .route("/ipni/v1/ad/head", get(head))
        .route("/ipni/v1/ad/{cid}", get(block))
        .route("/head", get(head))
        .route("/{cid}", get(block))
        .with_state(served)
}

async fn head(State(served): State<Arc<Served>>) -> Response {
    let Some(signed) = served.chain().head().map(|(_, signed)| signed) else {
        return StatusCode::NO_CONTENT.into_response();
    };
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], signed.to_vec()).into_response()
}

async fn block(State(served): State<Arc<Served>>, Path(cid): Path<String>) -> Response {
    let Ok(cid) = cid.parse::<BlockCid>() else {
        return (StatusCode::BAD_REQUEST, "invalid request: not a cid\n").into_response();
    };
    let Some(block) = served.chain().block(&cid) else {
        return (StatusCode::NOT_FOUND, "cid not found\n").into_response();
    };
    served.note(&cid);
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, FOR_EVER)], block.to_vec()).into_response()
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("address", &self.address()).finish_non_exhaustive()
    }
}
