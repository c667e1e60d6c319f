//! Why no answer came, as closed names.

use std::{error::Error, fmt};

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HttpFailureClass {
    /// The name of the host leads nowhere.
    Name,
    /// Nobody took the connection.
    Connect,
    /// The certificate is not trusted, or the other side speaks no TLS that we do.
    Tls,
    /// The time was up.
    Timeout,
    /// The connection ended before the answer did.
    BrokenOff,
    /// What came is no HTTP, or not what was agreed on.
    Malformed,
    /// The body is longer than what is read.
    BodyTooLong,
    /// The answer came, and its status says that it is not what was asked for.
    Status,
    /// More hosts are asked at once than connections are kept to.
    Busy,
}

impl HttpFailureClass {
    /// Every class, in the order of declaration.
    pub const ALL: &'static [Self] = &[
        Self::Name,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::BrokenOff,
        Self::Malformed,
        Self::BodyTooLong,
        Self::Status,
        Self::Busy,
    ];

    /// Its stable name, as metrics have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::BrokenOff => "broken_off",
            Self::Malformed => "malformed",
            Self::BodyTooLong => "body_too_long",
            Self::Status => "status",
            Self::Busy => "busy",
        }
    }
}

/// Why there is no answer. Its text has neither headers nor what stands behind a `?` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpFailure {
    class: HttpFailureClass,
    why: String,
}

impl HttpFailure {
    /// One of this class, and in words what the class does not say.
    pub fn new(class: HttpFailureClass, why: impl Into<String>) -> Self {
        Self { class, why: why.into() }
    }

    /// Its class.
    pub fn class(&self) -> HttpFailureClass {
        self.class
    }

    pub(super) fn timeout(why: &str) -> Self {
        Self::new(HttpFailureClass::Timeout, why)
    }

    /// What hyper says about an exchange that was under way.
    pub(super) fn of_exchange(error: &hyper::Error) -> Self {
        let class = if error.is_parse() || error.is_user() {
            HttpFailureClass::Malformed
        } else if error.is_timeout() {
            HttpFailureClass::Timeout
        } else {
            HttpFailureClass::BrokenOff
        };
        Self::new(class, error.to_string())
    }
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.name(), self.why)
    }
}

impl Error for HttpFailure {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_class_has_a_name_of_its_own() {
        let names: HashSet<_> = HttpFailureClass::ALL.iter().map(|class| class.name()).collect();
        assert_eq!(names.len(), HttpFailureClass::ALL.len());
    }
}
