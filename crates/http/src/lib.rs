//! What every command that stays up has: a listener for HTTP and who may ask there, metrics, health, readiness, a profile, and
//! a report of what holds memory. And, for whoever asks others over HTTP, one client ([`HttpClient`]).
//!
//! A tool hands in what it has ([`Room`]): metrics that are read when somebody asks, whether it is ready, routes of its own.
//! This crate decides nothing about peers, reads no environment and prints nothing.

mod access;
mod ask;
mod bounds;
mod client;
mod error;
mod guard;
mod lines;
mod memory;
mod metrics;
mod patience;
mod profile;
mod readiness;
mod room;
mod serving;

pub use axum;

pub use self::{
    access::{Access, MIN_TOKEN_BYTES, Token},
    ask::{HttpReply, MAX_ASK_TIME, ask, ask_within},
    bounds::HttpBounds,
    client::{
        HttpAnswer, HttpClient, HttpClientConfig, HttpFailure, HttpFailureClass, HttpIncoming, HttpRequest,
        HttpUrl, WebRoots,
    },
    error::HttpError,
    lines::{LINES_TYPE, LineWriter, NobodyReads, lines},
    memory::{Holding, HoldingRow, Holdings, MemoryReport, MemoryWatch, memory_limit, resident_bytes},
    metrics::{Distribution, Histogram, Labels, Metric, MetricKind, Metrics, process_metrics},
    profile::CAN_PROFILE,
    readiness::Readiness,
    room::{Listening, Room},
    serving::TakenAddress,
};
