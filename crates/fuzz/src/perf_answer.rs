//! What servers of anybody answer to a scheduler: it has its bounds whatever they say, and what is written of it is read as the same.

use perf::{
    MAX_KEY_BYTES, MAX_REQUESTS, MAX_STEPS, MAX_TEXT_BYTES, Operation, OperationAnswer, explain::MAX_PIECES,
};

/// Reads an answer, as a call by HTTP does.
pub fn check(bytes: &[u8]) {
    let Some(answer) = read(bytes) else { return };
    assert!(answer.cid.len() <= MAX_TEXT_BYTES && answer.measurements.len() <= MAX_STEPS);
    for step in &answer.measurements {
        assert!(step.step.len() <= MAX_TEXT_BYTES && step.error.len() <= MAX_TEXT_BYTES);
    }
    if let Some(operation) = &answer.operation {
        check_operation(operation);
    }
    let written = written(&answer);
    let again = read(&written);
    // A table that would end Go's scheduler is written smaller.
    let size = again.as_ref().map_or(0, |again| again.routing_table_size);
    assert_eq!(again, Some(OperationAnswer { routing_table_size: size, ..answer }));
}

/// All that a server tells of an operation has bounds.
fn check_operation(operation: &Operation) {
    let Operation { key, steps, requests, critical_path, failure, .. } = operation;
    assert!(key.len() <= MAX_KEY_BYTES && steps.len() <= MAX_STEPS);
    assert!(requests.len() <= MAX_REQUESTS && critical_path.len() <= MAX_PIECES);
    let of_steps = steps.iter().flat_map(|step| [Some(&step.step), step.error.as_ref()]);
    let of_requests = requests.iter().map(|request| request.agent.as_ref());
    let mut texts = of_steps.chain(of_requests).chain([failure.as_ref()]).flatten();
    assert!(texts.all(|text| text.len() <= MAX_TEXT_BYTES));
}

fn read(bytes: &[u8]) -> Option<OperationAnswer> {
    serde_json::from_slice(bytes).ok()
}

fn written(answer: &OperationAnswer) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}
