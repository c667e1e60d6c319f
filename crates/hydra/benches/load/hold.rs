//! What connections take that peers hold open: memory of the server, and CPU time until each was answered one thing.

use std::time::Duration;

use kad::{
    message::{AMINO_PROTOCOL, Message, MessageType},
    network::{Connection, Event},
};
use tokio::{task::LocalSet, time::sleep};

use crate::{
    client::Askers,
    options::Options,
    process::{Server, Spent, runtime},
};

/// Connections before anything is measured: what all share has been made by them.
const FIRST: usize = 100;

/// How long the server has to come to rest.
const REST: Duration = Duration::from_secs(2);

/// The longest answer that is taken, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Holds so many connections, and prints what each takes of the server.
pub(crate) fn measure(count: usize, options: &Options) {
    let mut server = Server::start(options);
    runtime(1).block_on(LocalSet::new().run_until(async {
        let mut askers = Askers::new();
        connect(&mut askers, &server, 0..FIRST).await;
        let before = server.spent();
        connect(&mut askers, &server, FIRST..FIRST + count).await;
        let Spent { user_us, system_us, resident_kib } = server.spent().since(before);
        let each = |sum: f64| sum / f64::from(u32::try_from(count).expect("not that many"));
        println!("| connections held | KiB of the server each | its CPU us to accept each and answer once |");
        println!("|---|---|---|");
        println!("| {count} | {:.1} | {:.0} |", each(resident_kib), each(user_us + system_us));
    }));
}

/// Opens connections to the heads in turn, asks one thing on each, and holds them.
async fn connect(askers: &mut Askers, server: &Server, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let (host, mut connection) = askers.connect(&server.heads[number % server.heads.len()]).await;
        let stream = connection.open(AMINO_PROTOCOL, MAX_ANSWER_BYTES);
        let key = number.to_be_bytes().to_vec();
        connection.send(stream, &Message::new(MessageType::FindNode, key).encode());
        while !matches!(connection.next().await, Ok(Event::Message(..))) {}
        tokio::task::spawn_local(async move {
            // Its peer lives as long as the connection does.
            let _host = host;
            while connection.next().await.is_ok() {}
            panic!("a connection was not held");
        });
    }
    sleep(REST).await;
}
