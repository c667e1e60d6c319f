//! What the registry knows, and whom it tells to go.
