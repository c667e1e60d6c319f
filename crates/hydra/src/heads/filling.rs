//! Fills what all heads know of the network, and keeps it true: begins with the bootstrap peers while no server is known, asks
//! who has been silent for long, and looks up keys that are spread over all of them. Each once for all heads.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use kad::{Key, PeerId, fabric::Member, lookup::LookupKind, table::REFRESH_LOOKUP_TIMEOUT};
use tokio::{
    pin,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Seeker,
    sweep::{MAX_LOOKUPS, Sweep},
};

/// How long a hydra that knows nobody waits until it tries its bootstrap peers again (go-libp2p-kad-dht,
/// `periodicBootstrapInterval`). A shorter refresh interval is kept here, too.
const BOOTSTRAP_PAUSE: Duration = Duration::from_secs(120);

/// How many bootstrap peers are tried at a time: all that a network usually names.
const BOOTSTRAPPERS: usize = 16;

/// How many silent peers are asked at a time.
const MAX_TESTS: usize = 64;

/// In how many refreshes the whole network is gone through that has been once: newcomers ask us before, and who leaves is noticed
/// by being asked.
const REFRESHES: u32 = 4;

/// How many lookups are under way at a time.
const LOOKUPS_AT_ONCE: usize = 4;

/// Tends what is known of the network, until the heads leave.
#[derive(Debug)]
pub(super) struct Filling<M> {
    seeker: Seeker<M>,
    interval: Duration,
    grace: Duration,
    seed: u64,
    sweep: Sweep,
    /// How many sweeps were begun.
    sweeps: u64,
    /// Whether a sweep has gone through the whole network.
    has_seen_all: bool,
}

impl<M: Member> Filling<M> {
    pub(super) fn new(seeker: Seeker<M>, (interval, grace): (Duration, Duration), seed: u64) -> Self {
        Self { seeker, interval, grace, seed, sweep: Sweep::default(), sweeps: 0, has_seen_all: false }
    }

    pub(super) async fn run(mut self) {
        loop {
            let begun = Instant::now();
            if self.seeker.state.is_lonely() {
                self.bootstrap().await;
            }
            self.test_silent().await;
            self.look_up_some().await;
            self.seeker.state.progress.send_modify(|progress| progress.refreshes += 1);
            self.seeker.state.learned.notify_one();
            // What a refresh has no room for in a network that is new is done at once.
            if self.has_seen_all || self.seeker.state.is_lonely() {
                self.pause(begun).await;
            }
        }
    }

    /// Waits until the next refresh is due, or there is somebody where nobody was.
    async fn pause(&self, begun: Instant) {
        let is_lonely = self.seeker.state.is_lonely();
        let next = if is_lonely {
            Instant::now() + self.interval.min(BOOTSTRAP_PAUSE)
        } else {
            begun + self.interval
        };
        tokio::select! {
            () = sleep_until(next) => {}
            () = self.seeker.state.woken.notified() => {}
        }
    }

    /// Tries the bootstrap peers, a few at a time, until one is known.
    async fn bootstrap(&self) {
        for some in self.seeker.bootstrap.chunks(BOOTSTRAPPERS) {
            let mut tests = JoinSet::new();
            let begins = |peer: &PeerId| self.seeker.state.commons_mut().begin_test(&Key::of_peer(peer));
            for contact in some.iter().filter(|contact| begins(&contact.peer)) {
                tests.spawn(self.seeker.clone().test(contact.clone()));
            }
            tests.join_all().await;
            if !self.seeker.state.is_lonely() {
                return;
            }
        }
        if !self.seeker.bootstrap.is_empty() {
            self.seeker.state.counters.bootstraps_failed.fetch_add(1, Relaxed);
        }
    }

    /// Asks those who have not answered for too long: who does not answer now goes.
    async fn test_silent(&self) {
        let state = &self.seeker.state;
        let overdue = state.commons().overdue(state.now(), self.grace);
        let mut tests = JoinSet::new();
        for contact in overdue {
            if tests.len() >= MAX_TESTS {
                tests.join_next().await;
            }
            let seeker = self.seeker.clone();
            tests.spawn(async move {
                let named = seeker.named(&contact).await;
                let (state, key) = (&seeker.state, Key::of_peer(&contact.peer));
                let now = state.now();
                state.commons_mut().judge(&key, named, now);
            });
        }
        tests.join_all().await;
    }

    /// Looks up as many keys as the network wants while it is new, or as a refresh has room for; later a part of them.
    async fn look_up_some(&mut self) {
        let mut lookups = JoinSet::new();
        let mut begun = 0;
        while !self.seeker.state.is_lonely() {
            // More are wanted as more is known.
            let mut wanted = Sweep::wanted(self.seeker.state.commons().len());
            if !self.has_seen_all {
                // What is missed now is heard of late.
                wanted *= 2;
            }
            let part = if self.has_seen_all { wanted.div_ceil(REFRESHES) } else { wanted };
            let is_over = self.sweeps > 0 && self.sweep.done() >= wanted;
            let is_enough = begun >= part.min(MAX_LOOKUPS) || (is_over && !self.has_seen_all);
            if is_enough && lookups.is_empty() {
                self.has_seen_all |= is_over;
                return;
            }
            if is_enough || lookups.len() >= LOOKUPS_AT_ONCE {
                lookups.join_next().await;
                continue;
            }
            if is_over || self.sweeps == 0 {
                let choice = self.choose();
                self.sweep.begin(choice);
            }
            begun += 1;
            let (seeker, target) = (self.seeker.clone(), self.sweep.next());
            lookups.spawn(async move { look_up(&seeker, target.to_vec()).await });
        }
        lookups.join_all().await;
    }

    /// The next random choice.
    fn choose(&mut self) -> u16 {
        self.sweeps += 1;
        let drawn = [self.seed.to_be_bytes(), self.sweeps.to_be_bytes()].concat();
        Key::of(&drawn).prefix16()
    }
}

/// Looks up whom a key is near to, as long as a refresh waits for it.
async fn look_up<M: Member>(seeker: &Seeker<M>, key: Vec<u8>) {
    let cancel = CancellationToken::new();
    let search = seeker.find(LookupKind::Closest, key, &cancel);
    pin!(search);
    tokio::select! {
        _ = &mut search => {}
        () = sleep(REFRESH_LOOKUP_TIMEOUT) => {
            cancel.cancel();
            search.await;
        }
    }
}
