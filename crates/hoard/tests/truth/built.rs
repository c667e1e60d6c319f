//! Networks built to the numbers of RFM17.1, judged by what their peers do.

use std::time::Duration;

use testnet::{HolderGives, Scenario};

use crate::ground::{Ground, key, publish, told};

/// As many as RFM17.1 published.
const KEYS: u32 = 100;

/// How many of those who were chosen for a key give out so much so many minutes later.
async fn counts(scenario: &str, keys: u32) -> Vec<[usize; 5]> {
    let ground = Ground::of(&Scenario::named(scenario).expect("built in"));
    let publisher = ground.publisher(1).await;
    let mut all = Vec::new();
    for number in 0..keys {
        let publication = publish(&publisher, &key(number)).await;
        let at = ground.elapsed();
        let holders: Vec<u32> =
            publication.gifts.iter().filter_map(|gift| ground.world().find(&gift.to.peer)).collect();
        let giving = |least: HolderGives, minutes: u64| {
            let age = at + Duration::from_secs(60 * minutes);
            holders.iter().filter(|&&peer| ground.truth.given(peer, &told(at), age) >= Some(least)).count()
        };
        all.push([
            holders.len(),
            giving(HolderGives::IdOnly, 50),
            giving(HolderGives::WithAddresses, 9),
            giving(HolderGives::WithAddresses, 12),
            giving(HolderGives::WithAddresses, 33),
        ]);
    }
    publisher.leave().await;
    all
}

/// The quartiles of one of these counts over all keys.
fn quartiles(all: &[[usize; 5]], at: usize) -> [usize; 3] {
    let mut one: Vec<usize> = all.iter().map(|counts| counts[at]).collect();
    one.sort_unstable();
    [1, 2, 3].map(|quarter| one[quarter * one.len() / 4])
}

#[tokio::test(start_paused = true)]
async fn the_network_of_2023_holds_as_rfm17_1_found_it() {
    let all = counts("rfm17-1-2023", KEYS).await;
    let [chosen, keeping, nine, twelve, later] = [0, 1, 2, 3, 4].map(|at| quartiles(&all, at));
    assert_eq!(chosen, [20; 3]);
    assert!(keeping[0] >= 6 && keeping[2] <= 10, "6 to 10 stable: {keeping:?}");
    assert_eq!(nine, keeping, "all with addresses for three rounds");
    assert!((4..=5).contains(&twelve[1]), "4 to 5 until the tenth: {twelve:?}");
    assert_eq!(later, [0; 3]);
}

#[tokio::test(start_paused = true)]
async fn the_network_of_2022_holds_as_rfm17_1_found_it() {
    let all = counts("rfm17-1-2022", KEYS).await;
    let [chosen, keeping, nine, twelve, later] = [0, 1, 2, 3, 4].map(|at| quartiles(&all, at));
    assert_eq!(chosen, [20; 3]);
    assert!((16..=17).contains(&keeping[1]), "16 to 17 stable: {keeping:?}");
    assert_eq!(nine, keeping, "all with addresses for three rounds");
    assert_eq!(twelve[1], 7, "7 until the tenth: {twelve:?}");
    assert_eq!(later, [0; 3]);
}
