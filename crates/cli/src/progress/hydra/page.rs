//! How a hydra stands, as a page: what all heads are, what comes by type, what is kept, and a line for each head.

use std::time::Duration;

use hydra::{AskedType, HydraNow, Rung};

use crate::render::text::{bytes, columns, counted, duration, fit, grouped, left, right};

/// The width of the names of lines.
const NAME_COLUMNS: usize = 13;

/// The width of numbers in tables.
const NUMBER_COLUMNS: usize = 12;

/// How many requests came in the second before, by type and by head.
#[derive(Debug, Default)]
pub(super) struct Paces {
    /// What there was when it was last looked at, and when that was.
    before: Option<(Duration, Vec<u64>, Vec<u64>)>,
    by_type: Vec<f64>,
    by_head: Vec<f64>,
}

impl Paces {
    /// Looks at how many there are now.
    pub(super) fn note(&mut self, now: &HydraNow, elapsed: Duration) {
        let requests = now.requests.to_vec();
        let of_heads: Vec<u64> = now.heads.iter().map(|head| head.requests).collect();
        let (then, types, heads) = self.before.take().unwrap_or_default();
        let seconds = elapsed.saturating_sub(then).as_secs_f64();
        let pace = |now: &[u64], before: &[u64]| -> Vec<f64> {
            let before = before.iter().copied().chain(std::iter::repeat(0));
            let grown = now.iter().zip(before).map(|(now, before)| now.saturating_sub(before) as f64);
            grown.map(|grown| if seconds > 0.0 { grown / seconds } else { 0.0 }).collect()
        };
        (self.by_type, self.by_head) = (pace(&requests, &types), pace(&of_heads, &heads));
        self.before = Some((elapsed, requests, of_heads));
    }
}

/// The page, in lines that fit into so many columns and rows.
pub(super) fn page(
    now: &HydraNow,
    paces: &Paces,
    (uptime, memory_bytes): (Duration, u64),
    (most, rows): (usize, usize),
) -> Vec<String> {
    let mut lines = vec![title(now, uptime, most), String::new()];
    lines.extend(standing(now, memory_bytes).into_iter().flat_map(|(name, said)| named(name, &said, most)));
    lines.push(String::new());
    lines.extend(requests(now, paces));
    lines.push(String::new());
    lines.extend(heads(now, paces, (most, rows.saturating_sub(lines.len()))));
    lines.truncate(rows);
    lines.iter().map(|line| fit(line.trim_end(), most)).collect()
}

fn title(now: &HydraNow, uptime: Duration, most: usize) -> String {
    let title = format!("Hydra, {}", counted(now.heads.len() as u64, "head", "heads"));
    let up = format!("up {}", duration(uptime.as_secs_f64().round()));
    format!("{title}{}", right(&up, most.saturating_sub(title.len()).max(up.len() + 1)))
}

/// What is said below a name, in as many lines as it takes.
fn named(name: &str, said: &[String], most: usize) -> Vec<String> {
    let mut lines = vec![left(name, NAME_COLUMNS)];
    for (index, part) in said.iter().enumerate() {
        let comma = if index + 1 < said.len() { "," } else { "" };
        let line = lines.last_mut().map(|line| format!("{line} {part}{comma}"));
        match line.filter(|line| index == 0 || columns(line) <= most) {
            Some(longer) => lines.last_mut().into_iter().for_each(|line| line.clone_from(&longer)),
            None => lines.push(format!("{} {part}{comma}", " ".repeat(NAME_COLUMNS))),
        }
    }
    lines
}

