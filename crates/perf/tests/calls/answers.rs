//! Whatever a server answers, it is an answer or a failure with a name, and nothing else is touched.

use std::{net::Ipv4Addr, time::Duration};

use kadscope_perf::{
    CallFailure, CallFailureClass, CallTerms, Called, ConnectionPolicy, HttpCalls, OperationAnswer,
    OperationId, ServerCalls as _,
};
use tokio::net::TcpListener;

use crate::stub::{Stub, answer};

/// What a Go server answers.
const FINE: &str = r#"{"CID":"QmX","Measurements":[{"Step":"provide","Duration":65110581,"Error":""}],"RoutingTableSize":61}"#;

fn terms() -> CallTerms {
    CallTerms {
        id: OperationId([7; 16]),
        deadline: Duration::from_secs(2),
        connections: None,
        persistence: None,
        read_back: Vec::new(),
    }
}

fn calls(is_plain: bool) -> HttpCalls {
    HttpCalls::new(&["default".to_owned(), "optprov".to_owned()], is_plain).unwrap()
}

async fn told(status: &'static str, body: &'static str) -> Result<Called<OperationAnswer>, CallFailure> {
    let stub = Stub::at(Ipv4Addr::LOCALHOST, move |_| answer(status, body)).await;
    calls(true).retrieve(&stub.server(1), "QmX", &terms()).await
}

async fn class(status: &'static str, body: &'static str) -> CallFailureClass {
    told(status, body).await.unwrap_err().class()
}

#[tokio::test]
async fn the_status_counts_whatever_stands_in_the_body() {
    for status in
        ["500 Internal Server Error", "404 Not Found", "400 Bad Request", "204 No Content", "301 Moved"]
    {
        let body = if status.starts_with("204") { "" } else { FINE };
        assert_eq!(class(status, body).await, CallFailureClass::Status, "{status}");
    }
    let failure = told("400 Bad Request", "invalid cid: a\0b\n").await.unwrap_err();
    assert_eq!(failure.to_string(), "status: status 400: invalid cid: ab");
}

#[tokio::test]
async fn what_is_no_answer_is_a_bad_one() {
    for body in [
        "",
        "no JSON",
        "[]",
        "null",
        r#"{"CID":"QmX","Measurements":[{"Step":"","Duration":1.5,"Error":""}],"RoutingTableSize":1}"#,
        r#"{"CID":"QmX","Measurements":[{"Step":"","Duration":1.5e6,"Error":""}],"RoutingTableSize":1}"#,
        r#"{"CID":"QmX","Measurements":[{"Step":"","Duration":-1,"Error":""}],"RoutingTableSize":1}"#,
        r#"{"CID":"QmX","Measurements":[],"RoutingTableSize":-1}"#,
        r#"{"CID":5,"Measurements":[],"RoutingTableSize":1}"#,
    ] {
        assert_eq!(class("200 OK", body).await, CallFailureClass::BadAnswer, "{body}");
    }
}

#[tokio::test]
async fn a_table_beyond_32_bits_and_a_nul_in_an_error_are_read() {
    let said = told(
        "200 OK",
        r#"{"CID":"QmX","Measurements":[{"Step":"","Duration":1,"Error":"a\u0000b"}],"RoutingTableSize":4294967296}"#,
    );
    assert_eq!(said.await.unwrap().said.routing_table_size, 1 << 32);
}

#[tokio::test]
async fn answers_of_other_forms_are_answers() {
    // No step, as Parsec's server in JavaScript; several, as of an indexer; none, as Go's scheduler takes it.
    let old = told("200 OK", r#"{"CID":"QmX","Duration":7,"RoutingTableSize":3,"Error":""}"#).await.unwrap();
    assert_eq!(old.said.measurements[0].duration_ns, 7);
    let steps = r#"{"CID":"QmX","Measurements":[{"Step":"announce","Duration":1,"Error":""},{"Step":"index_ad","Duration":2,"Error":""}],"RoutingTableSize":0}"#;
    assert_eq!(told("200 OK", steps).await.unwrap().said.measurements.len(), 2);
    let none = told("200 OK", r#"{"CID":"QmX","Measurements":null,"RoutingTableSize":0}"#).await.unwrap();
    assert!(none.said.measurements.is_empty());
}

#[tokio::test]
async fn a_body_at_readiness_says_nothing_and_costs_no_connection() {
    let stub = Stub::at(Ipv4Addr::LOCALHOST, |_| answer("200 OK", &"ready ".repeat(1000))).await;
    let (calls, server) = (calls(true), stub.server(1));
    for _ in 0..50 {
        calls.ready(&server).await.unwrap();
    }
    assert_eq!(stub.connections(), 1);
}

#[tokio::test]
async fn who_is_not_ready_says_so_by_its_status() {
    for status in ["503 Service Unavailable", "204 No Content", "404 Not Found", "302 Found"] {
        let stub = Stub::at(Ipv4Addr::LOCALHOST, move |_| answer(status, "")).await;
        let failure = calls(true).ready(&stub.server(1)).await.unwrap_err();
        assert_eq!(failure.class(), CallFailureClass::Unready, "{status}");
    }
}

#[tokio::test]
async fn who_is_not_there_hangs_up_or_speaks_something_else_is_known_by_name() {
    let gone = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let stub = Stub::on(listener, |_| Vec::new());
        stub.server(1)
    };
    // The listener goes when its task does.
    tokio::task::yield_now().await;
    let failure = calls(true).ready(&gone).await.unwrap_err();
    assert_eq!(failure.class(), CallFailureClass::Unreachable);
    let garbage = Stub::at(Ipv4Addr::LOCALHOST, |_| b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()).await;
    let failure = calls(true).retrieve(&garbage.server(1), "QmX", &terms()).await.unwrap_err();
    assert_eq!(failure.class(), CallFailureClass::BadAnswer);
}

#[tokio::test]
async fn our_terms_stand_behind_the_path_and_nowhere_where_go_is_spoken() {
    let stub = Stub::at(Ipv4Addr::LOCALHOST, |_| answer("200 OK", FINE)).await;
    let terms = CallTerms {
        connections: Some(ConnectionPolicy::Cold),
        read_back: vec![Duration::ZERO, Duration::from_millis(1500)],
        ..terms()
    };
    for is_plain in [true, false] {
        calls(is_plain).provide(&stub.server(1), b"gold", &terms).await.unwrap();
    }
    let asked = stub.asked();
    assert_eq!(asked[0].line(), ("POST", "/provide"));
    let query = "id=07070707070707070707070707070707&deadline=2&connections=cold&readback=0,1.5&kept=1";
    assert_eq!(asked[1].line(), ("POST", format!("/provide?{query}").as_str()));
    assert!(asked[1].headers().contains(&("x-scheduler-id".to_owned(), "default,optprov".to_owned())));
}

#[test]
fn a_fleet_that_cannot_stand_in_a_header_is_refused_at_once() {
    assert!(HttpCalls::new(&["a\nb".to_owned()], true).is_err());
}
