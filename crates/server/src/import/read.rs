//! A file into rows of text, whichever program wrote it.

use super::cells::Cells;
use super::{MAX_CELL, MAX_COLUMNS, MAX_FILE, MAX_ROWS, MAX_TEXT, read_csv, read_xlsx};
use serde::Serialize;
use utoipa::ToSchema;

/// A file as rows of text. Every row has as many cells as the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The first row.
    pub head: Vec<String>,
    /// The others; rows without any text are left out.
    pub rows: Cells,
}

/// Why a file can not be read as a whole. Stable: clients translate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadError {
    /// Over 10 MB, over 100 MB unpacked, or over 32 MB of text.
    #[error("the file is too large")]
    TooLarge,
    /// More than 60,000 rows.
    #[error("too many rows")]
    TooManyRows,
    /// More than 40 columns.
    #[error("too many columns")]
    TooManyColumns,
    /// A cell of more than 1,000 characters.
    #[error("a cell is too long")]
    CellTooLong,
    /// No head, or no row below it.
    #[error("nothing in the file")]
    Empty,
    /// Neither text nor a workbook.
    #[error("not a list")]
    NotAList,
}

/// Reads a file: XLSX by its first bytes, else CSV.
///
/// # Errors
/// When it is no list, or over a limit.
pub fn read(bytes: &[u8]) -> Result<Sheet, ReadError> {
    if bytes.len() > MAX_FILE {
        return Err(ReadError::TooLarge);
    }
    let mut rows = Rows::default();
    if bytes.starts_with(b"PK\x03\x04") {
        read_xlsx::rows(bytes, &mut rows)?;
    } else {
        read_csv::rows(bytes, &mut rows)?;
    }
    let sheet = rows.done()?.ok_or(ReadError::Empty)?;
    if sheet.rows.is_empty() { Err(ReadError::Empty) } else { Ok(sheet) }
}

/// Rows that are being read: holds the limits while they come, not after.
#[derive(Default)]
pub(super) struct Rows {
    /// The number of the row that is being read, and its cells.
    at: usize,
    row: Vec<String>,
    sheet: Option<Sheet>,
}

