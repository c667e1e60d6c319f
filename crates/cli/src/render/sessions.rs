//! Sessions, and how long peers were up, for people.

use super::{
    runs::{lines, second},
    text::{counted, duration, escaped, grouped},
};
use crate::command::{CheckedScope, ListedSession, ListedSessions, ListedUptimes};

/// One line for each session, under a heading.
pub(crate) fn sessions(listed: &ListedSessions) -> String {
    if listed.sessions.is_empty() {
        return "there is no such session in this store\n".to_owned();
    }
    let heading = ["PEER", "STATE", "FIRST SEEN", "LAST SEEN", "AT LEAST", "AT MOST", "LOOKS"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(listed.sessions.iter().map(row));
    lines(&rows, 4) + &more(listed.left_out)
}

fn row(session: &ListedSession) -> Vec<String> {
    let most = session.max_duration.map_or_else(|| "-".to_owned(), duration);
    vec![
        session.peer.clone(),
        session.end_reason.unwrap_or(session.state).to_owned(),
        second(session.first_successful_dial),
        second(session.last_successful_dial),
        duration(session.min_duration),
        most,
        grouped(session.successful_dials.into()),
    ]
}

/// One line for each peer and period, under a heading.
pub(crate) fn uptimes(listed: &ListedUptimes) -> String {
    if listed.uptimes.is_empty() {
        return "no day of such a peer is in this store\n".to_owned();
    }
    let heading = ["PERIOD", "PEER", "UP AT LEAST", "UP AT MOST"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let share = |share: f64| format!("{:.1} %", 100.0 * share);
    rows.extend(listed.uptimes.iter().map(|uptime| {
        vec![uptime.period.clone(), uptime.peer.clone(), share(uptime.at_least), share(uptime.at_most)]
    }));
    lines(&rows, 2) + &more(listed.left_out)
}

fn more(left_out: u64) -> String {
    if left_out == 0 {
        return String::new();
    }
    format!("{} more are there; --limit, --peer and --since say which are listed\n", grouped(left_out))
}

/// Whether the sessions of each network follow from its visits.
pub(crate) fn checked_sessions(checked: &[CheckedScope]) -> String {
    checked.iter().map(checked_scope).collect()
}

fn checked_scope(scope: &CheckedScope) -> String {
    let compared = &scope.compared;
    let place =
        scope.vantage.as_ref().map(|vantage| format!(" from {}", escaped(vantage))).unwrap_or_default();
    let of = format!("{}{place}", escaped(&scope.network));
    let equal = counted(compared.equal, "session is what follows", "sessions are what follows");
    let pruned = match compared.pruned {
        0 => String::new(),
        pruned => {
            format!("; {} began before the visits that are left, and are not compared", grouped(pruned))
        }
    };
    let said = format!("{of}: {equal} from the visits, {} differ{pruned}\n", grouped(compared.differing));
    if compared.differences.is_empty() {
        return said;
    }
    let heading = ["PEER", "FIRST SEEN", "WHAT", "KEPT", "FROM VISITS"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    rows.extend(compared.differences.iter().map(|found| {
        let (kept, visits) = (or_none(&found.kept), or_none(&found.visits));
        vec![found.peer.clone(), second(found.first_successful_dial), found.name.to_owned(), kept, visits]
    }));
    said + &lines(&rows, 5)
}
