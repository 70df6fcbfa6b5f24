//! Text with separators: which encoding and which separator is seen by the file itself.

use super::read::{ReadError, Rows};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// Reads the rows of a text.
pub fn rows(bytes: &[u8], rows: &mut Rows) -> Result<(), ReadError> {
    let text = decoded(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(&text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    while reader.read_record(&mut record).map_err(|_| ReadError::NotAList)? {
        for (column, cell) in record.iter().enumerate() {
            rows.put(number, column, cell)?;
        }
        number += 1;
    }
    Ok(())
}

/// UTF-8 and UTF-16 by their mark, UTF-8 without one when it is valid, else Windows-1252, which every byte is.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    let (text, failed) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default()),
        None => match std::str::from_utf8(bytes) {
            Ok(_) => UTF_8.decode_without_bom_handling(bytes),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes),
        },
    };
    // what has zeros in it is a program or a picture
    if failed || text.contains('\0') { Err(ReadError::NotAList) } else { Ok(text) }
}

/// The sign that is oftenest in the first line, outside of quotes.
fn separator(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b';', 0), (b',', 0), (b'\t', 0)];
    for sign in text.trim_start().chars() {
        match sign {
            '"' => quoted = !quoted,
            '\n' | '\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                for (separator, count) in &mut counts {
                    *count += u32::from(char::from(*separator) == sign);
                }
            }
        }
    }
    // of two that are there as often, the first: a comma is also part of names
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b';', |(separator, _)| separator)
}
