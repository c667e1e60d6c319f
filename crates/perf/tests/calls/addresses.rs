//! Servers are reached wherever they stand: by IPv6, and on the upper half of all ports.

use std::net::{Ipv4Addr, Ipv6Addr};

use kadscope_perf::{HttpCalls, ServerCalls as _};
use tokio::net::TcpListener;

use crate::stub::{Stub, answer};

fn calls() -> HttpCalls {
    HttpCalls::new(&["default".to_owned()], false).unwrap()
}

#[tokio::test]
async fn an_ipv6_address_is_asked_in_brackets() {
    let stub = Stub::at(Ipv6Addr::LOCALHOST, |_| answer("200 OK", "")).await;
    calls().ready(&stub.server(1)).await.unwrap();
    let host = format!("[::1]:{}", stub.address.port());
    assert!(stub.asked()[0].headers().contains(&("host".to_owned(), host)));
}

#[tokio::test]
async fn a_port_over_32767_is_one_like_any_other() {
    let mut ports = 40_001..u16::MAX;
    let listener = loop {
        let port = ports.next().unwrap();
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            break listener;
        }
    };
    let stub = Stub::on(listener, |_| answer("200 OK", ""));
    assert!(stub.address.port() > 32_767);
    calls().ready(&stub.server(1)).await.unwrap();
}
