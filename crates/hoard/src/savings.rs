//! What changes of lookups and of servers would save whoever retrieves: the walks of a study decided anew under each of them, and what
//! the caller does then.
//!
//! A retrieval looks for the key. It has the provider's addresses when the walk brings them, or it has to walk a second time, for the
//! provider itself. Every rule is tried on every walk, so differences are between the same walks. Which walks there were is in `walk`,
//! what a caller is told by which rule in [`policy`](crate::Policy), the numbers in `numbers`, what is estimated in `estimate`.

mod gathered;
mod numbers;
mod of_study;
mod outcomes;
mod replay;
mod section;
mod tables;
mod terms;
mod walk;

pub use self::{
    gathered::SavingsRows,
    numbers::{
        AddressInteraction, AgeSavings, ChangeNumbers, SavingsDifference, SavingsNumbers, SavingsSection,
        WayNumbers,
    },
    of_study::StudySavings,
    replay::{AddressSource, Change, LookAgain},
    terms::SavingsTerms,
    walk::{ProviderPlace, RetrievalWalk, SecondWalk, WalkAnswer},
};

#[cfg(test)]
mod tests;
