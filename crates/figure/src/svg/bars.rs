//! Bars beside and on top of each other, and single values, with whiskers.

use super::{
    Canvas, SMALL,
    drawing::{Anchor, Area, Drawing},
    legend::bar_class,
    told,
};
use crate::{
    colour,
    description::AxisScale,
    series::{Datum, Series, SeriesData},
    text,
};

/// Bars from zero, beside those of other series; with their values where there is room.
pub(super) fn beside(drawing: &mut Drawing, canvas: &Canvas<'_>, series: &Series, datums: &[Datum]) {
    let (places, values) = canvas.extents();
    let (shift, width) = canvas.beside(series);
    let index = canvas.colour(series);
    let class = format!("{} {}", bar_class(index), colour::class(index));
    for datum in datums {
        let Some((place, end)) = places.at(datum.at).zip(values.at(datum.value)) else { continue };
        let (place, begin) = (place + shift, values.within(0.0).unwrap_or(end));
        let half = width * 0.44;
        let area = Area::between(canvas.point(place - half, begin), canvas.point(place + half, end));
        let rest = told(datum.value, (datum.low, datum.high), datum.n);
        drawing.rect_with(&class, area, "", &canvas.hint(&series.name, datum.at, &rest));
        whisker(drawing, canvas, datum, place);
        label(drawing, canvas, datum, (place, width));
    }
}

/// The value of a bar beyond its end, if there is room for it.
fn label(drawing: &mut Drawing, canvas: &Canvas<'_>, datum: &Datum, (place, width): (f64, f64)) {
    let (_, values) = canvas.extents();
    let axis = if canvas.lies() { &canvas.panel.x } else { &canvas.panel.y };
    let label = written(datum.value, &axis.scale);
    let far = datum.high.unwrap_or(datum.value).max(datum.value);
    let Some(end) = values.within(far) else { return };
    let (long, room) = (text::width(&label, SMALL), canvas.area);
    if canvas.lies() {
        if width >= SMALL && end + long + 6.0 < room.right {
            drawing.text("small halo ink", [end + 4.0, place + 3.5], Anchor::Start, &label);
        }
    } else if long <= width * 1.1 && end - 14.0 > room.top {
        drawing.text("small halo ink", [place, end - 4.0], Anchor::Middle, &label);
    }
}

/// A value as its axis writes it.
pub(super) fn written(value: f64, scale: &AxisScale) -> String {
    match scale {
        AxisScale::Share => format!("{}%", text::number((value * 1000.0).round() / 10.0)),
        _ => text::number(value),
    }
}

/// All bars that stand on each other, from the first series up.
pub(super) fn stacked(drawing: &mut Drawing, canvas: &Canvas<'_>) {
    let (places, values) = canvas.extents();
    let half = canvas.slot().min(60.0) * 0.4;
    let mut tops: Vec<(f64, f64)> = Vec::new();
    for series in &canvas.panel.series {
        let SeriesData::StackedBars(datums) = &series.data else { continue };
        let index = canvas.colour(series);
        let class = format!("{} {}", bar_class(index), colour::class(index));
        for datum in datums.iter().filter(|datum| datum.value.is_finite()) {
            let known = tops.iter().position(|(at, _)| (*at - datum.at).abs() < 1e-9);
            let below = known.and_then(|known| tops.get(known)).map_or(0.0, |(_, top)| *top);
            let top = below + datum.value;
            match known.and_then(|known| tops.get_mut(known)) {
                Some(known) => known.1 = top,
                None => tops.push((datum.at, top)),
            }
            let Some(((place, begin), end)) =
                places.at(datum.at).zip(values.within(below)).zip(values.within(top))
            else {
                continue;
            };
            let area = Area::between(canvas.point(place - half, begin), canvas.point(place + half, end));
            let rest = told(datum.value, (datum.low, datum.high), datum.n);
            drawing.rect_with(&class, area, "", &canvas.hint(&series.name, datum.at, &rest));
        }
    }
}

/// Single values, beside those of other series.
pub(super) fn dots(drawing: &mut Drawing, canvas: &Canvas<'_>, series: &Series, datums: &[Datum]) {
    let (places, values) = canvas.extents();
    let axis = if canvas.lies() { &canvas.panel.y } else { &canvas.panel.x };
    let (shift, _) = if axis.categories().is_some() { canvas.beside(series) } else { (0.0, 0.0) };
    let index = canvas.colour(series);
    let class = colour::class(index);
    for datum in datums {
        let Some((place, value)) = places.at(datum.at).zip(values.at(datum.value)) else { continue };
        let place = place + shift;
        if let Some((from, to)) = ends(canvas, datum) {
            let thin = format!("thin {class}");
            drawing.line(&thin, canvas.point(place, from), canvas.point(place, to));
        }
        let hint = canvas.hint(&series.name, datum.at, &told(datum.value, (datum.low, datum.high), datum.n));
        drawing.marker(&format!("dot {class}"), canvas.point(place, value), (index, 3.2), &hint);
    }
}

/// The whisker of a bar, with its ends.
fn whisker(drawing: &mut Drawing, canvas: &Canvas<'_>, datum: &Datum, place: f64) {
    let Some((from, to)) = ends(canvas, datum) else { return };
    drawing.line("thin axis", canvas.point(place, from), canvas.point(place, to));
    for end in [from, to] {
        drawing.line("thin axis", canvas.point(place - 3.0, end), canvas.point(place + 3.0, end));
    }
}

/// Where an interval ends, if it has any length.
fn ends(canvas: &Canvas<'_>, datum: &Datum) -> Option<(f64, f64)> {
    let (_, values) = canvas.extents();
    let ends = values.within(datum.low?).zip(values.within(datum.high?))?;
    ((ends.0 - ends.1).abs() > 0.3).then_some(ends)
}
