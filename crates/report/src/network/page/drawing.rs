//! Pieces that figures of this page have in common.

use figure::{Axis, AxisScale, Datum, Figure, Panel, Series, SeriesData};

use crate::network::numbers::AgentShare;

/// A panel without lines of reference.
pub(super) fn panel(title: &str, x: Axis, y: Axis, series: Vec<Series>) -> Panel {
    Panel { title: title.to_owned(), x, y, series, references: Vec::new() }
}

/// A figure of panels below each other.
pub(super) fn figure((name, title): (&str, &str), how: &str, panels: Vec<Panel>) -> Figure {
    let nothing = || Axis::new("", "", AxisScale::Linear);
    let empty = panel("", nothing(), nothing(), Vec::new());
    Figure { subtitle: how.to_owned(), panels, ..Figure::of(name, title, empty) }
}

/// Bars that lie, one for each name.
pub(super) fn bars(title: &str, what: &str, shares: &[AgentShare]) -> Panel {
    let datum = |(at, share): (usize, &AgentShare)| {
        Datum::new(at as f64, share.share.share)
            .within(share.share.low, share.share.high)
            .of(share.share.hits)
    };
    let series = Series::new(what, SeriesData::Bars(shares.iter().enumerate().map(datum).collect()));
    let n = shares.first().map_or(0, |share| share.share.n);
    panel(
        title,
        Axis::new(what, "", AxisScale::Share),
        Axis::of_categories("", shares.iter().map(|share| &*share.name)),
        vec![series.of(n)],
    )
}
