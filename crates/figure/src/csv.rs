//! Every number of a figure as lines of CSV, in long form: one number a line, with its interval and what it stands on.

use std::fmt::Write as _;

use crate::{
    description::{Axis, AxisScale, Figure, Panel},
    series::{BoxPlot, HeatCell, Series, SeriesData},
    text, ticks,
};

/// The columns.
const HEAD: &str = "panel,series,kind,measure,at,at_name,row_name,value,low,high,n\r\n";

/// Where a number belongs.
struct Place<'a> {
    panel: &'a Panel,
    series: &'a Series,
    kind: &'static str,
}

/// One number.
#[derive(Default)]
struct Line<'a> {
    measure: &'a str,
    at: Option<f64>,
    at_name: String,
    row_name: &'a str,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    n: Option<u64>,
}

/// All lines, ended as RFC 4180 has it.
pub(crate) fn lines(figure: &Figure) -> String {
    let mut out = String::from(HEAD);
    for panel in &figure.panels {
        for series in &panel.series {
            of_series(&mut out, panel, series);
        }
        for line in &panel.references {
            let axis = if line.is_upright { "x" } else { "y" };
            let fields = [&*panel.title, &line.label, "reference", axis].map(field).join(",");
            // A string takes whatever is written.
            _ = write!(out, "{fields},,,,{},,,\r\n", number(Some(line.at)));
        }
    }
    out
}

fn of_series(out: &mut String, panel: &Panel, series: &Series) {
    let place = |kind| Place { panel, series, kind };
    match &series.data {
        SeriesData::Steps { censored_at, .. } => {
            let place = place("steps");
            datums(out, &place);
            for at in censored_at {
                place.write(out, Line { measure: "censored", at: Some(*at), ..Line::default() });
            }
        }
        SeriesData::Line(_) => datums(out, &place("line")),
        SeriesData::Dots(_) => datums(out, &place("dots")),
        SeriesData::Bars(_) => datums(out, &place("bars")),
        SeriesData::StackedBars(_) => datums(out, &place("stacked_bars")),
        SeriesData::Boxes(boxes) => boxes.iter().for_each(|plot| of_box(out, &place("boxes"), plot)),
        SeriesData::Heat { cells, .. } => cells.iter().for_each(|cell| of_cell(out, &place("heat"), cell)),
    }
}

fn datums(out: &mut String, place: &Place<'_>) {
    for datum in place.series.datums() {
        let (value, n) = (Some(datum.value), datum.n.or(place.series.n));
        let line = Line {
            measure: "value",
            at: Some(datum.at),
            value,
            low: datum.low,
            high: datum.high,
            n,
            ..Line::default()
        };
        place.write(out, line);
    }
}

fn of_box(out: &mut String, place: &Place<'_>, plot: &BoxPlot) {
    let mut write = |measure, value| {
        place.write(out, Line { measure, at: Some(plot.at), value, n: Some(plot.n), ..Line::default() });
    };
    write("whisker_low", plot.low);
    write("q1", plot.q1);
    write("median", plot.median);
    write("q3", plot.q3);
    write("whisker_high", plot.high);
    write("censored", Some(plot.censored as f64));
    write("outliers_left_out", Some(plot.outliers_left_out as f64));
    plot.outliers.iter().for_each(|outlier| write("outlier", Some(*outlier)));
}

fn of_cell(out: &mut String, place: &Place<'_>, cell: &HeatCell) {
    let line = Line {
        measure: "value",
        at: Some(cell.column as f64),
        row_name: place.panel.y.category(cell.row as f64).unwrap_or_default(),
        value: Some(cell.value),
        low: cell.low,
        high: cell.high,
        n: cell.n,
        ..Line::default()
    };
    place.write(out, line);
}

impl Place<'_> {
    fn write(&self, out: &mut String, line: Line<'_>) {
        let at_name = line.at.map_or(line.at_name, |at| self.at_name(at));
        let texts = [&*self.panel.title, &self.series.name, self.kind, line.measure].map(field).join(",");
        let names = [&*at_name, line.row_name].map(field).join(",");
        let numbers = [line.value, line.low, line.high].map(number).join(",");
        let n = line.n.map_or_else(String::new, |n| n.to_string());
        // A string takes whatever is written.
        _ = write!(out, "{texts},{},{names},{numbers},{n}\r\n", number(line.at));
    }

    /// The category of a place, or its date and time.
    fn at_name(&self, at: f64) -> String {
        let lies = self.panel.y.categories().is_some() && self.panel.x.categories().is_none();
        let axis: &Axis = if lies { &self.panel.y } else { &self.panel.x };
        match axis.scale {
            AxisScale::Categories(_) => axis.category(at).unwrap_or_default().to_owned(),
            AxisScale::Time => ticks::date_and_time(at),
            AxisScale::Elapsed => ticks::elapsed(at),
            AxisScale::Linear | AxisScale::Share | AxisScale::Log => String::new(),
        }
    }
}

/// A number as short as it is exact; nothing for what is none.
fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(String::new, |value| value.to_string())
}

/// A text as one field. What a program for tables would take for a formula is marked as text.
fn field(text: &str) -> String {
    let text: String = text.chars().filter(|c| text::is_printable(*c)).collect();
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Datum;

    #[test]
    fn every_number_is_there_with_its_interval_and_n() {
        let panel = Panel {
            title: "a, \"b\"".to_owned(),
            x: Axis::of_categories("", ["=cmd()", "two"]),
            y: Axis::new("took", "s", AxisScale::Log),
            series: vec![
                Series::new("one", SeriesData::Bars(vec![Datum::new(0.0, 0.1).within(0.05, 0.2).of(7)])),
                Series::new("gap", SeriesData::Dots(vec![Datum::new(1.0, f64::NAN)])),
            ],
            references: Vec::new(),
        };
        let csv = Figure::of("x", "X", panel).csv();
        let lines: Vec<_> = csv.split("\r\n").collect();
        assert_eq!(lines[1], "\"a, \"\"b\"\"\",one,bars,value,0,'=cmd(),,0.1,0.05,0.2,7");
        assert_eq!(lines[2], "\"a, \"\"b\"\"\",gap,dots,value,1,two,,,,,");
        assert_eq!(lines.len(), 4);
    }
}
