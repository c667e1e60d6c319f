//! How a tool stands, as those are told who ask by HTTP, and systemd.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::Readiness;

use crate::systemd::Notifier;

/// How a tool stands. Clones are of the same tool.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    readiness: Readiness,
    systemd: Arc<Notifier>,
    is_ending: Arc<AtomicBool>,
}

impl Standing {
    /// Not ready yet, for a reason. systemd is told where the environment says.
    pub(super) fn not_yet(reason: &'static str) -> Self {
        Self::with(reason, Notifier::of_environment())
    }

    /// Of a tool of which nobody wants to know.
    pub(super) fn of_nobody() -> Self {
        Self::with("nobody asks", Notifier::default())
    }

    fn with(reason: &'static str, systemd: Notifier) -> Self {
        Self { readiness: Readiness::not_yet(reason), systemd: Arc::new(systemd), is_ending: Arc::default() }
    }

    /// What is answered to who asks.
    pub(super) fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// From now on it does what it is there for, unless it ends already.
    pub(super) fn ready(&self) {
        if !self.is_ending.load(Ordering::Relaxed) {
            self.readiness.ready();
            self.systemd.ready();
        }
    }

    /// It does it no longer, and will end. That is said once.
    pub(super) fn ending(&self) {
        if !self.is_ending.swap(true, Ordering::Relaxed) {
            self.readiness.not_ready("it is ending");
            self.systemd.stopping();
        }
    }

    /// Says again and again that the program lives, if systemd wants to hear that.
    pub(super) async fn keep_alive(&self) {
        self.systemd.keep_alive().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_not_ready_again() {
        let standing = Standing::of_nobody();
        standing.ready();
        assert_eq!(standing.readiness().reason(), None);
        standing.ending();
        standing.ready();
        assert_eq!(standing.readiness().reason().as_deref(), Some("it is ending"));
    }
}
