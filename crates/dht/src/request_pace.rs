//! How many requests a second may be made, by everybody who shares it. Who waits is served in the order of asking.

use std::{num::NonZeroU32, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// What may be caught up with at once, in time: timers are no finer, and without it a pace above 1,000 a second would not be reached.
const CAUGHT_UP: Duration = Duration::from_millis(20);

/// How many requests a second may be made. In no span more leave than its share and those of 20 ms.
///
/// Whoever gives up while waiting takes nobody's turn: more wishes than turns make all wait longer, and keep nobody for ever.
#[derive(Debug)]
pub struct RequestPace {
    per_s: NonZeroU32,
    /// When the next may leave; a tokio mutex, since it is held while its holder waits, and hands itself on in order.
    next: Mutex<Option<Instant>>,
}

impl RequestPace {
    /// So many a second.
    pub fn per_s(per_s: NonZeroU32) -> Self {
        Self { per_s, next: Mutex::new(None) }
    }

    /// Waits until a request may be made.
    pub async fn turn(&self) {
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            sleep_until(at).await;
        }
        let now = Instant::now();
        let from = next.map_or(now, |at| at.max(now.checked_sub(CAUGHT_UP).unwrap_or(now)));
        *next = Some(from + Duration::from_secs(1) / self.per_s.get());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{task::JoinSet, time::timeout};

    use super::*;

    fn pace(per_s: u32) -> Arc<RequestPace> {
        Arc::new(RequestPace::per_s(NonZeroU32::new(per_s).expect("not 0")))
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_requests_than_the_pace_says() {
        for per_s in [1, 7, 200, 5_000] {
            let (pace, began) = (pace(per_s), Instant::now());
            let turn = |pace: Arc<RequestPace>| async move {
                pace.turn().await;
                began.elapsed()
            };
            let turns: JoinSet<Duration> = (0..3 * per_s).map(|_| turn(Arc::clone(&pace))).collect();
            let mut left = turns.join_all().await;
            left.sort_unstable();
            let allowed = (per_s + per_s / 50 + 1) as usize;
            for (first, later) in left.iter().zip(left.iter().skip(allowed)) {
                assert!(later.abs_diff(*first) >= Duration::from_secs(1), "{per_s}: {first:?} and {later:?}");
            }
            let took = began.elapsed();
            assert!(took <= Duration::from_secs(3), "the pace is reached: {per_s} took {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_nobodys_turn() {
        let pace = pace(1);
        pace.turn().await;
        let given_up = (0..50).map(|_| timeout(Duration::from_millis(10), pace.turn()));
        for given_up in given_up {
            assert!(given_up.await.is_err(), "it is nobody's turn yet");
        }
        let waited = Instant::now();
        pace.turn().await;
        assert!(waited.elapsed() <= Duration::from_secs(1), "{:?}", waited.elapsed());
    }
}
