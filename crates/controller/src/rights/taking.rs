//! Fetching a snapshot: what the server says in, what to ask and what to keep out. Pure.
//!
//! One thing is fetched at a time, and what comes unasked is passed over. Shards that are here already are not fetched
//! again: those on the disk, and those that a link which broke has brought. Nothing that the server says makes this hold
//! more than the bounds below.

use super::trust::{Distrust, Document, Trust};
use klinke_access::snapshot::Manifest;
use klinke_wire::controller::{Digest, Held, PART, Whole};
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The longest manifest, in bytes: 65,536 rights and 1,000 schedules are less.
pub const MANIFEST_MOST: usize = 16 * 1024 * 1024;
/// The longest shard, in bytes: a thousand credentials with 255 rights each are half of it.
pub const SHARD_MOST: usize = 4 * 1024 * 1024;
/// The most shards.
pub const SHARDS_MOST: usize = 4_096;
/// The most that is fetched for one snapshot, in bytes: two million cards are two thirds of it.
pub const FETCHED_MOST: usize = 128 * 1024 * 1024;

/// What happens.
#[derive(Debug)]
pub enum Input {
    /// The server has newer rights.
    Offered {
        /// Their number.
        revision: u64,
        /// What is signed.
        manifest: Whole,
        /// By whom, is to be seen.
        signature: Vec<u8>,
    },
    /// A part came.
    Part {
        /// Of what.
        of: Digest,
        /// Where it begins.
        from: u32,
        /// How long the whole is.
        total: u32,
        /// The part.
        bytes: Vec<u8>,
    },
    /// The server does not have this any more.
    Gone {
        /// What.
        of: Digest,
    },
    /// What was to be kept is kept and in force, with the shards that are on the disk now; or it is not.
    Kept(Option<(Held, HashSet<Digest>)>),
}

/// What to do.
#[derive(Debug)]
pub enum Output {
    /// Ask for the next part.
    Fetch {
        /// Of what.
        of: Digest,
        /// Where it begins.
        from: u32,
    },
    /// Check, keep and put into force; then say [`Input::Kept`].
    Keep(Box<Complete>),
    /// Tell the server what is in force.
    Holds {
        /// Its number.
        revision: u64,
    },
    /// It is not taken.
    Refused(Refusal),
}

/// A snapshot of which everything is here.
#[derive(Debug)]
pub struct Complete {
    /// Signature and manifest.
    pub document: Document,
    /// What it says.
    pub manifest: Manifest,
    /// What it is known by.
    pub held: Held,
    /// Its shards in their order.
    pub names: Vec<Digest>,
    /// Those of them that are not on the disk.
    pub fetched: HashMap<Digest, Vec<u8>>,
}

/// Why what the server offers or sends is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An older snapshot.
    #[error("they are older than those in force")]
    Older,
    /// The number of the one in force with another content.
    #[error("they have the number of those in force, and are not those")]
    SameNumber,
    /// Longer than anything that is right.
    #[error("they are longer than they may be")]
    TooLong,
    /// A part that is empty, too long, or of another whole than the one before.
    #[error("a part of them is not what was asked for")]
    Part,
    /// Not what it is named after.
    #[error("something in them was changed on its way")]
    Changed,
    /// Not signed, or not for us.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// The manifest names another revision than the offer, or shards that can not be.
    #[error("their manifest does not fit")]
    Manifest,
    /// Everything was as it should be, and it could not be kept.
    #[error("they could not be kept")]
    NotKept,
}

/// What is under way.
pub struct Taking {
    trust: Arc<Trust>,
    held: Option<Held>,
    /// What lies on the disk.
    on_disk: HashSet<Digest>,
    stage: Stage,
    /// Shards that were fetched and are not on the disk yet.
    fetched: HashMap<Digest, Vec<u8>>,
    /// What was offered while the one before is being kept.
    next: Option<(u64, Whole, Vec<u8>)>,
}

enum Stage {
    /// Nothing is.
    Idle,
    /// The manifest comes.
    Manifest { revision: u64, signature: Vec<u8>, coming: Coming },
    /// The shards come.
    Shards { wanted: Box<Wanted>, coming: Coming },
    /// It is being kept; whether it needed shards from the disk.
    Keeping { again: Option<Box<Wanted>> },
}

