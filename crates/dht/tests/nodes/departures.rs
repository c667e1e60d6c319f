//! Most of a network stays, some go for good, others come: a node keeps its table true.

use std::time::Duration;

use kad::lookup::LookupKind;
use kadscope_dht::Node;
use testnet::SimNetwork;
use tokio::time::sleep;

use super::{K, find, listed, minutes, settlement::Settlement};

/// Of 1,300 peers 1,000 are there at first. After two hours 300 of them go at once, half of them without a word; within
/// two hours and a half the other 300 come.
const LIFE: &str = "
peers = 1300
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

/// Who has not answered for so long is tested: 20 peers in a bucket, ten asked at a time, every ten minutes.
const GRACE: Duration = minutes(43);

/// How many of the closest peers of a key, in truth, a lookup ends with, over some keys.
async fn found(settlement: &Settlement, node: &Node<SimNetwork>) -> usize {
    let mut found = 0;
    for number in 0..KEYS {
        let key = [number; 8];
        let closest = find(node, LookupKind::Closest, &key).await.outcome.closest;
        let ended_with: Vec<_> = closest.iter().map(|closest| closest.peer).collect();
        found += settlement.closest(&key).iter().filter(|peer| ended_with.contains(peer)).count();
    }
    found
}

const KEYS: u8 = 10;

#[tokio::test(start_paused = true)]
async fn where_a_third_departs_and_others_come_the_table_follows() {
    let settlement = Settlement::of(LIFE);
    let node = settlement.join(1).await;
    let before = settlement.living();
    sleep(minutes(119)).await;
    assert_eq!(settlement.standing(&node, &[]).wrong, 0);
    sleep(minutes(2)).await;
    let gone = before.difference(&settlement.living()).count();
    assert!((280..=320).contains(&gone), "{gone} of {}", before.len());
    let torn = settlement.standing(&node, &[]);
    assert!(torn.wrong > 10, "so far it knows nothing of it: {torn:?}");
    let most = usize::from(KEYS) * K;
    // The tables of all others name the dead, too.
    let found_at_once = found(&settlement, &node).await;
    assert!(found_at_once * 3 >= most * 2, "{found_at_once} of {most}");
    // Until the next refresh after the grace, and its tests.
    sleep(GRACE + minutes(12)).await;
    let healed = settlement.standing(&node, &[]);
    assert_eq!((healed.wrong, healed.missing()), (0, 0), "{healed:?}");
    // So it stays.
    sleep(minutes(60)).await;
    let standing = settlement.standing(&node, &[]);
    assert_eq!((standing.wrong, standing.missing()), (0, 0), "{standing:?}");
    assert_eq!(found(&settlement, &node).await, most);
    // Whole buckets stand, and the last of them hold everybody: also who came later.
    let comers = settlement.living().difference(&before).copied().collect();
    assert!(listed(&node).intersection(&comers).count() > 10);
}
