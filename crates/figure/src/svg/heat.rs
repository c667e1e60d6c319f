//! A matrix of coloured fields with their values, and the scale of its colours.

use super::{
    Canvas, SMALL,
    bars::written,
    drawing::{Anchor, Area, Drawing},
    told,
};
use crate::{
    colour,
    description::{Axis, AxisScale},
    extent::{self, Extent},
    series::HeatCell,
    text,
};

/// Fields that are lower have no second line of text, in pixels.
const TWO_LINES: f64 = 25.0;

/// How high the scale of colours is at most, and in how many fields it is drawn.
const SCALE_HEIGHT: f64 = 150.0;
const SCALE_STEPS: u32 = 24;

pub(super) fn draw(drawing: &mut Drawing, canvas: &Canvas<'_>, cells: &[HeatCell], colours: &Axis) {
    let [columns, rows] =
        [&canvas.panel.x, &canvas.panel.y].map(|axis| axis.categories().map_or(1, <[_]>::len).max(1));
    let (width, height) = (canvas.area.width() / columns as f64, canvas.area.height() / rows as f64);
    let values = cells.iter().map(|cell| cell.value);
    let shown = extent::range(&Axis { scale: scale_of(colours), ..colours.clone() }, values);
    let share = Extent::new(colours, shown, [0.0, 1.0]);
    for column in 0..columns {
        for row in 0..rows {
            let (left, top) =
                (canvas.area.left + width * column as f64, canvas.area.top + height * row as f64);
            let area = Area::new(left + 0.75, top + 0.75, left + width - 0.75, top + height - 0.75);
            let cell = cells.iter().find(|cell| (cell.column, cell.row) == (column, row));
            if let Some(cell) = cell.filter(|cell| cell.value.is_finite()) {
                field(drawing, canvas, (cell, area), (&share, colours));
            } else {
                void(drawing, area);
            }
        }
    }
}

/// A field that nothing is known of.
fn void(drawing: &mut Drawing, area: Area) {
    drawing.rect("void", area);
    let middle = [f64::midpoint(area.left, area.right), f64::midpoint(area.top, area.bottom) + 3.5];
    drawing.text("small faint", middle, Anchor::Middle, "–");
}

/// Shares are stretched over what there is: otherwise all fields would look alike where all are near 1.
fn scale_of(colours: &Axis) -> AxisScale {
    if colours.scale == AxisScale::Share { AxisScale::Linear } else { colours.scale.clone() }
}

fn field(
    drawing: &mut Drawing,
    canvas: &Canvas<'_>,
    (cell, area): (&HeatCell, Area),
    (share, colours): (&Extent, &Axis),
) {
    let (ground, ink) = colour::field(share.within(cell.value).unwrap_or_default());
    let column = canvas.panel.x.category(cell.column as f64).unwrap_or_default();
    let row = canvas.panel.y.category(cell.row as f64).unwrap_or_default();
    let hint = format!("{row}, {column}: {}", told(cell.value, (cell.low, cell.high), cell.n));
    drawing.rect_with("cell", area, &format!(" fill=\"{ground}\""), &hint);
    let (x, y) = (f64::midpoint(area.left, area.right), f64::midpoint(area.top, area.bottom));
    let attributes = format!(" fill=\"{ink}\"");
    let label = written(cell.value, &colours.scale);
    if text::width(&label, SMALL) > area.width() - 2.0 || area.height() < SMALL {
        return;
    }
    let n = cell.n.map(|n| format!("n {}", text::count(n)));
    let n = n.filter(|n| area.height() >= TWO_LINES && text::width(n, 9.0) <= area.width() - 2.0);
    let up = if n.is_some() { 1.0 } else { -3.5 };
    drawing.text_with("small num", [x, y - up], (Anchor::Middle, 0.0, &attributes), &label);
    if let Some(n) = n {
        drawing.text_with("tiny num", [x, y + 10.0], (Anchor::Middle, 0.0, &attributes), &n);
    }
}

/// The scale of the colours, to the right of the fields.
pub(super) fn scale(drawing: &mut Drawing, canvas: &Canvas<'_>, cells: &[HeatCell], colours: &Axis) {
    let shown = extent::range(
        &Axis { scale: scale_of(colours), ..colours.clone() },
        cells.iter().map(|cell| cell.value),
    );
    let (left, top) = (canvas.area.right + 8.0, canvas.area.top);
    let height = canvas.area.height().min(SCALE_HEIGHT);
    for step in 0..SCALE_STEPS {
        let share = (f64::from(step) + 0.5) / f64::from(SCALE_STEPS);
        let part = height / f64::from(SCALE_STEPS);
        let bottom = top + height - part * f64::from(step);
        let (ground, _) = colour::field(share);
        drawing.rect_with(
            "cell",
            Area::new(left, bottom - part - 0.3, left + 9.0, bottom),
            &format!(" fill=\"{ground}\""),
            "",
        );
    }
    let extent = Extent::new(colours, shown, [top + height, top]);
    let ends = [(shown[0], top + height), (shown[1], top + 7.0)];
    for (value, baseline) in ends {
        drawing.text("tiny num ink", [left + 12.0, baseline], Anchor::Start, &written(value, &colours.scale));
    }
    // One more between the ends, where there is room.
    let middle = f64::midpoint(top, top + height);
    if height > 45.0 && colours.scale != AxisScale::Log && extent.at(shown[0]).is_some() {
        drawing.text(
            "tiny num ink",
            [left + 12.0, middle + 3.0],
            Anchor::Start,
            &written(f64::midpoint(shown[0], shown[1]), &colours.scale),
        );
    }
}
