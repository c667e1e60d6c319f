//! The JSON of a server's HTTP API, as Parsec has it: what is ordered, and what is answered.
//!
//! Orders are read as Go's `encoding/json` reads them, whatever was sent; answers are written with Go's keys in Go's order. Who asks, and
//! over which routes, is left to others. Source: Parsec 0.4.0, `server`; what it does with every input is in `testdata/parsec`.

mod content;
mod order;

use std::mem;

use serde::{Deserialize, Serialize};

pub use self::order::{BadOrder, ProvideOrder, RetrieveOrder};
use crate::{MAX_STEPS, Operation, calls::bounded};

/// The largest size of a table that Go's scheduler can keep: a larger one ends it.
const MAX_TABLE_SIZE: usize = i32::MAX as usize;

/// What came of an operation, as a server says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "AnswerRead")]
pub struct OperationAnswer {
    /// What was published or looked up: its CID, in the base in which it was asked for, in lower case where that says the same.
    #[serde(rename = "CID")]
    pub cid: String,
    /// The steps of the operation. Parsec's servers have one of a DHT, and up to four of an indexer.
    #[serde(rename = "Measurements")]
    pub measurements: Vec<StepMeasurement>,
    /// How many peers stood in the routing table after it.
    #[serde(rename = "RoutingTableSize", serialize_with = "within_go")]
    pub routing_table_size: usize,
    /// All that the server knows of the operation; `None` of servers that are not ours, and in their way.
    #[serde(rename = "Operation", skip_serializing_if = "Option::is_none")]
    pub operation: Option<Box<Operation>>,
}

/// One step of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepMeasurement {
    /// Which; empty of a retrieval.
    #[serde(rename = "Step", default)]
    pub step: String,
    /// How long it took, in nanoseconds.
    #[serde(rename = "Duration")]
    pub duration_ns: u64,
    /// What went wrong; empty if nothing did.
    #[serde(rename = "Error", default, serialize_with = "without_nul")]
    pub error: String,
}

/// An answer as servers of any kind write it. Its texts and the list of its steps are cut to their bounds.
#[derive(Deserialize)]
struct AnswerRead {
    #[serde(rename = "CID", default)]
    cid: String,
    #[serde(rename = "Measurements", default)]
    measurements: Option<Vec<StepMeasurement>>,
    #[serde(rename = "RoutingTableSize", default)]
    routing_table_size: usize,
    /// Before there were steps, the one measurement stood here (Parsec before 0.4.0, and its server in JavaScript).
    #[serde(rename = "Duration", default)]
    duration_ns: Option<u64>,
    #[serde(rename = "Error", default)]
    error: Option<String>,
    #[serde(rename = "Operation", default)]
    operation: Option<Box<Operation>>,
}

impl From<AnswerRead> for OperationAnswer {
    fn from(read: AnswerRead) -> Self {
        let AnswerRead { cid, measurements, routing_table_size, duration_ns, error, operation } = read;
        let old = || {
            let error = error.unwrap_or_default();
            duration_ns.map(|duration_ns| StepMeasurement { step: String::new(), duration_ns, error })
        };
        let mut measurements = measurements.unwrap_or_else(|| old().into_iter().collect());
        // More than that no server measures, and each is a row.
        measurements.truncate(MAX_STEPS);
        for StepMeasurement { step, error, .. } in &mut measurements {
            (*step, *error) = (bounded(mem::take(step)), bounded(mem::take(error)));
        }
        Self { cid: bounded(cid), measurements, routing_table_size, operation }
    }
}

/// PostgreSQL keeps no text with a NUL in it, and Go's scheduler ends when it is told so.
fn without_nul<S: serde::Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    if text.contains('\0') {
        to.serialize_str(&text.replace('\0', "\u{fffd}"))
    } else {
        to.serialize_str(text)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's own form")]
fn within_go<S: serde::Serializer>(size: &usize, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64((*size).min(MAX_TABLE_SIZE) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_TEXT_BYTES;

    fn answer(error: &str, routing_table_size: usize) -> OperationAnswer {
        let step =
            StepMeasurement { step: "provide".to_owned(), duration_ns: 6_109_577, error: error.to_owned() };
        OperationAnswer {
            cid: "Qm".to_owned(),
            measurements: vec![step],
            routing_table_size,
            operation: None,
        }
    }

    #[test]
    fn an_answer_has_gos_keys_in_gos_order() {
        let text = serde_json::to_string(&answer("", 59)).unwrap();
        let expected = r#"{"CID":"Qm","Measurements":[{"Step":"provide","Duration":6109577,"Error":""}],"RoutingTableSize":59}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<OperationAnswer>(&text).unwrap(), answer("", 59));
    }

    #[test]
    fn what_ends_gos_scheduler_is_never_written() {
        let text = serde_json::to_string(&answer("a\0b", usize::MAX)).unwrap();
        assert!(text.contains("\"a\u{fffd}b\"") && text.contains(":2147483647}"), "{text}");
    }

    #[test]
    fn what_a_stranger_says_without_end_is_cut() {
        let long = "ü\0".repeat(MAX_TEXT_BYTES);
        let step = StepMeasurement { step: long.clone(), duration_ns: 1, error: long.clone() };
        let said = serde_json::json!({"CID": long, "Measurements": vec![step; MAX_STEPS + 1]});
        let read: OperationAnswer = serde_json::from_value(said).unwrap();
        assert_eq!((read.cid.len(), read.measurements.len()), (MAX_TEXT_BYTES, MAX_STEPS));
        for step in &read.measurements {
            // Between two characters.
            assert!(
                [&step.step, &step.error]
                    .iter()
                    .all(|text| (MAX_TEXT_BYTES - 2..=MAX_TEXT_BYTES).contains(&text.len()))
            );
            assert!(!step.step.contains('\0') && !step.error.contains('\0'));
        }
    }

    #[test]
    fn answers_of_others_are_read() {
        let read = |text: &str| serde_json::from_str::<OperationAnswer>(text);
        let old = read(r#"{"CID":"b","Duration":7,"RoutingTableSize":3,"Error":"so"}"#).unwrap();
        let one = StepMeasurement { step: String::new(), duration_ns: 7, error: "so".to_owned() };
        assert_eq!((old.measurements, old.routing_table_size), (vec![one], 3));
        assert_eq!(read("{}").unwrap().measurements, []);
        assert_eq!(read(r#"{"Measurements":null,"More":[]}"#).unwrap().measurements, []);
        for wrong in ["", "null", r#"{"Measurements":[{"Duration":1.5}]}"#, r#"{"Measurements":[{}]}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
