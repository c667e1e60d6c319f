//! Holders that behave otherwise than a server should, each told from all others.

use kad::failure::FailureClass;
use testnet::Stage as At;

use super::*;
use crate::{FlightCounts, InFlight};

const FAULTS: &str = "peers = 400\nseed = 5\n[[regions]]\nname = 'here'\nshare = 1.0\nrtt_ms = { here = 20 }\n\
    [[states]]\nshare = 0.05\nstate = 'refusing'\n[[states]]\nshare = 0.05\nstate = 'dropping'\n\
    [[states]]\nshare = 0.05\nstate = 'silent'\nat = 'request'\n[[states]]\nshare = 0.05\nstate = 'silent'\nat = 'secure'\n\
    [[states]]\nshare = 0.05\nstate = 'reset'\nat = 'request'\n[[states]]\nshare = 0.05\nstate = 'reset'\nat = 'stream'\n\
    [[states]]\nshare = 0.05\nstate = 'wrong_protocol'\n[[states]]\nshare = 0.05\nstate = 'garbage'\nat = 'request'\n\
    [[states]]\nshare = 0.05\nstate = 'oversize'\n[[states]]\nshare = 0.05\nstate = 'wrong_peer_id'\n";

const STATES: [State; 11] = [
    State::Online,
    State::Refusing,
    State::Dropping,
    State::Silent(At::Request),
    State::Silent(At::Secure),
    State::Reset(At::Request),
    State::Reset(At::Stream),
    State::WrongProtocol,
    State::Garbage(At::Request),
    State::Oversize,
    State::WrongPeerId,
];

