//! The list of peers on the page.

use kad::failure::FailureClass;
use monitor::watching::{NodeLine, NodeStanding};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};
use schema::NatClass;

use super::{
    controls::Controls,
    page::{Page, Paint, ago, draw_lines, tail},
};
use crate::render::text::{columns, counted, duration, escaped, fit, left, right};

/// The widths of all columns but the first and the last.
const WIDTHS: [usize; 5] = [10, 9, 12, 8, 9];

/// The names of all columns.
const NAMES: [&str; 7] = ["Peer", "Standing", "Seen", "Stay", "Trip", "Transport", "Program"];

/// How many letters of an id are shown, and from which width on all are: the longest of those that are usual has 52.
const ID_LETTERS: usize = 12;
const WHOLE_IDS_FROM: u16 = 132;
const WHOLE_ID_LETTERS: usize = 52;

/// Draws the list as it is wanted; returns what there is to say of it.
pub(super) fn draw(page: &Page<'_>, frame: &mut Frame<'_>, area: Rect, controls: &mut Controls) -> String {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let room = usize::from(body.height);
    let mut list = page.view.list(&controls.query(room));
    if controls.drawn(list.matching, room) {
        list = page.view.list(&controls.query(room));
    }
    let letters = if area.width >= WHOLE_IDS_FROM { WHOLE_ID_LETTERS } else { ID_LETTERS };
    let names = NAMES.map(|name| (name.to_owned(), page.paint.name()));
    frame.render_widget(row(names, letters, head.width), head);
    let lines = list.lines.iter().map(|line| row(cells(page, line, letters), letters, body.width));
    draw_lines(frame, body, lines.collect());
    let first = controls.standing().1;
    match list.lines.len() {
        0 => "no peers".to_owned(),
        shown => {
            format!("{}-{} of {}", first + 1, first + shown, counted(list.matching as u64, "peer", "peers"))
        }
    }
}

fn cells(page: &Page<'_>, line: &NodeLine, letters: usize) -> [(String, Style); 7] {
    let now = page.picture.counts.at;
    let none = || "-".to_owned();
    let program = line.agent.as_deref().map(escaped);
    let why = line.nat.map(NatClass::name).or(line.failure.map(FailureClass::name)).map(str::to_owned);
    let last = match (why, program) {
        (Some(why), Some(program)) => format!("{why}; {program}"),
        (why, program) => why.or(program).unwrap_or_default(),
    };
    [
        (tail(&line.peer, letters), Style::new()),
        (line.standing.name().to_owned(), colour(line.standing, page.paint)),
        (line.last_seen.map_or_else(none, |seen| format!("{} ago", ago(now, seen))), Style::new()),
        (line.stay.map_or_else(none, |stay| duration(stay.as_secs_f64().round())), Style::new()),
        (line.rtt.map_or_else(none, |rtt| format!("{:.0} ms", rtt.as_secs_f64() * 1e3)), Style::new()),
        (line.transport.map_or_else(none, |transport| transport.name().to_owned()), Style::new()),
        (last, Style::new()),
    ]
}

fn colour(standing: NodeStanding, paint: Paint) -> Style {
    match standing {
        NodeStanding::Up => paint.good(),
        NodeStanding::Gone => paint.bad(),
        NodeStanding::BehindNat => paint.odd(),
        NodeStanding::Unreached => Style::new(),
    }
}

/// A line of the list. What is a number stands flush right.
fn row(cells: [(String, Style); 7], letters: usize, width: u16) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (index, (text, style)) in cells.into_iter().enumerate() {
        let most = match index {
            0 => letters + 1,
            _ => WIDTHS.get(index - 1).copied().unwrap_or(usize::from(width).saturating_sub(used)),
        };
        let text = fit(&text, most);
        let text = if (2..=4).contains(&index) { right(&text, most) } else { left(&text, most) };
        used += columns(&text) + 2;
        spans.extend([Span::styled(text, style), Span::raw("  ")]);
    }
    Line::from(spans)
}

/// What keys do.
pub(super) fn keys(controls: &Controls) -> String {
    match controls.search() {
        Some(search) if controls.is_typing() => {
            format!(" search: {}_  Enter keeps it, Esc ends it", escaped(search))
        }
        Some(search) => format!(" search: {}  Esc ends it  q leave", escaped(search)),
        None => format!(" q leave  s sort: {}  r reverse  / search  ↑ ↓", controls.standing().0),
    }
}
