//! The same load by a client of go-libp2p.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    WARM,
    figures::Row,
    options::Options,
    process::{Server, Spent},
    requests::Kind,
};

/// Has it ask, with one request in flight on each of its streams, and measures the server.
pub(crate) fn run(server: &mut Server, kind: Kind, options: &Options) -> Row {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers/bin/dhtload");
    assert!(program.exists(), "the other client is missing: build it with peers/build.sh go");
    let ms = |time: Duration| format!("{}ms", time.as_millis());
    let kind = kind.name().replace(' ', "-").to_lowercase();
    let (peer, address) = server.first();
    let mut client = Command::new(program)
        .args(["-kind", &kind, "-streams", &options.connections.to_string()])
        .args(["-warm", &ms(WARM), "-lasts", &ms(options.seconds)])
        .arg(format!("{address}/p2p/{peer}"))
        .env("GOMAXPROCS", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut said = BufReader::new(client.stdout.take().expect("an output")).lines();
    let mut line = || said.next().expect("it has not failed").expect("a line");
    assert_eq!(line(), "measuring");
    let before = server.spent();
    let measured: Value = serde_json::from_str(&line()).expect("JSON");
    let spent = server.spent().since(before);
    client.wait().expect("it ends");
    let number = |name: &str| measured[name].as_f64().expect("a number");
    let time = |name: &str| Duration::from_secs_f64(number(name) / 1e6);
    Row {
        requests: number("requests"),
        lasted: time("lasted_us"),
        server: spent,
        client: Spent { user_us: number("user_us"), system_us: number("system_us"), resident_kib: 0.0 },
        times: Some([time("p50_us"), time("p99_us")]),
    }
}
