//! The page: numbers on top, then how large the network was, what fails, what peers run, who came and left, and the list of all.

use kad::PeerId;
use monitor::watching::{NetworkView, SizeSample};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::Sparkline,
};
use schema::Timestamp;

use super::{controls::Controls, listing, numbers, picture::Picture};
use crate::render::text::{columns, duration, escaped, fit, grouped, left, right};

/// The smallest terminal that a page fits on, in columns and rows.
const SMALLEST: (u16, u16) = (80, 24);

/// Above how many rows there is more room for the panels.
const TALL_ROWS: u16 = 34;

/// How things look: in the sixteen colours of terminals, or without any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    is_coloured: bool,
}

impl Paint {
    pub(super) const fn new(is_coloured: bool) -> Self {
        Self { is_coloured }
    }

    const fn colour(self, colour: Color) -> Style {
        if self.is_coloured { Style::new().fg(colour) } else { Style::new() }
    }

    pub(super) const fn good(self) -> Style {
        self.colour(Color::Green)
    }

    pub(super) const fn bad(self) -> Style {
        self.colour(Color::Red)
    }

    pub(super) const fn odd(self) -> Style {
        self.colour(Color::Yellow)
    }

    pub(super) const fn course(self) -> Style {
        self.colour(Color::Cyan)
    }

    /// The name of something.
    pub(super) const fn name(self) -> Style {
        self.colour(Color::Blue).add_modifier(Modifier::BOLD)
    }

    /// The first and the last line.
    pub(super) const fn bar() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}

/// Everything that is on a page.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// What is looked at.
    pub(super) title: &'a str,
    pub(super) picture: &'a Picture,
    pub(super) view: &'a NetworkView,
    /// What was said last, as it was said.
    pub(super) said: Option<String>,
    pub(super) paint: Paint,
}

impl Page<'_> {
    /// Draws it, and tells the controls what of the list is shown.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, controls: &mut Controls) {
        let area = frame.area();
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            let text = format!(
                "this terminal has {} columns and {} rows; the page needs {} and {}",
                area.width, area.height, SMALLEST.0, SMALLEST.1
            );
            let lines = text.split("; ").map(|text| Line::raw(fit(text, area.width.into())));
            for (line, row) in lines.zip(area.rows()) {
                frame.render_widget(line, row);
            }
            return;
        }
        let is_tall = area.height >= TALL_ROWS;
        let [title, top, course, panels, list, said, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(4),
            Constraint::Length(if is_tall { 6 } else { 4 }),
            Constraint::Length(if is_tall { 11 } else { 6 }),
            Constraint::Fill(1),
            Constraint::Length(u16::from(self.said.is_some())),
            Constraint::Length(1),
        ])
        .areas(area);
        bar(frame, title, " kadscope watch", &format!("{}  {} ", self.title, self.picture.counts.at));
        draw_lines(frame, top, numbers::lines(self.picture, self.paint));
        self.draw_course(frame, course);
        self.draw_panels(frame, panels);
        let status = listing::draw(self, frame, list, controls);
        if let Some(text) = &self.said {
            let text = fit(&escaped(text), said.width.into());
            frame.render_widget(Line::styled(text, self.paint.odd()), said);
        }
        bar(frame, foot, &listing::keys(controls), &format!("{status} "));
    }

    fn draw_course(&self, frame: &mut Frame<'_>, area: Rect) {
        let samples = self.view.course();
        let [caption, course] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        frame.render_widget(caption_of(samples, self.paint), caption);
        let sizes = fitted(samples, course.width.into());
        frame.render_widget(Sparkline::default().data(&sizes).style(self.paint.course()), course);
    }

    fn draw_panels(&self, frame: &mut Frame<'_>, area: Rect) {
        let panels = [self.failures(), self.agents(), self.arrivals(), self.departures()];
        let areas: [Rect; 4] = Layout::horizontal([Constraint::Fill(1); 4]).spacing(2).areas(area);
        for (lines, area) in panels.into_iter().zip(areas) {
            draw_lines(frame, area, lines);
        }
    }

    fn failures(&self) -> Vec<Line<'static>> {
        let mut failures: Vec<_> = self.picture.counts.failures.iter().collect();
        failures.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), **name));
        let lines = failures.iter().map(|(name, count)| numbered(name, **count, self.paint.bad()));
        self.panel("Failed looks", lines.collect())
    }

    fn agents(&self) -> Vec<Line<'static>> {
        let lines =
            self.picture.agents.iter().map(|row| numbered(&escaped(&row.agent), row.peers, Style::new()));
        self.panel("Programs", lines.collect())
    }

    fn arrivals(&self) -> Vec<Line<'static>> {
        let lines = self.view.arrivals().map(|passing| {
            self.passing(passing.peer, passing.at, &passing.agent.as_deref().map(escaped).unwrap_or_default())
        });
        self.panel("Arrived", lines.collect())
    }

    fn departures(&self) -> Vec<Line<'static>> {
        let lines = self.view.departures().map(|passing| {
            let stay = passing.stay.map(|stay| duration(stay.as_secs_f64().round()));
            self.passing(passing.peer, passing.at, &format!("+{}", stay.unwrap_or_default()))
        });
        self.panel("Left", lines.collect())
    }

    fn passing(&self, peer: PeerId, at: Timestamp, more: &str) -> Line<'static> {
        let ago = ago(self.picture.counts.at, at);
        Line::raw(format!("{} {:>4} {more}", tail(&peer, 6), ago))
    }

    fn panel(&self, name: &'static str, lines: Vec<Line<'static>>) -> Vec<Line<'static>> {
        let none = lines.is_empty().then(|| Line::raw("none yet"));
        [Line::styled(name, self.paint.name())].into_iter().chain(none).chain(lines).collect()
    }
}

