//! A page of sections with text, tables and figures: as one HTML file that asks nothing from anywhere, and as Markdown.

mod html;
mod markdown;

use serde::Serialize;

use crate::Figure;

/// A page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// What it is about.
    pub title: String,
    /// Of what, when and by what; a paragraph each.
    pub preamble: Vec<String>,
    /// In the order of reading.
    pub sections: Vec<PageSection>,
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageSection {
    /// Its heading.
    pub title: String,
    /// How deep it stands, from 2.
    pub level: u8,
    /// A paragraph each.
    pub text: Vec<String>,
    /// Before the figures.
    pub tables: Vec<PageTable>,
    /// Its figures.
    pub figures: Vec<Figure>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageTable {
    /// What it says.
    pub caption: String,
    /// The names of its columns.
    pub head: Vec<String>,
    /// A cell for each column; columns from `numbers_from` on are numbers.
    pub rows: Vec<Vec<String>>,
    /// The first column that is a number.
    pub numbers_from: usize,
}

impl Page {
    /// All of it in one file, figures within it.
    pub fn html(&self) -> String {
        html::file(self)
    }

    /// All of it as Markdown; figures are referred to by their file names in that directory.
    pub fn markdown(&self, directory: &str) -> String {
        markdown::file(self, directory)
    }

    /// All figures in the order of reading.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.sections.iter().flat_map(|section| &section.figures)
    }
}

impl PageSection {
    /// A section without anything yet.
    pub fn new(title: impl Into<String>, level: u8) -> Self {
        Self { title: title.into(), level, text: Vec::new(), tables: Vec::new(), figures: Vec::new() }
    }
}