/// A snapshot whose manifest is believed.
#[derive(Clone)]
struct Wanted {
    document: Document,
    manifest: Manifest,
    held: Held,
    names: Vec<Digest>,
}

/// What is being fetched.
struct Coming {
    of: Digest,
    most: usize,
    total: Option<usize>,
    bytes: Vec<u8>,
}

impl Coming {
    const fn new(of: Digest, most: usize) -> Self {
        Self { of, most, total: None, bytes: Vec::new() }
    }

    fn fetch(&self) -> Output {
        Output::Fetch { of: self.of, from: u32::try_from(self.bytes.len()).unwrap_or(u32::MAX) }
    }

    /// Takes a part; whether all is here.
    fn take(&mut self, total: u32, part: &[u8]) -> Result<bool, Refusal> {
        let total = usize::try_from(total).map_err(|_| Refusal::TooLong)?;
        if total > self.most {
            return Err(Refusal::TooLong);
        }
        let left = total.saturating_sub(self.bytes.len());
        if *self.total.get_or_insert(total) != total || part.len() != left.min(PART) {
            return Err(Refusal::Part);
        }
        self.bytes.extend_from_slice(part);
        if self.bytes.len() < total {
            return Ok(false);
        }
        if digest(&self.bytes) != self.of {
            return Err(Refusal::Changed);
        }
        Ok(true)
    }
}

impl Taking {
    /// `held` is in force, and these shards lie on the disk.
    pub fn new(trust: Arc<Trust>, held: Option<Held>, on_disk: HashSet<Digest>) -> Self {
        Self { trust, held, on_disk, stage: Stage::Idle, fetched: HashMap::new(), next: None }
    }

    /// What is in force.
    pub const fn held(&self) -> Option<Held> {
        self.held
    }

    /// The link is gone, and what was asked for on it. Whole shards stay here for the next.
    pub fn link_lost(&mut self) {
        self.next = None;
        if !matches!(self.stage, Stage::Keeping { .. }) {
            self.stage = Stage::Idle;
        }
    }

    /// Takes what happened; what to do about it.
    pub fn handle(&mut self, input: Input) -> Option<Output> {
        let done = match input {
            Input::Offered { revision, manifest, signature } => self.offered(revision, manifest, signature),
            Input::Part { of, from, total, bytes } => self.part(of, from, total, &bytes),
            Input::Gone { of } => {
                if self.coming().is_some_and(|coming| coming.of == of) {
                    self.stage = Stage::Idle;
                }
                Ok(None)
            }
            Input::Kept(kept) => self.kept(kept),
        };
        done.unwrap_or_else(|refusal| {
            self.stage = Stage::Idle;
            Some(Output::Refused(refusal))
        })
    }

    fn coming(&mut self) -> Option<&mut Coming> {
        match &mut self.stage {
            Stage::Manifest { coming, .. } | Stage::Shards { coming, .. } => Some(coming),
            Stage::Idle | Stage::Keeping { .. } => None,
        }
    }

    fn offered(
        &mut self,
        revision: u64,
        manifest: Whole,
        signature: Vec<u8>,
    ) -> Result<Option<Output>, Refusal> {
        if matches!(self.stage, Stage::Keeping { .. }) {
            self.next = Some((revision, manifest, signature));
            return Ok(None);
        }
        if let Some(held) = self.held {
            if (held.revision, held.manifest) == (revision, manifest.sha256) {
                self.stage = Stage::Idle;
                return Ok(Some(Output::Holds { revision }));
            }
            self.newer(revision, held)?;
        }
        if usize::try_from(manifest.bytes).map_or(true, |bytes| bytes > MANIFEST_MOST) {
            return Err(Refusal::TooLong);
        }
        let mut coming = Coming::new(manifest.sha256, MANIFEST_MOST);
        coming.total = usize::try_from(manifest.bytes).ok();
        let fetch = coming.fetch();
        self.stage = Stage::Manifest { revision, signature, coming };
        Ok(Some(fetch))
    }

    const fn newer(&self, revision: u64, held: Held) -> Result<(), Refusal> {
        if revision < held.revision {
            return Err(Refusal::Older);
        }
        if revision == held.revision {
            return Err(Refusal::SameNumber);
        }
        Ok(())
    }

