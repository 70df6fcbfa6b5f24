//! From the file to [`Hardware`], or to what is wrong and in which line.

use super::{Hardware, check};
use std::io;
use std::path::{Path, PathBuf};

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HardwareError {
    /// It cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not TOML, or holds a word that is not known, or lacks one.
    #[error("{}: {error}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What and where; speaks of lines itself.
        error: Box<toml::de::Error>,
    },
    /// It says something that cannot be.
    #[error("{}, line {line}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what to do.
        what: String,
    },
}

/// Reads and checks the file; the outputs come in the order of their numbers.
///
/// # Errors
/// When it cannot be read, or anything in it is wrong.
pub fn read(path: &Path) -> Result<Hardware, HardwareError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| HardwareError::Io { path: path.to_owned(), error })?;
    let mut hardware: Hardware = toml::from_str(&text)
        .map_err(|error| HardwareError::Toml { path: path.to_owned(), error: Box::new(error) })?;
    check::check(&hardware).map_err(|wrong| HardwareError::Wrong {
        path: path.to_owned(),
        line: text.get(..wrong.at).map_or(1, |before| before.matches('\n').count() + 1),
        what: wrong.what,
    })?;
    hardware.outputs.sort_by_key(|output| output.get_ref().number);
    Ok(hardware)
}
