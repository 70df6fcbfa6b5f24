//! What a controller has to remember over a power cut, beside who it is and its rights: the last moment of its clock,
//! how many wrong codes each keypad had, which credentials that open once have opened, and which of them the server knows of.
//!
//! One small file each in `STATE/kept`, replaced whole (see [`crate::file`]), so a power cut at any step leaves the last
//! good one. Each begins with the SHA-256 of the rest. A file that is damaged is told to the log, left as it is, and
//! taken for what is safe:
//!
//! | file | damaged or not readable |
//! |---|---|
//! | `clock` | the clock is not believed until the server has told the time |
//! | `lockouts` | every keypad waits as long as a keypad ever does |
//! | `used` | every credential that opens once has opened, until somebody removes the file |
//!
//! Bounded: [`MOST_USED`] credentials, one number a reader. No file tells when it was written, and so when somebody came.

use crate::file::{Durable, replace};
use klinke_access::snapshot::CredentialHash;
use klinke_model::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tracing::error;

/// How many used credentials are remembered while they would still be valid.
pub const MOST_USED: usize = 4_096;

/// So many wrong codes are the longest wait ([`klinke_access::lockout::LONGEST_WAIT`]).
const LONGEST_WRONG: u32 = 16;

/// Far over what any of the files is.
const LARGEST: u64 = 1 << 20;

/// What is kept of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// It was this late at least.
    pub at: Timestamp,
    /// When the server could last be asked.
    pub confirmed: Option<Timestamp>,
}

/// Why a credential is not remembered as used; it may not open then.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// The file could not be written.
    #[error("what is used up can not be kept: {0}")]
    Io(#[from] io::Error),
    /// There are [`MOST_USED`] already that could still be valid.
    #[error("more than {MOST_USED} credentials that open once are used up and still valid")]
    Full,
    /// What was used before is not known.
    #[error("it is not known which credentials are used up")]
    Unknown,
}

/// What is remembered, in memory and on the disk.
#[derive(Debug, Default)]
pub struct Kept {
    /// Nothing is written without one.
    folder: Option<PathBuf>,
    moment: Option<Moment>,
    wrong: BTreeMap<u16, u32>,
    wrong_is_damaged: bool,
    /// None when it is not known which there are.
    used: Option<HashMap<CredentialHash, Used>>,
}

/// A credential that opens once, and has.
#[derive(Clone, Copy, Debug)]
struct Used {
    /// Its end.
    until: Option<Timestamp>,
    /// The server has noted it.
    is_noted: bool,
}

/// What a file says.
enum Loaded<T> {
    Nothing,
    Whole(T),
    Damaged,
}

