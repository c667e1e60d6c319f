//! What is where in a figure, before anything is drawn: text has the room that it needs, so nothing lies on anything else.

use super::{
    BODY, LEADING, SMALL, TITLE,
    drawing::Area,
    legend::{self, Item},
    spacing::{self, Numbers, widest_n},
};
use crate::{
    description::{Axis, Figure, FigureWidth, Panel},
    extent::{self, Extent},
    omitted,
    series::{Series, SeriesData},
    text,
    ticks::{self, Tick},
};

/// Around everything, in pixels.
const MARGIN: f64 = 10.0;

/// Between panels beside and below each other.
const GAP: f64 = 22.0;

/// The names of categories that stand aslant: by how many degrees, and how much of their length goes down and to the left.
pub(super) const ASLANT: f64 = -40.0;
const DOWN: f64 = 0.643;
const LEFTWARD: f64 = 0.766;

/// The most columns of panels.
const MAX_COLUMNS: usize = 6;

/// Panels below each other are lower if there are more than these.
const MANY_PANELS: usize = 2;

/// A line of text at its place.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) class: &'static str,
    pub(super) left: f64,
    pub(super) baseline: f64,
    pub(super) text: String,
}

/// A panel at its place.
#[derive(Debug)]
pub(super) struct Placed {
    /// With everything that belongs to it.
    pub(super) outer: Area,
    /// Between the axes.
    pub(super) plot: Area,
    /// The lines of its title, from the top of `outer`.
    pub(super) title: Vec<String>,
    pub(super) x_values: [f64; 2],
    pub(super) y_values: [f64; 2],
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    /// Whether the names below are aslant.
    pub(super) is_aslant: bool,
    /// Above the highest value, for numbers of observations.
    pub(super) headroom: f64,
    /// How the numbers above box plots are written.
    pub(super) numbers: Numbers,
    /// Whether there is nothing to be drawn.
    pub(super) is_empty: bool,
}

/// Everything at its place.
#[derive(Debug)]
pub(super) struct Arrangement {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) heading: Vec<Line>,
    pub(super) legend: Vec<Item>,
    pub(super) panels: Vec<Placed>,
    pub(super) notes: Vec<Line>,
    /// What of the figure is not drawn, and why; the notes end with it.
    pub(super) not_drawn: Vec<String>,
}

impl Arrangement {
    pub(super) fn of(figure: &Figure, names: &[&str]) -> Self {
        let width = match figure.width {
            FigureWidth::Column => 340.0,
            FigureWidth::Page => 720.0,
        };
        let inner = width - 2.0 * MARGIN;
        let mut top = MARGIN;
        let mut heading = lines(&figure.title, ("title ink", TITLE), inner, &mut top);
        heading.extend(lines(&figure.subtitle, ("faint", BODY), inner, &mut top));
        top += 4.0;
        let (legend, height) = legend::of(figure, names, (MARGIN, width - MARGIN), top);
        top += height;
        let panels = panels(figure, inner, &mut top);
        top += 6.0;
        let mut notes = Vec::new();
        let mut not_drawn = omitted::sentences(figure);
        not_drawn.extend(unwritten(figure, &panels));
        for note in figure.notes.iter().chain(&not_drawn) {
            notes.extend(lines(note, ("small faint", SMALL), inner, &mut top));
        }
        Self { width, height: (top + MARGIN * 0.6).ceil(), heading, legend, panels, notes, not_drawn }
    }
}

/// On how many observations box plots stand, where there is no room above them for each of these numbers.
fn unwritten(figure: &Figure, placed: &[Placed]) -> Option<String> {
    let panels = figure.panels.iter().zip(placed);
    let narrow = panels.filter(|(_, placed)| matches!(placed.numbers, Numbers::Some | Numbers::Nowhere));
    let boxes = narrow.flat_map(|(panel, _)| &panel.series).flat_map(Series::boxes);
    let counts: Vec<u64> = boxes.map(|plot| plot.n).filter(|n| *n > 0).collect();
    let (least, most) = (counts.iter().min()?, counts.iter().max()?);
    let each = if least == most {
        text::count(*least)
    } else {
        format!("{} to {}", text::count(*least), text::count(*most))
    };
    Some(format!("Boxes without a number above stand on {each} each: the numbers are in the data."))
}

