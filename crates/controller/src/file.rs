//! Files that are whole or not there: written beside their place, readable by their owner only, then renamed.

use std::fs::{File, OpenOptions, rename};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Whether a file has to be there after a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    /// Written through to the medium before this returns.
    Yes,
    /// There for every process from now on, but not necessarily after a power cut.
    No,
}

/// Puts `contents` at `path` with mode 0600, in the place of what was there.
///
/// # Errors
/// When the folder does not take it; what was at `path` is then still there.
pub fn replace(path: &Path, contents: &[u8], durable: Durable) -> io::Result<()> {
    let beside = path.with_added_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // create_new: the mode holds from the first byte, and a link planted there is not followed
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(contents)?;
    if durable == Durable::Yes {
        file.sync_all()?;
    }
    rename(&beside, path)?;
    if durable == Durable::Yes
        && let Some(folder) = path.parent()
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "old, and readable by all").unwrap();
        // left by a start that was cut short
        std::fs::write(folder.path().join("secret.new"), "half").unwrap();
        replace(&path, b"new", Durable::Yes).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