/// One peer of each state.
fn one_of_each(stage: &Stage) -> Vec<u32> {
    STATES.iter().map(|&state| stage.those(state)[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn dial_failure_refusal_silence_and_reset_are_different_outcomes() {
    let stage = Stage::of(FAULTS).await;
    let key = stage.give("content", &one_of_each(&stage)).await;
    let observer = stage.observer(stage.config()).await;
    let order = RoundOrder { parts: RoundParts::Holders, ..stage.due(1) };
    let begun = Instant::now();
    let round = observer.round(&key, &order, &CancellationToken::new()).await;
    let (same, gone) = (Whereabouts::SameAddress, Whereabouts::Gone);
    let expected = [
        (same, HolderAnswer::WithAddresses, None, None),
        (gone, HolderAnswer::Unreached, Some(FailureClass::ConnectionRefused), None),
        (gone, HolderAnswer::Unreached, Some(FailureClass::Timeout), None),
        (same, HolderAnswer::TimedOut, None, Some(FailureClass::Timeout)),
        (gone, HolderAnswer::Unreached, Some(FailureClass::Timeout), None),
        (same, HolderAnswer::Reset, None, Some(FailureClass::StreamReset)),
        (same, HolderAnswer::Reset, None, Some(FailureClass::ConnectionReset)),
        (same, HolderAnswer::Refused, None, Some(FailureClass::ProtocolNotSupported)),
        (same, HolderAnswer::Malformed, None, Some(FailureClass::Malformed)),
        (same, HolderAnswer::Malformed, None, Some(FailureClass::MessageTooLarge)),
        (Whereabouts::OtherId, HolderAnswer::Unreached, Some(FailureClass::PeerIdMismatch), None),
    ];
    for ((sight, expected), state) in round.sights.iter().zip(expected).zip(STATES) {
        let dial = sight.first.as_ref().expect("a dial").failure.as_ref().map(|failure| failure.class);
        let said = sight.said.error.as_ref().map(|failure| failure.class);
        assert_eq!((sight.whereabouts, sight.said.answer, dial, said), expected, "{state:?}");
    }
    assert_eq!((round.end, round.sights.len()), (RoundEnd::Whole, STATES.len()));
    assert!(
        begun.elapsed() <= Duration::from_secs(25),
        "who stalls holds up nobody else: {:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_refuses_is_dialled_as_often_as_asked_for_and_each_dial_counts() {
    let stage = Stage::of(FAULTS).await;
    let key = stage.give("content", &one_of_each(&stage)).await;
    let mut config = stage.config();
    config.sights.attempts = 3;
    let observer = stage.observer(config).await;
    let order = RoundOrder { parts: RoundParts::Holders, ..stage.due(1) };
    let round = observer.round(&key, &order, &CancellationToken::new()).await;
    let attempts: Vec<u8> = round.sights.iter().map(|sight| sight.attempts).collect();
    assert_eq!(attempts, [1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1], "nobody else is dialled again");
}

/// CID Hoarder's 3 attempts became 1, and it never knew a reset by its text: RFM17's share of holders that are there hangs on both.
#[tokio::test(start_paused = true)]
async fn a_dial_that_is_reset_is_made_as_often_as_one_that_is_refused() {
    let states =
        [State::Online, State::Reset(At::Accept), State::Reset(At::Secure), State::Refusing, State::Dropping];
    let stage = Stage::of(
        "peers = 100\nseed = 5\n[[states]]\nshare = 0.1\nstate = 'reset'\nat = 'accept'\n\
         [[states]]\nshare = 0.1\nstate = 'reset'\nat = 'secure'\n[[states]]\nshare = 0.1\nstate = 'refusing'\n\
         [[states]]\nshare = 0.1\nstate = 'dropping'\n",
    )
    .await;
    let peers: Vec<u32> = states.iter().map(|&state| stage.those(state)[0]).collect();
    let key = stage.give("content", &peers).await;
    for (attempts, expected) in [(1, [1, 1, 1, 1, 1]), (3, [1, 3, 3, 3, 1])] {
        let mut config = stage.config();
        config.sights.attempts = attempts;
        let observer = stage.observer(config).await;
        let order = RoundOrder { parts: RoundParts::Holders, ..stage.due(1) };
        let round = observer.round(&key, &order, &CancellationToken::new()).await;
        let made: Vec<u8> = round.sights.iter().map(|sight| sight.attempts).collect();
        let class =
            |sight: &crate::HolderSight| sight.first.as_ref()?.failure.as_ref().map(|failure| failure.class);
        let classes: Vec<_> = round.sights.iter().map(class).collect();
        assert_eq!(made, expected, "{classes:?}");
        let (reset, refused) = (Some(FailureClass::ConnectionReset), Some(FailureClass::ConnectionRefused));
        assert_eq!(classes, [None, reset, reset, refused, Some(FailureClass::Timeout)]);
        observer.leave().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_in_time_is_unasked_and_the_round_is_partial() {
    let stage = Stage::of(FAULTS).await;
    let key = stage.give("content", &one_of_each(&stage)).await;
    let mut config = stage.config();
    config.round = Duration::from_secs(2);
    let observer = stage.observer(config).await;
    let begun = Instant::now();
    let round = observer.round(&key, &stage.due(1), &CancellationToken::new()).await;
    assert_eq!((round.end, begun.elapsed()), (RoundEnd::Partial, Duration::from_secs(2)));
    let stalled = &round.sights[3];
    assert_eq!((stalled.said.answer, stalled.whereabouts), (HolderAnswer::Unasked, Whereabouts::Undialled));
    assert_eq!(round.sights[0].said.answer, HolderAnswer::WithAddresses, "what was done is kept");
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_stopped_leaves_nothing_behind_in_whatever_phase() {
    let stage = Stage::of(FAULTS).await;
    let key = stage.give("content", &one_of_each(&stage)).await;
    let counted = stage.counted();
    let in_flight = Arc::<InFlight>::default();
    for after in [0_u64, 5, 15, 30, 45, 70, 200, 2_000, 7_000, 12_000, 30_000] {
        let mut config = stage.config();
        config.walks.beside = true;
        config.in_flight = Arc::clone(&in_flight);
        let observer = Observer::join(&counted, config).await.expect("an observer");
        observer.node().refreshed(1).await;
        let cancel = CancellationToken::new();
        let stop = async {
            tokio::time::sleep(Duration::from_millis(after)).await;
            cancel.cancel();
        };
        let order = stage.due(1);
        let began = Instant::now();
        let made = async { (observer.round(&key, &order, &cancel).await, began.elapsed()) };
        let ((round, took), ()) = tokio::join!(made, stop);
        // Connections of lookups stay: they end with whoever made them.
        let was_over = took < Duration::from_millis(after);
        let end = if was_over { RoundEnd::Whole } else { RoundEnd::Stopped };
        assert_eq!(round.end, end, "{after} ms, over after {took:?}");
        assert_eq!(
            (round.sights.len(), in_flight.now()),
            (STATES.len(), FlightCounts::default()),
            "{after} ms"
        );
        observer.leave().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(Arc::strong_count(&counted.open), 1, "{after} ms: no connection stands");
    }
}

#[tokio::test(start_paused = true)]
async fn looks_at_holders_that_are_stopped_leave_no_connection() {
    let stage = Stage::of(FAULTS).await;
    let key = stage.give("content", &one_of_each(&stage)).await;
    let counted = stage.counted();
    let observer = Observer::join(&counted, stage.config()).await.expect("an observer");
    observer.node().refreshed(1).await;
    // Its table is full, nobody is connected any more, and the next refresh is minutes away: whatever stands is left by a look.
    tokio::time::sleep(Duration::from_secs(300)).await;
    let before = Arc::strong_count(&counted.open);
    for after in [0_u64, 5, 15, 30, 45, 70, 200, 2_000, 7_000, 12_000, 30_000] {
        let cancel = CancellationToken::new();
        let stop = async {
            tokio::time::sleep(Duration::from_millis(after)).await;
            cancel.cancel();
        };
        let order = RoundOrder { parts: RoundParts::Holders, ..stage.due(1) };
        tokio::join!(observer.round(&key, &order, &cancel), stop);
        assert_eq!(Arc::strong_count(&counted.open), before, "{after} ms");
    }
}
