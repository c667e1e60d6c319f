//! From values to pixels along one axis, and which values an axis has to show.

use crate::{
    description::{Axis, AxisScale, Panel},
    series::{Series, SeriesData},
};

/// An axis that knows where its values are.
#[derive(Debug, Clone)]
pub(crate) struct Extent {
    /// The lowest value that is shown; its logarithm on a logarithmic axis.
    low: f64,
    /// The highest.
    high: f64,
    /// Where the lowest is, in pixels.
    from: f64,
    /// Where the highest is, in pixels.
    to: f64,
    is_log: bool,
}

impl Extent {
    /// Shows values between two pixels.
    pub(crate) fn new(axis: &Axis, values: [f64; 2], pixels: [f64; 2]) -> Self {
        let is_log = axis.scale == AxisScale::Log;
        let [low, high] =
            if is_log { values.map(|value| value.max(f64::MIN_POSITIVE).log10()) } else { values };
        Self { low, high, from: pixels[0], to: pixels[1], is_log }
    }

    /// Where a value is; `None` where it has no place: it is no number, or not above zero on a logarithmic axis.
    pub(crate) fn at(&self, value: f64) -> Option<f64> {
        let value = if self.is_log { (value > 0.0).then(|| value.log10())? } else { value };
        let share = (value - self.low) / (self.high - self.low);
        let place = self.from + share * (self.to - self.from);
        (is_drawable(value) && place.is_finite()).then(|| place.clamp(-1e5, 1e5))
    }

    /// Where a value is, or the end of the axis towards which it lies; `None` if it is no number.
    pub(crate) fn within(&self, value: f64) -> Option<f64> {
        if value.is_nan() {
            return None;
        }
        let (least, most) = (self.from.min(self.to), self.from.max(self.to));
        let lowest = self.from;
        Some(self.at(value.clamp(-1e300, 1e300)).unwrap_or(lowest).clamp(least, most))
    }

    /// Whether a value is one of those that are shown.
    pub(crate) fn shows(&self, value: f64) -> bool {
        let slack = (self.high - self.low) * 1e-9;
        let value = if self.is_log { value.log10() } else { value };
        value >= self.low - slack && value <= self.high + slack
    }

    /// Its ends in pixels, the lower value's first.
    pub(crate) const fn pixels(&self) -> [f64; 2] {
        [self.from, self.to]
    }
}

/// The values that the two axes of a panel show.
pub(crate) fn shown(panel: &Panel) -> (/* x */ [f64; 2], /* y */ [f64; 2]) {
    let lies = panel.y.categories().is_some() && panel.x.categories().is_none();
    let (at, how_much) = (places(panel), values(panel));
    let (x, y) = if lies { (&how_much, &at) } else { (&at, &how_much) };
    let of = |axis: &Axis, own: &[f64], upright: bool, has_zero: bool| {
        let compared = panel.references.iter().filter(|line| line.is_upright == upright);
        let compared = compared.map(|line| line.at);
        let zero = (has_zero && axis.scale != AxisScale::Log).then_some(0.0);
        range(axis, own.iter().copied().chain(compared).chain(zero))
    };
    let has_zero = panel.series.iter().any(Series::begins_at_zero);
    let (x, y) = (of(&panel.x, x, true, has_zero && lies), of(&panel.y, y, false, has_zero && !lies));
    if lies { (x, wide(panel, &panel.y, y)) } else { (wide(panel, &panel.x, x), y) }
}

/// What an axis of places shows, where what stands there has a width: half a place more on either side, and nothing beyond.
fn wide(panel: &Panel, axis: &Axis, shown: [f64; 2]) -> [f64; 2] {
    let has_width = panel.series.iter().any(Series::has_width);
    let is_even = matches!(axis.scale, AxisScale::Linear | AxisScale::Time | AxisScale::Elapsed);
    if !has_width || !is_even || axis.range.is_some() {
        return shown;
    }
    let mut at: Vec<f64> = panel.places().filter(|at| is_drawable(*at)).collect();
    at.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (at.first(), at.last()) else { return shown };
    // Nearer than a five hundredth they stand at one place as far as can be seen.
    let near = (last - first) / 500.0;
    let gaps = at.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > near);
    let gap = gaps.fold(f64::INFINITY, f64::min);
    if gap.is_finite() { [first - gap * 0.6, last + gap * 0.6] } else { shown }
}

/// Every value on the axis that says where.
fn places(panel: &Panel) -> Vec<f64> {
    let of_series = |series: &Series| {
        let mut places: Vec<f64> = series.datums().iter().map(|datum| datum.at).collect();
        places.extend(series.boxes().iter().map(|plot| plot.at));
        if let SeriesData::Steps { censored_at, .. } = &series.data {
            places.extend(censored_at);
        }
        places
    };
    panel.series.iter().flat_map(of_series).collect()
}

