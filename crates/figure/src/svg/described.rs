//! A figure in words, for those who do not see it.

use crate::{
    description::{Figure, Panel},
    series::{Series, SeriesData},
    text,
};

/// The most names of series that are read out for a panel.
const MAX_NAMES: usize = 12;

/// What there is to be seen, panel by panel.
pub(super) fn in_words(figure: &Figure) -> String {
    let mut words = figure.subtitle.clone();
    for panel in &figure.panels {
        words += " ";
        words += &of_panel(panel);
    }
    words.trim().to_owned()
}

fn of_panel(panel: &Panel) -> String {
    let title = if panel.title.is_empty() { String::new() } else { format!("{}: ", panel.title) };
    let Some(first) = panel.series.first() else { return format!("{title}nothing was observed.") };
    let names: Vec<_> = panel.series.iter().take(MAX_NAMES).map(named).collect();
    let others = panel.series.len().saturating_sub(MAX_NAMES);
    let others = if others == 0 { String::new() } else { format!(" and {others} others") };
    let (what, of) = (kind(first), names.join("; "));
    format!("{title}{what} of {} by {}: {of}{others}.", panel.y.caption(), panel.x.caption())
}

/// A series with how many stand behind it.
fn named(series: &Series) -> String {
    match series.n {
        Some(n) => format!("{}, n {}", text::told(&series.name), text::count(n)),
        None => text::told(&series.name),
    }
}

const fn kind(series: &Series) -> &'static str {
    match series.data {
        SeriesData::Steps { .. } => "step curves",
        SeriesData::Line(_) => "lines",
        SeriesData::Dots(_) => "values",
        SeriesData::Bars(_) => "bars",
        SeriesData::StackedBars(_) => "stacked bars",
        SeriesData::Boxes(_) => "box plots",
        SeriesData::Heat { .. } => "a matrix",
    }
}