/// A line from edge to edge: a text on the left and, as far as there is room, one on the right.
fn bar(frame: &mut Frame<'_>, area: Rect, begin: &str, end: &str) {
    let width = usize::from(area.width);
    let begin = fit(begin, width);
    let room = width - columns(&begin);
    let text = if columns(end) < room { format!("{begin}{}", right(end, room)) } else { left(&begin, width) };
    frame.render_widget(Line::styled(text, Paint::bar()), area);
}

/// As many lines as there is room for.
pub(super) fn draw_lines(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>) {
    for (line, row) in lines.into_iter().zip(area.rows()) {
        frame.render_widget(line, row);
    }
}

/// A count, and of what.
fn numbered(name: &str, count: u64, style: Style) -> Line<'static> {
    Line::from(vec![Span::styled(format!("{:>6} ", grouped(count)), style), Span::raw(name.to_owned())])
}

/// The last letters of a peer's id, which tell peers apart, as all ids of a kind begin alike; the whole id if it has no more.
pub(super) fn tail(peer: &PeerId, letters: usize) -> String {
    let id = peer.to_base58();
    match id.len().checked_sub(letters).and_then(|from| id.get(from..)) {
        Some(end) if end.len() < id.len() => format!("…{end}"),
        _ => id,
    }
}

/// How long ago something was, in four columns at most: `12s`, `3min` has no room, so `3m`, `5h`, `12d`.
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    match now.since(then).as_secs() {
        seconds @ 0..=99 => format!("{seconds}s"),
        seconds @ 100..=5_999 => format!("{}m", seconds / 60),
        seconds @ 6_000..=359_999 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// What the course shows.
fn caption_of(samples: &[SizeSample], paint: Paint) -> Line<'static> {
    let name = Span::styled("Peers that are up", paint.name());
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Line::from(name) };
    let over = duration(last.at.since(first.at).as_secs_f64().round());
    let sizes = || samples.iter().map(|sample| sample.active);
    let (smallest, largest) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
    let text = format!(" over {over}: from {} to {}", grouped(smallest), grouped(largest));
    Line::from(vec![name, Span::raw(text)])
}

/// The sizes in so many columns: where there are more, the mean of those that share one.
fn fitted(samples: &[SizeSample], width: usize) -> Vec<u64> {
    if samples.len() <= width || width == 0 {
        return samples.iter().map(|sample| sample.active).collect();
    }
    let part = |column: usize| &samples[column * samples.len() / width..(column + 1) * samples.len() / width];
    let mean = |part: &[SizeSample]| {
        part.iter().map(|sample| sample.active).sum::<u64>() / (part.len() as u64).max(1)
    };
    (0..width).map(|column| mean(part(column))).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn how_long_ago_something_was_fits_into_four_columns() {
        let at = |seconds| ago(Timestamp(0).after(Duration::from_secs(seconds)), Timestamp(0));
        assert_eq!(
            [0, 99, 100, 5_999, 6_000, 359_999, 360_000].map(at),
            ["0s", "99s", "1m", "99m", "1h", "99h", "4d"]
        );
        assert_eq!(ago(Timestamp(0), Timestamp(5)), "0s");
    }

    #[test]
    fn a_long_course_is_shown_whole() {
        let samples: Vec<_> = (1000..2000).map(|active| SizeSample { at: Timestamp(0), active }).collect();
        let sizes = fitted(&samples, 80);
        assert_eq!((sizes.len(), sizes[0] < 1012, sizes[79] > 1986), (80, true, true));
        assert!(sizes.is_sorted());
        assert_eq!(fitted(&samples[..7], 80).len(), 7);
    }
}
