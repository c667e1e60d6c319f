//! The routes that every listener has, and those of its tool.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Access,
    bounds::HttpBounds,
    error::HttpError,
    guard::{Guard, guarded, refused},
    metrics::{METRICS_TYPE, Metrics},
    profile::{self, CAN_PROFILE},
    readiness::Readiness,
    serving::{self, TakenAddress},
};

/// What is to be heard at an address.
#[derive(Debug)]
pub struct Room {
    /// Who may ask.
    pub access: Access,
    /// What they may take.
    pub bounds: HttpBounds,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// What `/ready` says.
    pub readiness: Readiness,
    /// Whether `/debug/profile` is there; without the feature `profile` it never is.
    pub profile: bool,
    /// Routes of the tool. None of them may be one of ours.
    pub routes: Router,
    /// Those among them that show what is nobody else's business: keys, and who is connected from where. Where everybody may ask,
    /// they refuse.
    pub private_routes: Router,
    /// Whether the routes of the tool are all there is, as where another program's API is answered: what is not found there is the
    /// tool's to say as well.
    pub is_bare: bool,
}

/// What the routes of ours know.
#[derive(Debug)]
struct Shown {
    metrics: Metrics,
    readiness: Readiness,
    index: String,
}

impl Room {
    /// With these metrics, usual bounds and no routes of a tool.
    pub fn new(access: Access, readiness: Readiness, metrics: Metrics) -> Self {
        let bounds = HttpBounds::default();
        let (routes, private_routes) = (Router::new(), Router::new());
        Self { access, bounds, metrics, readiness, profile: false, routes, private_routes, is_bare: false }
    }

    /// With these routes of a tool and nothing else, within these bounds.
    pub fn bare(access: Access, routes: Router, bounds: HttpBounds) -> Self {
        let room = Self::new(access, Readiness::not_yet("nobody asks"), Metrics::default());
        Self { routes, bounds, is_bare: true, ..room }
    }

    /// Answers from now on at an address that was taken. It must be called within a runtime.
    pub fn open(self, taken: TakenAddress) -> Result<Listening, HttpError> {
        let (listener, address) = taken.listener()?;
        let (stop, bounds) = (CancellationToken::new(), self.bounds);
        let task = tokio::spawn(serving::serve(listener, self.router(), bounds, stop.clone()));
        Ok(Listening { address, stop, task })
    }

    fn router(self) -> Router {
        let private_routes = match self.access {
            Access::Everybody => self.private_routes.layer(middleware::from_fn(refused)),
            Access::ThisMachine | Access::Bearer(_) => self.private_routes,
        };
        let guard = Guard::new(self.access, &self.bounds);
        if self.is_bare {
            return self.routes.merge(private_routes).layer(middleware::from_fn_with_state(guard, guarded));
        }
        let profiles = self.profile && CAN_PROFILE;
        let profile = if profiles { profile::routes() } else { Router::new() };
        let debug = if profiles { "/debug/profile\n" } else { "" };
        let index = format!("/health\n/ready\n/metrics\n{debug}");
        let shown = Arc::new(Shown { metrics: self.metrics, readiness: self.readiness, index });
        Router::new()
            .route("/", get(index_page))
            .route("/health", get(async || "ok\n"))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics))
            .with_state(shown)
            .merge(profile)
            .merge(self.routes)
            .merge(private_routes)
            .fallback(async || (StatusCode::NOT_FOUND, "there is nothing here\n"))
            .layer(middleware::from_fn_with_state(guard, guarded))
    }
}

async fn index_page(State(shown): State<Arc<Shown>>) -> String {
    shown.index.clone()
}

async fn ready(State(shown): State<Arc<Shown>>) -> Response {
    match shown.readiness.reason() {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, METRICS_TYPE)], shown.metrics.text())
}

/// A listener that is being served.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listening {
    /// Where it listens: with the port that the system chose if none was named.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no further connection, lets those end that are under way, within the grace of the bounds, and waits for that.
    pub async fn close(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the HTTP listener did not come to its end");
        }
    }
}