impl Rows {
    /// Puts text into a cell. Rows come in order.
    pub fn put(&mut self, row: usize, column: usize, text: &str) -> Result<(), ReadError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        if row > MAX_ROWS {
            return Err(ReadError::TooManyRows);
        }
        if column >= MAX_COLUMNS {
            return Err(ReadError::TooManyColumns);
        }
        // characters are at most four bytes: the long ones need not be counted
        if text.len() > MAX_CELL * 4 || text.chars().count() > MAX_CELL {
            return Err(ReadError::CellTooLong);
        }
        if row < self.at {
            return Err(ReadError::NotAList);
        }
        if row > self.at {
            self.end_row()?;
            self.at = row;
        }
        if self.row.len() <= column {
            self.row.resize(column + 1, String::new());
        }
        if let Some(cell) = self.row.get_mut(column) {
            text.clone_into(cell);
        }
        Ok(())
    }

    /// The row that was read is over. One without any text is left out; the first of the others is the head.
    fn end_row(&mut self) -> Result<(), ReadError> {
        // what is empty is never put: the last cell has text
        if self.row.is_empty() {
            return Ok(());
        }
        match &mut self.sheet {
            None => {
                let head = std::mem::take(&mut self.row);
                self.sheet = Some(Sheet { rows: Cells::new(head.len()), head });
            }
            Some(sheet) => {
                sheet.rows.push(&self.row);
                self.row.clear();
                if sheet.rows.bytes() > MAX_TEXT {
                    return Err(ReadError::TooLarge);
                }
            }
        }
        Ok(())
    }

    /// All of them.
    fn done(mut self) -> Result<Option<Sheet>, ReadError> {
        self.end_row()?;
        Ok(self.sheet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[[&str; 2]]) -> Cells {
        let mut cells = Cells::new(2);
        of.iter().for_each(|row| cells.push(row));
        cells
    }

    fn csv(text: &str) -> Result<Sheet, ReadError> {
        read(text.as_bytes())
    }

    #[test]
    fn any_separator_and_encoding_gives_the_same_rows() {
        let wanted = Sheet {
            head: vec!["Navn".into(), "Leilighet".into()],
            rows: rows(&[["Åse \"Å\" Sørli", "1101"]]),
        };
        let text = "Navn;Leilighet\r\n\"Åse \"\"Å\"\" Sørli\";1101\r\n;\r\n";
        assert_eq!(csv(text).unwrap(), wanted);
        assert_eq!(csv(&text.replace(';', ",")).unwrap(), wanted);
        assert_eq!(csv(&text.replace(';', "\t")).unwrap(), wanted);
        assert_eq!(csv(&format!("\u{feff}{text}")).unwrap(), wanted);
        let utf16 = |bytes: fn(u16) -> [u8; 2]| {
            let marked = format!("\u{feff}{text}");
            marked.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
        };
        assert_eq!(read(&utf16(u16::to_le_bytes)).unwrap(), wanted);
        assert_eq!(read(&utf16(u16::to_be_bytes)).unwrap(), wanted);
        let (windows, _, lost) = encoding_rs::WINDOWS_1252.encode(text);
        assert!(!lost);
        assert_eq!(read(&windows).unwrap(), wanted);
    }

    #[test]
    fn a_hostile_file_is_told_what_is_wrong_with_it() {
        assert_eq!(csv(""), Err(ReadError::Empty));
        assert_eq!(csv("name;unit\n"), Err(ReadError::Empty));
        assert_eq!(csv(&format!("name\n{}\n", "x".repeat(1_000_000))), Err(ReadError::CellTooLong));
        assert!(csv(&format!("name\n{}\n", "å".repeat(MAX_CELL))).is_ok());
        assert_eq!(csv(&format!("name\n{}\n", "å".repeat(MAX_CELL + 1))), Err(ReadError::CellTooLong));
        assert_eq!(csv(&"a\n".repeat(MAX_ROWS + 2)), Err(ReadError::TooManyRows));
        assert!(csv(&"a\n".repeat(MAX_ROWS + 1)).is_ok());
        assert_eq!(csv(&format!("{}\nx\n", "a;".repeat(MAX_COLUMNS + 2))), Err(ReadError::TooManyColumns));
        assert_eq!(read(&vec![b'a'; MAX_FILE + 1]), Err(ReadError::TooLarge));
        assert_eq!(read(b"\x7fELF\x02\x01\x01\0\0\0name;unit\nx;y\n"), Err(ReadError::NotAList));
        assert_eq!(read(b"PK\x03\x04not really"), Err(ReadError::NotAList));
    }

    /// A workbook of one sheet, packed here: its rows are given as the XML of a sheet.
    fn workbook(sheet: &str, strings: &str) -> Vec<u8> {
        use std::io::Write;
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let parts = [
            (
                "[Content_Types].xml",
                "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
            ),
            (
                "_rels/.rels",
                format!(
                    "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{kinds}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    "<workbook xmlns=\"{main}\" xmlns:r=\"{kinds}\"><sheets><sheet name=\"One\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{kinds}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
                ),
            ),
            ("xl/sharedStrings.xml", format!("<sst xmlns=\"{main}\">{strings}</sst>")),
            (
                "xl/worksheets/sheet1.xml",
                format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>"),
            ),
        ];
        for (name, text) in parts {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_workbook_is_read_cell_by_cell() {
        let sheet = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"inlineStr\"><is><t>Leilighet</t></is></c></row>\
            <row r=\"3\"><c r=\"A3\" t=\"s\"><v>1</v></c><c r=\"B3\"><v>1101</v></c></row>";
        let strings = "<si><t>Navn</t></si><si><t>Åse Sørli</t></si>";
        let read = read(&workbook(sheet, strings)).unwrap();
        assert_eq!(read.head, ["Navn", "Leilighet"]);
        assert_eq!(read.rows, rows(&[["Åse Sørli", "1101"]]), "a number is written without a fraction");
    }

    #[test]
    fn a_workbook_can_not_fill_the_memory() {
        let far = "<row r=\"1048576\"><c r=\"XFD1048576\" t=\"inlineStr\"><is><t>x</t></is></c></row>";
        assert_eq!(read(&workbook(far, "")), Err(ReadError::TooManyRows));
        let wide = "<row r=\"1\"><c r=\"XFD1\" t=\"inlineStr\"><is><t>x</t></is></c></row>";
        assert_eq!(read(&workbook(wide, "")), Err(ReadError::TooManyColumns));
        let long = format!("<si><t>{}</t></si>", "x".repeat(1_000_000));
        let many = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>";
        assert_eq!(read(&workbook(many, &long)), Err(ReadError::CellTooLong));
        // one long text, named 52,000 times
        let name = format!("<si><t>{}</t></si>", "x".repeat(1_000));
        let row = |row: usize| {
            let cell = |column: u8| format!("<c r=\"{}{row}\" t=\"s\"><v>0</v></c>", char::from(column));
            format!("<row r=\"{row}\">{}</row>", (b'A'..=b'Z').map(cell).collect::<String>())
        };
        let everywhere = (1..=2_000).map(row).collect::<String>();
        assert_eq!(read(&workbook(&everywhere, &name)), Err(ReadError::TooLarge));
        let backwards =
            "<row r=\"2\"><c r=\"A2\"><v>1</v></c></row><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>";
        assert_eq!(read(&workbook(backwards, "")), Err(ReadError::NotAList));
        let bomb = workbook(many, &" ".repeat(120 * 1024 * 1024));
        assert!(bomb.len() < MAX_FILE, "it is small while it is packed");
        assert_eq!(read(&bomb), Err(ReadError::TooLarge));
    }
}
