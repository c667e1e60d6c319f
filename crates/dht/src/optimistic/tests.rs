//! Optimistic publications in virtual time.
