//! The figure of what dials buy: the distance from the truth by dials a peer and hour, a panel for each law.

use figure::{Axis, AxisScale, Datum, Figure, FigureWidth, Panel, Series, SeriesData};

/// By what all intervals of the schedule are longer.
pub(crate) const FACTORS: [f64; 6] = [0.5, 0.7, 1.0, 1.5, 2.5, 4.0];

/// Dials a peer and hour and the distance from the truth, of one law.
#[derive(Debug)]
pub(crate) struct Traded {
    pub(crate) law: &'static str,
    /// One for each factor.
    pub(crate) ours: Vec<(f64, f64)>,
    pub(crate) nebula: (f64, f64),
}

/// The figure.
pub(crate) fn figure(traded: &[Traded]) -> Figure {
    Figure {
        name: "sessions-cost".to_owned(),
        title: "What dials buy".to_owned(),
        subtitle: "The largest distance between the distribution of lengths and the truth. Ours: all intervals by 0.5 to 4.".to_owned(),
        width: FigureWidth::Page,
        columns: 2,
        panels: traded.iter().map(panel).collect(),
        notes: Vec::new(),
    }
}

fn panel(traded: &Traded) -> Panel {
    let mut ours: Vec<Datum> = traded.ours.iter().map(|(dials, off)| Datum::new(*dials, *off)).collect();
    ours.sort_by(|one, other| one.at.total_cmp(&other.at));
    let (dials, off) = traded.nebula;
    Panel {
        title: traded.law.to_owned(),
        x: Axis::new("dials a peer and hour", "", AxisScale::Linear),
        y: Axis::new("distance", "", AxisScale::Linear),
        series: vec![
            Series::new("ours", SeriesData::Line(ours)),
            Series::new("Nebula's", SeriesData::Dots(vec![Datum::new(dials, off)])),
        ],
        references: Vec::new(),
    }
}
