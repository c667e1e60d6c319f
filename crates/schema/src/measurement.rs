//! One attempt to have a server publish something or look something up, whatever became of it.

use std::time::Duration;

use kad::Persistence;

use crate::{
    ConnectionPolicy, Encounter, OperationKind, OperationOutcome, PeerNumber, Reveals, RowType, Strategy,
    Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

/// One attempt, or a part of one that a server measured alone. What is counted of an attempt stands in the row that speaks for all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The server that was told to do it.
    pub peer: PeerNumber,
    /// Its number in the register of servers.
    pub server: u32,
    /// Its fleet.
    pub fleet: String,
    /// Where it is, as its operator calls it; empty if nobody says.
    pub region: String,
    /// Its program and version; `None` if it did not say.
    pub version: Option<String>,
    /// Who told it: the number of the scheduler in the register; 0 in rows that a server keeps of itself.
    pub scheduler: u32,
    /// The round of that scheduler, from 0.
    pub round: u64,
    /// The place of the attempt in its round, from 0.
    pub position: u32,
    /// Names the attempt, in every store and for ever.
    pub attempt: [u8; 16],
    /// What was to be done.
    pub kind: OperationKind,
    /// Who was told to publish what is looked for; `None` if nobody was, or if this is the publication.
    pub publisher: Option<PeerNumber>,
    /// Its fleet.
    pub publisher_fleet: Option<String>,
    /// Where it is.
    pub publisher_region: Option<String>,
    /// What is published or looked for: a multihash.
    pub key: Vec<u8>,
    /// The same as the server wrote it, a CID; empty if it did not.
    pub cid: String,
    /// How the server publishes and looks up; `None` if it did not say.
    pub strategy: Option<Strategy>,
    /// Which connections it had; `None` if it did not say.
    pub policy: Option<ConnectionPolicy>,
    /// How far it goes to reach all of the closest; `None` if it did not say.
    pub persistence: Option<Persistence>,
    /// When the attempt was to begin.
    pub planned_at: Timestamp,
    /// When the server was asked; `None` if it never was.
    pub asked_at: Option<Timestamp>,
    /// When it began, by its own clock; `None` if it did not say.
    pub began_at: Option<Timestamp>,
    /// What the server calls this part of the attempt; `None` if nothing came of the attempt that has a name.
    pub step: Option<String>,
    /// The place of this part among those of the attempt, from 0.
    pub step_number: u16,
    /// Whether the row speaks for the attempt as a whole: that does one row of each attempt, that of its last part.
    pub is_whole: bool,
    /// How long it took, or was waited for.
    pub took: Duration,
    /// Where it is only known to lie between two: it took longer than this, and at most what it took.
    pub more_than: Option<Duration>,
    /// Whether it would have taken longer: nobody knows how long.
    pub is_censored: bool,
    /// What came of it.
    pub outcome: OperationOutcome,
    /// Why it failed, as the server or the call to it said; `None` if it did not.
    pub failure: Option<String>,
    /// Peers in the server's routing table afterwards; `None` if it did not say.
    pub table_size: Option<u64>,
    /// Whether the record was found in the server's own store; `None` if it did not say.
    pub own_record: Option<bool>,
    /// Whether it came by a connection to its publisher that was left over; `None` if it did not say.
    pub left_over: Option<bool>,
    /// Answers that led to what was found, or to the farthest peer that was asked.
    pub hops: Option<u32>,
    /// Requests of it.
    pub requests: Option<u32>,
    /// Those of them that failed.
    pub failed_requests: Option<u32>,
    /// Those whose answers were not needed.
    pub wasted_requests: Option<u32>,
    /// Peers that were dialled for it.
    pub dials: Option<u32>,
    /// Those of them that could not be reached.
    pub failed_dials: Option<u32>,
    /// What was received for it, in bytes.
    pub bytes_in: Option<u64>,
    /// What was sent for it, in bytes.
    pub bytes_out: Option<u64>,
    /// What it cost of a core.
    pub cpu: Option<Duration>,
    /// When its search for peers was over, from its beginning; `None` if it had none, or if nobody knows.
    pub searched_after: Option<Duration>,
    /// Peers to which the record was to be given.
    pub holders: Option<u32>,
    /// Those of them that were sent it, and did not refuse it.
    pub holders_sent: Option<u32>,
    /// How large the server takes the network to be.
    pub size_estimate: Option<u64>,
    /// The peer that held it up most; `None` if none did, or if nobody knows.
    pub culprit: Option<PeerNumber>,
    /// What of it took so long, by its name.
    pub culprit_reason: Option<String>,
    /// How much faster it would have been without.
    pub culprit_time: Option<Duration>,
    /// How far the server's clock is from that of the scheduler; `None` if nobody knows.
    pub clock_offset: Option<Duration>,
    /// Whether it is ahead; `None` as above.
    pub clock_is_ahead: Option<bool>,
}

