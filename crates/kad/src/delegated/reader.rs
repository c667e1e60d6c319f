//! Reads an answer as it comes: one JSON object, or an object a line.

use serde_json::Value;
use thiserror::Error;

use super::{RoutingAnswer, RoutingFilters};
use crate::policy::Addresses;

/// The longest record of a line, in bytes: a hundred addresses take about 10,000.
const MAX_LINE_BYTES: usize = 256 << 10;

/// The longest answer that comes as one object, in bytes.
const MAX_OBJECT_BYTES: usize = 4 << 20;

/// What an answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutingAnswerForm {
    /// One object with all records: `application/json`.
    Object,
    /// A record in each line: `application/x-ndjson`.
    Lines,
}

/// An answer is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadRoutingAnswer {
    /// It is no JSON, or not of this form.
    #[error("it is no answer of /routing/v1/providers")]
    Malformed,
    /// It is longer than what is read.
    #[error("it is longer than what is read")]
    TooLong,
}

/// Reads an answer piece by piece, as they come.
#[derive(Debug)]
pub struct RoutingAnswerReader {
    form: RoutingAnswerForm,
    addresses: Addresses,
    filters: RoutingFilters,
    /// What has come of a line, or of the object.
    begun: Vec<u8>,
    answer: RoutingAnswer,
}

impl RoutingAnswerForm {
    /// The form that a `Content-Type` names; `None` for any other type.
    pub fn of_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next()?.trim().to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Object),
            "application/x-ndjson" => Some(Self::Lines),
            _ => None,
        }
    }
}

impl RoutingAnswerReader {
    /// Reads an answer in this form; of the addresses, those that this policy lets be dialled.
    pub fn new(form: RoutingAnswerForm, addresses: Addresses) -> Self {
        let (filters, answer) = (RoutingFilters::default(), RoutingAnswer::default());
        Self { form, addresses, filters, begun: Vec::new(), answer }
    }

    /// The same of an answer to who asked for these records: it takes no others.
    #[must_use]
    pub fn filtered(mut self, filters: RoutingFilters) -> Self {
        self.filters = filters;
        self
    }

    /// What has been read of the answer so far: of an object nothing, before its end.
    pub fn so_far(&self) -> &RoutingAnswer {
        &self.answer
    }

