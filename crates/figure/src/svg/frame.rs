//! What is around the series of a panel: its title, its axes with their marks, the grid, and lines of reference.

use super::{
    BODY, Canvas, LEADING, SMALL,
    arrangement::{ASLANT, Placed, is_heat},
    drawing::{Anchor, Area, Drawing},
    heat,
    spacing::Numbers,
};
use crate::{description::Panel, series::SeriesData, text};

/// A panel without anything: said, not left white.
pub(super) fn empty(drawing: &mut Drawing, panel: &Panel, placed: &Placed) {
    titles(drawing, panel, placed);
    drawing.rect("none rule", placed.plot);
    let middle = [
        f64::midpoint(placed.plot.left, placed.plot.right),
        f64::midpoint(placed.plot.top, placed.plot.bottom),
    ];
    drawing.text("faint", middle, Anchor::Middle, "nothing was observed");
}

/// What lies behind the series.
pub(super) fn behind(drawing: &mut Drawing, canvas: &Canvas<'_>, placed: &Placed) {
    titles(drawing, canvas.panel, placed);
    below(drawing, canvas, placed);
    beside(drawing, canvas, placed);
    let caption = canvas.panel.x.caption();
    if !caption.is_empty() {
        let at = [f64::midpoint(placed.plot.left, placed.plot.right), placed.outer.bottom - BODY * 0.4];
        drawing.text(
            "ink",
            at,
            Anchor::Middle,
            &text::fitted(&caption, BODY, placed.plot.width().max(placed.outer.width() * 0.8)),
        );
    }
}

fn titles(drawing: &mut Drawing, panel: &Panel, placed: &Placed) {
    let outer = placed.outer;
    for (index, line) in placed.title.iter().enumerate() {
        let baseline = outer.top + BODY * (LEADING * index as f64 + 1.0);
        drawing.text("strong ink", [outer.left, baseline], Anchor::Start, line);
    }
    let baseline = placed.plot.top - 7.0;
    let colours = panel.series.iter().find_map(|series| match &series.data {
        SeriesData::Heat { colours, .. } => Some(colours.caption()),
        _ => None,
    });
    let room = if colours.is_some() { outer.width() * 0.48 } else { outer.width() };
    drawing.text(
        "small faint",
        [outer.left, baseline],
        Anchor::Start,
        &text::fitted(&panel.y.caption(), SMALL, room),
    );
    if let Some(caption) = colours {
        drawing.text(
            "small faint",
            [outer.right, baseline],
            Anchor::End,
            &text::fitted(&caption, SMALL, room),
        );
    }
}

/// The marks of the horizontal axis.
fn below(drawing: &mut Drawing, canvas: &Canvas<'_>, placed: &Placed) {
    let plot = placed.plot;
    let has_names = canvas.panel.x.categories().is_some();
    for tick in &placed.x_ticks {
        let Some(x) = canvas.x.at(tick.at).filter(|x| *x >= plot.left - 0.5 && *x <= plot.right + 0.5) else {
            continue;
        };
        let class = if tick.label.is_empty() { "none" } else { "rule" };
        if !has_names && !is_heat(canvas.panel) {
            drawing.line(class, [x, plot.top], [x, plot.bottom]);
        }
        if !has_names {
            let length = if tick.label.is_empty() { 2.5 } else { 4.0 };
            drawing.line("axis", [x, plot.bottom], [x, plot.bottom + length]);
        }
        if tick.label.is_empty() {
            continue;
        }
        if placed.is_aslant {
            drawing.text_with(
                "small num ink",
                [x + 3.0, plot.bottom + 12.0],
                (Anchor::End, ASLANT, ""),
                &tick.label,
            );
        } else {
            drawing.text("small num ink", [x, plot.bottom + 15.0], Anchor::Middle, &tick.label);
        }
    }
    if !is_heat(canvas.panel) {
        drawing.line("axis", [plot.left, plot.bottom], [plot.right, plot.bottom]);
    }
}

/// The marks of the vertical axis.
fn beside(drawing: &mut Drawing, canvas: &Canvas<'_>, placed: &Placed) {
    let (plot, has_names) = (placed.plot, canvas.panel.y.categories().is_some());
    let room = plot.left - placed.outer.left - 6.0;
    for tick in &placed.y_ticks {
        let Some(y) = canvas.y.at(tick.at).filter(|y| *y >= plot.top - 0.5 && *y <= plot.bottom + 0.5) else {
            continue;
        };
        if tick.label.is_empty() {
            continue;
        }
        if !has_names {
            drawing.line("rule", [plot.left, y], [plot.right, y]);
        }
        drawing.text(
            "small num ink",
            [plot.left - 6.0, y + 3.5],
            Anchor::End,
            &text::fitted(&tick.label, SMALL, room),
        );
    }
    if canvas.lies() {
        drawing.line("axis", [plot.left, plot.top], [plot.left, plot.bottom]);
    }
    if !matches!(placed.numbers, Numbers::None | Numbers::Nowhere) {
        drawing.text("tiny faint", [plot.left - 6.0, plot.top + 9.0], Anchor::End, "n");
    }
}

/// What lies over the series: lines of reference with their names, below each other where they would meet.
pub(super) fn before(drawing: &mut Drawing, canvas: &Canvas<'_>, placed: &Placed) {
    let plot = placed.plot;
    for series in &canvas.panel.series {
        if let SeriesData::Heat { cells, colours } = &series.data {
            heat::scale(drawing, canvas, cells, colours);
        }
    }
    let mut taken: Vec<Area> = Vec::new();
    for line in &canvas.panel.references {
        let extent = if line.is_upright { &canvas.x } else { &canvas.y };
        let Some(at) = extent.at(line.at).filter(|_| extent.shows(line.at)) else { continue };
        let label = text::fitted(&line.label, SMALL, plot.width() * 0.6);
        let width = text::width(&label, SMALL);
        let (from, to, x, mut y);
        if line.is_upright {
            (from, to) = ([at, plot.top], [at, plot.bottom]);
            x = beside_line(canvas, at, width);
            y = plot.top + placed.headroom + SMALL;
        } else {
            (from, to) = ([plot.left, at], [plot.right, at]);
            x = plot.right - width - 4.0;
            y = if at - SMALL < plot.top + placed.headroom + 2.0 { at + SMALL + 2.0 } else { at - 4.0 };
        }
        drawing.line("refer", from, to);
        let area = |y: f64| Area::new(x, y - SMALL, x + width, y + 2.0);
        while taken.iter().any(|other| meet(other, &area(y))) && y < plot.bottom - 2.0 {
            y += 2.0;
        }
        taken.push(area(y));
        drawing.text("small halo ink", [x, y], Anchor::Start, &label);
    }
}

/// Where the name of an upright line begins: to its right, or to its left if there it would run out of the plot or over another
/// such line.
fn beside_line(canvas: &Canvas<'_>, at: f64, width: f64) -> f64 {
    let upright = canvas.panel.references.iter().filter(|line| line.is_upright);
    let lines: Vec<f64> = upright.filter_map(|line| canvas.x.at(line.at)).collect();
    let (right, left) = (at + 5.0, at - 5.0 - width);
    let is_free = |from: f64| {
        let is_inside = from > canvas.area.left && from + width < canvas.area.right;
        is_inside && !lines.iter().any(|line| *line > from && *line < from + width)
    };
    if is_free(right) || (!is_free(left) && right + width < canvas.area.right) { right } else { left }
}

/// Whether two areas have a point in common.
fn meet(one: &Area, other: &Area) -> bool {
    one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
}
