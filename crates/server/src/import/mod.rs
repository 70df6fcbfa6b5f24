//! A list of people from a file, without IO: read, columns guessed, rows checked, compared with who lives there.
//!
//! ```text
//! bytes ─▶ read (CSV, XLSX) ─▶ Sheet ─▶ columns::guess ─▶ check ─▶ errors, or what each row changes
//! ```
//!
//! [`cards`] reads a list of cards in the same way.
//!
//! Whatever is in the file ends in a row, an error of a row, or a [`read::ReadError`]; never in a panic or in more memory than
//! the limits below allow.

pub mod cards;
pub mod cells;
pub mod check;
pub mod columns;
pub mod content;
mod known;
pub mod read;
mod read_csv;
mod read_xlsx;
mod values;

/// Largest file, in bytes.
pub const MAX_FILE: usize = 10 * 1024 * 1024;
/// Largest content of a packed file, in bytes.
pub const MAX_UNPACKED: u64 = 100 * 1024 * 1024;
/// Most rows, the head not counted.
pub const MAX_ROWS: usize = 60_000;
/// Most columns.
pub const MAX_COLUMNS: usize = 40;
/// Longest cell, in characters.
pub const MAX_CELL: usize = 1_000;
/// Most text of all cells, in bytes: a workbook can name the same long text in every cell.
pub const MAX_TEXT: usize = 32 * 1024 * 1024;
