//! A figure as one SVG file: what is where is said by `arrangement`, how it looks by `style`, and each kind of series draws itself.

mod arrangement;
mod bars;
mod boxes;
mod curve;
mod described;
mod drawing;
mod frame;
mod heat;
mod legend;
mod spacing;
mod style;

use self::{
    arrangement::{Arrangement, Placed},
    drawing::{Anchor, Area, Drawing, px},
};
use crate::{
    description::{AxisScale, Figure, Panel},
    extent::Extent,
    omitted,
    series::{Series, SeriesData},
    text, ticks,
};

/// The sizes of letters, in pixels.
pub(super) const TITLE: f64 = 14.0;
pub(super) const BODY: f64 = 11.0;
pub(super) const SMALL: f64 = 10.0;

/// Between lines of text, as a multiple of their size.
pub(super) const LEADING: f64 = 1.32;

/// What a series needs to draw itself: where, by which axes, in which colour.
struct Canvas<'a> {
    panel: &'a Panel,
    area: Area,
    x: Extent,
    y: Extent,
    /// The names of all series in the order of their colours.
    names: &'a [&'a str],
}

/// What of it is not drawn, and why; a sentence each.
pub(crate) fn not_drawn(figure: &Figure) -> Vec<String> {
    Arrangement::of(figure, &omitted::series_names(figure)).not_drawn
}

/// The whole file.
pub(crate) fn file(figure: &Figure) -> String {
    let names = omitted::series_names(figure);
    let arrangement = Arrangement::of(figure, &names);
    let stem = figure.file_stem();
    let mut drawing = Drawing::default();
    let (width, height) = (px(arrangement.width), px(arrangement.height));
    drawing.raw(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"kf\" role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" aria-labelledby=\"{stem}-title {stem}-desc\">\n<title id=\"{stem}-title\">{}</title>\n<desc \
         id=\"{stem}-desc\">{}</desc>\n<style>{}</style>\n",
        text::escaped(&figure.title),
        text::escaped(&described::in_words(figure)),
        style::sheet(),
    ));
    drawing.rect("paper", Area::new(0.0, 0.0, arrangement.width, arrangement.height));
    for line in &arrangement.heading {
        drawing.text(line.class, [line.left, line.baseline], Anchor::Start, &line.text);
    }
    legend::draw(&mut drawing, &arrangement.legend);
    for (index, (panel, placed)) in figure.panels.iter().zip(&arrangement.panels).enumerate() {
        of_panel(&mut drawing, panel, placed, (&names, &format!("{stem}-clip-{index}")));
    }
    for line in &arrangement.notes {
        drawing.text(line.class, [line.left, line.baseline], Anchor::Start, &line.text);
    }
    drawing.raw("</svg>\n");
    drawing.finished()
}

fn of_panel(drawing: &mut Drawing, panel: &Panel, placed: &Placed, (names, clip): (&[&str], &str)) {
    let area = placed.plot;
    let x = Extent::new(&panel.x, placed.x_values, [area.left, area.right]);
    let is_lying = panel.y.categories().is_some();
    // Categories are read from the top.
    let upright = [area.bottom, area.top + placed.headroom];
    let y_pixels = if is_lying { [area.top, area.bottom] } else { upright };
    let y = Extent::new(&panel.y, placed.y_values, y_pixels);
    let canvas = Canvas { panel, area, x, y, names };
    if placed.is_empty {
        frame::empty(drawing, panel, placed);
        return;
    }
    frame::behind(drawing, &canvas, placed);
    drawing.raw(&format!(
        "<clipPath id=\"{clip}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n<g clip-path=\"url(#{clip})\">\n",
        px(area.left - 3.0),
        px(area.top - 3.0),
        px(area.width() + 6.0),
        px(area.height() + 6.0),
    ));
    if canvas.has_stacks() {
        bars::stacked(drawing, &canvas);
    }
    for series in &panel.series {
        of_series(drawing, &canvas, series);
    }
    drawing.raw("</g>\n");
    frame::before(drawing, &canvas, placed);
}

fn of_series(drawing: &mut Drawing, canvas: &Canvas<'_>, series: &Series) {
    match &series.data {
        SeriesData::Steps { curve, censored_at } => {
            curve::steps(drawing, canvas, series, (curve, censored_at));
        }
        SeriesData::Line(datums) => curve::line(drawing, canvas, series, datums),
        SeriesData::Dots(datums) => bars::dots(drawing, canvas, series, datums),
        SeriesData::Bars(datums) => bars::beside(drawing, canvas, series, datums),
        SeriesData::StackedBars(_) => {}
        SeriesData::Boxes(boxes) => boxes::draw(drawing, canvas, series, boxes),
        SeriesData::Heat { cells, colours } => heat::draw(drawing, canvas, cells, colours),
    }
}

impl Canvas<'_> {
    /// The number of a series' colour.
    fn colour(&self, series: &Series) -> usize {
        self.names.iter().position(|name| *name == series.name).unwrap_or(usize::MAX)
    }

    fn has_stacks(&self) -> bool {
        self.panel.series.iter().any(|series| matches!(series.data, SeriesData::StackedBars(_)))
    }

    fn lies(&self) -> bool {
        self.panel.lies()
    }

    /// The axis that says where, and the one that says how much.
    fn extents(&self) -> (&Extent, &Extent) {
        if self.lies() { (&self.y, &self.x) } else { (&self.x, &self.y) }
    }

    /// From the middle of a place to the middle of this series there, and how wide each of those beside each other is, in pixels.
    fn beside(&self, series: &Series) -> (f64, f64) {
        let besides: Vec<_> = self.panel.series.iter().filter(|other| other.stands_beside()).collect();
        let count = besides.len().max(1) as f64;
        let index = besides.iter().position(|other| std::ptr::eq(*other, series)).unwrap_or_default() as f64;
        let (places, _) = self.extents();
        let each = spacing::each(self.panel, places);
        ((index - (count - 1.0) / 2.0) * each, each)
    }

    /// How far neighboring places are apart, in pixels.
    fn slot(&self) -> f64 {
        let (places, _) = self.extents();
        spacing::slot(self.panel, places)
    }

    /// A point by its place and its value.
    fn point(&self, place: f64, value: f64) -> [f64; 2] {
        if self.lies() { [value, place] } else { [place, value] }
    }

    /// What a pointer that rests there is told.
    fn hint(&self, series: &str, at: f64, rest: &str) -> String {
        let axis = if self.lies() { &self.panel.y } else { &self.panel.x };
        let place = match axis.scale {
            AxisScale::Elapsed => ticks::elapsed(at),
            _ => axis.category(at).map_or_else(|| text::number(at), text::told),
        };
        format!("{}, {place}: {rest}", text::told(series))
    }
}

/// A value with its interval and what it stands on, in words.
fn told(value: f64, interval: (Option<f64>, Option<f64>), n: Option<u64>) -> String {
    let mut told = text::number(value);
    if let (Some(low), Some(high)) = interval {
        told = format!("{told} ({} to {})", text::number(low), text::number(high));
    }
    if let Some(n) = n {
        told = format!("{told}, n {}", text::count(n));
    }
    told
}
