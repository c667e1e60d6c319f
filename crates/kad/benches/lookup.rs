//! What a lookup costs by itself: CPU time of deciding, in networks where everybody is honest and the tables are complete.
//!
//! `cargo bench -p kadscope-kad --bench lookup [-- PEERS...]`
//!
//! What the peers answer is made before the time is taken. A Go lookup of the same kind costs 1.7 ms when it finds
//! something and 5.8 ms when it does not, with all that it sends.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

use std::{collections::HashMap, hint::black_box, time::Duration};

use kadscope_kad::{
    Key,
    lookup::{Candidate, Lookup, LookupKind, LookupTarget, Rules, Start, Step},
    message::K,
    table::{Newcomer, RoutingTable, TableRules},
};
use rustix::time::{ClockId, clock_gettime};

/// Lookups of each network, and how often each is run.
const LOOKUPS: u64 = 100;
const ROUNDS: u32 = 50;

fn main() {
    let sizes: Vec<u32> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000] } else { sizes };
    println!(
        "{:>8} {:>14} {:>8} {:>8} {:>12} {:>12}",
        "peers", "rules", "asked", "known", "us/lookup", "ns/peer named"
    );
    for peers in sizes {
        let net = Net::new(peers);
        for (name, rules) in Rules::NAMED {
            net.measure(name, *rules);
        }
    }
}

struct Net {
    ids: Vec<Vec<u8>>,
    keys: Vec<Key>,
    places: HashMap<Vec<u8>, usize>,
    /// Those who were asked already: tables are made when they are needed.
    tables: std::cell::RefCell<HashMap<usize, RoutingTable<usize>>>,
}

/// One lookup's answers, in the order in which it asks.
struct Script {
    target: [u8; 8],
    seeds: Vec<usize>,
    answers: Vec<Vec<usize>>,
    known: usize,
}

impl Net {
    fn new(peers: u32) -> Self {
        let id = |number: u32| [&[0x12, 0x20][..], Key::of(&number.to_be_bytes()).as_bytes()].concat();
        let ids: Vec<_> = (0..peers).map(id).collect();
        let keys = ids.iter().map(|id| Key::of(id)).collect();
        let places = ids.iter().cloned().zip(0..).collect();
        Self { ids, keys, places, tables: std::cell::RefCell::default() }
    }

    fn measure(&self, name: &str, rules: Rules) {
        let scripts: Vec<_> = (0..LOOKUPS).map(|number| self.script(number.to_be_bytes(), rules)).collect();
        let before = cpu();
        for _ in 0..ROUNDS {
            for script in &scripts {
                self.run(script, rules);
            }
        }
        let took = cpu().saturating_sub(before).as_secs_f64() / f64::from(ROUNDS) / scripts.len() as f64;
        let mean =
            |of: fn(&Script) -> usize| scripts.iter().map(of).sum::<usize>() as f64 / scripts.len() as f64;
        let named = mean(|script| script.answers.iter().map(Vec::len).sum());
        println!(
            "{:>8} {name:>14} {:>8.1} {:>8.1} {:>12.2} {:>12.1}",
            self.ids.len(),
            mean(|script| script.answers.len()),
            mean(|script| script.known),
            took * 1e6,
            took * 1e9 / named,
        );
    }

    fn run(&self, script: &Script, rules: Rules) {
        let seeds: Vec<&[u8]> = script.seeds.iter().map(|&peer| &*self.ids[peer]).collect();
        let mut lookup = begin(&script.target, &seeds, rules);
        let mut answers = script.answers.iter();
        drive(&mut lookup, |lookup, candidate| {
            let answer = answers.next().expect("it asks as before");
            lookup.answered(candidate, answer.iter().map(|&peer| &*self.ids[peer]));
        });
        black_box(lookup.outcome());
    }

    /// Runs a lookup once, and keeps what it was told.
    fn script(&self, target: [u8; 8], rules: Rules) -> Script {
        let own = usize::try_from(u64::from_be_bytes(target)).expect("small") * 7 % self.ids.len();
        let seeds = self.closest(own, &target);
        let ids: Vec<&[u8]> = seeds.iter().map(|&peer| &*self.ids[peer]).collect();
        let mut lookup = begin(&target, &ids, rules);
        let mut answers = Vec::new();
        drive(&mut lookup, |lookup, candidate| {
            let id = lookup.peer(candidate).expect("its own").to_bytes();
            let answer = self.closest(self.places[&id], &target);
            lookup.answered(candidate, answer.iter().map(|&peer| &*self.ids[peer]));
            answers.push(answer);
        });
        Script { target, seeds, answers, known: lookup.outcome().known }
    }

    /// Whom a peer names.
    fn closest(&self, peer: usize, target: &[u8]) -> Vec<usize> {
        let mut tables = self.tables.borrow_mut();
        let table = tables.entry(peer).or_insert_with(|| {
            let mut table = RoutingTable::new(self.keys[peer], TableRules::default());
            for step in 0..self.keys.len() {
                let other = (peer + step) % self.keys.len();
                drop(table.insert(Newcomer::new(self.keys[other], other), Duration::ZERO));
            }
            table
        });
        table.closest(&Key::of(target), K).into_iter().map(|known| known.peer).collect()
    }
}

fn begin(target: &[u8], seeds: &[&[u8]], rules: Rules) -> Lookup {
    let target = LookupTarget { kind: LookupKind::Closest, preimage: target };
    Lookup::new(target, Start { own: b"own", peers: seeds }, rules)
}

/// Whoever was asked first answers first.
fn drive(lookup: &mut Lookup, mut answer: impl FnMut(&mut Lookup, Candidate)) {
    let mut open = std::collections::VecDeque::new();
    loop {
        match lookup.step() {
            Step::Ask(candidate) => open.push_back(candidate),
            Step::Wait => answer(lookup, open.pop_front().expect("somebody is waited for")),
            Step::Give(_) | Step::MayReturn | Step::Done => return,
        }
    }
}

/// CPU time of this thread.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().expect("after the start"),
        time.tv_nsec.try_into().expect("less than a second"),
    )
}
