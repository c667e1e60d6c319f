//! What comes to an operation afterwards: records that were read back, and what peers call their programs.

use dht::RecordReading;
use kad::{Key, PeerId, failure::FailureClass, lookup::RpcFate};
use schema::RequestPurpose;

use super::{MAX_REQUESTS, Operation, OperationRequest, building::dial_row};

impl Operation {
    /// Takes in what those said who were asked for the record that they were given: a request each, that costs the operation nothing.
    pub fn take_readings(&mut self, readings: &[RecordReading]) {
        let room = MAX_REQUESTS.saturating_sub(self.requests.len());
        let read: Vec<OperationRequest> =
            readings.iter().take(room).map(|reading| self.reading(reading)).collect();
        self.requests.extend(read);
    }

    /// Says what peers call their programs, as far as that is known.
    pub fn name_agents(&mut self, agent_of: impl Fn(&PeerId) -> Option<String>) {
        for request in &mut self.requests {
            request.agent = agent_of(&request.peer).or_else(|| request.agent.take());
        }
    }

    fn reading(&self, reading: &RecordReading) -> OperationRequest {
        let given = self
            .requests
            .iter()
            .find(|request| request.purpose == RequestPurpose::Give && request.peer == reading.peer);
        let (fate, failure) = match &reading.has {
            Ok(_) => (RpcFate::Answered, None),
            Err(failure) if failure.class == FailureClass::Cancelled => (RpcFate::Cancelled, None),
            Err(failure) => (RpcFate::Failed, Some(failure.clone())),
        };
        let has_record = reading.has.as_ref().ok().map(Option::is_some);
        OperationRequest {
            purpose: RequestPurpose::ReadBack,
            peer: reading.peer,
            agent: None,
            heard_by: given.and_then(|given| given.heard_by),
            hop: given.map_or(0, |given| given.hop),
            common_prefix_len: Key::of(&self.key).common_prefix_len(&Key::of_peer(&reading.peer)),
            heard_after: given.map_or(reading.asked_after, |given| given.heard_after),
            asked_after: reading.asked_after,
            is_follow_up: false,
            dial: reading.dialled.as_ref().map(|dialled| dial_row(dialled.row(reading.asked_after))),
            sent_after: reading.sent_after,
            ended_after: Some(reading.ended_after),
            fate,
            failure,
            closer: 0,
            providers: u32::from(has_record == Some(true)),
            bytes_in: reading.traffic.received_bytes,
            bytes_out: reading.traffic.sent_bytes,
            is_critical: false,
            read_back_after: Some(reading.due_after),
            has_record,
        }
    }
}
