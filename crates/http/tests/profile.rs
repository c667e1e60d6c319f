//! A profile of a program that is busy says what it is busy with.

#![cfg(feature = "profile")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use kadscope_http::{Access, HttpReply, Metrics, Readiness, Room, TakenAddress, ask};

#[inline(never)]
fn burn_without_end(stop: &AtomicBool) -> u64 {
    let mut sum = 0_u64;
    while !stop.load(Relaxed) {
        sum = std::hint::black_box(sum.wrapping_mul(3) + 1);
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_the_time_is_named() {
    let mut room = Room::new(Access::ThisMachine, Readiness::not_yet("a test"), Metrics::default());
    room.profile = true;
    let listening = room.open(TakenAddress::bind("127.0.0.1:0".parse().unwrap()).unwrap()).unwrap();
    let url = format!("http://{}/debug/profile?seconds=", listening.address());
    assert_eq!(ask(&format!("{url}0"), None).await.unwrap().status, 400);

    let stop = Arc::new(AtomicBool::new(false));
    let busy = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || burn_without_end(&stop)
    });
    let HttpReply { status, text } = ask(&format!("{url}1"), None).await.unwrap();
    stop.store(true, Relaxed);
    busy.join().unwrap();
    assert_eq!(status, 200, "{text}");
    let named =
        text.lines().find(|line| line.contains("burn_without_end")).unwrap_or_else(|| panic!("{text}"));
    let count = named.rsplit_once(' ').unwrap().1;
    assert!(count.parse::<u64>().unwrap() >= 1, "{named}");
    listening.close().await;
}
