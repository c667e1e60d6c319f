//! What is drawn between two axes: series of one kind each, every number with its interval and how many stand behind it.

use serde::Serialize;

use crate::description::Axis;

/// What belongs together: one name, one colour.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// How the legend calls it.
    pub name: String,
    /// How many observations stand behind all of it; `None` where that is said elsewhere.
    pub n: Option<u64>,
    /// The numbers.
    #[serde(flatten)]
    pub data: SeriesData,
}

/// The numbers of a series by the way they are drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum SeriesData {
    /// A curve that keeps its value until the next place (distribution, survival), with a band where there are intervals.
    Steps {
        /// From left to right.
        curve: Vec<Datum>,
        /// Where somebody was last seen, whose end nobody saw: ticks on the curve.
        censored_at: Vec<f64>,
    },
    /// A line from value to value, broken where one is no number, with a band where there are intervals.
    Line(Vec<Datum>),
    /// Single values with whiskers.
    Dots(Vec<Datum>),
    /// Bars from zero with whiskers, beside those of other series.
    Bars(Vec<Datum>),
    /// Bars on top of those of other series.
    StackedBars(Vec<Datum>),
    /// Box plots, beside those of other series.
    Boxes(Vec<BoxPlot>),
    /// Coloured fields; both axes have categories.
    Heat {
        /// In any order.
        cells: Vec<HeatCell>,
        /// What the colours mean.
        colours: Axis,
    },
}

/// One number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Datum {
    /// Where, on the axis that is not the value's.
    pub at: f64,
    /// How much. What is no number is a gap.
    pub value: f64,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end of its interval.
    pub high: Option<f64>,
    /// How many observations it stands on.
    pub n: Option<u64>,
}

/// One box plot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoxPlot {
    /// Where, on the horizontal axis.
    pub at: f64,
    /// How many observations it stands on.
    pub n: u64,
    /// How many of these were cut short: what they would have become is above what was seen of them.
    pub censored: u64,
    /// The end of the lower whisker.
    pub low: Option<f64>,
    /// The lower quartile.
    pub q1: Option<f64>,
    /// The median. As of the quartiles, `None` where more were cut short than it takes: the box is open above then.
    pub median: Option<f64>,
    /// The upper quartile.
    pub q3: Option<f64>,
    /// The end of the upper whisker.
    pub high: Option<f64>,
    /// Beyond the whiskers, as far as they are kept.
    pub outliers: Vec<f64>,
    /// How many beyond the whiskers are not kept.
    pub outliers_left_out: u64,
}

/// One field of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HeatCell {
    /// The number of the category on the horizontal axis.
    pub column: usize,
    /// The number of the category on the vertical axis, from the top.
    pub row: usize,
    /// How much. What is no number is an empty field.
    pub value: f64,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end of its interval.
    pub high: Option<f64>,
    /// How many observations it stands on.
    pub n: Option<u64>,
}

impl Datum {
    /// A number without an interval.
    pub const fn new(at: f64, value: f64) -> Self {
        Self { at, value, low: None, high: None, n: None }
    }

    /// The same with its interval.
    #[must_use]
    pub const fn within(self, low: f64, high: f64) -> Self {
        Self { low: Some(low), high: Some(high), ..self }
    }

    /// The same with how many observations it stands on.
    #[must_use]
    pub const fn of(self, n: u64) -> Self {
        Self { n: Some(n), ..self }
    }
}

impl Series {
    /// A series by its name.
    pub fn new(name: impl Into<String>, data: SeriesData) -> Self {
        Self { name: name.into(), n: None, data }
    }

    /// The same with how many observations stand behind all of it.
    #[must_use]
    pub fn of(self, n: u64) -> Self {
        Self { n: Some(n), ..self }
    }

    /// The single numbers, of kinds that have such.
    pub(crate) fn datums(&self) -> &[Datum] {
        match &self.data {
            SeriesData::Steps { curve: datums, .. }
            | SeriesData::Line(datums)
            | SeriesData::Dots(datums)
            | SeriesData::Bars(datums)
            | SeriesData::StackedBars(datums) => datums,
            SeriesData::Boxes(_) | SeriesData::Heat { .. } => &[],
        }
    }

    /// The box plots, of the kind that has such.
    pub(crate) fn boxes(&self) -> &[BoxPlot] {
        if let SeriesData::Boxes(boxes) = &self.data { boxes } else { &[] }
    }

    /// The fields, of the kind that has such.
    pub(crate) fn cells(&self) -> &[HeatCell] {
        if let SeriesData::Heat { cells, .. } = &self.data { cells } else { &[] }
    }

    /// Whether its bars begin at zero.
    pub(crate) const fn begins_at_zero(&self) -> bool {
        matches!(self.data, SeriesData::Bars(_) | SeriesData::StackedBars(_))
    }

    /// Whether what it draws at a place has a width.
    pub(crate) const fn has_width(&self) -> bool {
        matches!(self.data, SeriesData::Bars(_) | SeriesData::StackedBars(_) | SeriesData::Boxes(_))
    }

    /// Whether it takes a share of the width at its place, beside others.
    pub(crate) const fn stands_beside(&self) -> bool {
        matches!(self.data, SeriesData::Bars(_) | SeriesData::Boxes(_) | SeriesData::Dots(_))
    }
}
