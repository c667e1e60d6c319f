//! A lookup, whatever it is told and in whatever order: it keeps its bounds, asks neither itself nor anybody twice, gives nobody a
//! record twice, and ends; its trace loses no request, and can be decided anew.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use kad::{
    Persistence,
    failure::{Failure, FailureClass, Phase},
    lookup::{
        Candidate, Enough, FollowUp, HeardCounts, Lookup, LookupKind, LookupTarget, Rules, Start, Step,
        Trace, replay,
    },
    optimistic::OptimisticRules,
};

/// Who looks.
const OWN: [u8; 34] = id(0);

/// What is looked for: also the id of a peer.
const TARGET: [u8; 34] = id(1);

/// A SHA-256 multihash.
const fn id(name: u8) -> [u8; 34] {
    let mut id = [name; 34];
    (id[0], id[1]) = (0x12, 0x20);
    id
}

/// Reads the first bytes as rules, and each further one as something that the lookup is told.
pub fn check(bytes: &[u8]) {
    let mut input = bytes.iter().copied();
    let mut number = || usize::from(input.next().unwrap_or(3));
    let kind = LookupKind::ALL[number() % LookupKind::ALL.len()];
    let rules = Rules {
        k: number() % 24,
        alpha: number() % 12,
        beta: number() % 24,
        follow_up: FollowUp::ALL[number() % FollowUp::ALL.len()],
        enough: match number() % 4 {
            0 => Enough::All,
            count => Enough::Count(count - 1),
        },
        per_answer: number() % 48,
        known: number(),
        providers_again: number() % 2 == 0,
    };
    let seeds: Vec<[u8; 34]> =
        (0..number() % 24).map(|step| id(u8::try_from(step * 7 % 256).unwrap_or(0))).collect();
    let seeds: Vec<&[u8]> = seeds.iter().map(<[u8; 34]>::as_slice).collect();
    let target = LookupTarget { kind, preimage: &TARGET };
    let mut lookup = Lookup::new(target, Start { own: &OWN, peers: &seeds }, rules);
    let (size, persistence) = (number(), Persistence::ALL[number() % Persistence::ALL.len()]);
    if size > 0 {
        let size = i32::try_from(size).unwrap_or(1);
        lookup = lookup.giving(OptimisticRules::new(size, rules.k, persistence));
    }
    let trace = Trace::new(&lookup);
    let mut told = Told {
        lookup,
        trace,
        rules,
        open: VecDeque::new(),
        asked: [0; 256],
        gifts: VecDeque::new(),
        given: BTreeSet::new(),
        has_returned: false,
        now: Duration::ZERO,
    };
    told.obey();
    while let Some(what) = input.next() {
        let more = input.next().unwrap_or_default();
        told.tell(what, more);
        told.obey();
    }
    told.end();
}

struct Told {
    lookup: Lookup,
    trace: Trace,
    rules: Rules,
    /// What is under way, and its row.
    open: VecDeque<(Candidate, usize)>,
    /// How often each peer was asked, by the last byte of its id.
    asked: [usize; 256],
    /// Gifts under way.
    gifts: VecDeque<Candidate>,
    given: BTreeSet<Candidate>,
    has_returned: bool,
    now: Duration,
}

impl Told {
    /// Asks whom it says, and looks whether it may.
    fn obey(&mut self) {
        loop {
            match self.lookup.step() {
                Step::Ask(candidate) => self.ask(candidate),
                Step::Give(candidate) => {
                    assert!(self.given.insert(candidate), "it gives somebody a record twice");
                    self.gifts.push_back(candidate);
                }
                Step::MayReturn => {
                    assert!(
                        !std::mem::replace(&mut self.has_returned, true),
                        "it says twice that it may return"
                    );
                }
                Step::Wait | Step::Done => return,
            }
        }
    }

    fn ask(&mut self, candidate: Candidate) {
        let Some(peer) = self.lookup.peer(candidate) else { unreachable!("it asks nobody") };
        let id = peer.to_bytes();
        assert_ne!(id, OWN, "it asks itself");
        let times = &mut self.asked[usize::from(id[33])];
        *times += 1;
        let most = if self.rules.follow_up == FollowUp::Go { 2 } else { 1 };
        assert!(*times <= most, "it asks somebody too often");
        let Some(row) = self.trace.ask(&self.lookup, candidate, self.now) else {
            unreachable!("a candidate without a row")
        };
        self.open.push_back((candidate, row));
        let is_searching = self.lookup.termination().is_none();
        assert!(!is_searching || self.open.len() <= self.rules.alpha.max(1), "it asks too many at a time");
    }

    fn tell(&mut self, what: u8, more: u8) {
        self.now += Duration::from_millis(u64::from(more % 4));
        match what % 8 {
            0..=3 => self.answer(what, more),
            4 => self.fail(more),
            5 => drop(self.lookup.provider(&id(more), what >= 128)),
            6 if self.lookup.is_over() || more.is_multiple_of(2) => self.give(more),
            6 => self.lookup.value(),
            _ if what == 255 => self.lookup.cancel(),
            _ => {
                if let Some(&(candidate, row)) = self.open.front() {
                    self.lookup.connected(candidate);
                    self.trace.sent(row, self.now);
                }
            }
        }
    }

    /// Somebody answers with peers that begin with a name, among them what is no id.
    fn answer(&mut self, many: u8, first: u8) {
        let place = usize::from(first) % self.open.len().max(1);
        let Some((candidate, row)) = self.open.remove(place) else { return };
        let ids: Vec<Vec<u8>> = (0..many)
            .map(|step| match step % 16 {
                15 => vec![first; usize::from(step)],
                _ => id(first.wrapping_add(step)).to_vec(),
            })
            .collect();
        self.trace.answered(row, self.now, ids.iter().map(|id| (&**id, first.is_multiple_of(2))), []);
        let heard = self.lookup.answered(candidate, ids.iter().map(Vec::as_slice));
        let counted = heard.new + heard.known + heard.own + heard.malformed + heard.over_limit;
        assert!(counted == 0 || counted == ids.len(), "peers of an answer are lost");
        assert_eq!(self.lookup.answered(candidate, [&id(2)[..]]), HeardCounts::default());
    }

    fn fail(&mut self, which: u8) {
        let place = usize::from(which) % self.open.len().max(1);
        if let Some((candidate, row)) = self.open.remove(place) {
            self.trace.failed(row, self.now, Failure::new(Phase::Request, FailureClass::Timeout));
            self.lookup.failed(candidate);
        }
    }

    /// Something comes of a gift.
    fn give(&mut self, how: u8) {
        if let Some(candidate) = self.gifts.pop_front() {
            self.lookup.gave(candidate, how >= 128);
        }
    }

    /// Everybody who is asked fails from here on.
    fn end(mut self) {
        while self.lookup.step() != Step::Done {
            assert!(!self.open.is_empty() || !self.gifts.is_empty(), "it waits for nobody");
            self.fail(0);
            self.give(0);
            self.obey();
        }
        self.trace.close(self.now);
        let counts = self.trace.counts();
        assert_eq!(counts.asked, counts.unsent + counts.sent);
        assert_eq!(counts.sent, counts.answered + counts.unconfirmed + counts.cancelled + counts.failed);
        assert_eq!(counts.open, 0, "a request is lost");
        let outcome = self.lookup.outcome();
        assert!(outcome.known <= self.rules.known && outcome.closest.len() <= self.rules.k);
        assert_eq!(outcome.asked, counts.asked);
        let other = replay(&self.trace, Rules { follow_up: FollowUp::Rest, ..Rules::specification() });
        assert!(other.outcome.asked <= 256);
    }
}
