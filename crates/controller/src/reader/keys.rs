//! The keys of OSDP readers, and who each reader is: one file a reader in `STATE/readers`, mode 0600, written by
//! `klinke-door key-reader` and by nobody else. A reader in clear has one without a key, for who it is.
//!
//! A file that others can read or that is damaged is no key: the reader stays offline, and the log says why.

use crate::file::{Durable, replace};
use crate::reader::osdp::{Identity, ReaderKey};
use crate::state::owners_alone;
use serde::{Deserialize, Serialize};
use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

/// What is kept of one reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownReader {
    /// Its key; none where it is read in clear.
    pub key: Option<ReaderKey>,
    /// Who it is.
    pub identity: Identity,
}

/// The folder.
#[derive(Clone, Debug)]
pub struct ReaderFolder(PathBuf);

/// A file of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    key: Option<[u8; 16]>,
    vendor: [u8; 3],
    serial: u32,
}

impl ReaderFolder {
    /// This folder; it is made with the first file in it.
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where a reader's file is.
    pub fn path(&self, reader: u16) -> PathBuf {
        self.0.join(reader.to_string())
    }

    /// What is known of a reader; nothing before it was keyed.
    ///
    /// # Errors
    /// When its file cannot be read, others can reach it, or it is not what this program writes.
    pub fn load(&self, reader: u16) -> io::Result<Option<KnownReader>> {
        let path = self.path(reader);
        if !path.try_exists()? {
            return Ok(None);
        }
        owners_alone(&path).map_err(io::Error::other)?;
        let written: Written = serde_json::from_slice(&std::fs::read(&path)?)?;
        let key = written.key.map(ReaderKey::new).transpose();
        let key = key.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let identity = Identity { vendor: written.vendor, serial: written.serial };
        Ok(Some(KnownReader { key, identity }))
    }

    /// Keeps what is known of a reader: durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, reader: u16, known: &KnownReader) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let written = Written {
            key: known.key.as_ref().map(|key| *key.as_bytes()),
            vendor: known.identity.vendor,
            serial: known.identity.serial,
        };
        replace(&self.path(reader), &serde_json::to_vec(&written)?, Durable::Yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_comes_back_is_the_owners_alone_and_a_bad_file_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let readers = ReaderFolder::new(folder.path().join("readers"));
        assert_eq!(readers.load(0).unwrap(), None);
        let key = ReaderKey::new(*b"q8\x01\x93\xf0Zk2\x9c\x04tU\xeeB7!").unwrap();
        let identity = Identity { vendor: [1, 2, 3], serial: 4 };
        let known = KnownReader { key: Some(key), identity };
        readers.keep(0, &known).unwrap();
        assert_eq!(readers.load(0).unwrap(), Some(known));
        let path = readers.path(0);
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        mode(0o640);
        assert!(readers.load(0).is_err());
        mode(0o600);
        // a key that is published is none, whoever wrote it there
        std::fs::write(
            &path,
            r#"{"key":[48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63],"vendor":[0,0,0],"serial":1}"#,
        )
        .unwrap();
        assert!(readers.load(0).is_err());
        std::fs::write(&path, "").unwrap();
        assert!(readers.load(0).is_err());
    }
}
