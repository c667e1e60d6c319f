//! What a figure is: titles, panels with their axes, series and lines of reference, and notes.

use serde::Serialize;

use crate::{csv, series::Series, svg, text};

/// A figure of one panel or several.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What its files are called, and how it is referred to within a page: see [`Figure::file_stem`].
    pub name: String,
    /// What it shows.
    pub title: String,
    /// Of what and when, and what the marks mean: intervals, whiskers.
    pub subtitle: String,
    /// How wide it is drawn.
    pub width: FigureWidth,
    /// How many panels stand side by side, at least 1.
    pub columns: usize,
    /// In the order of reading.
    pub panels: Vec<Panel>,
    /// What a reader has to know; a line each.
    pub notes: Vec<String>,
}

/// How wide a figure is drawn, in pixels of 1/96 inch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureWidth {
    /// A column of a paper that has two: 340 (90 mm).
    Column,
    /// A whole page: 720 (190 mm).
    Page,
}

/// One pair of axes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Panel {
    /// What it has apart from its neighbors; may be empty.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis; where it has categories and `x` has none, bars lie.
    pub y: Axis,
    /// What is drawn; those of one name have one colour in all panels.
    pub series: Vec<Series>,
    /// What it is to be compared with.
    pub references: Vec<ReferenceLine>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    /// What is measured.
    pub label: String,
    /// In what, such as `s`; empty for counts and categories.
    pub unit: String,
    /// How values become places.
    pub scale: AxisScale,
    /// What is shown, if not all that there is.
    pub range: Option<[f64; 2]>,
}

/// How values become places on an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisScale {
    /// Evenly.
    Linear,
    /// Evenly; values between 0 and 1 are written as percents.
    Share,
    /// By decimal logarithm: what is not above zero has no place.
    Log,
    /// Seconds since 1970, as dates and times of UTC.
    Time,
    /// Seconds that have passed, as seconds, minutes, hours or days.
    Elapsed,
    /// One place for each name: the value is its number, from 0.
    Categories(Vec<String>),
}

/// A line across a panel at one value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReferenceLine {
    /// Whether the value is one of the horizontal axis: the line is upright then.
    pub is_upright: bool,
    /// The value.
    pub at: f64,
    /// What it is.
    pub label: String,
}

impl Axis {
    /// An axis that shows all that there is.
    pub fn new(label: impl Into<String>, unit: impl Into<String>, scale: AxisScale) -> Self {
        Self { label: label.into(), unit: unit.into(), scale, range: None }
    }

    /// An axis with one place for each name.
    pub fn of_categories<S: Into<String>>(
        label: impl Into<String>,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::new(label, "", AxisScale::Categories(names.into_iter().map(Into::into).collect()))
    }

    /// The same with what is shown of it.
    #[must_use]
    pub fn within(self, low: f64, high: f64) -> Self {
        Self { range: Some([low, high]), ..self }
    }

    /// The names of its places, if it has such.
    pub(crate) fn categories(&self) -> Option<&[String]> {
        match &self.scale {
            AxisScale::Categories(names) => Some(names),
            _ => None,
        }
    }

    /// The name of a place, in full.
    pub(crate) fn category(&self, value: f64) -> Option<&str> {
        let names = self.categories()?;
        names
            .iter()
            .enumerate()
            .find(|(index, _)| (*index as f64 - value).abs() < 0.5)
            .map(|(_, name)| &**name)
    }

    /// What stands beside it.
    pub(crate) fn caption(&self) -> String {
        if self.unit.is_empty() { self.label.clone() } else { format!("{} ({})", self.label, self.unit) }
    }
}

impl Panel {
    /// Whether values go to the right, and places downwards.
    pub(crate) fn lies(&self) -> bool {
        self.y.categories().is_some() && self.x.categories().is_none()
    }

    /// Where its values are, each as often as there are values.
    pub(crate) fn places(&self) -> impl Iterator<Item = f64> {
        let of_series = |series: &'_ Series| {
            let datums = series.datums().iter().map(|datum| datum.at);
            datums.chain(series.boxes().iter().map(|plot| plot.at)).collect::<Vec<_>>()
        };
        self.series.iter().flat_map(of_series)
    }
}

impl Figure {
    /// A figure of one panel, a page wide.
    pub fn of(name: impl Into<String>, title: impl Into<String>, panel: Panel) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            subtitle: String::new(),
            width: FigureWidth::Page,
            columns: 1,
            panels: vec![panel],
            notes: Vec::new(),
        }
    }

    /// The name in the letters that file names and identifiers may have: `a` to `z`, digits and `-`, at most 80 of them.
    pub fn file_stem(&self) -> String {
        text::slug(&self.name)
    }

    /// All of it as one SVG file, which asks nothing from anywhere.
    pub fn svg(&self) -> String {
        svg::file(self)
    }

    /// Every number in long form: a line each, as RFC 4180 has it.
    pub fn csv(&self) -> String {
        csv::lines(self)
    }

    /// The description with every number, and what was not drawn.
    pub fn json(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("not_drawn".to_owned(), self.not_drawn().into());
        }
        value
    }

    /// What of it is not drawn, and why; a sentence each.
    pub fn not_drawn(&self) -> Vec<String> {
        svg::not_drawn(self)
    }
}
