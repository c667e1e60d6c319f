//! Tables under random treatment do what go-libp2p-kbucket did under the same: `data/table.txt`, recorded by
//! `peers/go/golden`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends at the first error")]

use std::{fmt::Write, net::IpAddr, time::Duration};

use kadscope_kad::{
    Key,
    table::{AddressGroup, GroupLimits, Insertion, Newcomer, Rejected, RoutingTable, TableRules},
};

const RECORDED: &str = include_str!("data/table.txt");

/// The key of the peer with this number: its id is a SHA-256 multihash of the number.
fn key(number: u32) -> Key {
    let digest = Key::of(&number.to_be_bytes());
    Key::of(&[&[0x12, 0x20], digest.as_bytes().as_slice()].concat())
}

fn number(word: &str) -> u32 {
    word.parse().expect("a number")
}

/// A table, and the time that has passed for it.
struct Replay {
    table: RoutingTable<u32>,
    now: Duration,
}

impl Replay {
    fn new(words: &[&str]) -> Self {
        let [own, bucket_size, per_prefix, per_table] = words else { panic!("{words:?}") };
        let [bucket_size, per_prefix, per_table] =
            [bucket_size, per_prefix, per_table].map(|word| word.parse().expect("a size"));
        let groups = (per_table > 0).then_some(GroupLimits { per_prefix, per_table });
        let table = RoutingTable::new(key(number(own)), TableRules { bucket_size, groups });
        Self { table, now: Duration::ZERO }
    }

    /// Does what a line says, and writes it again with what came of it.
    fn step(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let peer = words.get(1).map_or(0, |word| word.parse().unwrap_or(0));
        match words[0] {
            "add" => self.add(peer, &words),
            "remove" => {
                self.table.remove(&key(peer));
                line.to_owned()
            }
            "answered" => format!("answered {peer} {}", self.table.note_answer(&key(peer), self.now)),
            "useful" => format!("useful {peer} {}", self.table.note_use(&key(peer), self.now)),
            "pass" => {
                self.now += Duration::from_secs(u64::from(peer));
                line.to_owned()
            }
            "room" => format!("room {peer} {}", self.table.has_room_for(&key(peer))),
            "near" => {
                let count = words[2].parse().expect("a count");
                let near =
                    self.table.closest(&key(peer), count).into_iter().map(|near| near.peer.to_string());
                list(&format!("near {peer} {count}"), &near.collect::<Vec<_>>())
            }
            "refreshed" => {
                self.table.note_lookup(&key(peer), self.now);
                line.to_owned()
            }
            "tracked" => {
                let time =
                    |time: &Option<Duration>| time.map_or("-".to_owned(), |time| time.as_secs().to_string());
                list("tracked", &self.table.refreshed().iter().map(time).collect::<Vec<_>>())
            }
            "count" => format!("count {peer} {}", self.table.len_at(peer)),
            "irreplaceable" => {
                self.table.keep_all();
                line.to_owned()
            }
            "all" => self.all(),
            word => panic!("{word}"),
        }
    }

    fn add(&mut self, peer: u32, words: &[&str]) -> String {
        let ips: Vec<&str> = words.get(4).map_or(Vec::new(), |ips| ips.split(',').collect());
        let group = |ip: &&str| AddressGroup::of_ip(ip.parse::<IpAddr>().expect("an address"));
        let groups = ips.iter().map(group).collect();
        let newcomer = Newcomer { key: key(peer), peer, groups, is_replaceable: words[2] == "true" };
        let result = match self.table.insert(newcomer, self.now) {
            Ok(Insertion::Added | Insertion::InPlaceOf(_)) => "added",
            Ok(Insertion::Known) => "known",
            Err(Rejected::Full) => "full",
            Err(Rejected::Group) => "group",
            Err(Rejected::Own) => panic!("{peer} is the owner"),
        };
        let ips: Vec<String> = ips.into_iter().map(str::to_owned).collect();
        list(&format!("add {peer} {} {result}", words[2]), &ips)
    }

    /// Go's buckets have those who came last first.
    fn all(&self) -> String {
        let mut line = format!("all {}", self.table.buckets());
        let mut shared_before = None;
        let mut bucket: Vec<String> = Vec::new();
        for peer in self.table.iter() {
            let last = u32::try_from(self.table.buckets() - 1).expect("few");
            let shared = Some(self.table.own().common_prefix_len(&peer.key).min(last));
            if shared != shared_before {
                bucket.drain(..).rev().for_each(|peer| line += &peer);
                shared_before = shared;
            }
            let [added, useful, answered] =
                [peer.added, peer.useful, peer.answered].map(|time| time.as_secs());
            let mut text = format!(" {}:{added}:{useful}:{answered}", peer.peer);
            if peer.is_replaceable {
                write!(text, "r").expect("a string");
            }
            bucket.push(text);
        }
        bucket.drain(..).rev().for_each(|peer| line += &peer);
        line
    }
}

fn list(line: &str, entries: &[String]) -> String {
    if entries.is_empty() { line.to_owned() } else { format!("{line} {}", entries.join(",")) }
}

#[test]
fn a_table_does_what_gos_does() {
    let mut replay = None;
    let mut lines = 0;
    for (index, line) in RECORDED.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        if let Some(setting) = line.strip_prefix("table ") {
            replay = Some(Replay::new(&setting.split(' ').collect::<Vec<_>>()));
            continue;
        }
        let replay = replay.as_mut().expect("a table first");
        assert_eq!(replay.step(line), line, "line {} of the record", index + 1);
        lines += 1;
    }
    assert!(lines > 2000, "{lines}");
}
