//! Protocols beside kad: whole dialogues on streams that a peer opened, whoever opened the connection.

use kad::{
    fabric::{Inward, Member, Notice, PeerStream, Reset, Says},
    failure::FailureClass,
    network::{Connection, Event, StreamId},
};
use kadscope_net::AnyConnection;
use tokio::time::timeout;

use super::{Ours, PATIENCE, QUIC, TCP, ask, fabric, says, serve};

/// What is served: one is attended to, the other one is not.
pub(crate) const PROTOCOLS: [&str; 2] = [TALK, "/unattended/1"];

pub(crate) const TALK: &str = "/talk/1";

/// Says all that it has heard so far, whenever it hears something; then goodbye.
pub(crate) async fn talk(name: &'static str, mut stream: PeerStream) -> Result<(), Reset> {
    let mut heard = Vec::new();
    while let Some(message) = stream.hear().await {
        if message == b"nonsense" {
            return Err(Reset);
        }
        heard.extend(message);
        stream.say([name.as_bytes(), &heard].concat()).await;
    }
    stream.say(b"bye".to_vec()).await;
    Ok(())
}

async fn next(connection: &mut AnyConnection, stream: StreamId) -> Event {
    let next = async {
        loop {
            let event = connection.next().await.unwrap();
            if !matches!(&event, Event::Accepted(_)) {
                return event;
            }
        }
    };
    let event = timeout(PATIENCE, next).await.expect("an event");
    let (Event::Accepted(id) | Event::Message(id, _) | Event::Ended(id, _)) = &event;
    assert_eq!(*id, stream);
    event
}

/// Holds a dialogue with the peer of this name.
async fn assert_talks(connection: &mut AnyConnection, name: &str) {
    let stream = connection.open(TALK, 100);
    for (message, said) in [("x", "x"), ("y", "xy")] {
        connection.send(stream, message.as_bytes());
        let expected = Event::Message(stream, format!("{name}{said}").into_bytes());
        assert_eq!(next(connection, stream).await, expected);
    }
    connection.finish(stream);
    assert_eq!(next(connection, stream).await, Event::Message(stream, b"bye".to_vec()));
    assert_eq!(next(connection, stream).await, Event::Ended(stream, None));
}

/// Says one thing, and expects the stream to end so.
async fn assert_ends(
    connection: &mut AnyConnection,
    (protocol, message): (&str, &[u8]),
    class: FailureClass,
) {
    let stream = connection.open(protocol, 100);
    connection.send(stream, message);
    let end = next(connection, stream).await;
    assert!(matches!(&end, Event::Ended(_, Some(failure)) if failure.class == class), "{end:?}");
}

#[tokio::test]
async fn a_dialogue_is_held_on_one_stream_whoever_opened_the_connection() {
    let fabric = fabric();
    for listen in [TCP, QUIC] {
        for is_dialler in [true, false] {
            let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
            let b = Ours::join(&fabric, "b", &[listen], Inward::HandedOut).await;
            let (dialled, accepted) = a.meet(&b).await;
            let (mut ours, theirs, name) = if is_dialler {
                (dialled, accepted.connection, "b")
            } else {
                (accepted.connection, dialled, "a")
            };
            let serving = serve(theirs);
            assert_talks(&mut ours, name).await;
            // What is said anew leaves them where they are.
            a.host.say(Says { kad_protocols: Vec::new(), ..says("a client") });
            b.host.say(Says { kad_protocols: Vec::new(), ..says("a client") });
            assert_talks(&mut ours, name).await;
            ours.close().await;
            serving.await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_not_attended_to_breaks_the_rules_or_is_too_long_is_reset() {
    let fabric = fabric();
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let b = Ours::join(&fabric, "b", &[TCP], Inward::HandedOut).await;
    let (mut dialled, accepted) = a.meet(&b).await;
    let serving = serve(accepted.connection);
    let reset = FailureClass::StreamReset;
    assert_ends(&mut dialled, (PROTOCOLS[1], b"x"), reset).await;
    assert_ends(&mut dialled, (TALK, b"nonsense"), reset).await;
    assert_ends(&mut dialled, (TALK, b"eleven bytes"), reset).await;
    assert_ends(&mut dialled, ("/other/1", b"x"), FailureClass::ProtocolNotSupported).await;
    assert_eq!(ask(&mut dialled, b"x").await, b"b heard x");
    dialled.close().await;
    serving.await.unwrap();
}

#[tokio::test]
async fn they_are_among_the_protocols_that_a_peer_says_it_speaks() {
    let fabric = fabric();
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let b = Ours::join(&fabric, "b", &[TCP], Inward::HandedOut).await;
    let (mut dialled, accepted) = a.meet(&b).await;
    let serving = serve(accepted.connection);
    ask(&mut dialled, b"x").await;
    let serving_too = serve(dialled);
    let protocols = |notice: &Notice| match notice {
        Notice::Introduced(introduced) => Some(introduced.identify.protocols.clone()),
        _ => None,
    };
    let said = b.told(protocols).await;
    assert!(PROTOCOLS.iter().all(|name| said.iter().any(|said| said == name)), "{said:?}");
    serving_too.abort();
    serving.await.unwrap();
}