/// Every value on the axis that says how much.
fn values(panel: &Panel) -> Vec<f64> {
    let mut values = stack_tops(panel);
    for series in &panel.series {
        let alone = if matches!(series.data, SeriesData::StackedBars(_)) { &[][..] } else { series.datums() };
        values.extend(alone.iter().flat_map(|datum| [Some(datum.value), datum.low, datum.high]).flatten());
        for plot in series.boxes() {
            values.extend([plot.low, plot.q1, plot.median, plot.q3, plot.high].into_iter().flatten());
            values.extend(&plot.outliers);
        }
    }
    values
}

/// How high the stacks are.
fn stack_tops(panel: &Panel) -> Vec<f64> {
    let mut tops: Vec<(f64, f64)> = Vec::new();
    let stacked = panel.series.iter().filter(|series| matches!(series.data, SeriesData::StackedBars(_)));
    for datum in stacked.flat_map(Series::datums).filter(|datum| datum.value.is_finite()) {
        match tops.iter_mut().find(|(at, _)| (*at - datum.at).abs() < 1e-9) {
            Some((_, top)) => *top += datum.value,
            None => tops.push((datum.at, datum.value)),
        }
    }
    tops.into_iter().map(|(_, top)| top).collect()
}

/// Whether a value is a number from which others can be subtracted without leaving the numbers.
pub(crate) fn is_drawable(value: f64) -> bool {
    value.abs() <= 1e150
}

/// What an axis shows: all names, what was asked for, or all values with some room.
pub(crate) fn range(axis: &Axis, values: impl Iterator<Item = f64>) -> [f64; 2] {
    if let Some(names) = axis.categories() {
        return [-0.5, names.len().max(1) as f64 - 0.5];
    }
    let is_log = axis.scale == AxisScale::Log;
    let has_place = |value: &f64| is_drawable(*value) && (!is_log || *value > 0.0);
    if let Some([low, high]) = axis.range.filter(|range| range.iter().all(has_place) && range[0] < range[1]) {
        return [low, high];
    }
    let (low, high) = values
        .filter(has_place)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    match &axis.scale {
        _ if low > high => {
            if is_log {
                [0.1, 10.0]
            } else {
                [0.0, 1.0]
            }
        }
        AxisScale::Log if low < high => [low / (high / low).powf(0.03), high * (high / low).powf(0.03)],
        AxisScale::Log => [low / 3.0, high * 3.0],
        AxisScale::Time if low < high => [low, high],
        AxisScale::Time => [low - 1800.0, high + 1800.0],
        AxisScale::Share if low >= 0.0 && high <= 1.0 && high > 0.3 => [0.0, 1.0],
        _ if low < high => roomy(low, high),
        _ => {
            let room = if low == 0.0 { 1.0 } else { low.abs() / 2.0 };
            if low >= 0.0 { [0.0, high + room] } else { [low - room, high + room] }
        }
    }
}

/// Some room around the values; to zero where that is near.
fn roomy(low: f64, high: f64) -> [f64; 2] {
    let room = (high - low) * 0.04;
    let begin = if low >= 0.0 && low < high * 0.4 { 0.0 } else { low - room };
    let end = if high <= 0.0 && high > low * 0.4 { 0.0 } else { high + room };
    [begin, end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_axis_has_width_whatever_the_values() {
        for scale in
            [AxisScale::Linear, AxisScale::Share, AxisScale::Log, AxisScale::Time, AxisScale::Elapsed]
        {
            let axis = Axis::new("", "", scale);
            for values in [
                vec![],
                vec![0.0],
                vec![-3.0],
                vec![f64::NAN, f64::INFINITY],
                vec![1.0, 1.0],
                vec![1e-300, 1e300],
                vec![-1e308, 1e308],
                vec![0.2, 0.9],
            ] {
                let [low, high] = range(&axis, values.iter().copied());
                assert!(low < high, "{values:?} on {:?}: {low} to {high}", axis.scale);
                let extent = Extent::new(&axis, [low, high], [0.0, 100.0]);
                for value in values {
                    assert!(extent.at(value).is_none_or(f64::is_finite));
                }
            }
        }
    }

    #[test]
    fn a_value_that_has_no_place_is_none() {
        let extent = Extent::new(&Axis::new("", "", AxisScale::Log), [0.1, 10.0], [0.0, 100.0]);
        assert_eq!((extent.at(0.0), extent.at(-1.0), extent.at(f64::NAN)), (None, None, None));
        assert_eq!((extent.at(1.0), extent.within(0.0)), (Some(50.0), Some(0.0)));
    }
}
