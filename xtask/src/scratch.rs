//! Where Rust tests keep their files: in memory, where there is room.
//!
//! A commit waits for the disk, as it must. A test learns nothing from waiting: what it ends is a process, not the power.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MEMORY: &str = "/dev/shm";
/// A run leaves about 4 GB of databases in PostgreSQL until its end; as much again is for the programs, in KiB.
const ROOM_KIB: u64 = 8 * 1024 * 1024;

/// The folder; the one that `TMPDIR` names, where somebody chose it.
pub fn folder() -> PathBuf {
    if std::env::var_os("TMPDIR").is_none() && has_room() { MEMORY.into() } else { std::env::temp_dir() }
}

/// All folders in which an earlier run may have left something.
pub fn folders() -> [PathBuf; 2] {
    [std::env::temp_dir(), MEMORY.into()]
}

/// Whether there is a file system in memory with room, and memory for it: containers often have one of 64 MB.
fn has_room() -> bool {
    let df = Command::new("df").args(["-k", "--output=fstype,avail", MEMORY]).stdin(Stdio::null()).output();
    let said = df.map(|df| String::from_utf8_lossy(&df.stdout).into_owned()).unwrap_or_default();
    let free = fs::read_to_string(Path::new("/proc/meminfo")).unwrap_or_default();
    free_in_memory(&said) >= ROOM_KIB && available(&free) >= ROOM_KIB
}

/// Free KiB of the tmpfs that `df` tells of; 0 when it is none.
fn free_in_memory(said: &str) -> u64 {
    let words: Vec<&str> = said.lines().nth(1).unwrap_or_default().split_whitespace().collect();
    match words.as_slice() {
        ["tmpfs", free] => free.parse().unwrap_or(0),
        _ => 0,
    }
}

/// `MemAvailable` of `/proc/meminfo`, in KiB.
fn available(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_system_in_memory_counts() {
        assert_eq!(free_in_memory("Type     Avail\ntmpfs 24669316\n"), 24_669_316);
        assert_eq!(free_in_memory("Type     Avail\next4  24669316\n"), 0);
        assert_eq!(free_in_memory(""), 0);
    }

    #[test]
    fn memory_is_what_programs_may_have() {
        assert_eq!(available("MemTotal:  9 kB\nMemFree:  1 kB\nMemAvailable:   17909248 kB\n"), 17_909_248);
        assert_eq!(available(""), 0);
    }
}
