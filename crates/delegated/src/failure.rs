//! Why a service did not say who provides a key, as closed names.

use std::{fmt, time::Duration};

use http::{HttpFailure, HttpFailureClass};
use kad::delegated::BadRoutingAnswer;

kad::named! {
    /// Why a service did not say who provides a key.
    pub enum RoutingFailureClass {
        /// The host's name leads nowhere.
        Name = "name",
        /// Nobody took the connection.
        Connect = "connect",
        /// The certificate is not trusted, or TLS failed.
        Tls = "tls",
        /// The time was up.
        Timeout = "timeout",
        /// The connection ended before the answer did.
        BrokenOff = "broken_off",
        /// What came is no answer.
        Malformed = "malformed",
        /// The answer is longer than what is read.
        BodyTooLong = "body_too_long",
        /// The status says that it is no answer.
        Status = "status",
        /// The service wants to be asked less.
        Throttled = "throttled",
        /// It failed again and again, and is left alone for a while.
        CircuitOpen = "circuit_open",
        /// As many requests are under way as may be.
        Full = "full",
        /// The key is no multihash, which is all that can be asked for.
        Key = "key",
    }
}

/// Why there is no answer, and what the service said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct RoutingFailure {
    /// The class.
    pub class: RoutingFailureClass,
    /// The status of the answer; `None` if no answer came, or its status is not what was wrong.
    pub status: Option<u16>,
    /// After how long the service may be asked again, if it said so in seconds (`Retry-After`); the other form of it, a date, is not read.
    pub retry_after: Option<Duration>,
}

impl RoutingFailure {
    /// An answer of a status that is none.
    pub(crate) fn of_status(status: u16, retry_after: Option<&str>) -> Self {
        let class = if status == 429 { RoutingFailureClass::Throttled } else { RoutingFailureClass::Status };
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        Self { class, status: Some(status), retry_after }
    }
}

impl From<RoutingFailureClass> for RoutingFailure {
    fn from(class: RoutingFailureClass) -> Self {
        Self { class, status: None, retry_after: None }
    }
}

impl From<&HttpFailure> for RoutingFailureClass {
    fn from(failure: &HttpFailure) -> Self {
        match failure.class() {
            HttpFailureClass::Name => Self::Name,
            HttpFailureClass::Connect => Self::Connect,
            HttpFailureClass::Tls => Self::Tls,
            HttpFailureClass::Timeout => Self::Timeout,
            HttpFailureClass::BrokenOff => Self::BrokenOff,
            HttpFailureClass::Malformed => Self::Malformed,
            HttpFailureClass::BodyTooLong => Self::BodyTooLong,
            HttpFailureClass::Status => Self::Status,
            HttpFailureClass::Busy => Self::Full,
        }
    }
}

impl From<BadRoutingAnswer> for RoutingFailureClass {
    fn from(error: BadRoutingAnswer) -> Self {
        match error {
            BadRoutingAnswer::Malformed => Self::Malformed,
            BadRoutingAnswer::TooLong => Self::BodyTooLong,
        }
    }
}

impl fmt::Display for RoutingFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class.name())?;
        if let Some(status) = self.status {
            write!(f, ": status {status}")?;
        }
        if let Some(retry_after) = self.retry_after {
            write!(f, ", to be asked again in {} s", retry_after.as_secs())?;
        }
        Ok(())
    }
}
