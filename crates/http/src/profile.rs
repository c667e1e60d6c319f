//! Where the program's CPU goes, as folded stacks. It costs something while it is made, so it is there on demand alone, and only
//! where the program was built with the feature `profile`.

use axum::Router;

/// Whether this program was built so that it can make a profile.
pub const CAN_PROFILE: bool = cfg!(feature = "profile");

/// The route; `None` where the program cannot make profiles.
#[cfg(not(feature = "profile"))]
pub(crate) fn routes() -> Option<Router> {
    None
}

/// The route.
#[cfg(feature = "profile")]
pub(crate) fn routes() -> Option<Router> {
    Some(sampled::routes())
}

#[cfg(feature = "profile")]
mod sampled;