impl Kept {
    /// Reads what was kept in a folder, which is made when it is not there. (The default remembers nothing and takes
    /// every credential that opens once for used.)
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let moment = match load(&folder.join("clock")) {
            Loaded::Whole(moment) => Some(moment),
            Loaded::Nothing | Loaded::Damaged => None,
        };
        let (wrong, wrong_is_damaged) = match load::<Vec<(u16, u32)>>(&folder.join("lockouts")) {
            Loaded::Nothing => (BTreeMap::new(), false),
            Loaded::Whole(wrong) => (wrong.into_iter().collect(), false),
            Loaded::Damaged => (BTreeMap::new(), true),
        };
        let used = match load::<Vec<([u8; 16], Option<Timestamp>, bool)>>(&folder.join("used")) {
            Loaded::Nothing => Some(HashMap::new()),
            Loaded::Whole(used) => {
                let row = |(hash, until, is_noted)| (CredentialHash(hash), Used { until, is_noted });
                Some(used.into_iter().map(row).collect())
            }
            Loaded::Damaged => None,
        };
        Ok(Self { folder: Some(folder.to_owned()), moment, wrong, wrong_is_damaged, used })
    }

    /// What was kept of the clock when this was opened.
    pub const fn moment(&self) -> Option<Moment> {
        self.moment
    }

    /// Where the clock is kept; none when nothing is.
    pub fn clock(&self) -> Option<ClockFile> {
        self.folder.as_ref().map(|folder| ClockFile(folder.join("clock")))
    }

    /// How many codes at this reader's keypad were wrong.
    pub fn wrong(&self, reader: u16) -> u32 {
        let unknown = if self.wrong_is_damaged { LONGEST_WRONG } else { 0 };
        self.wrong.get(&reader).copied().unwrap_or(unknown)
    }

    /// Keeps that so many were wrong: durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_wrong(&mut self, reader: u16, wrong: u32) -> io::Result<()> {
        self.wrong.insert(reader, wrong);
        self.write("lockouts", &self.wrong.iter().collect::<Vec<_>>())
    }

    /// Whether a credential that opens once has opened.
    pub fn is_used(&self, hash: CredentialHash) -> bool {
        self.used.as_ref().is_none_or(|used| used.contains_key(&hash))
    }

    /// Keeps that it has, until its end: durable when this returns. `now` where the clock can be believed: what has
    /// ended by then is forgotten.
    ///
    /// # Errors
    /// When it is not durable, whatever the file then says: the lock may not be released.
    pub fn use_up(
        &mut self,
        hash: CredentialHash,
        until: Option<Timestamp>,
        now: Option<Timestamp>,
    ) -> Result<(), NotKept> {
        let used = self.used.as_mut().ok_or(NotKept::Unknown)?;
        if let Some(now) = now {
            used.retain(|_, used| used.until.is_none_or(|until| now < until));
        }
        if used.len() >= MOST_USED {
            return Err(NotKept::Full);
        }
        // stays when it could not be written: this process at least lets it in no second time
        used.insert(hash, Used { until, is_noted: false });
        Ok(self.write_used()?)
    }

    /// Some of those that the server has not noted, `most` at most, in no order.
    pub fn unnoted(&self, most: usize) -> Vec<CredentialHash> {
        let used = self.used.iter().flatten();
        used.filter(|(_, used)| !used.is_noted).map(|(hash, _)| *hash).take(most).collect()
    }

    /// Keeps that the server has noted these: durable when this returns. They stay used. When it can not be written they
    /// are told once more after a restart, which the server takes for what it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn noted(&mut self, these: impl IntoIterator<Item = CredentialHash>) -> io::Result<()> {
        let Some(used) = &mut self.used else { return Ok(()) };
        let mut is_news = false;
        for hash in these {
            if let Some(used) = used.get_mut(&hash) {
                is_news |= !std::mem::replace(&mut used.is_noted, true);
            }
        }
        if is_news { self.write_used() } else { Ok(()) }
    }

    fn write_used(&self) -> io::Result<()> {
        let rows: Vec<_> =
            self.used.iter().flatten().map(|(hash, used)| (hash.0, used.until, used.is_noted)).collect();
        self.write("used", &rows)
    }

    fn write(&self, name: &str, what: &impl Serialize) -> io::Result<()> {
        let folder = self.folder.as_ref().ok_or(ErrorKind::NotFound)?;
        store(&folder.join(name), what)
    }
}

/// Where the clock is kept: apart, because it is written beside the doors' work and not within it.
#[derive(Clone, Debug)]
pub struct ClockFile(PathBuf);

impl ClockFile {
    /// Keeps a moment: durable when this returns. What cannot be written is told to the log; the moment before it is
    /// then still there.
    pub fn keep(&self, moment: Moment) {
        if let Err(error) = store(&self.0, &moment) {
            error!(path = %self.0.display(), %error, "the time could not be kept");
        }
    }
}

fn store(path: &Path, what: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(what)?;
    let whole = [seal(&body).as_bytes(), b"\n", &body].concat();
    replace(path, &whole, Durable::Yes)?;
    // it does not tell when it was written
    File::open(path)?.set_modified(SystemTime::UNIX_EPOCH)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.set_modified(SystemTime::UNIX_EPOCH),
        None => Ok(()),
    }
}

