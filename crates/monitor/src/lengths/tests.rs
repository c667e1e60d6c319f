//! Lengths that are known, looked at from time to time.

use super::*;

/// Pairs of numbers between 0 and 1 that fill the square evenly (multiples of two roots), so that neither hangs on the other.
fn even(index: u32) -> (f64, f64) {
    let of = |step: f64| (f64::from(index) * step).fract().max(1e-9);
    (of(2_f64.sqrt()), of(3_f64.sqrt()))
}

/// What looks every `every` seconds leave of sessions of an exponential law with a mean, which begin at any time between two looks.
fn seen(mean: f64, every: f64) -> Vec<SeenLength> {
    let one = |index: u32| {
        let (length, entered) = even(index);
        let (length, entered) = (-mean * length.ln(), every * entered);
        let rest = length - entered;
        let seen_for = (rest / every).floor() * every;
        (rest > 0.0).then_some(SeenLength {
            unseen_before: every,
            seen_for,
            ended_by: Some(seen_for + every),
        })
    };
    (1..20_000).filter_map(one).collect()
}

#[test]
fn the_sessions_that_nobody_saw_make_the_others_no_longer() {
    let mean = 3600.0;
    // An interval of half the mean length is too long to say.
    for every in [300.0, 900.0] {
        let lengths = SessionLengths::of(&seen(mean, every)).unwrap();
        for after in [0.1_f64, 0.25, 0.5, 1.0, 2.0] {
            let (says, truth) = (lengths.longer_than(after * mean), (-after).exp());
            assert!((says - truth).abs() < 0.03, "{says} for {truth} after {after} by looks every {every}");
        }
    }
}

#[test]
fn those_that_were_not_seen_to_end_go_on() {
    let mut all = seen(3600.0, 600.0);
    for one in all.iter_mut().filter(|one| one.seen_for >= 3600.0) {
        *one = SeenLength { seen_for: 3600.0, ended_by: None, ..*one };
    }
    let lengths = SessionLengths::of(&all).unwrap();
    let says = lengths.longer_than(3600.0);
    assert!((says - (-1.0_f64).exp()).abs() < 0.03, "{says}");
}

#[test]
fn nothing_is_said_where_nothing_ended() {
    let open = SeenLength { unseen_before: 60.0, seen_for: 600.0, ended_by: None };
    assert_eq!(SessionLengths::of(&[open]), None);
}
