//! What a node takes of its process and of its fabric.

use std::fmt;

/// Of each so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Connections whose peers have proved who they are.
    pub(crate) open: u64,
    /// Connections whose peers have not.
    pub(crate) half_open: u64,
    /// Tasks of the runtime.
    pub(crate) tasks: u64,
    /// Descriptors of the process.
    pub(crate) descriptors: u64,
    /// Resident memory of the process, in KiB.
    pub(crate) resident_kib: u64,
}

impl Counts {
    /// The greater of each.
    pub(crate) fn most(self, other: Self) -> Self {
        Self {
            open: self.open.max(other.open),
            half_open: self.half_open.max(other.half_open),
            tasks: self.tasks.max(other.tasks),
            descriptors: self.descriptors.max(other.descriptors),
            resident_kib: self.resident_kib.max(other.resident_kib),
        }
    }

    /// What [`fmt::Display`] has written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            open: next()?,
            half_open: next()?,
            tasks: next()?,
            descriptors: next()?,
            resident_kib: next()?,
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open, half_open, tasks, descriptors, resident_kib } = self;
        write!(f, "{open} {half_open} {tasks} {descriptors} {resident_kib}")
    }
}
