//! A list of crawls, for people.

use schema::RunState;

use super::{
    table::aligned,
    text::{duration, escaped, fit, grouped},
};
use crate::{command::Listed, output::Style};

/// The most columns of a network's name.
const NETWORK: usize = 20;

/// The columns of the table at its widest.
const WIDTH: usize = 130;

/// One line for each crawl, under a heading; a few lines for each where the terminal has no room for that.
pub(crate) fn crawls(crawls: &[Listed], style: Style) -> String {
    if crawls.is_empty() {
        return "there is no crawl in this store\n".to_owned();
    }
    if !style.has_room_for(WIDTH) {
        return crawls.iter().map(|crawl| block(crawl, style)).collect();
    }
    let heading = ["CRAWL", "NETWORK", "STARTED", "STATE", "DURATION", "PEERS", "REACHABLE", "EDGES"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(crawls.iter().map(row));
    let mut lines = aligned(&rows, 4).into_iter();
    let mut text = lines.next().map(|heading| style.bold(&heading) + "\n").unwrap_or_default();
    for (line, crawl) in lines.zip(crawls) {
        let is_whole = matches!(crawl.state, RunState::Succeeded | RunState::Running);
        text += &if is_whole { line } else { style.dim(&line) };
        text.push('\n');
    }
    text
}

/// The same in lines of less than 60 columns.
fn block(crawl: &Listed, style: Style) -> String {
    let cells = row(crawl);
    let [id, network, started, state, duration, peers, reachable, edges] = cells.as_slice() else {
        return String::new();
    };
    format!(
        "{}\n  {network}, {started}\n  {state}, {duration}\n  {peers} peers, {reachable} reachable, {edges} edges\n",
        style.bold(id)
    )
}

fn row(crawl: &Listed) -> Vec<String> {
    let unknown = || "-".to_owned();
    // To the second: `2026-11-21T14:31:00`.
    let started: String = crawl.started_at.to_string().chars().take(19).collect();
    vec![
        crawl.crawl_id.to_string(),
        fit(&escaped(&crawl.network), NETWORK),
        started.replace('T', " "),
        crawl.state.to_string(),
        crawl.duration_s.map_or_else(unknown, duration),
        grouped(crawl.peers),
        crawl.reachable.map_or_else(unknown, grouped),
        grouped(crawl.edges),
    ]
}

#[cfg(test)]
mod tests {
    use schema::{RunId, Timestamp};

    use super::*;

    fn listed(state: RunState, peers: u64) -> Listed {
        let is_over = state == RunState::Succeeded;
        Listed {
            crawl_id: RunId([peers.to_be_bytes()[7]; 16]),
            network: "ipfs".to_owned(),
            started_at: Timestamp(1_763_735_460_250_000),
            finished_at: is_over.then_some(Timestamp(1_763_735_464_450_000)),
            duration_s: is_over.then_some(4.2),
            state,
            peers,
            reachable: is_over.then_some(peers / 2),
            visits: peers,
            edges: peers * 20,
            edges_kept: 0,
            vantage: String::new(),
            version: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn crawls_stand_in_columns() {
        let all = [listed(RunState::Succeeded, 1018), listed(RunState::Interrupted, 7)];
        insta::assert_snapshot!(crawls(&all, Style::plain()), @r"
        CRAWL                             NETWORK  STARTED              STATE        DURATION  PEERS  REACHABLE   EDGES
        fafafafafafafafafafafafafafafafa  ipfs     2025-11-21 14:31:00  succeeded       4.2 s  1,018        509  20,360
        07070707070707070707070707070707  ipfs     2025-11-21 14:31:00  interrupted         -      7          -     140
        ");
        insta::assert_snapshot!(crawls(&all[..1], Style::plain_in(60)), @r"
        fafafafafafafafafafafafafafafafa
          ipfs, 2025-11-21 14:31:00
          succeeded, 4.2 s
          1,018 peers, 509 reachable, 20,360 edges
        ");
        assert_eq!(crawls(&[], Style::plain()), "there is no crawl in this store\n");
    }
}
