//! Most of a network stays, some go for good, others come: what all heads know follows.

use std::{collections::BTreeSet, time::Duration};

use kad::{Key, PeerId};
use tokio::time::sleep;

use super::{asking::Client, minutes, settlement::Settlement};

/// Of 650 peers 500 are there at first. After two hours 150 of them go at once, half of them without a word; within two hours and
/// a half the other 150 come.
const LIFE: &str = "
peers = 650
[life]
speed = 1.0
learn_s = 60.0
forget_s = 600.0
[[life.classes]]
name = 'ends'
share = 0.1154
up = { law = 'exponential', median_s = 3e7 }
down = { law = 'exponential', median_s = 60 }
departs = { share = 1.0, at_s = 7200 }
[[life.classes]]
name = 'falls silent'
share = 0.1154
absence = 'dropped'
up = { law = 'exponential', median_s = 3e7 }
down = { law = 'exponential', median_s = 60 }
departs = { share = 1.0, at_s = 7200 }
[[life.classes]]
name = 'comes'
share = 0.2308
up = { law = 'exponential', median_s = 3e7 }
down = { law = 'exponential', median_s = 60 }
enters = { share = 1.0, within_s = 9000 }
";

/// Who has not answered for so long is asked: as a node does it.
const GRACE: Duration = minutes(43);

#[tokio::test(start_paused = true)]
async fn who_left_is_in_no_heads_answers_within_the_grace_and_who_came_is() {
    let settlement = Settlement::of(LIFE);
    let hydra = settlement.join(10).await;
    hydra.refreshed(1).await;
    let known = || hydra.known_peers().into_iter().map(|contact| contact.peer).collect::<BTreeSet<PeerId>>();
    let before = settlement.living();
    assert!(known().intersection(&before).count() * 100 >= before.len() * 98);
    sleep(minutes(121)).await;
    // Until the next refresh after the grace, and its questions; who came last is heard of when all has been gone through once more.
    sleep(GRACE + minutes(12)).await;
    let gone: BTreeSet<PeerId> = before.difference(&settlement.living()).copied().collect();
    assert!(gone.len() > 100 && known().is_disjoint(&gone));
    sleep(minutes(25)).await;
    let living = settlement.living();
    assert!(known().intersection(&living).count() * 100 >= living.len() * 98);
    let (client, gone) = (Client::on(&settlement.fabric).await, gone);
    for head in hydra.heads() {
        for peer in gone.iter().take(10) {
            let named = client.find_node(&head.contact(), &peer.to_bytes()).await;
            assert!(named.iter().all(|named| named.id != peer.to_bytes()));
            let target = Key::of_peer(peer);
            let closest = named.first().map(|named| Key::of(&named.id).distance(&target));
            let truth = living.iter().map(|peer| Key::of_peer(peer).distance(&target)).min();
            assert!(closest.is_some() && truth.is_some());
        }
    }
    hydra.leave().await;
}