fn load<T: DeserializeOwned>(path: &Path) -> Loaded<T> {
    match read(path) {
        Ok(Some(whole)) => Loaded::Whole(whole),
        Ok(None) => Loaded::Nothing,
        Err(error) => {
            error!(
                path = %path.display(),
                %error,
                "what was kept is damaged, and the safe side is taken; see installers.md, and remove the file when you have"
            );
            Loaded::Damaged
        }
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let length = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if length > LARGEST {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let bytes = std::fs::read(path)?;
    let damaged = || io::Error::from(ErrorKind::InvalidData);
    let (sealed, rest) = bytes.split_at_checked(64).ok_or_else(damaged)?;
    let body = rest.strip_prefix(b"\n").ok_or_else(damaged)?;
    if seal(body).as_bytes() != sealed {
        return Err(damaged());
    }
    Ok(Some(serde_json::from_slice(body)?))
}

/// SHA-256, hexadecimal.
fn seal(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::with_capacity(64), |mut text, byte| {
        // writing to a String does not fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

    fn hash(byte: u8) -> CredentialHash {
        CredentialHash([byte; 16])
    }
    fn later(millis: i64) -> Timestamp {
        Timestamp::from_millis(NOON.as_millis() + millis)
    }

    #[test]
    fn everything_comes_back_and_nothing_tells_when_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let mut kept = Kept::open(&path).unwrap();
        assert_eq!((kept.moment(), kept.wrong(3), kept.is_used(hash(1))), (None, 0, false));
        let moment = Moment { at: NOON, confirmed: Some(later(-5)) };
        kept.clock().unwrap().keep(moment);
        kept.keep_wrong(3, 7).unwrap();
        kept.use_up(hash(1), Some(later(10)), Some(NOON)).unwrap();
        kept.use_up(hash(2), None, Some(NOON)).unwrap();

        let mut again = Kept::open(&path).unwrap();
        assert_eq!((again.moment(), again.wrong(3), again.wrong(4)), (Some(moment), 7, 0));
        assert!(again.is_used(hash(1)) && again.is_used(hash(2)) && !again.is_used(hash(3)));
        // what has ended is forgotten, by a clock that can be believed
        again.use_up(hash(3), None, None).unwrap();
        assert!(again.is_used(hash(1)));
        again.use_up(hash(4), None, Some(later(10))).unwrap();
        assert!(!again.is_used(hash(1)) && again.is_used(hash(2)));
        for entry in std::fs::read_dir(&path).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
        }
    }

    #[test]
    fn a_damaged_file_is_the_safe_side_and_a_cut_write_is_the_last_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let mut kept = Kept::open(&path).unwrap();
        kept.clock().unwrap().keep(Moment { at: NOON, confirmed: None });
        kept.keep_wrong(0, 1).unwrap();
        kept.use_up(hash(1), None, None).unwrap();
        let names = ["clock", "lockouts", "used"];
        // a power cut in the middle of writing: half of the new one lies beside the whole old one
        for name in names {
            std::fs::write(path.join(format!("{name}.new")), "half").unwrap();
        }
        let after = Kept::open(&path).unwrap();
        assert_eq!((after.moment().unwrap().at, after.wrong(0), after.is_used(hash(9))), (NOON, 1, false));

        for name in names {
            let good = std::fs::read(path.join(name)).unwrap();
            for cut in 0..good.len() {
                std::fs::write(path.join(name), &good[..cut]).unwrap();
                safe(name, &Kept::open(&path).unwrap());
            }
            for at in 0..good.len() {
                let mut flipped = good.clone();
                flipped[at] ^= 1;
                std::fs::write(path.join(name), flipped).unwrap();
                safe(name, &Kept::open(&path).unwrap());
            }
            let mut damaged = Kept::open(&path).unwrap();
            if name == "used" {
                assert!(matches!(damaged.use_up(hash(9), None, None), Err(NotKept::Unknown)));
            }
            std::fs::write(path.join(name), good).unwrap();
        }

        fn safe(name: &str, kept: &Kept) {
            match name {
                "clock" => assert_eq!(kept.moment(), None),
                "lockouts" => assert_eq!((kept.wrong(0), kept.wrong(7)), (LONGEST_WRONG, LONGEST_WRONG)),
                _ => assert!(kept.is_used(hash(1)) && kept.is_used(hash(9))),
            }
        }
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_and_none_is_forgotten_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path()).unwrap();
        let full = (0..MOST_USED).map(|number| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
            (CredentialHash(bytes), Used { until: Some(later(1_000)), is_noted: false })
        });
        kept.used = Some(full.collect());
        assert!(matches!(kept.use_up(hash(9), None, Some(later(999))), Err(NotKept::Full)));
        assert!(!kept.is_used(hash(9)));
        kept.use_up(hash(9), None, Some(later(1_000))).unwrap();
        let size = std::fs::metadata(folder.path().join("used")).unwrap().len();
        assert!(size < LARGEST, "{size}");
        assert!(Kept::open(folder.path()).unwrap().is_used(hash(9)));
    }

    #[test]
    fn what_was_used_is_told_until_it_was_noted_and_stays_used() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path()).unwrap();
        for byte in 1..=3 {
            kept.use_up(hash(byte), Some(later(1_000)), Some(NOON)).unwrap();
        }
        assert_eq!((kept.unnoted(2).len(), kept.unnoted(9).len()), (2, 3));
        kept.noted([hash(1), hash(2), hash(7)]).unwrap();
        kept.noted([hash(1)]).unwrap();
        let again = Kept::open(folder.path()).unwrap();
        assert_eq!((kept.unnoted(9), again.unnoted(9)), (vec![hash(3)], vec![hash(3)]));
        assert!([1, 2, 3].iter().all(|byte| again.is_used(hash(*byte))) && !again.is_used(hash(7)));
        // a disk that takes nothing: told again after the next start, and no harm
        std::fs::remove_file(folder.path().join("used")).unwrap();
        std::fs::create_dir(folder.path().join("used")).unwrap();
        assert!(kept.noted([hash(3)]).is_err());
        assert_eq!(kept.unnoted(9), []);
    }

    #[test]
    fn without_a_folder_nothing_that_opens_once_opens() {
        let mut kept = Kept::default();
        assert!(kept.is_used(hash(1)));
        assert!(kept.use_up(hash(1), None, None).is_err() && kept.keep_wrong(0, 1).is_err());
    }
}
