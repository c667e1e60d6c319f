//! What brings into the database what waits for it.

use super::{batch::Load, login::Login};
use crate::Totals;

/// A connection that brings what one sender sends: each load whole or not at all, and once, however often it is brought.
pub(crate) trait Carrier: Sized + Send + 'static {
    /// What it brings.
    type Load: Load;

    /// Connects for a sender that is in the database under this number; says why that is not possible.
    fn connect(login: &Login, sender: i32) -> impl Future<Output = Result<Self, String>> + Send;

    /// Whether the connection is over.
    fn is_lost(&self) -> bool;

    /// Brings a load.
    async fn bring(&mut self, load: &Self::Load) -> Result<Brought, tokio_postgres::Error>;

    /// Ends the connection: nothing more will come.
    async fn leave(self);
}

/// What became of something that was brought.
pub(crate) enum Brought {
    /// It is there, now or since before; its sender has these rows.
    There(Totals),
    /// Its sender is not in the database any more.
    NoRun,
}
