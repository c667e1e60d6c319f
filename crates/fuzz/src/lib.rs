//! What must hold of every decoder, whatever the bytes: a function for each, listed in [`TARGETS`].
//!
//! The drivers in `fuzz/fuzz_targets` hand these functions to a fuzzer; `tests/replay.rs` calls them with the corpus and
//! with random bytes, so that what a fuzzer once found stays found. A function that returns has found nothing.

#![expect(clippy::missing_panics_doc, reason = "a panic is how a finding is told")]

pub mod access;
pub mod address;
pub mod admission;
pub mod advertisement;
pub mod autonat;
#[cfg(feature = "dynamodb")]
pub mod aws_credentials;
pub mod belly_row;
pub mod bitswap;
pub mod certificate;
#[cfg(feature = "dynamodb")]
pub mod dynamo_item;
pub mod event_log;
pub mod exchange;
pub mod gateway;
pub mod identify;
pub mod kad_answer;
pub mod kad_message;
pub mod lookup;
#[cfg(feature = "postgres")]
pub mod measured;
pub mod name_query;
pub mod opt_out;
#[cfg(feature = "postgres")]
pub mod password_line;
pub mod perf_answer;
pub mod protobuf;
pub mod routing_answer;
pub mod routing_table;
pub mod scenario;
pub mod session;
#[cfg(feature = "postgres")]
pub mod spilled;
pub mod store_file;
pub mod store_url;
pub mod value;
pub mod written_key;

/// A function that panics if something does not hold of these bytes.
pub type FuzzTarget = fn(&[u8]);

/// Every target by the name of its driver and of its corpus.
pub const TARGETS: &[(&str, FuzzTarget)] = &[
    ("access", access::check),
    ("address", address::check),
    ("admission", admission::check),
    ("advertisement", advertisement::check),
    ("autonat", autonat::check),
    #[cfg(feature = "dynamodb")]
    ("aws_credentials", aws_credentials::check),
    ("belly_row", belly_row::check),
    ("bitswap", bitswap::check),
    ("certificate", certificate::check),
    #[cfg(feature = "dynamodb")]
    ("dynamo_item", dynamo_item::check),
    ("event_log", event_log::check),
    ("exchange", exchange::check),
    ("gateway_address", gateway::check_address),
    ("gateway_answer", gateway::check_answer),
    ("identify", identify::check),
    ("kad_answer", kad_answer::check),
    ("kad_message", kad_message::check),
    ("lookup", lookup::check),
    #[cfg(feature = "postgres")]
    ("measured", measured::check),
    ("name_query", name_query::check),
    ("opt_out", opt_out::check),
    #[cfg(feature = "postgres")]
    ("password_line", password_line::check),
    ("perf_answer", perf_answer::check),
    ("protobuf", protobuf::check),
    ("routing_answer", routing_answer::check),
    ("routing_table", routing_table::check),
    ("scenario", scenario::check),
    ("session_dialer", session::raw::check_dialer),
    ("session_listener", session::raw::check_listener),
    ("session_pair", session::pair::check),
    ("session_secured_dialer", session::secured::check_dialer),
    ("session_secured_listener", session::secured::check_listener),
    ("session_secured_tls_dialer", session::secured::check_tls_dialer),
    ("session_tls_dialer", session::raw::check_tls_dialer),
    #[cfg(feature = "postgres")]
    ("spilled", spilled::check),
    ("store_file", store_file::check),
    ("store_url", store_url::check),
    ("value", value::check),
    ("written_key", written_key::check),
];
