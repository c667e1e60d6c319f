//! What a request cannot take less than: decrypting the question, encrypting the answer, and the system calls that bring both,
//! with nothing between them.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tokio::time::Instant;

use crate::{
    PIPELINED, WARM,
    figures::Row,
    options::Options,
    process::{SERVER_CORE, Server, Spent, pin, tell_what_is_spent},
};

/// What a question and an answer have on the wire, in bytes: FIND_NODE and twenty peers, with the headers of yamux and Noise.
const QUESTION_BYTES: usize = 70;
const ANSWER_BYTES: usize = 1_110;

/// The ends of some connections that decrypt what comes and encrypt what goes.
struct Ends {
    connections: Vec<TcpStream>,
    key: LessSafeKey,
    /// How many requests there are in one message and one packet.
    together: usize,
    buffer: Vec<u8>,
}

impl Ends {
    fn new(connections: Vec<TcpStream>, together: usize) -> Self {
        for tcp in &connections {
            tcp.set_nodelay(true).expect("an option");
        }
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).expect("a key"));
        Self { connections, key, together, buffer: vec![0; (ANSWER_BYTES + 16) * together] }
    }

    fn nonce() -> Nonce {
        Nonce::assume_unique_for_key([0; NONCE_LEN])
    }

    fn send(&mut self, number: usize, each_bytes: usize) {
        let bytes = each_bytes * self.together;
        let tag = self.key.seal_in_place_separate_tag(Self::nonce(), Aad::empty(), &mut self.buffer[..bytes]);
        self.buffer[bytes..bytes + 16].copy_from_slice(tag.expect("sealed").as_ref());
        self.connections[number].write_all(&self.buffer[..bytes + 16]).expect("sent");
    }

    /// Whether there was anything.
    fn receive(&mut self, number: usize, each_bytes: usize) -> bool {
        let bytes = each_bytes * self.together + 16;
        if self.connections[number].read_exact(&mut self.buffer[..bytes]).is_err() {
            return false;
        }
        self.key.open_in_place(Self::nonce(), Aad::empty(), &mut self.buffer[..bytes]).expect("as sealed");
        true
    }
}

/// The other process: answers on each connection in turn, until the first ends.
pub(crate) fn echo(args: &[String]) {
    pin(SERVER_CORE);
    let [connections, together] = [0, 1].map(|n| args[n].parse().expect("a number"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    println!("bound {}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let accepted = (0..connections).map(|_| listener.accept().expect("a connection").0);
        let mut ends = Ends::new(accepted.collect(), together);
        while (0..connections).all(|number| {
            let any = ends.receive(number, QUESTION_BYTES);
            if any {
                ends.send(number, ANSWER_BYTES);
            }
            any
        }) {}
    });
    tell_what_is_spent();
}

/// As many together on each connection as are pipelined, and one.
pub(crate) fn measure(options: &Options) {
    let connections = options.connections;
    for (together, what) in [(PIPELINED, "pipelined"), (1, "one in flight")] {
        let mut server = Server::child(&["--echo", &connections.to_string(), &together.to_string()]);
        let connected =
            (0..connections).map(|_| TcpStream::connect(&server.first().1).expect("a connection"));
        let mut ends = Ends::new(connected.collect(), together);
        let mut ask = |lasts: Duration| {
            let (began, mut asked) = (Instant::now(), 0);
            while began.elapsed() < lasts {
                (0..connections).for_each(|number| ends.send(number, QUESTION_BYTES));
                assert!((0..connections).all(|number| ends.receive(number, ANSWER_BYTES)), "it answers");
                asked += connections * together;
            }
            f64::from(u32::try_from(asked).expect("not that many"))
        };
        ask(WARM);
        let (then, before, spent) = (Instant::now(), Spent::here(), server.spent());
        let row = Row {
            requests: ask(options.seconds),
            lasted: then.elapsed(),
            server: server.spent().since(spent),
            client: Spent::here().since(before),
            times: None,
        };
        row.print(&format!("bound: FIND_NODE, {what}"));
    }
}
