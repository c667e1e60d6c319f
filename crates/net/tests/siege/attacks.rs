//! All attacks, and what each may cost the node at the most.

mod connections;
mod handshakes;
mod nonsense;
mod readers;
mod streams;

use std::{any::Any, pin::Pin};

use super::{besieged::BOUNDS, siege::Target};

/// What besiegers hold on to; they go when it is dropped.
pub(crate) type Held = Vec<Box<dyn Any + Send>>;

/// An attack under way.
pub(crate) type Attacking = Pin<Box<dyn Future<Output = Held>>>;

/// An attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Begins it; what it comes to is held for a while.
    pub(crate) begin: fn(Target) -> Attacking,
    /// The most connections that the node may have meanwhile.
    pub(crate) connections: u64,
    /// By how much its memory may grow meanwhile, in KiB.
    pub(crate) memory_kib: u64,
}

/// Somebody honest has some at a time, some of which are on their way out.
const HONEST: u64 = 16;

/// What one address may have, and somebody honest.
const OF_ONE_SOURCE: u64 = BOUNDS.per_source as u64 + HONEST;

/// What the process takes for itself and does not give back, in KiB: threads' stacks and arenas, one time.
const SLACK_KIB: u64 = 8 << 10;

/// What a connection may cost that asks little, in KiB.
const CONNECTION_KIB: u64 = 128;

/// What a connection may cost on which streams and messages are begun, in KiB.
const BUSY_KIB: u64 = 1024;

/// What all connections may hold that waits, as it lies in memory: what is said, what is sealed, and what was freed and is
/// not given back, in KiB.
const HELD_KIB: u64 = 3 * BOUNDS.held_bytes as u64 / 1024;

/// What is under way on a connection over QUIC, in both directions, and what it takes itself, in KiB.
const WINDOWS_KIB: u64 = 640;

/// All of them.
pub(crate) const ALL: &[Attack] = &[
    Attack {
        name: "connections_of_one_address_over_tcp",
        begin: |target| Box::pin(connections::flood_tcp(target)),
        connections: OF_ONE_SOURCE,
        memory_kib: SLACK_KIB + OF_ONE_SOURCE * CONNECTION_KIB,
    },
    Attack {
        name: "connections_of_one_address_over_quic",
        begin: |target| Box::pin(connections::flood_quic(target)),
        connections: OF_ONE_SOURCE,
        memory_kib: SLACK_KIB + OF_ONE_SOURCE * CONNECTION_KIB,
    },
    Attack {
        name: "coming_and_going",
        begin: |target| Box::pin(connections::come_and_go(target)),
        connections: OF_ONE_SOURCE,
        memory_kib: SLACK_KIB + OF_ONE_SOURCE * CONNECTION_KIB,
    },
    Attack {
        name: "handshakes_left_over_tcp",
        begin: |target| Box::pin(handshakes::leave_tcp(target)),
        connections: HONEST,
        memory_kib: SLACK_KIB + BOUNDS.half_open as u64 * CONNECTION_KIB,
    },
    Attack {
        name: "handshakes_left_over_quic",
        begin: |target| Box::pin(handshakes::leave_quic(target)),
        connections: HONEST,
        memory_kib: SLACK_KIB + BOUNDS.half_open as u64 * CONNECTION_KIB,
    },
    Attack {
        name: "streams_over_tcp",
        begin: |target| Box::pin(streams::flood_tcp(target)),
        connections: streams::CONNECTIONS + HONEST,
        memory_kib: SLACK_KIB + streams::CONNECTIONS * BUSY_KIB,
    },
    Attack {
        name: "streams_over_quic",
        begin: |target| Box::pin(streams::flood_quic(target)),
        connections: streams::CONNECTIONS + HONEST,
        memory_kib: SLACK_KIB + streams::CONNECTIONS * BUSY_KIB,
    },
    Attack {
        name: "who_asks_and_never_reads_over_tcp",
        begin: |target| Box::pin(readers::deaf_tcp(target)),
        connections: readers::CONNECTIONS + HONEST,
        memory_kib: SLACK_KIB + readers::RECORDS_KIB + HELD_KIB,
    },
    Attack {
        name: "who_asks_and_grants_no_window_over_tcp",
        begin: |target| Box::pin(readers::stingy_tcp(target)),
        connections: readers::CONNECTIONS + HONEST,
        memory_kib: SLACK_KIB + readers::RECORDS_KIB + HELD_KIB,
    },
    Attack {
        name: "who_asks_and_never_reads_over_quic",
        begin: |target| Box::pin(readers::deaf_quic(target)),
        connections: readers::CONNECTIONS + HONEST,
        memory_kib: SLACK_KIB + readers::RECORDS_KIB + HELD_KIB + readers::CONNECTIONS * WINDOWS_KIB,
    },
    Attack {
        name: "nonsense_over_tcp",
        begin: |target| Box::pin(nonsense::over_tcp(target)),
        connections: OF_ONE_SOURCE,
        memory_kib: SLACK_KIB + OF_ONE_SOURCE * CONNECTION_KIB,
    },
    Attack {
        name: "nonsense_over_quic",
        begin: |target| Box::pin(nonsense::over_quic(target)),
        connections: OF_ONE_SOURCE,
        memory_kib: SLACK_KIB + OF_ONE_SOURCE * CONNECTION_KIB,
    },
    Attack {
        name: "pushes_of_who_one_is",
        begin: |target| Box::pin(nonsense::pushes(target)),
        connections: 1 + HONEST,
        memory_kib: SLACK_KIB,
    },
];
