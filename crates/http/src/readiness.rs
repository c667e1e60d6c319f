//! Whether a tool does what it is there for, and if not, why.

use std::{borrow::Cow, sync::Arc};

use tokio::sync::watch;

/// Whether a tool is ready. Clones are of the same tool.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<watch::Sender<Option<Cow<'static, str>>>>);

impl Readiness {
    /// Not ready yet, for a reason that is said to who asks: no secret belongs there.
    pub fn not_yet(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(watch::Sender::new(Some(reason.into()))))
    }

    /// From now on ready.
    pub fn ready(&self) {
        self.0.send_replace(None);
    }

    /// From now on not ready, for a reason.
    pub fn not_ready(&self, reason: impl Into<Cow<'static, str>>) {
        self.0.send_replace(Some(reason.into()));
    }

    /// Why it is not ready; `None` if it is.
    pub fn reason(&self) -> Option<Cow<'static, str>> {
        self.0.borrow().clone()
    }

    /// Waits until it is ready.
    pub async fn until_ready(&self) {
        // The sender is in our hands, so there is always somebody to hear from.
        drop(self.0.subscribe().wait_for(Option::is_none).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_told() {
        let readiness = Readiness::not_yet("so");
        let waits = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.until_ready().await }
        });
        assert_eq!(readiness.reason().as_deref(), Some("so"));
        readiness.ready();
        waits.await.unwrap();
        assert_eq!(readiness.reason(), None);
        readiness.not_ready("again");
        assert_eq!(readiness.reason().as_deref(), Some("again"));
    }
}
