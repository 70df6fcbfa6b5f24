//! The disk, with the power going at every moment.

use super::super::testing::{Installation, Snapshot, us};
use super::*;
use std::os::unix::fs::PermissionsExt;

struct Disk {
    _place: tempfile::TempDir,
    folder: RightsFolder,
}

impl Disk {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let state = StateDir::open(&place.path().join("state")).unwrap();
        Self { folder: RightsFolder::open(&state).unwrap(), _place: place }
    }

    fn keep(&self, snapshot: &Snapshot) {
        self.folder.keep(&snapshot.document, &snapshot.names(), &self.missing(snapshot)).unwrap();
    }

    /// The shards that would be fetched.
    fn missing(&self, snapshot: &Snapshot) -> HashMap<Digest, Vec<u8>> {
        let there = self.folder.shards();
        snapshot.shards.clone().into_iter().filter(|(name, _)| !there.contains(name)).collect()
    }

    /// As it is now, on a disk of its own.
    fn copy(&self) -> Self {
        let copy = Self::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(self.folder.0.join(&folder)).unwrap() {
                let file = file.unwrap();
                let path = folder.join(file.file_name());
                if file.file_type().unwrap().is_dir() {
                    folders.push(path);
                } else {
                    std::fs::copy(file.path(), copy.folder.0.join(path)).unwrap();
                }
            }
        }
        copy
    }

    /// How many credentials it knows, of which revision.
    fn read(&self, installation: &Installation) -> Option<(u64, usize)> {
        let (rights, held) = self.folder.read(&installation.trust()).unwrap()?;
        assert_eq!(rights.revision(), held.revision);
        Some((held.revision, rights.credentials()))
    }
}

#[test]
fn what_was_kept_is_read_again_and_is_the_owners_alone() {
    let (installation, disk) = (Installation::new(), Disk::new());
    assert_eq!(disk.read(&installation), None);
    let snapshot = installation.snapshot(us(), 7, 3_000);
    disk.keep(&snapshot);
    assert_eq!(disk.read(&installation), Some((7, 3_000)));
    let (_, held) = disk.folder.read(&installation.trust()).unwrap().unwrap();
    assert_eq!(held, snapshot.held());
    let mut files = vec![disk.folder.0.join("manifest")];
    files.extend(snapshot.names().into_iter().map(|name| disk.folder.path(name)));
    for file in &files {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // fewer cards, fewer shards
    disk.keep(&installation.snapshot(us(), 8, 900));
    assert_eq!(disk.read(&installation), Some((8, 900)));
    assert_eq!(disk.folder.shards().len(), 1);
    std::fs::set_permissions(&files[0], std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(disk.folder.read(&installation.trust()), Err(Damage::Exposed(_))));
}

#[test]
fn after_a_power_cut_at_any_step_there_is_the_old_or_the_new_and_never_half() {
    let (installation, disk) = (Installation::new(), Disk::new());
    disk.keep(&installation.snapshot(us(), 7, 3_000));
    // many shards come, and many go
    let next = installation.snapshot(us(), 8, 9_000);
    let (names, fetched) = (next.names(), disk.missing(&next));
    let steps = disk.folder.steps(&next.document, &names, &fetched).unwrap();
    let manifest = steps.iter().position(|step| matches!(step, Step::Manifest(_))).unwrap();
    assert!(manifest >= 8 && steps.len() > manifest + 1, "shards before it, removals after it");
    for (number, step) in steps.iter().enumerate() {
        // within the step: what is written beside its place is there in part
        for part in [0, 1, 100] {
            let cut = disk.copy();
            let (beside, bytes) = match step {
                Step::Shard(name, bytes) => (cut.folder.path(*name), bytes.to_vec()),
                Step::Manifest(bytes) => (cut.folder.0.join("manifest"), bytes.clone()),
                Step::Remove(_) => continue,
            };
            let written = bytes.len() * part / 100;
            std::fs::write(beside.with_added_extension("new"), &bytes[..written]).unwrap();
            let there = if number <= manifest { (7, 3_000) } else { (8, 9_000) };
            assert_eq!(cut.read(&installation), Some(there), "in step {number}");
            // and it goes on from there
            cut.keep(&next);
            assert_eq!(cut.read(&installation), Some((8, 9_000)), "again after a cut in step {number}");
        }
        disk.folder.take(step).unwrap();
        let cut = disk.copy();
        let there = if number < manifest { (7, 3_000) } else { (8, 9_000) };
        assert_eq!(cut.read(&installation), Some(there), "after step {number}");
        cut.keep(&next);
        assert_eq!(cut.read(&installation), Some((8, 9_000)));
        assert_eq!(cut.folder.shards().len(), names.len(), "nothing of the old one stays");
    }
}

#[test]
fn whatever_is_changed_on_the_disk_is_seen() {
    let (installation, disk) = (Installation::new(), Disk::new());
    let snapshot = installation.snapshot(us(), 7, 40);
    disk.keep(&snapshot);
    let files = [disk.folder.0.join("manifest"), disk.folder.path(snapshot.names()[0])];
    for file in &files {
        let good = std::fs::read(file).unwrap();
        for place in (0..good.len()).step_by(7) {
            let mut wrong = good.clone();
            wrong[place] ^= 4;
            std::fs::write(file, &wrong).unwrap();
            assert!(disk.folder.read(&installation.trust()).is_err(), "byte {place} of {}", file.display());
        }
        for cut in [0, 1, good.len() / 2, good.len() - 1] {
            std::fs::write(file, &good[..cut]).unwrap();
            assert!(disk.folder.read(&installation.trust()).is_err(), "cut at {cut}");
        }
        std::fs::write(file, &good).unwrap();
        assert_eq!(disk.read(&installation), Some((7, 40)));
    }
    std::fs::remove_file(&files[1]).unwrap();
    assert!(disk.folder.read(&installation.trust()).is_err(), "a shard is gone");
    assert!(Installation::new().trust().manifest(&snapshot.document).is_err(), "paired with another since");
}
