//! A thousand peers that come and go by a known law for two weeks: our sessions are closer to the truth than Nebula's rule has them, for
//! fewer dials. `cargo bench -p kadscope-monitor --bench calibration` has ten thousand, and all laws.

#[path = "../benches/calibration/ground.rs"]
mod ground;
#[path = "../benches/calibration/judged.rs"]
mod judged;
#[path = "../benches/calibration/laws.rs"]
mod laws;
#[path = "../benches/calibration/rules.rs"]
mod rules;
#[path = "../benches/calibration/watched.rs"]
mod watched;

/// Seeds are others than those that constants were tuned on.
const SEED: u64 = 4;

fn is_closer_for_fewer_dials(law: &laws::Law) {
    assert!(laws::TUNING.iter().all(|tuned| tuned.name != law.name), "constants were tuned on {}", law.name);
    let lives = laws::lives(law, 1_000, SEED);
    let (ours, nebula) = (judged::ours(law, &lives, 1.0), judged::nebula(law, &lives));
    assert!(ours.is_better_than(&nebula), "{ours:#?} beside {nebula:#?}");
    assert!(ours.missed < nebula.missed && ours.false_ends < nebula.false_ends);
    assert!(ours.delay < nebula.delay && ours.dials_per_hour < nebula.dials_per_hour);
    assert!(ours.bias.abs() < 0.25, "{}", ours.bias);
}

#[test]
fn of_the_heavy_mix_ours_is_closer_to_the_truth_for_fewer_dials() {
    is_closer_for_fewer_dials(&laws::JUDGED[2]);
}

#[test]
fn of_peers_behind_nat_ours_is_closer_to_the_truth_for_fewer_dials() {
    is_closer_for_fewer_dials(&laws::JUDGED[4]);
}
