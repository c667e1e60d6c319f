//! A network namespace of Linux that nothing can leave, and the name server that programs in it ask.
//!
//! What runs in one can be shown public addresses and behaves as it does on the public network; no packet of it leaves the
//! machine. Order matters: [`enter()`] before there is a second thread, [`only_loopback`] before anything is bound,
//! [`Routes`] for the addresses, [`names`] for who is asked by name. Who lives there is left to others, and so are the names.
//!
//! Elsewhere than on Linux every function of the namespace returns [`NamespaceError::NotLinux`].

pub mod names;
mod namespace;

pub use crate::namespace::{
    Entered, LocalRanges, MAX_RANGES, Namespace, NamespaceError, Routes, enter, only_loopback,
    resolve_by_loopback,
};
