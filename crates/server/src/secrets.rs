//! Secrets in configuration and in files: never printed, and on disk for their owner only.

use crate::random::Random;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A secret text. Prints as `‹secret›`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub const fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret, where it is used.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹secret›")
    }
}

/// Why a secret file can not be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// Others than its owner may read it.
    #[error(
        "{path} can be read by others (mode {mode:03o}): run `chmod 600 {path}`, and replace it if others could have read it"
    )]
    Readable {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file system failed.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

/// Makes a folder that only its owner may enter; one that is there already stays as it is.
///
/// # Errors
/// When the file system does.
pub fn private_folder(path: &Path) -> Result<(), SecretFileError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| io_error(path, error))
}

/// Reads a secret file, or `None` when there is none.
///
/// # Errors
/// When anybody but its owner may read it, or the file system fails.
pub fn read(path: &Path) -> Result<Option<String>, SecretFileError> {
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path, error)),
    };
    if mode & 0o077 != 0 {
        return Err(SecretFileError::Readable { path: path.to_owned(), mode });
    }
    fs::read_to_string(path).map(Some).map_err(|error| io_error(path, error))
}

/// Writes a secret file with mode 0600. After a power cut there is the whole file or none.
///
/// # Errors
/// When the file system does.
pub fn write(path: &Path, secret: &str) -> Result<(), SecretFileError> {
    let unfinished = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&unfinished).map_err(|error| io_error(&unfinished, error))?;
    file.write_all(secret.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all()))
        .map_err(|error| io_error(path, error))
}

/// Reads a key of 32 bytes, and makes it when there is none; `None` when the file holds something else.
///
/// # Errors
/// When anybody but its owner may read it, or the file system fails.
pub fn key(path: &Path, random: &Random) -> Result<Option<[u8; 32]>, SecretFileError> {
    let text = match read(path)? {
        Some(text) => text,
        None => {
            let text = STANDARD.encode(random.bytes::<32>());
            write(path, &text)?;
            text
        }
    };
    Ok(STANDARD.decode(text.trim()).ok().and_then(|key| key.try_into().ok()))
}

fn io_error(path: &Path, error: io::Error) -> SecretFileError {
    SecretFileError::Io { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.key");
        assert!(read(&path).unwrap().is_none());
        write(&path, "hush").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().as_deref(), Some("hush"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(SecretFileError::Readable { mode: 0o640, .. })));
    }

    #[test]
    fn secrets_never_print() {
        assert_eq!(format!("{:?}", Secret::new("hush".into())), "‹secret›");
    }
}
