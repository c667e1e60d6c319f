//! What a scheduler did, and what it would do.

use perf::{ForeseenRound, RoundCounts, SchedulerNow, Seat};

use super::text::{counted, duration, escaped, grouped, left, right};

/// Columns of a name.
const NAME: usize = 12;

/// What was done, and where it is kept.
pub(crate) fn scheduled(now: &SchedulerNow, place: &str) -> String {
    let RoundCounts { begun, ended, late, skipped, shed, alone, cut_off } = now.rounds;
    let said = [
        (late, "began late"),
        (skipped, "skipped"),
        (shed, "shed"),
        (alone, "without two servers"),
        (cut_off, "cut off"),
    ];
    let said = said.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    let said: String = said.collect();
    let mut lines =
        vec![format!("{} begun, {} ended{said} ({place})", counted(begun, "round", "rounds"), ended)];
    lines.extend(now.attempts.iter().map(|count| {
        let (kind, outcome) = (left(count.kind.name(), NAME), left(count.outcome.name(), NAME));
        format!("  {kind}{outcome}{}", right(&grouped(count.count), NAME))
    }));
    if now.not_asked > 0 {
        lines.push(format!(
            "  {} not made, since nothing was published",
            counted(now.not_asked, "retrieval", "retrievals")
        ));
    }
    lines.join("\n") + "\n"
}

/// Which rounds would be.
pub(crate) fn foreseen(rounds: &[ForeseenRound], seed: u64) -> String {
    let line = |round: &ForeseenRound| {
        let what = if round.is_findable { "looked for meanwhile by" } else { "looked for by" };
        let others: Vec<_> = round.retrievers.iter().map(seat).collect();
        let after = duration(round.after.as_secs_f64());
        format!(
            "{:>4}  +{}{} publishes, {what} {}\n",
            round.number,
            left(&after, 10),
            seat(&round.publisher),
            others.join(", ")
        )
    };
    let rounds: String = rounds.iter().map(line).collect();
    format!("{rounds}seed {seed}\n")
}

fn seat(seat: &Seat) -> String {
    format!("{} ({})", seat.http, escaped(&seat.fleet))
}