impl Measurement {
    /// An attempt of which nothing is known yet but who is to do what, and when: a whole one, of one part.
    pub fn planned(peer: PeerNumber, attempt: [u8; 16], kind: OperationKind, planned_at: Timestamp) -> Self {
        Self {
            peer,
            server: 0,
            fleet: String::new(),
            region: String::new(),
            version: None,
            scheduler: 0,
            round: 0,
            position: 0,
            attempt,
            kind,
            publisher: None,
            publisher_fleet: None,
            publisher_region: None,
            key: Vec::new(),
            cid: String::new(),
            strategy: None,
            policy: None,
            persistence: None,
            planned_at,
            asked_at: None,
            began_at: None,
            step: None,
            step_number: 0,
            is_whole: true,
            took: Duration::ZERO,
            more_than: None,
            is_censored: false,
            outcome: OperationOutcome::Cancelled,
            failure: None,
            table_size: None,
            own_record: None,
            left_over: None,
            hops: None,
            requests: None,
            failed_requests: None,
            wasted_requests: None,
            dials: None,
            failed_dials: None,
            bytes_in: None,
            bytes_out: None,
            cpu: None,
            searched_after: None,
            holders: None,
            holders_sent: None,
            size_estimate: None,
            culprit: None,
            culprit_reason: None,
            culprit_time: None,
            clock_offset: None,
            clock_is_ahead: None,
        }
    }
}

