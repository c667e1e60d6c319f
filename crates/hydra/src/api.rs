//! The HTTP API of hydra-booster: its routes, its keys and its values, one JSON object a line.
//!
//! Lists are written while they are read, so nothing but their last line ends them. Who is connected from where is not shown where
//! everybody may ask. Source: hydra-booster 0.7.4, `httpapi`; what differs from it stands in `docs/hydra.md`.

mod fetching;
mod lines;
mod lists;

use std::sync::{Arc, OnceLock};

use http::axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::any,
};
use kad::fabric::Member;
use tokio::sync::Semaphore;

use crate::HydraView;

/// How many lookups go on for those who ask, at a time; further ones wait.
const MAX_FETCHES: usize = 8;

/// The routes of a hydra, which answer once it is there. Clones are of the same one.
#[derive(Debug)]
pub struct HydraApi<M>(Arc<Shared<M>>);

#[derive(Debug)]
struct Shared<M> {
    view: OnceLock<HydraView<M>>,
    fetches: Semaphore,
}

impl<M> Clone for HydraApi<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Default for HydraApi<M> {
    fn default() -> Self {
        Self(Arc::new(Shared { view: OnceLock::new(), fetches: Semaphore::new(MAX_FETCHES) }))
    }
}

/// Why there is no answer, and maybe what is said to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // What is empty has no type.
        if self.1.is_empty() { self.0.into_response() } else { (self.0, self.1).into_response() }
    }
}

impl<M: Member> HydraApi<M> {
    /// From now on there is a hydra that answers, for good: a second one changes nothing.
    pub fn open(&self, view: HydraView<M>) {
        drop(self.0.view.set(view));
    }

    /// Routes for whoever may ask at all. As hydra-booster's, they take any method.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/heads", any(lists::heads::<M>))
            .route("/records/list", any(lists::records::<M>))
            .route("/records/fetch/{key}", any(fetching::fetch::<M>))
            .with_state(self.clone())
    }

    /// Routes that show who is connected, and from where.
    pub fn private_routes(&self) -> Router {
        Router::new()
            .route("/swarm/peers", any(lists::swarm::<M>))
            .route("/pstore/list", any(lists::peers::<M>))
            .with_state(self.clone())
    }

    fn view(&self) -> Result<HydraView<M>, Refusal> {
        let not_yet = Refusal(StatusCode::SERVICE_UNAVAILABLE, "the heads have not joined yet\n");
        self.0.view.get().cloned().ok_or(not_yet)
    }
}

/// The first value of a parameter of a query; empty is as none. No value that means anything here is ever escaped.
fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    let pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next().filter(|value| !value.is_empty())
}
