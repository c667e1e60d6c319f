//! How far apart the places of a panel are, and how wide each of those may be that stand beside each other there.

use crate::{description::Panel, extent::Extent, series::Series, text};

/// The share of a place that is taken; the rest is between it and the next.
const TAKEN: f64 = 0.82;

/// The most that one of those beside each other is wide, in pixels.
const MAX_EACH: f64 = 60.0;

/// A number of observations that stands upright is so wide, with what is between it and the next.
pub(super) const UPRIGHT: f64 = 8.5;

/// How the numbers of observations above box plots are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// There is no box plot.
    None,
    /// Each, flat.
    Flat,
    /// Each, upright.
    Upright,
    /// Upright, and only as many as there is room for.
    Some,
    /// There is no room for any.
    Nowhere,
}

/// How far neighboring places are apart, in pixels.
pub(super) fn slot(panel: &Panel, places: &Extent) -> f64 {
    let axis = if panel.lies() { &panel.y } else { &panel.x };
    let [from, to] = places.pixels();
    let span = (to - from).abs();
    if let Some(names) = axis.categories() {
        return span / names.len().max(1) as f64;
    }
    let mut at: Vec<f64> = panel.places().filter_map(|at| places.at(at)).collect();
    at.sort_by(f64::total_cmp);
    let gaps = at.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.5);
    gaps.fold(span / 4.0, f64::min)
}

/// How wide each of those is that stand beside each other at a place, in pixels.
pub(super) fn each(panel: &Panel, places: &Extent) -> f64 {
    (slot(panel, places) * TAKEN / beside(panel) as f64).min(MAX_EACH)
}

/// How the numbers above the box plots of a panel are written.
pub(super) fn numbers(panel: &Panel, places: &Extent) -> Numbers {
    let of_boxes = panel.series.iter().filter(|series| !series.boxes().is_empty()).count();
    let (each, is_alone) = (each(panel, places), beside(panel) == 1);
    // Above a place that nobody else is at there is room as far as the next.
    let room = if is_alone { slot(panel, places) } else { each };
    match of_boxes {
        0 => Numbers::None,
        _ if each >= widest_n(panel) + 2.0 => Numbers::Flat,
        _ if room >= UPRIGHT => Numbers::Upright,
        _ if is_alone => Numbers::Some,
        _ => Numbers::Nowhere,
    }
}

/// How wide the longest number of observations of a box plot is.
pub(super) fn widest_n(panel: &Panel) -> f64 {
    let boxes = panel.series.iter().flat_map(Series::boxes);
    boxes.map(|plot| text::width(&text::count(plot.n), 9.0)).fold(0.0, f64::max)
}

fn beside(panel: &Panel) -> usize {
    panel.series.iter().filter(|series| series.stands_beside()).count().max(1)
}
