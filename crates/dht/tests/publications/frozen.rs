//! Networks in which nobody answers any more, and publications that are given up.

use std::time::Duration;

use kad::{Persistence, failure::FailureClass};
use kadscope_dht::{PublishFailure, PublishTerms};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{K, Net, terms};

const FROZEN: &str = "peers = 300\n[[states]]\nstate = 'silent'\nat = 'request'\nshare = 0.999";

/// A frozen network whose publisher begins with the closest peers, as one with a good table does, and knows how many there are.
async fn frozen() -> Net {
    let healthy = Net::new("peers = 300");
    healthy.learn_size(10).await;
    Net { size: healthy.size, ..Net::new(FROZEN) }
}

#[tokio::test(start_paused = true)]
async fn where_all_are_frozen_a_publication_of_go_succeeds_and_says_that_nobody_was_given_anything() {
    let net = frozen().await;
    let quest = net.quest_from_table(b"key");
    let go_on = CancellationToken::new();
    let publication = net.finder.publish(&net.record(b"key"), quest, terms(Persistence::Go), &go_on).await;
    assert_eq!(publication.outcome, Ok(()));
    // Two rounds of ten requests, each of 10 s and made twice.
    assert_eq!(publication.took.as_secs(), 40);
    assert!(publication.gifts.is_empty());
    let quest = net.quest_from_table(b"key");
    let publication =
        net.finder.publish(&net.record(b"key"), quest, terms(Persistence::Thorough), &go_on).await;
    assert_eq!(publication.outcome, Err(PublishFailure::NobodyFound));
}

#[tokio::test(start_paused = true)]
async fn where_all_are_frozen_an_optimistic_publication_says_which_gifts_never_ended() {
    let net = frozen().await;
    let quest = net.quest_from_table(b"key");
    let (terms, go_on) = (net.optimistic_terms(Persistence::Go), CancellationToken::new());
    let record = net.record(b"key");
    let mut publication = net.finder.publish_optimistic(&record, quest.clone(), &terms, &go_on).await;
    assert_eq!(publication.outcome, Ok(()));
    assert!(publication.took <= Duration::from_secs(10), "{:?}", publication.took);
    assert_eq!(publication.gifts.len(), K);
    assert!(publication.gifts.iter().filter(|gift| gift.sent_after.is_some()).count() >= 15);
    assert!(publication.gifts.iter().all(|gift| gift.ended_after.is_none()));
    publication.settle().await;
    assert_eq!(publication.unreached().count(), K);
    let timed_out = |class: &FailureClass| *class == FailureClass::Timeout;
    let classes = publication.gifts.iter().filter_map(|gift| Some(gift.sent.as_ref()?.as_ref().err()?.class));
    assert_eq!(classes.filter(timed_out).count(), K);
    // Whoever asks what came of the gifts hears that nothing did.
    let terms = net.optimistic_terms(Persistence::Thorough);
    let publication = net.finder.publish_optimistic(&record, quest, &terms, &go_on).await;
    assert_eq!(publication.outcome, Err(PublishFailure::NobodyTook));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_keeps_time_for_giving_and_is_kept() {
    let net = Net::new("peers = 300\n[[states]]\nstate = 'silent'\nat = 'request'\nshare = 0.3");
    for (all, kept) in [(5_000, 500), (30_000, 1_000)] {
        let begun = Instant::now();
        let deadline = begun + Duration::from_millis(all);
        let terms = PublishTerms { deadline, persistence: Persistence::Go };
        let key = all.to_be_bytes();
        let publication =
            net.finder.publish(&net.record(&key), net.quest(&key), terms, &CancellationToken::new()).await;
        let looked = publication.lookups[0].took;
        assert!(looked <= Duration::from_millis(all - kept), "{looked:?}");
        assert!(begun.elapsed() <= Duration::from_millis(all));
        if publication.outcome == Err(PublishFailure::TimedOut) {
            assert!(publication.gifts.iter().any(|gift| gift.sent_after.is_some()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_publication_that_is_given_up_leaves_nothing_behind() {
    let net = frozen().await;
    for persistence in Persistence::ALL {
        let terms = net.optimistic_terms(*persistence);
        let (quest, record, cancel) =
            (net.quest_from_table(b"key"), net.record(b"key"), CancellationToken::new());
        // Dropped before it returns.
        let publication = net.finder.publish_optimistic(&record, quest.clone(), &terms, &cancel);
        assert!(
            tokio::time::timeout(Duration::from_millis(1), publication).await.is_err(),
            "it is under way"
        );
        // Cancelled before it returns.
        let publication = async {
            tokio::join!(net.finder.publish_optimistic(&record, quest.clone(), &terms, &cancel), async {
                cancel.cancel();
            })
        };
        let (publication, ()) = publication.await;
        assert_eq!(publication.outcome, Err(PublishFailure::Cancelled));
        assert!(publication.gifts.iter().all(|gift| gift.sent.as_ref().is_some_and(Result::is_err)));
    }
    // Cancelled while it looks: nobody is given anything any more.
    let (quest, record, cancel) =
        (net.quest_from_table(b"key"), net.record(b"key"), CancellationToken::new());
    let (publication, ()) =
        tokio::join!(net.finder.publish(&record, quest, terms(Persistence::Go), &cancel), async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            cancel.cancel();
        });
    assert_eq!(publication.outcome, Err(PublishFailure::Cancelled));
    assert_eq!((publication.took, publication.gifts.len()), (Duration::from_secs(5), 0));
    // Cancelled after it has returned.
    let (terms, cancel) = (net.optimistic_terms(Persistence::Go), CancellationToken::new());
    let quest = net.quest_from_table(b"key");
    let mut publication = net.finder.publish_optimistic(&net.record(b"key"), quest, &terms, &cancel).await;
    let returned = Instant::now();
    cancel.cancel();
    publication.settle().await;
    assert_eq!(returned.elapsed(), Duration::ZERO);
    tokio::task::yield_now().await;
    assert_eq!(net.slots.available_permits(), kadscope_dht::BACKGROUND_SLOTS);
}

#[tokio::test(start_paused = true)]
async fn without_an_estimate_an_optimistic_publication_is_a_classic_one() {
    let net = Net::new("peers = 300");
    let publication = net.publish_optimistic(b"key", Persistence::Go).await;
    assert!(publication.lookups[0].outcome.is_complete, "it asked all of the closest");
    assert_eq!(publication.gifts.len(), K);
}

#[tokio::test(start_paused = true)]
async fn who_knows_nobody_says_so() {
    let net = Net::new("peers = 300");
    let quest = kadscope_dht::Quest { from: Vec::new(), ..net.quest(b"key") };
    let go_on = CancellationToken::new();
    let publication = net.finder.publish(&net.record(b"key"), quest, terms(Persistence::Go), &go_on).await;
    assert_eq!(publication.outcome, Err(PublishFailure::NoPeers));
}
