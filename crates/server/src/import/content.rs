//! A list between its reading and its end, as it is kept.

use super::cells::Cells;
use super::columns::{self, Column};
use super::read::Sheet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is kept of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The first row of the file.
    pub head: Vec<String>,
    /// What each column is.
    pub columns: Vec<Column>,
    /// The rows, corrected where somebody corrected them.
    pub rows: Cells,
    /// Rows that somebody left out.
    pub left_out: BTreeSet<usize>,
    /// Homes that the building does not have are made, where the list says behind which entrance.
    #[serde(default)]
    pub make_homes: bool,
}

impl Content {
    /// A list as it was read.
    pub fn new(sheet: Sheet) -> Self {
        let columns = columns::guess(&sheet.head);
        Self { head: sheet.head, columns, rows: sheet.rows, left_out: BTreeSet::new(), make_homes: false }
    }

    /// As it was kept.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// To be kept.
    pub fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}