    /// Takes what came next.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), BadRoutingAnswer> {
        let max_bytes = match self.form {
            RoutingAnswerForm::Object => MAX_OBJECT_BYTES,
            RoutingAnswerForm::Lines => MAX_LINE_BYTES,
        };
        let mut rest = piece;
        if self.form == RoutingAnswerForm::Lines {
            while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let (line, behind) = rest.split_at(end);
                self.begin(line, max_bytes)?;
                self.line();
                rest = behind.get(1..).unwrap_or_default();
            }
        }
        self.begin(rest, max_bytes)
    }

    fn begin(&mut self, bytes: &[u8], max_bytes: usize) -> Result<(), BadRoutingAnswer> {
        if self.begun.len() + bytes.len() > max_bytes {
            return Err(BadRoutingAnswer::TooLong);
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends a line: a record, or nothing.
    fn line(&mut self) {
        if !self.begun.trim_ascii().is_empty() {
            match serde_json::from_slice(&self.begun) {
                Ok(record) => self.answer.add(&record, self.addresses, &self.filters),
                Err(_) => self.answer.add_malformed(),
            }
        }
        self.begun.clear();
    }

    /// The answer, when all of it has come.
    pub fn finish(mut self) -> Result<RoutingAnswer, BadRoutingAnswer> {
        match self.form {
            RoutingAnswerForm::Lines => self.line(),
            RoutingAnswerForm::Object => self.object()?,
        }
        Ok(self.answer)
    }

    /// What has been read, when no more comes: of lines, the whole ones.
    pub fn broken_off(self) -> RoutingAnswer {
        self.answer
    }

    fn object(&mut self) -> Result<(), BadRoutingAnswer> {
        let object: Value = serde_json::from_slice(&self.begun).map_err(|_| BadRoutingAnswer::Malformed)?;
        let records = match object.get("Providers") {
            Some(Value::Array(records)) => records.as_slice(),
            // Go writes a list of nothing like that.
            Some(Value::Null) => &[],
            _ => return Err(BadRoutingAnswer::Malformed),
        };
        for record in records {
            self.answer.add(record, self.addresses, &self.filters);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use multiaddr::Multiaddr;

    use super::*;
    use crate::{
        PeerId,
        delegated::{RecordTally, RoutedProvider, UnusedRecord},
    };

    const PEER: &str = "12D3KooWRkVYJqmFgvoi8nPUyaJ6k8rqxTT8BMp1oZyRTuY84Vw3";

    /// Records as services write them, with what becomes of each.
    fn records() -> Vec<(String, Option<UnusedRecord>)> {
        let peer = |fields: &str| format!(r#"{{"Schema":"peer","ID":"{PEER}",{fields}}}"#);
        let addrs = r#""Addrs":["/ip4/1.2.3.4/tcp/4001"]"#;
        vec![
            (peer(addrs), None),
            (
                peer(&format!(
                    r#""Protocols":["transport-graphsync-filecoinv1","transport-bitswap"],{addrs}"#
                )),
                None,
            ),
            (peer(&format!(r#""Protocols":[],{addrs},"transport-bitswap":"gBI=""#)), None),
            (format!(r#"{{"Schema":"bitswap","Protocol":"transport-bitswap","ID":"{PEER}",{addrs}}}"#), None),
            (
                peer(&format!(r#""Protocols":["transport-graphsync-filecoinv1"],{addrs}"#)),
                Some(UnusedRecord::Protocol),
            ),
            (
                peer(&format!(r#""Protocols":["transport-ipfs-gateway-http"],{addrs}"#)),
                Some(UnusedRecord::Protocol),
            ),
            (
                format!(r#"{{"Schema":"graphsync-filecoinv1","ID":"{PEER}",{addrs}}}"#),
                Some(UnusedRecord::Protocol),
            ),
            (format!(r#"{{"Schema":"new","ID":"{PEER}",{addrs}}}"#), Some(UnusedRecord::Schema)),
            (peer(r#""Addrs":[]"#), Some(UnusedRecord::Address)),
            (peer(r#""Addrs":null"#), Some(UnusedRecord::Address)),
            (
                peer(r#""Addrs":["/ip4/127.0.0.1/tcp/1","/ip4/10.0.0.1/tcp/1","x",7]"#),
                Some(UnusedRecord::Address),
            ),
            (peer(r#""Addrs":["/dns4/a.test/tcp/443/https"]"#), Some(UnusedRecord::Address)),
            (format!(r#"{{"Schema":"peer","ID":"nobody",{addrs}}}"#), Some(UnusedRecord::Malformed)),
            ("7".to_owned(), Some(UnusedRecord::Malformed)),
            ("{}".to_owned(), Some(UnusedRecord::Malformed)),
        ]
    }

    fn read(form: RoutingAnswerForm, text: &str, step: usize) -> RoutingAnswer {
        let mut reader = RoutingAnswerReader::new(form, Addresses::Public);
        for piece in text.as_bytes().chunks(step) {
            reader.push(piece).unwrap();
        }
        reader.finish().unwrap()
    }

    #[test]
    fn what_bitswap_cannot_use_is_left_out_and_counted() {
        for (record, fate) in records() {
            let answer = read(RoutingAnswerForm::Lines, &record, 7);
            assert_eq!(answer.providers.len(), usize::from(fate.is_none()), "{record}");
            let counts = UnusedRecord::ALL.iter().map(|&left_out| u64::from(fate == Some(left_out)));
            assert!(counts.eq(answer.left_out), "{record}: {:?}", answer.left_out);
        }
    }

    #[test]
    fn lines_and_an_object_say_the_same() {
        let records: Vec<_> = records().into_iter().map(|(record, _)| record).collect();
        let object = format!(r#"{{"Providers":[{}]}}"#, records.join(","));
        let of_object = read(RoutingAnswerForm::Object, &object, 100);
        for step in [1, 13, 100_000] {
            assert_eq!(read(RoutingAnswerForm::Lines, &records.join("\n"), step), of_object);
            assert_eq!(
                read(RoutingAnswerForm::Lines, &format!("{}\r\n\n", records.join("\r\n")), step),
                of_object
            );
        }
        assert_eq!(of_object.providers.len(), 1, "a peer that is named again is there once");
    }

    #[test]
    fn addresses_that_others_could_use_are_kept_without_the_peer() {
        let relay = format!("/ip4/1.2.3.4/tcp/1/p2p/{PEER}/p2p-circuit");
        let written =
            ["/ip4/1.2.3.4/udp/1/quic-v1/webtransport", "/dnsaddr/a.test", &relay, "/ip4/1.2.3.4/tcp/1"];
        let listed: Vec<_> = written.iter().map(|addr| format!("\"{addr}/p2p/{PEER}\"")).collect();
        let other = PeerId::random();
        let text = format!(
            r#"{{"Schema":"peer","ID":"{PEER}","Addrs":[{},"/ip4/1.2.3.4/tcp/1","/ip4/1.2.3.4/tcp/1/p2p/{other}"]}}"#,
            listed.join(",")
        );
        let addrs: Vec<Multiaddr> = written.iter().map(|addr| addr.parse().unwrap()).collect();
        let expected = RoutedProvider { peer: PEER.parse().unwrap(), addrs };
        assert_eq!(read(RoutingAnswerForm::Lines, &text, 50).providers, [expected]);
    }

    #[test]
    fn what_is_no_answer_is_none_and_nothing_grows_without_bound() {
        for text in ["", "[]", "{}", "<html>", r#"{"Providers":7}"#] {
            let mut reader = RoutingAnswerReader::new(RoutingAnswerForm::Object, Addresses::Public);
            reader.push(text.as_bytes()).unwrap();
            assert_eq!(reader.finish().unwrap_err(), BadRoutingAnswer::Malformed, "{text}");
        }
        assert_eq!(read(RoutingAnswerForm::Object, r#"{"Providers":null}"#, 5), RoutingAnswer::default());
        for form in [RoutingAnswerForm::Object, RoutingAnswerForm::Lines] {
            let mut reader = RoutingAnswerReader::new(form, Addresses::Public);
            let pushed = (0..10_000).try_for_each(|_| reader.push(&[b' '; 1024]));
            assert_eq!(pushed, Err(BadRoutingAnswer::TooLong));
        }
    }

    #[test]
    fn what_came_is_counted_whether_it_is_of_use_or_not() {
        let of_all: Vec<_> = records().into_iter().map(|(record, _)| record).collect();
        let answer = read(RoutingAnswerForm::Lines, &of_all.join("\n"), 64);
        assert_eq!(answer.tally, RecordTally { records: 15, peers: 7, with_addresses: 11 });
        assert_eq!(answer.peers, [PEER.parse::<PeerId>().unwrap()], "one that has no address is named, too");
        let mut reader = RoutingAnswerReader::new(RoutingAnswerForm::Lines, Addresses::Public)
            .filtered(RoutingFilters::new("transport-ipfs-gateway-http", "").unwrap());
        reader.push(of_all.join("\n").as_bytes()).unwrap();
        assert_eq!(reader.so_far().tally.peers, 1);
    }

    #[test]
    fn of_a_broken_answer_the_whole_lines_are_left() {
        let mut reader = RoutingAnswerReader::new(RoutingAnswerForm::Lines, Addresses::Public);
        let (record, _) = records().remove(0);
        reader.push(format!("{record}\n{{\"Schema\":").as_bytes()).unwrap();
        assert_eq!(reader.broken_off().providers.len(), 1);
    }

    #[test]
    fn forms_are_named_by_their_types() {
        let form = RoutingAnswerForm::of_type;
        assert_eq!(form("application/x-ndjson; charset=utf-8"), Some(RoutingAnswerForm::Lines));
        assert_eq!(form("Application/JSON"), Some(RoutingAnswerForm::Object));
        assert_eq!(form("text/html"), None);
    }

    #[test]
    fn content_is_asked_for_by_its_cid() {
        let path = super::super::providers_path(&[0x00, 1, 7]);
        assert_eq!(path.as_deref(), Some("routing/v1/providers/bafkqaaih"));
        assert_eq!(super::super::providers_path(b"/ipns/x"), None);
        let key = [&[0x12, 32][..], &[7; 32]].concat();
        let path = super::super::providers_path_v0(&key).unwrap();
        assert!(path.starts_with("routing/v1/providers/Qm"), "{path}");
        assert_eq!(
            super::super::providers_path_v0(&[0x00, 1, 7]),
            super::super::providers_path(&[0x00, 1, 7])
        );
    }
}
