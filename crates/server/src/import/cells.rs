//! The cells of a list: one text with the places where its cells end. A list of 60,000 rows is a few megabytes like this;
//! as a text of its own each, its cells would be ten times as much.

use serde::de::{DeserializeSeed, Error, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Rows of as many cells each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    width: usize,
    text: String,
    /// Where each cell ends.
    ends: Vec<usize>,
}

impl Cells {
    /// None yet, each of so many cells.
    pub fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len().checked_div(self.width).unwrap_or(0)
    }

    /// There is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of text there are.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Adds a row; cells that it has too many are left out, those that it has too few are empty.
    pub fn push<T: AsRef<str>>(&mut self, row: impl IntoIterator<Item = T>) {
        let mut row = row.into_iter();
        for _ in 0..self.width {
            if let Some(cell) = row.next() {
                self.text.push_str(cell.as_ref());
            }
            self.ends.push(self.text.len());
        }
    }

    /// A row.
    pub fn row(&self, row: usize) -> Option<Row<'_>> {
        (row < self.len()).then_some(Row { cells: self, row })
    }

    /// Every row.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.len()).map(|row| Row { cells: self, row })
    }

    /// Puts another text into a cell. `false` when there is no such cell.
    pub fn set(&mut self, row: usize, column: usize, text: &str) -> bool {
        if column >= self.width || row >= self.len() {
            return false;
        }
        let place = row * self.width + column;
        let (from, to) = self.place(place);
        self.text.replace_range(from..to, text);
        for end in self.ends.iter_mut().skip(place) {
            *end = *end - (to - from) + text.len();
        }
        true
    }

    /// Where a cell begins and ends.
    fn place(&self, cell: usize) -> (usize, usize) {
        let end = |cell: usize| self.ends.get(cell).copied().unwrap_or(self.text.len());
        (cell.checked_sub(1).map_or(0, end), end(cell))
    }
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    cells: &'a Cells,
    row: usize,
}

impl<'a> Row<'a> {
    /// A cell of it.
    pub fn cell(self, column: usize) -> Option<&'a str> {
        if column >= self.cells.width {
            return None;
        }
        let (from, to) = self.cells.place(self.row * self.cells.width + column);
        self.cells.text.get(from..to)
    }

    /// Its cells.
    pub fn cells(self) -> impl Iterator<Item = &'a str> {
        (0..self.cells.width).filter_map(move |column| self.cell(column))
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cells = serializer.serialize_seq(Some(self.cells.width))?;
        for cell in self.cells() {
            cells.serialize_element(cell)?;
        }
        cells.end()
    }
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.len()))?;
        for row in self.rows() {
            rows.serialize_element(&row)?;
        }
        rows.end()
    }
}

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Rows)
    }
}

struct Rows;

impl<'de> Visitor<'de> for Rows {
    type Value = Cells;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows of as many cells each")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Cells, A::Error> {
        let mut cells = Cells::default();
        let mut first = true;
        while let Some(width) = rows.next_element_seed(OneRow(&mut cells))? {
            if first {
                cells.width = width;
                first = false;
            }
            if width != cells.width {
                return Err(A::Error::invalid_length(width, &"as many cells as the first row"));
            }
        }
        Ok(cells)
    }
}

/// Reads a row to the end of the others; gives how many cells it has.
struct OneRow<'a>(&'a mut Cells);

impl<'de> DeserializeSeed<'de> for OneRow<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<usize, A::Error> {
        let mut width = 0;
        while row.next_element_seed(OneCell(self.0))?.is_some() {
            width += 1;
        }
        Ok(width)
    }
}

/// Reads a cell to the end of the others.
struct OneCell<'a>(&'a mut Cells);

impl<'de> DeserializeSeed<'de> for OneCell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for OneCell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.text.push_str(text);
        self.0.ends.push(self.0.text.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(rows: &[[&str; 3]]) -> Cells {
        let mut cells = Cells::new(3);
        rows.iter().for_each(|row| cells.push(row));
        cells
    }

    fn told(cells: &Cells) -> Vec<Vec<&str>> {
        cells.rows().map(|row| row.cells().collect()).collect()
    }

    #[test]
    fn cells_are_read_and_changed_where_they_are() {
        let mut some = cells(&[["a", "", "å"], ["", "b", "c"]]);
        assert_eq!(told(&some), [["a", "", "å"], ["", "b", "c"]]);
        assert!(some.set(0, 2, "longer"));
        assert!(some.set(1, 0, "x"));
        assert!(some.set(0, 0, ""));
        assert_eq!(told(&some), [["", "", "longer"], ["x", "b", "c"]]);
        assert!(!some.set(0, 3, "x") && !some.set(2, 0, "x"));
        some.push(["only"]);
        some.push(["1", "2", "3", "4"]);
        assert_eq!(told(&some)[2..], [["only", "", ""], ["1", "2", "3"]]);
        assert_eq!(some.row(3).and_then(|row| row.cell(1)), Some("2"));
        assert!(some.row(4).is_none() && some.row(0).unwrap().cell(3).is_none());
    }

    #[test]
    fn they_are_kept_as_rows_of_texts() {
        let some = cells(&[["a\"\n", "", "å"], ["", "b", "c"]]);
        let text = serde_json::to_string(&some).unwrap();
        assert_eq!(text, r#"[["a\"\n","","å"],["","b","c"]]"#);
        assert_eq!(serde_json::from_str::<Cells>(&text).unwrap(), some);
        assert!(serde_json::from_str::<Cells>(r#"[["a"],["a","b"]]"#).is_err());
        assert!(serde_json::from_str::<Cells>("[]").unwrap().is_empty());
    }
}
