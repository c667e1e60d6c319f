//! The legend: which colour and which line is whose, in rows above the panels.

use super::{
    BODY,
    drawing::{Anchor, Area, Drawing, px},
};
use crate::{
    colour::{self, TOLD_APART},
    description::Figure,
    series::{Series, SeriesData},
    text,
};

/// How wide a sample is, with what is between it and its name, in pixels.
const SAMPLE: f64 = 26.0;

/// Between one item and the next.
const GAP: f64 = 16.0;

/// How high a row is.
pub(super) const ROW: f64 = 16.0;

/// One name with its sample.
#[derive(Debug)]
pub(super) struct Item {
    left: f64,
    baseline: f64,
    index: usize,
    is_line: bool,
    text: String,
}

/// The items in rows between two edges, from `top`; and how high they are together. One series alone needs none.
pub(super) fn of(figure: &Figure, names: &[&str], (left, right): (f64, f64), top: f64) -> (Vec<Item>, f64) {
    if names.len() < 2 {
        return (Vec::new(), 0.0);
    }
    let (mut items, mut at, mut baseline) = (Vec::new(), left, top + BODY);
    let others = names.len().saturating_sub(TOLD_APART);
    let grey = (others > 0).then(|| format!("{others} others"));
    let texts = names.iter().take(TOLD_APART).map(|name| text_of(figure, name)).chain(grey);
    for (index, text) in texts.enumerate() {
        let text = text::fitted(&text, BODY, right - left - SAMPLE);
        let width = SAMPLE + text::width(&text, BODY);
        if at > left && at + width > right {
            (at, baseline) = (left, baseline + ROW);
        }
        let is_line = names.get(index).is_some_and(|name| is_line(figure, name));
        items.push(Item { left: at, baseline, index, is_line, text });
        at += width + GAP;
    }
    let height = baseline - top - BODY + ROW + 4.0;
    (items, height)
}

pub(super) fn draw(drawing: &mut Drawing, items: &[Item]) {
    for item in items {
        let (class, middle) = (colour::class(item.index), item.baseline - BODY * 0.35);
        let end = item.left + SAMPLE - 6.0;
        if item.is_line {
            let dashes = stroke(item.index);
            drawing.path(
                &format!("curve {class}"),
                &format!("M{} {}H{}", px(item.left), px(middle), px(end)),
                &dashes,
            );
        } else {
            let area = Area::new(item.left + 6.0, middle - 5.0, end - 2.0, middle + 5.0);
            drawing.rect(&format!("{} {class}", bar_class(item.index)), area);
        }
        drawing.text("ink", [item.left + SAMPLE, item.baseline], Anchor::Start, &item.text);
    }
}

/// How the line of a series is broken, as an attribute.
pub(super) fn stroke(index: usize) -> String {
    match colour::dashes(index) {
        "" => String::new(),
        dashes => format!(" stroke-dasharray=\"{dashes}\""),
    }
}

/// How the bars of a series are filled: paler where the colour is there for the second time.
pub(super) const fn bar_class(index: usize) -> &'static str {
    if index < colour::PALETTE.len() { "bar" } else { "pale" }
}

/// The name of a series, with its number of observations where it stands in one panel alone.
fn text_of(figure: &Figure, name: &str) -> String {
    let mut of_name = all(figure).filter(|series| series.name == name);
    let n = of_name.next().and_then(|series| series.n).filter(|_| of_name.next().is_none());
    let name = text::shortened(name);
    n.map_or_else(|| name.clone(), |n| format!("{name} (n {})", text::count(n)))
}

fn is_line(figure: &Figure, name: &str) -> bool {
    let series = all(figure).find(|series| series.name == name);
    series.is_some_and(|series| matches!(series.data, SeriesData::Steps { .. } | SeriesData::Line(_)))
}

fn all(figure: &Figure) -> impl Iterator<Item = &Series> {
    figure.panels.iter().flat_map(|panel| &panel.series)
}
