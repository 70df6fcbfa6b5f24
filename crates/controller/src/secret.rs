//! Passwords of devices, each in a file of its own.

use crate::state::owners_alone;
use std::io;
use std::path::Path;

/// Reads a password: the first line of a file that only its owner can reach.
///
/// # Errors
/// When it cannot be read, others can reach it, or it is empty. The path is in the error, the password never.
pub fn read(path: &Path) -> io::Result<String> {
    owners_alone(path).map_err(io::Error::other)?;
    let text = std::fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(io::Error::other(format!("{} has no password in its first line", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_password_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "correct horse\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o600);
        assert_eq!(read(&path).unwrap(), "correct horse");
        mode(0o640);
        assert!(read(&path).unwrap_err().to_string().contains("can be reached by others"));
        mode(0o600);
        std::fs::write(&path, "\n").unwrap();
        assert!(read(&path).is_err());
    }
}
