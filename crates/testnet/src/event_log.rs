//! The log of a life: what happened, one JSON object on each line, written as it happens.
//!
//! | field | meaning |
//! |---|---|
//! | `at_ms` | when, in milliseconds since 1970, with a fraction |
//! | `late_ms` | by how much later it was made so, and written: openings of sockets and changes of routes take their time |
//! | `life_s` | when, in seconds of life since the start, with a fraction |
//! | `event` | `entered`, `up`, `moved`, `rotated`, `down` or `left`: see [`EventKind`] |
//! | `peer` | who |
//! | `place` | at which of its host's places, from 0 |
//! | `addresses` | its addresses there |
//!
//! What was true at the start is in the truth file. A log and its world are a [`History`] again: [`read`].

use std::{
    io::{self, BufRead, BufWriter, Write},
    sync::Arc,
    time::Duration,
};

use libp2p_identity::PeerId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    World,
    life::{EventKind, History, HostPlace, Life, LifeEvent, Moment},
    living::LifeClock,
};

/// The longest line that is read, in bytes: a crowd of addresses fits.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    at_ms: f64,
    late_ms: f64,
    life_s: f64,
    event: String,
    peer: String,
    place: u8,
    addresses: Vec<String>,
}

/// Why a log could not be read back.
#[derive(Debug, Error)]
pub enum LogError {
    /// The file could not be read.
    #[error("cannot read the log: {0}")]
    Unreadable(#[from] io::Error),
    /// A line is no event of this world.
    #[error("line {line} of the log: {problem}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// Writes a log.
#[derive(Debug)]
pub struct EventLog<W: Write> {
    world: Arc<World>,
    clock: LifeClock,
    out: BufWriter<W>,
}

impl<W: Write> EventLog<W> {
    /// A log of this world, which lives by this clock.
    pub fn new(world: Arc<World>, clock: LifeClock, out: W) -> Self {
        Self { world, clock, out: BufWriter::new(out) }
    }

    /// Writes what happened next, and hands it to the system.
    pub fn write(&mut self, events: &[LifeEvent]) -> io::Result<()> {
        let now_ms = self.clock.unix_ms(self.clock.now());
        for event in events {
            let at_ms = self.clock.unix_ms(event.at);
            let addresses = self.world.addresses_at(event.peer, event.place);
            let line = Line {
                at_ms,
                late_ms: (now_ms - at_ms).max(0.0),
                life_s: event.at.seconds(),
                event: event.kind.name().to_owned(),
                peer: self.world.peer_id(event.peer).to_base58(),
                place: event.place.0,
                addresses: addresses.iter().map(ToString::to_string).collect(),
            };
            serde_json::to_writer(&mut self.out, &line)?;
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }
}

/// Reads a log back: the history of this world until the last event. A last line without an end, as a kill leaves it, is
/// passed over; an event that cannot have come next is refused.
pub fn read(world: &Arc<World>, mut log: impl BufRead) -> Result<Option<History>, LogError> {
    let Some(life) = Life::of(world) else { return Ok(None) };
    let mut history = History::starting(&life);
    let mut text = String::new();
    for number in 1.. {
        text.clear();
        io::Read::take(&mut log, MAX_LINE_BYTES).read_line(&mut text)?;
        if !text.ends_with('\n') && (text.len() as u64) < MAX_LINE_BYTES {
            break;
        }
        let (event, late) =
            parse(world, &text).map_err(|problem| LogError::Line { line: number, problem })?;
        history
            .check_next(&event)
            .map_err(|problem| LogError::Line { line: number, problem: problem.to_owned() })?;
        history.record(&event);
        history.note_late(late);
    }
    Ok(Some(history))
}

/// One line of a log: what happened, and how late it was made so, as life has it.
pub(crate) fn parse(world: &World, text: &str) -> Result<(LifeEvent, Duration), String> {
    let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let id: PeerId = line.peer.parse().map_err(|_| format!("`{}` is no peer id", line.peer))?;
    let peer = world.find(&id).ok_or_else(|| format!("`{id}` is no peer of this world"))?;
    let kind = EventKind::from_name(&line.event).ok_or_else(|| format!("`{}` is no event", line.event))?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates at times that no log has")]
    let at = Moment::from_micros((line.life_s * 1e6).round() as i64);
    let speed = world.scenario().life.as_ref().map_or(1.0, |life| life.speed);
    let late = Duration::try_from_secs_f64(line.late_ms / 1e3 * speed)
        .map_err(|_| format!("`late_ms` is no length of time: {}", line.late_ms))?;
    Ok((LifeEvent { at, peer, kind, place: HostPlace(line.place) }, late))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    fn world() -> Arc<World> {
        Arc::new(World::generate(&Scenario::named("churn").expect("built in").with_peers(150)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_is_the_same_history_when_it_is_read_back() {
        let world = world();
        let clock = LifeClock::starting_now(&world, 1_700_000_000_000.5);
        let mut life = Life::of(&world).expect("a life");
        let mut history = History::starting(&life);
        let mut written = Vec::new();
        let mut log = EventLog::new(Arc::clone(&world), clock, &mut written);
        for hours in 1..=10 {
            let events = life.advance(Duration::from_secs(3600) * hours);
            for event in &events {
                history.record(event);
            }
            log.write(&events).expect("written");
        }
        drop(log);
        let text = String::from_utf8(written).expect("text");
        assert_eq!(text.lines().count(), history.len());
        let first: Line = serde_json::from_str(text.lines().next().expect("a line")).expect("a line");
        // Sixty seconds of life are one by the clock.
        assert!((first.at_ms - 1_700_000_000_000.5 - first.life_s * 1e3 / 60.0).abs() < 0.01);
        let read = read(&world, text.as_bytes()).expect("readable").expect("a life");
        assert_eq!((read.len(), read.until()), (history.len(), history.until()));
        for peer in world.peers() {
            let all = (Moment::START, history.until());
            assert_eq!(read.sessions(peer, all.0, all.1), history.sessions(peer, all.0, all.1));
        }
    }

    /// One line, of something at a time and place.
    fn line(event: &str, peer: &str, (life_s, place): (f64, u8)) -> String {
        format!(
            "{{\"at_ms\":1.0,\"late_ms\":0.5,\"life_s\":{life_s:?},\"event\":\"{event}\",\"peer\":\"{peer}\",\
             \"place\":{place},\"addresses\":[]}}\n"
        )
    }

    /// A peer that is up when life begins, and where.
    fn up_at_start(world: &Arc<World>) -> (String, u8) {
        let life = Life::of(world).expect("a life");
        let up = |peer| life.presence(peer).filter(|presence| presence.is_up());
        let found = world.peers().find_map(|peer| Some((peer, up(peer)?.last.place.0)));
        let (peer, place) = found.expect("somebody is up");
        (world.peer_id(peer).to_base58(), place)
    }

    #[test]
    fn what_is_no_event_is_named_with_its_line_and_a_torn_end_is_passed_over() {
        let world = world();
        let (peer, place) = up_at_start(&world);
        let good = line("down", &peer, (1.0, place));
        let staying = world.peer_id(world.bootstrap()[0]).to_base58();
        let later = (2.0, place);
        for (bad, said) in [
            (line("asleep", &peer, later), "`asleep` is no event"),
            (line("up", "me", later), "`me` is no peer id"),
            (line("up", &PeerId::random().to_base58(), later), "no peer of this world"),
            ("{}\n".to_owned(), "missing field"),
            (line("down", &staying, later), "never comes or goes"),
            (line("up", &peer, (0.5, place)), "earlier than the one before"),
            (line("up", &peer, (2.0, 200)), "no such place"),
            (line("left", &peer, later), "down already"),
            (line("up", &peer, later).repeat(2), "up already"),
        ] {
            let error = read(&world, format!("{good}{bad}").as_bytes()).expect_err("bad").to_string();
            assert!(
                error.contains(&format!("line {}", 1 + bad.lines().count())) && error.contains(said),
                "{error}"
            );
        }
        assert!(read(&world, format!("{good}{}", &good[..20]).as_bytes()).is_ok());
        let still = Arc::new(World::generate(&Scenario::named("healthy").expect("built in").with_peers(9)));
        assert!(read(&still, &b""[..]).expect("readable").is_none());
    }
}