/// A text in lines from `top`, which is moved below them.
fn lines(text: &str, (class, size): (&'static str, f64), most: f64, top: &mut f64) -> Vec<Line> {
    // Bold letters are wider.
    let measured = if class.starts_with("title") { size * 1.08 } else { size };
    let wrapped = text::wrapped(text, measured, most);
    let place = |text| {
        *top += size * LEADING;
        Line { class, left: MARGIN, baseline: *top - size * 0.32, text }
    };
    wrapped.into_iter().map(place).collect()
}

/// The panels in rows from `top`, which is moved below them.
fn panels(figure: &Figure, inner: f64, top: &mut f64) -> Vec<Placed> {
    let columns = figure.columns.clamp(1, MAX_COLUMNS).min(figure.panels.len().max(1));
    let each = (inner - GAP * (columns - 1) as f64) / columns as f64;
    let mut placed = Vec::new();
    for row in figure.panels.chunks(columns) {
        let begin = placed.len();
        for (column, panel) in row.iter().enumerate() {
            let left = MARGIN + (each + GAP) * column as f64;
            placed.push(place(panel, (left, left + each), *top, plot_height(panel, figure, columns)));
        }
        let of_row = placed.get_mut(begin..).unwrap_or_default();
        align(of_row);
        *top = of_row.iter().map(|panel| panel.outer.bottom).fold(*top, f64::max) + GAP * 0.6;
    }
    placed
}

/// Moves the plots of a row so that they begin at one height.
fn align(row: &mut [Placed]) {
    let begin = row.iter().map(|panel| panel.plot.top).fold(0.0, f64::max);
    for panel in row {
        let down = begin - panel.plot.top;
        panel.plot.top += down;
        panel.plot.bottom += down;
        panel.outer.bottom += down;
    }
}

fn plot_height(panel: &Panel, figure: &Figure, columns: usize) -> f64 {
    if let Some(names) = panel.y.categories() {
        let beside = panel.series.iter().filter(|series| series.stands_beside()).count().max(1);
        let each = if is_heat(panel) { 30.0 } else { 8.0 + 11.0 * beside as f64 };
        return (names.len() as f64 * each).clamp(40.0, 900.0);
    }
    match (figure.width, columns) {
        (FigureWidth::Page, 1) if figure.panels.len() > MANY_PANELS => 150.0,
        (FigureWidth::Page, 1) => 270.0,
        (FigureWidth::Page, 2) | (FigureWidth::Column, 1) => 190.0,
        _ => 140.0,
    }
}

pub(super) fn is_heat(panel: &Panel) -> bool {
    panel.series.iter().any(|series| matches!(series.data, SeriesData::Heat { .. }))
}

/// A panel between two edges.
fn place(panel: &Panel, (left, right): (f64, f64), top: f64, height: f64) -> Placed {
    let (x_values, y_values) = extent::shown(panel);
    let title = text::wrapped(&panel.title, BODY * 1.08, right - left);
    let y_ticks = ticks::ticks(&panel.y, y_values, text::whole(height / 36.0) + 1);
    let widest = widest(&y_ticks).min((right - left) * 0.4);
    let after = if is_heat(panel) { 62.0 } else { 12.0 };
    let mut plot_left = left + widest + 8.0;
    let mut x_ticks = ticks::ticks(&panel.x, x_values, text::whole((right - after - plot_left) / 62.0));
    let slot = (right - after - plot_left) / x_ticks.len().max(1) as f64;
    let is_aslant = panel.x.categories().is_some() && self::widest(&x_ticks) > slot - 4.0;
    let mut below = BODY * LEADING + 4.0;
    if is_aslant {
        thin(&mut x_ticks, slot);
        let over = |(index, tick): (usize, &Tick)| {
            text::width(&tick.label, SMALL) * LEFTWARD - slot * (index as f64 + 0.5)
        };
        let reach = x_ticks.iter().enumerate().map(over).fold(0.0, f64::max);
        plot_left = plot_left.max(left + reach.min((right - left) * 0.4));
        below = self::widest(&x_ticks) * DOWN + 16.0;
    }
    let caption = |axis: &Axis| if axis.caption().is_empty() { 0.0 } else { BODY * LEADING };
    let has_upper = is_heat(panel) || !panel.y.caption().is_empty();
    let upper = title.len() as f64 * BODY * LEADING + if has_upper { BODY * LEADING } else { 0.0 } + 5.0;
    let plot = Area::new(plot_left, top + upper, (right - after).max(plot_left + 20.0), top + upper + height);
    let outer = Area::new(left, top, right, plot.bottom + below + caption(&panel.x));
    let places = if panel.lies() {
        Extent::new(&panel.y, y_values, [plot.top, plot.bottom])
    } else {
        Extent::new(&panel.x, x_values, [plot.left, plot.right])
    };
    let numbers = spacing::numbers(panel, &places);
    // Above box plots stands what each stands on: flat, or upright where they are narrow.
    let headroom = match numbers {
        Numbers::None => 0.0,
        Numbers::Flat | Numbers::Nowhere => 16.0,
        Numbers::Upright | Numbers::Some => widest_n(panel) + 8.0,
    };
    let is_empty = !panel.series.iter().any(has_something);
    Placed {
        outer,
        plot,
        title,
        x_values,
        y_values,
        x_ticks,
        y_ticks,
        is_aslant,
        headroom,
        numbers,
        is_empty,
    }
}

/// Leaves every second, third, ... name out where they would lie on each other.
fn thin(ticks: &mut [Tick], slot: f64) {
    let every = text::whole((13.0 / slot).ceil()).max(1);
    for (index, tick) in ticks.iter_mut().enumerate() {
        if index % every != 0 {
            tick.label.clear();
        }
    }
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| text::width(&tick.label, SMALL)).fold(0.0, f64::max)
}

/// Whether a series has a value that can be drawn.
fn has_something(series: &Series) -> bool {
    series.datums().iter().any(|datum| datum.value.is_finite() && datum.at.is_finite())
        || series.boxes().iter().any(|plot| plot.n > 0)
        || !series.cells().is_empty()
}
