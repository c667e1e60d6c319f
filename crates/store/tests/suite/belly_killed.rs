//! A process that writes a belly and is killed: what it had kept a second before is there.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use kadscope_store::{Belly, BellyConfig, BellyUrl, Kept};
use tokio::time::{Instant, sleep};

use crate::suite::{Place, START, add};

/// Names the belly to the process that is killed.
const VARIABLE: &str = "KADSCOPE_TEST_BELLY";

/// How long it writes.
const LIFE: Duration = Duration::from_millis(2500);

/// Starts a process by the name of the test in which it writes, kills it, and looks what is left.
pub(crate) fn a_kill_loses_a_second_at_most(place: &Place, child: &str, url: &str) {
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", child, "--nocapture"])
        .env(VARIABLE, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    // Each line says that so many records were kept by then.
    let mut kept: Vec<(Instant, u32)> = Vec::new();
    let mut began = None;
    for line in lines {
        let Some(count) = line.strip_prefix("kept ").and_then(|count| count.parse().ok()) else { continue };
        kept.push((Instant::now(), count));
        if began.get_or_insert_with(Instant::now).elapsed() > LIFE {
            break;
        }
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let killed = Instant::now();
    let before = kept.iter().rev().find(|(at, _)| killed - *at >= Duration::from_secs(1));
    let expected = before.map_or(0, |&(_, count)| count);
    assert!(expected > 100, "it wrote too little: {}", kept.len());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let there = runtime.block_on(async {
        let belly = place.open().await;
        let there = belly.counts().await.unwrap().providers;
        belly.close().await.unwrap();
        there
    });
    assert!(there >= u64::from(expected), "{there} of {expected} that were kept a second before the kill");
}

/// Keeps records until it is killed, and says how many; does nothing where it is called as a test of its own.
pub(crate) fn write_until_killed(parse: impl FnOnce(&str) -> BellyUrl) {
    let Ok(url) = env::var(VARIABLE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let belly = Belly::open(&parse(&url), BellyConfig::default()).await.unwrap();
        let mut out = std::io::stdout();
        for round in 0u32.. {
            for record in 0..50 {
                let number = round * 50 + record;
                assert_eq!(add(&belly, &number.to_be_bytes(), b"peer", START), Kept::Yes);
            }
            writeln!(out, "kept {}", (round + 1) * 50).unwrap();
            sleep(Duration::from_millis(5)).await;
        }
    });
}