impl RowType for Measurement {
    const TABLE: Table = Table {
        name: "measurement",
        doc: "One attempt to have a server publish something or look something up, or a part of it that the server measured alone.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "the server that was told to do it"),
            Column::new("server", Holds::Count("server"), "its number in the register of servers"),
            Column::new("fleet", Holds::Text, "its fleet").that_says(Reveals::Nothing),
            Column::new("region", Holds::Text, "where it is, as its operator calls it")
                .that_says(Reveals::Nothing),
            Column::or_none("version", Holds::Text, "its program and version").that_says(Reveals::Program),
            Column::new(
                "scheduler",
                Holds::Count("scheduler"),
                "who told it: a number in the register of schedulers, or 0 in what a server keeps of itself",
            ),
            Column::new("round", Holds::Count("round"), "the round of that scheduler, from 0"),
            Column::new("position", Holds::Count("attempt"), "the place of the attempt in its round, from 0"),
            Column::new("attempt", Holds::Bytes, "names the attempt").that_says(Reveals::Nothing),
            Column::new("kind", names_of!(OperationKind), "what was to be done"),
            Column::or_none("publisher", Holds::Peer, "who was told to publish what is looked for"),
            Column::or_none("publisher_fleet", Holds::Text, "its fleet").that_says(Reveals::Nothing),
            Column::or_none("publisher_region", Holds::Text, "where it is").that_says(Reveals::Nothing),
            Column::new("key", Holds::Bytes, "what is published or looked for: a multihash")
                .that_says(Reveals::Peer),
            Column::new("cid", Holds::Text, "the same as the server wrote it: a CID")
                .that_says(Reveals::Text),
            Column::or_none("strategy", names_of!(Strategy), "how the server publishes and looks up"),
            Column::or_none("policy", names_of!(ConnectionPolicy), "which connections it had"),
            Column::or_none(
                "persistence",
                names_of!(Persistence),
                "how far it goes to reach all of the closest",
            ),
            Column::new("planned_at", Holds::Time, "when the attempt was to begin"),
            Column::or_none("asked_at", Holds::Time, "when the server was asked; absent if it never was"),
            Column::or_none("began_at", Holds::Time, "when the server began, by its own clock"),
            Column::or_none("step", Holds::Text, "what the server calls this part of the attempt")
                .that_says(Reveals::Nothing),
            Column::new(
                "step_number",
                Holds::Count("step"),
                "the place of this part among those of the attempt, from 0",
            ),
            Column::new(
                "is_whole",
                Holds::Flag,
                "whether the row speaks for the attempt as a whole: one row of each does, the last",
            ),
            Column::new("took_us", Holds::Duration, "how long it took, or was waited for"),
            Column::or_none(
                "more_than_us",
                Holds::Duration,
                "where it is only known to lie between two: it took longer than this",
            ),
            Column::new(
                "is_censored",
                Holds::Flag,
                "whether it would have taken longer, nobody knows how long",
            ),
            Column::new("outcome", names_of!(OperationOutcome), "what came of it"),
            Column::or_none("failure", Holds::Text, "why it failed, as the server or the call to it said")
                .that_says(Reveals::Text),
            Column::or_none(
                "table_size",
                Holds::Count("peers"),
                "peers in the server's routing table afterwards",
            ),
            Column::or_none(
                "own_record",
                Holds::Flag,
                "whether the record was found in the server's own store",
            ),
            Column::or_none(
                "left_over",
                Holds::Flag,
                "whether it came by a connection to its publisher that was left over",
            ),
            Column::or_none(
                "hops",
                Holds::Count("answers"),
                "answers that led to what was found, or to the farthest peer that was asked",
            ),
            Column::or_none("requests", Holds::Count("requests"), "requests of it"),
            Column::or_none("failed_requests", Holds::Count("requests"), "those of them that failed"),
            Column::or_none(
                "wasted_requests",
                Holds::Count("requests"),
                "those whose answers were not needed",
            ),
            Column::or_none("dials", Holds::Count("dials"), "peers that were dialled for it"),
            Column::or_none("failed_dials", Holds::Count("dials"), "those of them that could not be reached"),
            Column::or_none("bytes_in", Holds::Count("bytes"), "what was received for it"),
            Column::or_none("bytes_out", Holds::Count("bytes"), "what was sent for it"),
            Column::or_none("cpu_us", Holds::Duration, "what it cost of a core"),
            Column::or_none("searched_us", Holds::Duration, "when its search for peers was over"),
            Column::or_none("holders", Holds::Count("peers"), "peers to which the record was to be given"),
            Column::or_none(
                "holders_sent",
                Holds::Count("peers"),
                "those of them that were sent it, and did not refuse it",
            ),
            Column::or_none(
                "size_estimate",
                Holds::Count("peers"),
                "how large the server takes the network to be",
            ),
            Column::or_none("culprit", Holds::Peer, "the peer that held it up most"),
            Column::or_none("culprit_reason", Holds::Text, "what of it took so long, by its name")
                .that_says(Reveals::Nothing),
            Column::or_none("culprit_us", Holds::Duration, "how much faster it would have been without"),
            Column::or_none(
                "clock_offset_us",
                Holds::Duration,
                "how far the server's clock is from that of the scheduler",
            ),
            Column::or_none("clock_is_ahead", Holds::Flag, "whether it is ahead"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.server.into(),
            Cell::text(&self.fleet),
            Cell::text(&self.region),
            self.version.as_deref().map(Cell::text).into(),
            self.scheduler.into(),
            self.round.into(),
            self.position.into(),
            self.attempt.as_slice().into(),
            self.kind.name().into(),
            self.publisher.into(),
            self.publisher_fleet.as_deref().map(Cell::text).into(),
            self.publisher_region.as_deref().map(Cell::text).into(),
            self.key.as_slice().into(),
            Cell::text(&self.cid),
            self.strategy.map(Strategy::name).into(),
            self.policy.map(ConnectionPolicy::name).into(),
            self.persistence.map(Persistence::name).into(),
            self.planned_at.into(),
            self.asked_at.into(),
            self.began_at.into(),
            self.step.as_deref().map(Cell::text).into(),
            self.step_number.into(),
            self.is_whole.into(),
            self.took.into(),
            self.more_than.into(),
            self.is_censored.into(),
            self.outcome.name().into(),
            self.failure.as_deref().map(Cell::text).into(),
            self.table_size.into(),
            self.own_record.into(),
            self.left_over.into(),
            self.hops.into(),
            self.requests.into(),
            self.failed_requests.into(),
            self.wasted_requests.into(),
            self.dials.into(),
            self.failed_dials.into(),
            self.bytes_in.into(),
            self.bytes_out.into(),
            self.cpu.into(),
            self.searched_after.into(),
            self.holders.into(),
            self.holders_sent.into(),
            self.size_estimate.into(),
            self.culprit.into(),
            self.culprit_reason.as_deref().map(Cell::text).into(),
            self.culprit_time.into(),
            self.clock_offset.into(),
            self.clock_is_ahead.into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            server: cells.take()?,
            fleet: cells.take()?,
            region: cells.take()?,
            version: cells.take()?,
            scheduler: cells.take()?,
            round: cells.take()?,
            position: cells.take()?,
            attempt: cells.take()?,
            kind: cells.name(OperationKind::from_name)?,
            publisher: cells.take()?,
            publisher_fleet: cells.take()?,
            publisher_region: cells.take()?,
            key: cells.take()?,
            cid: cells.take()?,
            strategy: cells.name_or_none(Strategy::from_name)?,
            policy: cells.name_or_none(ConnectionPolicy::from_name)?,
            persistence: cells.name_or_none(Persistence::from_name)?,
            planned_at: cells.take()?,
            asked_at: cells.take()?,
            began_at: cells.take()?,
            step: cells.take()?,
            step_number: cells.take()?,
            is_whole: cells.take()?,
            took: cells.take()?,
            more_than: cells.take()?,
            is_censored: cells.take()?,
            outcome: cells.name(OperationOutcome::from_name)?,
            failure: cells.take()?,
            table_size: cells.take()?,
            own_record: cells.take()?,
            left_over: cells.take()?,
            hops: cells.take()?,
            requests: cells.take()?,
            failed_requests: cells.take()?,
            wasted_requests: cells.take()?,
            dials: cells.take()?,
            failed_dials: cells.take()?,
            bytes_in: cells.take()?,
            bytes_out: cells.take()?,
            cpu: cells.take()?,
            searched_after: cells.take()?,
            holders: cells.take()?,
            holders_sent: cells.take()?,
            size_estimate: cells.take()?,
            culprit: cells.take()?,
            culprit_reason: cells.take()?,
            culprit_time: cells.take()?,
            clock_offset: cells.take()?,
            clock_is_ahead: cells.take()?,
        })
    }
}
