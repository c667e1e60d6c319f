//! What of a figure is not drawn, and why.

use std::collections::BTreeSet;

use crate::{
    colour::TOLD_APART,
    description::{Axis, AxisScale, Figure, Panel},
    extent::is_drawable,
    series::{Series, SeriesData},
    text,
};

/// A sentence for each reason for which something is not drawn as it is.
pub(crate) fn sentences(figure: &Figure) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut say = |count: usize, one: &str, many: &str| match count {
        0 => {}
        1 => sentences.push(format!("1 {one}")),
        _ => sentences.push(format!("{} {many}", text::count(count as u64))),
    };
    let gaps = figure.panels.iter().map(not_numbers).sum();
    say(
        gaps,
        "value is no number that can be drawn, and is left out.",
        "values are no numbers that can be drawn, and are left out.",
    );
    let without_place = figure.panels.iter().map(not_above_zero).sum();
    let (one, many) = ("value is not above zero", "values are not above zero");
    let nowhere = "no place on a logarithmic axis.";
    say(without_place, &format!("{one}, and has {nowhere}"), &format!("{many}, and have {nowhere}"));
    let names = series_names(figure);
    let grey = names.len().saturating_sub(TOLD_APART);
    say(
        grey,
        "further series is drawn in grey: its name is in the data.",
        "further series are drawn in grey: their names are in the data.",
    );
    let cut = names.iter().chain(&category_names(figure)).filter(|name| text::is_long(name)).count();
    say(cut, "name is cut: it is whole in the data.", "names are cut: they are whole in the data.");
    let boxes = || figure.panels.iter().flat_map(|panel| &panel.series).flat_map(Series::boxes);
    let left_out = boxes().map(|plot| plot.outliers_left_out).sum::<u64>();
    say(
        usize::try_from(left_out).unwrap_or(usize::MAX),
        "further outlier is not drawn.",
        "further outliers are not drawn.",
    );
    let open = boxes().filter(|plot| plot.n > 0 && plot.q3.is_none()).count();
    say(
        open,
        "box is open above: a quarter or more of what it stands on was cut short.",
        "boxes are open above: a quarter or more of what they stand on was cut short.",
    );
    sentences
}

/// The names of all series, each once, in the order in which they appear.
pub(crate) fn series_names(figure: &Figure) -> Vec<&str> {
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    let is_drawn_by_value = |series: &&Series| !matches!(series.data, SeriesData::Heat { .. });
    for series in figure.panels.iter().flat_map(|panel| &panel.series).filter(is_drawn_by_value) {
        if seen.insert(&*series.name) {
            names.push(&*series.name);
        }
    }
    names
}

/// The names of all categories, each once.
fn category_names(figure: &Figure) -> BTreeSet<&str> {
    let axes = figure.panels.iter().flat_map(|panel| [&panel.x, &panel.y]);
    axes.filter_map(Axis::categories).flatten().map(|name| &**name).collect()
}

fn not_numbers(panel: &Panel) -> usize {
    let of_series = |series: &Series| {
        let datums =
            series.datums().iter().filter(|datum| !(is_drawable(datum.value) && is_drawable(datum.at)));
        let cells = series.cells().iter().filter(|cell| !is_drawable(cell.value));
        let boxes = series.boxes().iter().flat_map(|plot| [plot.q1, plot.median, plot.q3]).flatten();
        datums.count() + cells.count() + boxes.filter(|value| !is_drawable(*value)).count()
    };
    panel.series.iter().map(of_series).sum()
}

/// Values that a logarithmic axis has no place for.
fn not_above_zero(panel: &Panel) -> usize {
    let lies = panel.y.categories().is_some() && panel.x.categories().is_none();
    let (of_places, of_values) = if lies { (&panel.y, &panel.x) } else { (&panel.x, &panel.y) };
    let (places, values) = (of_places.scale == AxisScale::Log, of_values.scale == AxisScale::Log);
    let of_series = |series: &Series| {
        // A step that begins at zero begins at the edge: that is how distributions begin.
        let is_steps = matches!(series.data, SeriesData::Steps { .. });
        let datums = series.datums().iter().filter(|datum| datum.value.is_finite() && datum.at.is_finite());
        let lost =
            datums.filter(|datum| (values && datum.value <= 0.0) || (places && !is_steps && datum.at <= 0.0));
        let outliers =
            series.boxes().iter().flat_map(|plot| &plot.outliers).filter(|value| values && **value <= 0.0);
        lost.count() + outliers.count()
    };
    panel.series.iter().map(of_series).sum()
}
