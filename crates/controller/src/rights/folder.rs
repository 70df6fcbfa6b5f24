//! The folder of rights on the disk.
//!
//! ```text
//! STATE/rights/manifest          signature and manifest of what is in force
//! STATE/rights/shards/<sha-256>  the shards that it names
//! ```
//!
//! A shard lies under the SHA-256 of its content and is written before the manifest that names it; the manifest is replaced
//! in one step; shards that it does not name are removed after it. So a power cut leaves the old snapshot or the new one
//! and perhaps files that nobody names, which the next time removes. Everything is checked anew when it is read.

use super::taking::{self, MANIFEST_MOST, SHARD_MOST};
use super::trust::{Distrust, Document, Trust};
use crate::file::{Durable, replace};
use crate::state::{StateDir, StateError, owners_alone};
use klinke_access::snapshot::{Fault, Rights, Shard, compile};
use klinke_wire::controller::{Digest, Held};
use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The folder.
#[derive(Clone, Debug)]
pub struct RightsFolder(PathBuf);

/// Why what is kept cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// Reading failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Others than the owner can reach it.
    #[error(transparent)]
    Exposed(#[from] StateError),
    /// The file of the manifest is cut.
    #[error("the manifest is cut")]
    Cut,
    /// Not signed, or not for us.
    #[error("{0}")]
    Distrust(#[from] Distrust),
    /// It is not a snapshot.
    #[error("{0}")]
    Fault(#[from] Fault),
}

impl From<taking::Refusal> for Damage {
    fn from(_: taking::Refusal) -> Self {
        Self::Cut
    }
}

/// One thing that is done to the folder; between two of them the power may go.
#[derive(Debug)]
enum Step<'a> {
    Shard(Digest, &'a [u8]),
    Manifest(Vec<u8>),
    Remove(PathBuf),
}

impl RightsFolder {
    /// Makes it when it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(state: &StateDir) -> io::Result<Self> {
        let folder = Self(state.rights());
        DirBuilder::new().recursive(true).mode(0o700).create(folder.0.join("shards"))?;
        Ok(folder)
    }

    /// What is kept; `None` when nothing is.
    ///
    /// # Errors
    /// When it is damaged, was changed, or others can read it.
    pub fn read(&self, trust: &Trust) -> Result<Option<(Rights, Held)>, Damage> {
        let path = self.0.join("manifest");
        if !path.try_exists()? {
            return Ok(None);
        }
        owners_alone(&self.0)?;
        owners_alone(&path)?;
        let document = Document::read(&read(&path, MANIFEST_MOST + 256)?).ok_or(Damage::Cut)?;
        let manifest = trust.manifest(&document)?;
        let names = taking::names(&manifest)?;
        let shards = names.iter().map(|name| self.shard(*name)).collect::<io::Result<Vec<_>>>()?;
        let held = taking::held(&manifest, &document);
        Ok(Some((compile(manifest, &shards)?, held)))
    }

    /// One shard.
    ///
    /// # Errors
    /// When it is not there or longer than any is.
    pub fn shard(&self, name: Digest) -> io::Result<Shard> {
        Ok(Shard(read(&self.path(name), SHARD_MOST)?))
    }

    /// The shards that lie there, whole or not.
    pub fn shards(&self) -> HashSet<Digest> {
        let Ok(files) = std::fs::read_dir(self.0.join("shards")) else { return HashSet::new() };
        files.filter_map(|file| file.ok()?.file_name().to_str()?.parse().ok()).collect()
    }

    /// Keeps a snapshot in the place of the one before: durable when this returns. `fetched` are its shards that are not
    /// here yet.
    ///
    /// # Errors
    /// When the disk does not take it; the one before is whole then.
    pub fn keep(
        &self,
        document: &Document,
        names: &[Digest],
        fetched: &HashMap<Digest, Vec<u8>>,
    ) -> io::Result<()> {
        for step in self.steps(document, names, fetched)? {
            self.take(&step)?;
        }
        Ok(())
    }

    fn steps<'a>(
        &self,
        document: &Document,
        names: &[Digest],
        fetched: &'a HashMap<Digest, Vec<u8>>,
    ) -> io::Result<Vec<Step<'a>>> {
        let named: HashSet<PathBuf> = names.iter().map(|name| self.path(*name)).collect();
        let mut steps: Vec<Step<'a>> =
            fetched.iter().map(|(name, bytes)| Step::Shard(*name, bytes)).collect();
        steps.push(Step::Manifest(document.write()));
        for file in std::fs::read_dir(self.0.join("shards"))? {
            let path = file?.path();
            if !named.contains(&path) {
                steps.push(Step::Remove(path));
            }
        }
        Ok(steps)
    }

    fn take(&self, step: &Step<'_>) -> io::Result<()> {
        match step {
            Step::Shard(name, bytes) => replace(&self.path(*name), bytes, Durable::Yes),
            Step::Manifest(bytes) => replace(&self.0.join("manifest"), bytes, Durable::Yes),
            Step::Remove(path) => match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }

    fn path(&self, name: Digest) -> PathBuf {
        self.0.join("shards").join(name.to_string())
    }
}

/// A file that is not longer than it may be.
fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let wrong = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let (mut bytes, most) = (Vec::new(), u64::try_from(most).unwrap_or(u64::MAX));
    let file = File::open(path).map_err(wrong)?;
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(wrong)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > most {
        return Err(wrong(io::Error::other("it is longer than it may be")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