    fn part(&mut self, of: Digest, from: u32, total: u32, part: &[u8]) -> Result<Option<Output>, Refusal> {
        let Some(coming) = self.coming() else { return Ok(None) };
        // an answer to a question that is not asked any more
        if of != coming.of || usize::try_from(from) != Ok(coming.bytes.len()) {
            return Ok(None);
        }
        if !coming.take(total, part)? {
            return Ok(Some(coming.fetch()));
        }
        let bytes = std::mem::take(&mut coming.bytes);
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Manifest { revision, signature, .. } => {
                let wanted = self.believed(revision, Document { signature, manifest: bytes })?;
                self.fetched.retain(|name, _| wanted.names.contains(name));
                self.go_on(Box::new(wanted))
            }
            Stage::Shards { wanted, .. } => {
                let there: usize = self.fetched.values().map(Vec::len).sum();
                if there.saturating_add(bytes.len()) > FETCHED_MOST {
                    return Err(Refusal::TooLong);
                }
                self.fetched.insert(of, bytes);
                self.go_on(wanted)
            }
            Stage::Idle | Stage::Keeping { .. } => Ok(None),
        }
    }

    /// A manifest that is signed, ours, and of the revision that was offered.
    fn believed(&self, revision: u64, document: Document) -> Result<Wanted, Refusal> {
        let manifest = self.trust.manifest(&document)?;
        if manifest.revision != revision {
            return Err(Refusal::Manifest);
        }
        let names = names(&manifest)?;
        let held = held(&manifest, &document);
        Ok(Wanted { document, manifest, held, names })
    }

    /// The next shard that is not here, or all of it.
    fn go_on(&mut self, wanted: Box<Wanted>) -> Result<Option<Output>, Refusal> {
        let missing = wanted
            .names
            .iter()
            .find(|name| !self.on_disk.contains(name) && !self.fetched.contains_key(name))
            .copied();
        if let Some(name) = missing {
            let coming = Coming::new(name, SHARD_MOST);
            let fetch = coming.fetch();
            self.stage = Stage::Shards { wanted, coming };
            return Ok(Some(fetch));
        }
        let from_disk = wanted.names.iter().any(|name| !self.fetched.contains_key(name));
        self.stage = Stage::Keeping { again: from_disk.then(|| wanted.clone()) };
        let Wanted { document, manifest, held, names } = *wanted;
        let fetched = std::mem::take(&mut self.fetched);
        Ok(Some(Output::Keep(Box::new(Complete { document, manifest, held, names, fetched }))))
    }

    fn kept(&mut self, kept: Option<(Held, HashSet<Digest>)>) -> Result<Option<Output>, Refusal> {
        let Stage::Keeping { again } = std::mem::replace(&mut self.stage, Stage::Idle) else {
            return Ok(None);
        };
        let next = self.next.take();
        let is_kept = kept.is_some();
        if let Some((held, on_disk)) = kept {
            (self.held, self.on_disk) = (Some(held), on_disk);
        } else {
            // what lies on the disk may be what is wrong: nothing of it is relied upon
            self.on_disk.clear();
        }
        if let Some((revision, manifest, signature)) = next {
            return self.offered(revision, manifest, signature);
        }
        match (is_kept, self.held, again) {
            (true, Some(held), _) => Ok(Some(Output::Holds { revision: held.revision })),
            (false, _, Some(wanted)) => self.go_on(wanted),
            _ => Err(Refusal::NotKept),
        }
    }
}

/// What a document is known by.
pub(super) fn held(manifest: &Manifest, document: &Document) -> Held {
    Held { revision: manifest.revision, issued: manifest.issued, manifest: digest(&document.manifest) }
}

/// The shards that a manifest names.
pub(super) fn names(manifest: &Manifest) -> Result<Vec<Digest>, Refusal> {
    if manifest.shards.len() > SHARDS_MOST {
        return Err(Refusal::TooLong);
    }
    let names = manifest.shards.iter().map(|name| name.parse()).collect::<Result<Vec<Digest>, _>>();
    names.map_err(|_| Refusal::Manifest)
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests;
