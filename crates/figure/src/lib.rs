//! One description of a figure; paper, page and data are made from it: SVG, CSV and JSON.
//!
//! What the numbers are, and how sure, is said by whoever describes it: this room draws and writes, and nothing of it does IO.
//! The same description gives the same bytes. Whatever cannot be drawn is left out, and what was left out is said below the
//! figure; the data have it all. Names may come from strangers: none of them can be more than text.

mod colour;
mod csv;
mod description;
mod extent;
mod omitted;
mod page;
mod series;
mod svg;
mod text;
mod ticks;
pub mod written;

#[cfg(test)]
mod tests;

pub use self::{
    description::{Axis, AxisScale, Figure, FigureWidth, Panel, ReferenceLine},
    page::{Page, PageSection, PageTable},
    series::{BoxPlot, Datum, HeatCell, Series, SeriesData},
};
