//! Both ends of a connection in one place: what a peer may do on streams that it opens with us.

use std::{future::poll_fn, net::Ipv4Addr, sync::Arc, task::Poll, time::Duration};

use kad::{
    PeerId,
    failure::{FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, IDENTIFY_PUSH_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{Event, StreamId},
};
use tokio::{task::JoinHandle, time::Instant};

use super::{
    Configs, QuicDialer, QuicLink, QuicListener, Receivers, bind_quic, shake_hands,
    transport::MAX_INBOUND_STREAMS,
};
use crate::{
    carrier::Carrier,
    duplex::Duplex,
    identity::Identity,
    introduction::{Introduction, PING_PROTOCOL, protocols},
    persona::{Nothing, Persona, Voice},
    session::{Framing, SessionEvent},
    source::Path,
};

/// A connection: the dialling end, and the listening end with the dialler's peer id.
async fn pair() -> (Duplex<QuicLink>, QuicLink, PeerId) {
    let (us, them) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let socket = bind_quic((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let addr = socket.local_addr().unwrap();
    let listener = QuicListener::new(socket, &Receivers::new()).unwrap();
    let (peer, config) = (them.peer_id(), Configs::new().unwrap().get(&them).unwrap());
    let protocols = protocols(&[], &[]);
    let voice = |us: &Identity, _: &[_]| {
        let introduction = Introduction::new(us, "asker/1", &protocols, &[]);
        Voice { introduction, protocols: Arc::clone(&protocols) }
    };
    let persona = Arc::new(Persona::new(us.clone(), Arc::new(Nothing), voice));
    let dialer = QuicDialer::new(1);
    let accept = async {
        let (incoming, local) = listener.accept().await.unwrap();
        assert_eq!(local, addr);
        shake_hands(incoming, config, protocols, local).await.unwrap()
    };
    let dial =
        dialer.dial(Path { from: None, to: addr }, peer, Instant::now() + Duration::from_secs(5), &persona);
    let (dialled, accepted) = tokio::join!(dial, accept);
    // The endpoints live as long as their connections.
    (dialled.unwrap().1, accepted, us.peer_id())
}

/// The dialling end does nothing but wait.
fn wait(mut dialled: Duplex<QuicLink>) -> JoinHandle<()> {
    tokio::spawn(async move { while dialled.next().await.is_ok() {} })
}

async fn next(link: &mut QuicLink) -> SessionEvent {
    poll_fn(|cx| {
        loop {
            if let Some(event) = link.poll_event() {
                return Poll::Ready(event);
            }
            match link.poll_receive(cx) {
                Poll::Ready(result) => result.unwrap(),
                Poll::Pending => match link.poll_flush(cx) {
                    // Streams that are open now have not been looked at.
                    Poll::Ready(Ok(true)) => {}
                    _ => return Poll::Pending,
                },
            }
        }
    })
    .await
}

/// What comes on a stream until it ends.
async fn rest_of(link: &mut QuicLink, stream: StreamId) -> (Vec<Vec<u8>>, Option<FailureClass>) {
    let mut messages = Vec::new();
    loop {
        match next(link).await {
            SessionEvent::Message(id, message) if id == stream => messages.push(message),
            SessionEvent::Ended(id, end) if id == stream => return (messages, end.map(|end| end.class)),
            _ => {}
        }
    }
}

#[tokio::test]
async fn the_listening_end_knows_who_dialled() {
    let (_dialled, accepted, us) = pair().await;
    assert_eq!(accepted.peer(), Some(us));
}

#[tokio::test]
async fn a_dialler_answers_identify_and_pings_and_hears_pushes() {
    let (dialled, mut link, us) = pair().await;
    let waiting = wait(dialled);
    let identify = link.open(IDENTIFY_PROTOCOL, Framing::Prefixed(MAX_IDENTIFY_BYTES));
    let (messages, end) = rest_of(&mut link, identify).await;
    assert_eq!(end, None);
    let who = Identify::decode(&messages[0]).unwrap();
    assert_eq!(who.agent_version.as_deref(), Some("asker/1"));
    let key = libp2p_identity::PublicKey::try_decode_protobuf(&who.public_key).unwrap();
    assert_eq!(key.to_peer_id(), us);

    let ping = link.open(PING_PROTOCOL, Framing::Fixed(32));
    link.send(ping, &[7; 32]);
    link.send(ping, &[8; 32]);
    link.finish(ping);
    assert_eq!(rest_of(&mut link, ping).await, (vec![vec![7; 32], vec![8; 32]], None));

    let push = link.open(IDENTIFY_PUSH_PROTOCOL, Framing::Prefixed(MAX_IDENTIFY_BYTES));
    link.send(push, &messages[0]);
    link.finish(push);
    assert_eq!(rest_of(&mut link, push).await, (vec![], None));
    waiting.abort();
}

#[tokio::test]
async fn a_dialler_refuses_what_it_does_not_serve_even_where_data_follows() {
    let (dialled, mut link, _) = pair().await;
    let waiting = wait(dialled);
    for protocol in ["/ipfs/kad/1.0.0", "/meshsub/1.1.0"] {
        let stream = link.open(protocol, Framing::Prefixed(99));
        link.send(stream, b"data that nobody agreed to");
        assert_eq!(rest_of(&mut link, stream).await.1, Some(FailureClass::ProtocolNotSupported));
    }
    waiting.abort();
}

#[tokio::test]
async fn a_message_beyond_the_limit_ends_its_stream_only() {
    let (dialled, mut link, _) = pair().await;
    let waiting = wait(dialled);
    let push = link.open(IDENTIFY_PUSH_PROTOCOL, Framing::Prefixed(usize::MAX));
    link.send(push, &vec![0; MAX_IDENTIFY_BYTES + 1]);
    assert_eq!(rest_of(&mut link, push).await.1, Some(FailureClass::StreamReset));
    let ping = link.open(PING_PROTOCOL, Framing::Fixed(32));
    link.send(ping, &[7; 32]);
    link.finish(ping);
    assert_eq!(rest_of(&mut link, ping).await, (vec![vec![7; 32]], None));
    waiting.abort();
}

#[tokio::test]
async fn more_streams_than_the_limit_wait_for_their_turn() {
    let (dialled, mut link, _) = pair().await;
    let waiting = wait(dialled);
    let pings: Vec<_> = (0..200_u8)
        .map(|i| {
            let ping = link.open(PING_PROTOCOL, Framing::Fixed(32));
            link.send(ping, &[i; 32]);
            link.finish(ping);
            ping
        })
        .collect();
    let (mut answered, mut ended) = (0, 0);
    while ended < pings.len() {
        match next(&mut link).await {
            SessionEvent::Message(..) => answered += 1,
            SessionEvent::Ended(_, end) => {
                assert_eq!(end, None);
                ended += 1;
            }
            _ => {}
        }
    }
    assert_eq!(answered, pings.len());
    waiting.abort();
}

#[tokio::test]
async fn a_stream_that_the_peer_does_not_grant_holds_up_no_other() {
    let (mut dialled, mut link, _) = pair().await;
    for _ in 0..=MAX_INBOUND_STREAMS {
        link.open(PING_PROTOCOL, Framing::Fixed(32));
    }
    let stream = dialled.open(IDENTIFY_PUSH_PROTOCOL, 99);
    let serving = tokio::spawn(async move {
        loop {
            if let SessionEvent::Opened(stream, _) = next(&mut link).await {
                link.send(stream, &[1; 32]);
            }
        }
    });
    while dialled.next().await.unwrap() != Event::Message(stream, vec![1; 32]) {}
    serving.abort();
}

#[tokio::test]
async fn what_came_before_the_end_of_the_connection_is_heard_first() {
    let (mut dialled, mut link, _) = pair().await;
    let stream = dialled.open(IDENTIFY_PUSH_PROTOCOL, 99);
    let opened = async {
        let SessionEvent::Opened(stream, _) = next(&mut link).await else { panic!("no stream") };
        poll_fn(|cx| link.poll_flush(cx)).await.unwrap();
        stream
    };
    let (accepted, theirs) = tokio::join!(dialled.next(), opened);
    assert_eq!(accepted, Ok(Event::Accepted(stream)));
    // Both the message and the end wait when they are looked for.
    let connection = dialled.carrier().connection().clone();
    let came = connection.stats().frame_rx.stream;
    link.send(theirs, &[1; 32]);
    poll_fn(|cx| link.poll_flush(cx)).await.unwrap();
    while connection.stats().frame_rx.stream == came {
        tokio::task::yield_now().await;
    }
    link.close_with(0x1001);
    connection.closed().await;
    assert_eq!(dialled.next().await, Ok(Event::Message(stream, vec![1; 32])));
    let failure = dialled.next().await.unwrap_err();
    assert_eq!((failure.phase, failure.class), (Phase::Request, FailureClass::ResourceLimit));
}

#[tokio::test]
async fn keys_that_a_peer_updates_again_and_again_are_made_when_they_are_needed() {
    let (mut dialled, mut link, us) = pair().await;
    let connection = dialled.carrier().connection().clone();
    assert_eq!((link.peer(), link.connection().peer_identity().is_some()), (Some(us), true));
    let waiting = tokio::spawn(async move {
        loop {
            let event = next(&mut link).await;
            if let SessionEvent::Message(stream, message) = event {
                link.send(stream, &message);
            }
        }
    });
    let stream = dialled.open(IDENTIFY_PUSH_PROTOCOL, 99);
    for round in 0..5 {
        // Quinn takes no update with the first packet of all, and leaves one out within three probe timeouts of another.
        if round > 0 {
            tokio::time::sleep(4 * (3 * connection.rtt() + Duration::from_millis(25))).await;
            connection.force_key_update();
        }
        dialled.send(stream, &[round]);
        while dialled.next().await.unwrap() != Event::Message(stream, vec![round]) {}
    }
    assert_eq!(connection.close_reason(), None);
    waiting.abort();
}
