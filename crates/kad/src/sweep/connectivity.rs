//! Whether a provider is in touch with its network, as it decides what to do about what fails (`connectivity.ConnectivityChecker`).

use std::time::Duration;

use crate::named;

/// How often it is looked whether somebody is in touch with the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectivityRules {
    /// Online: how long a check holds, whatever fails meanwhile.
    pub holds: Duration,
    /// Not online: how long after it went wrong the first probe is.
    pub first_probe: Duration,
    /// Each probe that fails doubles the pause to the next, up to this.
    pub longest_pause: Duration,
    /// How long after it went wrong it counts as offline.
    pub offline_after: Duration,
}

impl ConnectivityRules {
    /// Those of go-libp2p-kad-dht: a minute, 100 ms to a minute, and two hours.
    pub const fn go() -> Self {
        Self {
            holds: Duration::from_secs(60),
            first_probe: Duration::from_millis(100),
            longest_pause: Duration::from_secs(60),
            offline_after: Duration::from_secs(2 * 3600),
        }
    }
}

named! {
    /// How somebody is in touch with the network.
    pub enum ConnectivityState {
        /// It is.
        Online = "online",
        /// It was a short time ago: what is known of the network still holds.
        Disconnected = "disconnected",
        /// It is not, and knows nothing of the network any more.
        Offline = "offline",
    }
}

/// What a probe came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectivityStep {
    /// Nothing has changed.
    Same,
    /// It has gone wrong.
    Lost,
    /// It is in touch again, and what it knew holds: late regions can be made good at once.
    Back,
    /// It is in touch, for the first time or after so long that prefixes have to be measured anew.
    BackAnew,
}

/// Whether a provider is in touch. Times are given as the time since any moment, the same for all. It begins offline, and probes at once.
#[derive(Debug, Clone)]
pub struct Connectivity {
    rules: ConnectivityRules,
    state: ConnectivityState,
    since: Duration,
    /// When it was last found in touch.
    checked: Duration,
    /// The pause before the next probe, and when that is; of no meaning online.
    pause: Duration,
    probe_at: Duration,
}

impl Connectivity {
    /// Offline, as whoever begins is.
    pub const fn new(rules: ConnectivityRules, now: Duration) -> Self {
        let state = ConnectivityState::Offline;
        Self { rules, state, since: now, checked: now, pause: rules.first_probe, probe_at: now }
    }

    /// How it is at that time.
    pub fn state(&self, now: Duration) -> ConnectivityState {
        match self.state {
            ConnectivityState::Disconnected if now >= self.since + self.rules.offline_after => {
                ConnectivityState::Offline
            }
            state => state,
        }
    }

    /// Since when it is or is not in touch.
    pub const fn since(&self) -> Duration {
        self.since
    }

    /// When to probe next, by looking up the own key; `None` while it is online, when only failures are a reason to.
    pub fn next_probe(&self) -> Option<Duration> {
        (self.state != ConnectivityState::Online).then_some(self.probe_at)
    }

    /// Something could not be sent or looked up: whether that is a reason to probe at once.
    pub fn doubts(&self, now: Duration) -> bool {
        self.state == ConnectivityState::Online && now.saturating_sub(self.checked) >= self.rules.holds
    }

    /// A probe went well, or it did not.
    pub fn probed(&mut self, went_well: bool, now: Duration) -> ConnectivityStep {
        let before = self.state(now);
        match (went_well, before) {
            (true, ConnectivityState::Online) => {
                self.checked = now;
                ConnectivityStep::Same
            }
            (true, _) => {
                (self.state, self.since, self.checked) = (ConnectivityState::Online, now, now);
                match before {
                    ConnectivityState::Disconnected => ConnectivityStep::Back,
                    _ => ConnectivityStep::BackAnew,
                }
            }
            (false, ConnectivityState::Online) => {
                (self.state, self.since) = (ConnectivityState::Disconnected, now);
                self.pause = self.rules.first_probe;
                self.probe_at = now + self.pause;
                ConnectivityStep::Lost
            }
            (false, _) => {
                self.probe_at = now + self.pause;
                self.pause = (2 * self.pause).min(self.rules.longest_pause);
                ConnectivityStep::Same
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn online(now: Duration) -> Connectivity {
        let mut connectivity = Connectivity::new(ConnectivityRules::go(), Duration::ZERO);
        assert_eq!(connectivity.probed(true, now), ConnectivityStep::BackAnew);
        connectivity
    }

    #[test]
    fn it_begins_offline_and_probes_ever_more_seldom() {
        let mut connectivity = Connectivity::new(ConnectivityRules::go(), Duration::ZERO);
        assert_eq!(connectivity.state(Duration::ZERO), ConnectivityState::Offline);
        let mut pauses = Vec::new();
        let mut now = connectivity.next_probe().expect("a probe");
        assert_eq!(now, Duration::ZERO);
        for _ in 0..13 {
            assert_eq!(connectivity.probed(false, now), ConnectivityStep::Same);
            let next = connectivity.next_probe().expect("a probe");
            pauses.push(next.saturating_sub(now).as_millis());
            now = next;
        }
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[10..], [60_000; 3]);
        assert_eq!(connectivity.probed(true, now), ConnectivityStep::BackAnew);
        assert_eq!((connectivity.next_probe(), connectivity.since()), (None, now));
    }

    #[test]
    fn a_failure_is_a_reason_to_probe_once_a_minute() {
        let mut connectivity = online(s(10));
        assert!(!connectivity.doubts(s(69)) && connectivity.doubts(s(70)));
        assert_eq!(connectivity.probed(true, s(70)), ConnectivityStep::Same);
        assert!(!connectivity.doubts(s(129)));
    }

    #[test]
    fn after_two_hours_what_was_known_holds_no_longer() {
        for (back, step) in [(s(7199), ConnectivityStep::Back), (s(7200), ConnectivityStep::BackAnew)] {
            let mut connectivity = online(s(0));
            assert_eq!(connectivity.probed(false, s(100)), ConnectivityStep::Lost);
            assert_eq!(connectivity.state(s(200)), ConnectivityState::Disconnected);
            assert!(!connectivity.doubts(s(500)), "it knows");
            assert_eq!(connectivity.probed(true, s(100) + back), step);
            assert_eq!(connectivity.state(s(100) + back), ConnectivityState::Online);
        }
        let known = ConnectivityState::ALL.iter();
        assert!(known.copied().all(|state| ConnectivityState::from_name(state.name()) == Some(state)));
    }
}
