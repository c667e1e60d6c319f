//! What stands in Parsec's tables, so that Go's programs can read it: values on which they break are never written.
//!
//! Text has no NUL (it is written as U+FFFD), numbers fit into 32 bits with sign (the largest stands for what is larger), and
//! ports into 16 bits with sign. A port that Go's programs wrote is read back as what they meant: they let it wrap.

use std::borrow::Cow;

use schema::Strategy;
use serde_json::{Value, json};
use tokio_postgres::{Row, types::Type};

use super::PostgresRegister;
use crate::{
    Error,
    postgres::{Moment, each_text},
    register::{SchedulerEntry, ServerEntry},
};

/// The longest text that is written, in bytes: an error longer than this says no more.
const MOST_TEXT_BYTES: usize = 64 * 1024;

/// The name under which a server's strategy stands among the settings of its build.
const STRATEGY: &str = "kadscope.strategy";

const ENTER_SERVER: &str = "
    WITH earlier AS (
        UPDATE public.nodes_ecs SET offline_since = $11 WHERE peer_id = $3 AND offline_since IS NULL
    )
    INSERT INTO public.nodes_ecs
        (cpu, memory, peer_id, region, cmd, fleet, dependencies, ip_address, server_port, peer_port, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8::text::inet, $9, $10, $11) RETURNING id";

const ENTER_SCHEDULER: &str = "
    INSERT INTO public.schedulers_ecs (fleets, dependencies, created_at) VALUES ($1, $2::text::jsonb, $3) RETURNING id";

/// Text without NUL, and not longer than anybody reads.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let mut end = text.len().min(MOST_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// A number, or the largest that can be written.
pub(super) fn clamped(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The port that a number stands for: Go's programs store those over 32,767 less 65,536.
pub(super) fn port(stored: i32) -> u16 {
    // The lower 16 bits are the same.
    let [.., high, low] = stored.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// A port as it is stored; refused if Go's programs could not dial what they read.
fn stored_port(name: &str, port: u16) -> Result<i16, Error> {
    let reason = "its programs keep ports as 16 bits with a sign; choose one up to 32767";
    i16::try_from(port).map_err(|_| Error::ParsecValue { what: format!("the {name} {port}"), reason })
}

/// What a server was built from, in the form in which Go's programs say it: ours say their version and strategy there.
fn build(entry: &ServerEntry) -> Value {
    let mut build = program(&entry.dependencies, &entry.version);
    if let (Some(strategy), Some(fields)) = (entry.strategy, build.as_object_mut())
        && let Some(settings) = fields.entry("Settings").or_insert_with(|| json!([])).as_array_mut()
    {
        settings.push(json!({ "Key": STRATEGY, "Value": strategy.name() }));
    }
    build
}

/// The same of any program.
fn program(dependencies: &Value, version: &str) -> Value {
    let mut fields = dependencies.as_object().cloned().unwrap_or_default();
    fields.entry("Path").or_insert_with(|| "kadscope".into());
    fields.entry("Main").or_insert_with(|| json!({ "Path": "kadscope", "Version": version }));
    each_text(&Value::Object(fields), &|text| plain(text).into_owned())
}

/// The version in what a server was built from; empty if it is not there.
pub(super) fn version(build: &Value) -> String {
    build["Main"]["Version"].as_str().unwrap_or_default().to_owned()
}

/// The strategy there; `None` for a server of others.
pub(super) fn strategy(build: &Value) -> Option<Strategy> {
    let mut settings = build["Settings"].as_array()?.iter();
    let found = settings.find(|setting| setting["Key"] == STRATEGY)?;
    Strategy::from_name(found["Value"].as_str()?)
}

pub(super) async fn enter_server(
    register: &PostgresRegister,
    operation: &'static str,
    entry: &ServerEntry,
) -> Result<Vec<Row>, Error> {
    let server_port = stored_port("HTTP port", entry.http.port())?;
    let peer_port = stored_port("port for peers", entry.peer_port.unwrap_or(0))?;
    let [cpu, memory] = [entry.cpu, entry.memory].map(|number| clamped(number.into()));
    let (peer, ip) = (entry.peer.to_base58(), entry.http.ip().to_string());
    let build = build(entry).to_string();
    register
        .ask(
            operation,
            ENTER_SERVER,
            &[
                (&cpu, Type::INT4),
                (&memory, Type::INT4),
                (&peer, Type::TEXT),
                (&plain(&entry.region), Type::TEXT),
                (&plain(&entry.command), Type::TEXT),
                (&plain(&entry.fleet), Type::TEXT),
                (&build, Type::TEXT),
                (&ip, Type::TEXT),
                (&server_port, Type::INT2),
                (&peer_port, Type::INT2),
                (&Moment(entry.entered_at), Type::TIMESTAMPTZ),
            ],
        )
        .await
}

pub(super) async fn enter_scheduler(
    register: &PostgresRegister,
    operation: &'static str,
    entry: &SchedulerEntry,
) -> Result<Vec<Row>, Error> {
    let fleets: Vec<_> = entry.fleets.iter().map(|fleet| plain(fleet)).collect();
    let build = program(&entry.dependencies, &entry.version).to_string();
    register
        .ask(
            operation,
            ENTER_SCHEDULER,
            &[
                (&fleets, Type::TEXT_ARRAY),
                (&build, Type::TEXT),
                (&Moment(entry.entered_at), Type::TIMESTAMPTZ),
            ],
        )
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_wrapped_is_read_as_it_was_meant() {
        assert_eq!([-25535, -1, 7070, 0, 32767, 40001].map(port), [40001, 65535, 7070, 0, 32767, 40001]);
        assert!(stored_port("port", 32767).is_ok());
        let refused = stored_port("HTTP port", 32768).unwrap_err().to_string();
        assert!(refused.contains("the HTTP port 32768") && refused.contains("up to 32767"), "{refused}");
    }

    #[test]
    fn what_breaks_programs_of_go_is_not_written() {
        assert_eq!(plain("a\0b"), "a\u{fffd}b");
        assert_eq!(plain("é"), "é");
        let long = "é".repeat(MOST_TEXT_BYTES);
        assert_eq!(plain(&long).len(), MOST_TEXT_BYTES);
        assert_eq!(plain(&long[2..]).len(), MOST_TEXT_BYTES);
        assert_eq!(
            [0, 61, 2_147_483_647, 2_147_483_648, u64::MAX].map(clamped),
            [0, 61, i32::MAX, i32::MAX, i32::MAX]
        );
    }
}
