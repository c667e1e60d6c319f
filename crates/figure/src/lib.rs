//! One description of a figure; paper, page and data are made from it: SVG, CSV and JSON.
//!
//! What the numbers are, and how sure, is said by whoever describes it: this room draws and writes.
