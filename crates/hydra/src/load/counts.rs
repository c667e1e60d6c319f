//! What became of requests, by their type: asked are those that were answered on some rung and those that were shed.

use std::sync::atomic::{AtomicU64, Ordering};

use kad::message::MessageType;

use super::{Rung, ShedReason};

kad::named! {
    /// The type of a request.
    pub enum AskedType {
        /// Keep a value.
        PutValue = "put_value",
        /// A value.
        GetValue = "get_value",
        /// Keep that the asker provides a key.
        AddProvider = "add_provider",
        /// Who provides a key.
        GetProviders = "get_providers",
        /// The closest peers.
        FindNode = "find_node",
        /// Whether anybody is there.
        Ping = "ping",
        /// A type that there is not.
        Unknown = "unknown",
    }
}

impl From<MessageType> for AskedType {
    fn from(kind: MessageType) -> Self {
        match kind {
            MessageType::PutValue => Self::PutValue,
            MessageType::GetValue => Self::GetValue,
            MessageType::AddProvider => Self::AddProvider,
            MessageType::GetProviders => Self::GetProviders,
            MessageType::FindNode => Self::FindNode,
            MessageType::Ping => Self::Ping,
            MessageType::Unknown(_) => Self::Unknown,
        }
    }
}

const TYPES: usize = AskedType::ALL.len();
const RUNGS: usize = Rung::ALL.len();
const REASONS: usize = ShedReason::ALL.len();

/// What became of the requests of one type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypeCounts {
    /// All of them.
    pub asked: u64,
    admitted: [u64; RUNGS],
    fell: [u64; RUNGS],
    shed: [u64; REASONS],
}

impl TypeCounts {
    /// Those that were admitted to a rung, whatever became of them there. It only grows.
    pub fn admitted(&self, rung: Rung) -> u64 {
        self.admitted.get(rung as usize).copied().unwrap_or(0)
    }

    /// Those that were answered by closer peers only though they had been admitted to more. It only grows.
    pub fn fell(&self) -> u64 {
        self.fell.iter().sum()
    }

    /// Those that were answered on a rung.
    pub fn answered(&self, rung: Rung) -> u64 {
        let left = self.fell.get(rung as usize).copied().unwrap_or(0);
        let came = if rung == Rung::CloserPeers { self.fell() } else { 0 };
        (self.admitted(rung) + came).saturating_sub(left)
    }

    /// Those that were shed for a reason.
    pub fn shed(&self, reason: ShedReason) -> u64 {
        self.shed.get(reason as usize).copied().unwrap_or(0)
    }

    /// Those whose fate is known. As many as were asked, unless some are being admitted while they are counted.
    pub fn accounted(&self) -> u64 {
        self.admitted.iter().chain(&self.shed).sum()
    }
}

/// What became of all requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadCounts([TypeCounts; TYPES]);

impl LoadCounts {
    /// Those of one type.
    pub fn of(&self, kind: AskedType) -> TypeCounts {
        self.0.get(kind as usize).copied().unwrap_or_default()
    }

    /// Those of all types together.
    pub fn all(&self) -> TypeCounts {
        let mut all = TypeCounts::default();
        for counts in &self.0 {
            all.asked += counts.asked;
            all.admitted.iter_mut().zip(counts.admitted).for_each(|(sum, count)| *sum += count);
            all.fell.iter_mut().zip(counts.fell).for_each(|(sum, count)| *sum += count);
            all.shed.iter_mut().zip(counts.shed).for_each(|(sum, count)| *sum += count);
        }
        all
    }
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(super) struct Counting([Counters; TYPES]);

#[derive(Debug, Default)]
struct Counters {
    asked: AtomicU64,
    admitted: [AtomicU64; RUNGS],
    fell: [AtomicU64; RUNGS],
    shed: [AtomicU64; REASONS],
}

impl Counting {
    /// One request more, and what becomes of it.
    pub(super) fn count(&self, kind: MessageType, decided: Result<Rung, ShedReason>) {
        let Some(counters) = self.0.get(AskedType::from(kind) as usize) else { return };
        counters.asked.fetch_add(1, Ordering::Relaxed);
        let fate = match decided {
            Ok(rung) => counters.admitted.get(rung as usize),
            Err(reason) => counters.shed.get(reason as usize),
        };
        if let Some(fate) = fate {
            fate.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One that counted for a rung counts for closer peers only.
    pub(super) fn fell(&self, kind: MessageType, rung: Rung) {
        let Some(counters) = self.0.get(AskedType::from(kind) as usize) else { return };
        if let Some(fell) = counters.fell.get(rung as usize) {
            fell.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> LoadCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LoadCounts(std::array::from_fn(|n| {
            self.0.get(n).map_or_else(TypeCounts::default, |counters| TypeCounts {
                asked: read(&counters.asked),
                admitted: counters.admitted.each_ref().map(read),
                fell: counters.fell.each_ref().map(read),
                shed: counters.shed.each_ref().map(read),
            })
        }))
    }
}