/// What there is to say of all heads together.
fn standing(now: &HydraNow, memory_bytes: u64) -> [(&'static str, Vec<String>); 7] {
    let (pending, most) = now.prefetches_pending;
    let outcomes = now.prefetches.iter().map(|(name, count)| format!("{} {name}", grouped(*count)));
    let rung = match now.rung {
        Rung::Belly => "none".to_owned(),
        other => other.name().to_owned(),
    };
    [
        ("heads", vec![format!("{} of {} known to others", now.bootstrapped_heads, now.heads.len())]),
        (
            "peers",
            vec![
                format!("{} connected", grouped(now.connected_peers)),
                counted(now.connections(), "connection", "connections"),
                format!("{} seen", grouped(now.unique_peers)),
            ],
        ),
        ("tables", vec![counted(now.table_size, "peer", "peers")]),
        ("memory", vec![bytes(memory_bytes)]),
        (
            "records",
            vec![
                format!("{} of providers", grouped(now.provider_records)),
                counted(now.value_records, "value", "values"),
            ],
        ),
        (
            "prefetch",
            [format!("{} of {} wait", grouped(pending), grouped(most))].into_iter().chain(outcomes).collect(),
        ),
        ("degradation", vec![rung, format!("{} shed", grouped(now.shed))]),
    ]
}

fn requests(now: &HydraNow, paces: &Paces) -> Vec<String> {
    let row = |name: &str, pace: &str, all: &str| {
        left(name, NAME_COLUMNS) + &right(pace, NUMBER_COLUMNS) + &right(all, NUMBER_COLUMNS)
    };
    let head = row("requests", "a second", "so far");
    let shown = AskedType::ALL.iter().zip(now.requests).enumerate();
    // What no server knows is shown once somebody has sent it.
    let shown = shown.filter(|(_, (kind, count))| **kind != AskedType::Unknown || *count > 0);
    let rows = shown.map(|(index, (kind, count))| {
        let pace = paces.by_type.get(index).copied().unwrap_or_default();
        row(kind.name(), &paced(pace), &grouped(count))
    });
    [head].into_iter().chain(rows).collect()
}

/// The heads, and how many of them have no place.
fn heads(now: &HydraNow, paces: &Paces, (most, rows): (usize, usize)) -> Vec<String> {
    let room = most.saturating_sub(6 + 2 * NUMBER_COLUMNS + 2);
    let row = |index: &str, connections: &str, pace: &str, id: &str| {
        format!(
            "{}{}{}  {id}",
            left(index, 6),
            right(connections, NUMBER_COLUMNS),
            right(pace, NUMBER_COLUMNS)
        )
    };
    let of_each = now.heads.iter().enumerate().map(|(place, head)| {
        let pace = paces.by_head.get(place).copied().unwrap_or_default();
        row(
            &head.index.to_string(),
            &grouped(head.connections),
            &paced(pace),
            &ending(&head.peer.to_string(), room),
        )
    });
    let mut lines: Vec<String> =
        [row("head", "connections", "requests/s", "id")].into_iter().chain(of_each).collect();
    if lines.len() > rows {
        lines.truncate(rows.saturating_sub(1));
        let left_out = now.heads.len() - lines.len().saturating_sub(1);
        lines.push(format!("and {}", counted(left_out as u64, "head more", "heads more")));
    }
    lines
}

/// The end of an id where there is no room for all of it: ids begin alike.
fn ending(id: &str, room: usize) -> String {
    let surplus = (id.len() + 1).saturating_sub(room);
    if surplus <= 1 { id.to_owned() } else { format!("…{}", id.get(surplus..).unwrap_or_default()) }
}

fn paced(pace: f64) -> String {
    if pace > 0.0 && pace < 9.95 { format!("{pace:.1}") } else { grouped(whole(pace)) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what comes in a second is a small number, and not negative"
)]
fn whole(pace: f64) -> u64 {
    pace.round() as u64
}

#[cfg(test)]
mod tests {
    use super::{super::tests::seen, *};
    /// The page after it was looked at twice, a second apart.
    fn shown(size: (usize, usize), count: usize) -> Vec<String> {
        let mut now = seen();
        let heads = now.heads.clone();
        now.heads = heads.iter().cycle().take(count).cloned().collect();
        let mut paces = Paces::default();
        paces.note(&now, Duration::from_secs(10));
        now.requests[AskedType::FindNode as usize] += 1_200;
        now.requests[AskedType::Ping as usize] += 2;
        now.heads[0].requests += 1_202;
        paces.note(&now, Duration::from_secs(11));
        page(&now, &paces, (Duration::from_secs(11), 48_000_000), size)
    }

    #[test]
    fn a_page_says_all_of_it() {
        insta::assert_snapshot!("at_80_columns", shown((80, 24), 3).join("\n"));
        insta::assert_snapshot!("at_40_columns", shown((40, 24), 20).join("\n"));
    }

    #[test]
    fn no_line_is_beyond_the_end() {
        for size in [(1, 1), (10, 5), (40, 24), (79, 19), (200, 60)] {
            let lines = shown(size, 100);
            assert!(lines.len() <= size.1, "{size:?}");
            assert!(lines.iter().all(|line| columns(line) <= size.0), "{size:?}: {lines:?}");
        }
        // All heads are there, or it says how many are not.
        assert!(!shown((80, 24), 3).join("\n").contains("more"));
        assert!(shown((80, 24), 100).last().unwrap().ends_with("heads more"));
    }
}
