//! Box plots: the box from quartile to quartile, a line at the median, whiskers, outliers, and how many it stands on.

use super::{
    Canvas,
    drawing::{Anchor, Area, Drawing},
    spacing::{self, Numbers},
};
use crate::{
    colour,
    series::{BoxPlot, Series},
    text,
};

/// The widest box, in pixels.
const MAX_WIDTH: f64 = 34.0;

pub(super) fn draw(drawing: &mut Drawing, canvas: &Canvas<'_>, series: &Series, boxes: &[BoxPlot]) {
    let (shift, each) = canvas.beside(series);
    let class = colour::class(canvas.colour(series));
    let half = (each * 0.4).min(MAX_WIDTH / 2.0);
    let how = spacing::numbers(canvas.panel, &canvas.x);
    let mut free_from = f64::NEG_INFINITY;
    for plot in boxes.iter().filter(|plot| plot.n > 0) {
        let Some(middle) = canvas.x.at(plot.at).map(|x| x + shift) else { continue };
        of_box(
            drawing,
            canvas,
            plot,
            (middle, half, &class, &canvas.hint(&series.name, plot.at, &told(plot))),
        );
        if middle >= free_from {
            number(drawing, canvas, plot, (middle, how));
            free_from = middle + spacing::UPRIGHT;
        }
    }
}

/// How many it stands on, above it.
fn number(drawing: &mut Drawing, canvas: &Canvas<'_>, plot: &BoxPlot, (middle, how): (f64, Numbers)) {
    let (label, top) = (text::count(plot.n), canvas.area.top);
    match how {
        Numbers::Flat => drawing.text("tiny faint", [middle, top + 9.0], Anchor::Middle, &label),
        Numbers::Upright | Numbers::Some => {
            drawing.text_with("tiny faint", [middle + 3.0, top + 2.0], (Anchor::End, -90.0, ""), &label);
        }
        Numbers::None | Numbers::Nowhere => {}
    }
}

fn of_box(
    drawing: &mut Drawing,
    canvas: &Canvas<'_>,
    plot: &BoxPlot,
    (x, half, class, hint): (f64, f64, &str, &str),
) {
    let [bottom, top] = canvas.y.pixels();
    let at = |value: Option<f64>| value.and_then(|value| canvas.y.within(value));
    let thin = format!("thin {class}");
    // What was cut short is above what was seen: without an upper quartile the box has no upper end.
    let lower = at(plot.q1).unwrap_or(top);
    let upper = at(plot.q3).unwrap_or(top);
    if plot.q1.is_some() {
        let open = if plot.q3.is_none() { " open" } else { "" };
        let area = Area::new(x - half, upper.min(lower), x + half, lower.max(upper));
        drawing.rect_with(&format!("body {class}{open}"), area, "", hint);
        if let Some(low) = at(plot.low) {
            drawing.line(&thin, [x, lower], [x, low]);
            drawing.line(&thin, [x - half * 0.5, low], [x + half * 0.5, low]);
        }
    } else {
        drawing.marker(&format!("dot {class}"), [x, top.min(bottom) + 4.0], (2, 3.0), hint);
    }
    if let (Some(high), true) = (at(plot.high), plot.q3.is_some()) {
        drawing.line(&thin, [x, upper], [x, high]);
        drawing.line(&thin, [x - half * 0.5, high], [x + half * 0.5, high]);
    }
    if let Some(median) = at(plot.median) {
        drawing.line(&format!("thick {class}"), [x - half, median], [x + half, median]);
    }
    for outlier in plot.outliers.iter().filter_map(|value| canvas.y.at(*value)) {
        drawing.marker(&format!("dot {class}"), [x, outlier], (0, 1.3), "");
    }
}

/// A box plot in words.
fn told(plot: &BoxPlot) -> String {
    let quartile = |value: Option<f64>| value.map_or_else(|| "not reached".to_owned(), text::number);
    let [q1, median, q3] = [plot.q1, plot.median, plot.q3].map(quartile);
    format!(
        "median {median}, quartiles {q1} and {q3}, n {}, {} cut short",
        text::count(plot.n),
        text::count(plot.censored)
    )
}
