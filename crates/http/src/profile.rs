//! Where the program's CPU goes, as folded stacks. It costs something while it is made, so it is there on demand alone, and only
//! where the program was built with the feature `profile`.

/// Whether this program was built so that it can make a profile.
pub const CAN_PROFILE: bool = cfg!(feature = "profile");

/// The route; none where the program cannot make profiles.
#[cfg(not(feature = "profile"))]
pub(crate) fn routes() -> axum::Router {
    axum::Router::new()
}

#[cfg(feature = "profile")]
mod sampled;

#[cfg(feature = "profile")]
pub(crate) use sampled::routes;
