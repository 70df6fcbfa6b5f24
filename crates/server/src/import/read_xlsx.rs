//! A workbook's first sheet, cell by cell. Never as a whole range: a single cell at the far corner would be a range of
//! sixteen thousand million cells.

use super::MAX_UNPACKED;
use super::read::{ReadError, Rows};
use calamine::{DataRef, Reader, Xlsx};
use std::io::{Cursor, Read};

/// Reads the rows of the first sheet.
pub fn rows(bytes: &[u8], rows: &mut Rows) -> Result<(), ReadError> {
    unpacks(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| ReadError::NotAList)?;
    let sheet = book.sheet_names().into_iter().next().ok_or(ReadError::Empty)?;
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(|_| ReadError::NotAList)?;
    while let Some(cell) = cells.next_cell().map_err(|_| ReadError::NotAList)? {
        let (row, column) = cell.get_position();
        let (row, column) =
            (usize::try_from(row).unwrap_or(usize::MAX), usize::try_from(column).unwrap_or(usize::MAX));
        match cell.get_value() {
            DataRef::SharedString(text) => rows.put(row, column, text)?,
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                rows.put(row, column, text)?;
            }
            DataRef::Int(number) => rows.put(row, column, &number.to_string())?,
            // 1101, not 1101.0
            DataRef::Float(number) => rows.put(row, column, &number.to_string())?,
            DataRef::Bool(yes) => rows.put(row, column, if *yes { "1" } else { "0" })?,
            DataRef::DateTime(date) => rows.put(row, column, &date.as_f64().to_string())?,
            DataRef::Error(_) => rows.put(row, column, "#")?,
            DataRef::Empty => {}
        }
    }
    Ok(())
}

/// Unpacks everything once without keeping it. What a zip says of its own size is not believed.
fn unpacks(bytes: &[u8]) -> Result<(), ReadError> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| ReadError::NotAList)?;
    if zip.len() > 10_000 {
        return Err(ReadError::TooLarge);
    }
    let mut left = MAX_UNPACKED;
    for index in 0..zip.len() {
        let part = zip.by_index(index).map_err(|_| ReadError::NotAList)?;
        let read = std::io::copy(&mut part.take(left + 1), &mut std::io::sink());
        left = left.checked_sub(read.map_err(|_| ReadError::NotAList)?).ok_or(ReadError::TooLarge)?;
    }
    Ok(())
}
