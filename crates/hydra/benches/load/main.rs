//! What a request costs the process that answers it, and how many a second one core answers: a server and its load in
//! processes of their own, each on a core of its own, over sockets of loopback.
//!
//! `cargo bench -p kadscope-hydra --bench load -- [--seconds N] [--connections N] [--quic] [--belly URL] [WORD...]` runs the rows whose names
//! contain a word, or all; `--hold N` measures instead what N connections take that are held, over all heads in turn. `go` stands for a client of go-libp2p (`peers/build.sh go` comes first), `bound` for what the
//! cryptography and the system calls alone take. CPU time is each process's own; other programs on the machine disturb rates
//! more than that.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and may fail"
)]

mod bound;
mod client;
mod figures;
mod go;
mod hold;
mod latency;
mod options;
mod process;
mod requests;
mod server;

use std::time::Duration;

use figures::Row;
use options::Options;
use process::{CLIENT_CORE, SERVER_CORE, Server, pin, runtime};
use requests::Kind;

/// How long load runs before anything is measured.
const WARM: Duration = Duration::from_millis(500);

/// How many requests are in flight on each connection where they are pipelined.
const PIPELINED: usize = 32;

/// Requests a second of a mix at which times are measured, whatever the answers take.
const MIX_PER_S: u32 = 5_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.split_first() {
        Some((mode, rest)) if mode == "--serve" => server::serve(rest),
        Some((mode, rest)) if mode == "--echo" => bound::echo(rest),
        _ => {
            let options = Options::parse(&args);
            match options.hold {
                Some(count) => hold::measure(count, &options),
                None => measure(&options),
            }
        }
    }
}

fn measure(options: &Options) {
    pin(CLIENT_CORE);
    println!("server on core {SERVER_CORE}, client on core {CLIENT_CORE}; {options}\n");
    Row::print_head();
    if options.wants("bound") {
        bound::measure(options);
    }
    for kind in Kind::ALL {
        for (name, window) in [("pipelined", PIPELINED), ("one in flight", 1)] {
            let name = format!("{kind}, {name}");
            if options.wants(&name) {
                let mut server = Server::start(options);
                let load = client::Load { kind, window, per_s: None };
                let row = runtime(1).block_on(client::run(&mut server, load, options));
                row.print(&name);
            }
        }
    }
    let name = format!("{}, {MIX_PER_S}/s", Kind::Mix);
    if options.wants(&name) {
        let mut server = Server::start(options);
        let load = client::Load { kind: Kind::Mix, window: usize::MAX, per_s: Some(MIX_PER_S) };
        runtime(1).block_on(client::run(&mut server, load, options)).print(&name);
    }
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_spoken_by_go()) {
        let name = format!("{kind}, go");
        if options.wants(&name) {
            let mut server = Server::start(options);
            go::run(&mut server, kind, options).print(&name);
        }
    }
}
