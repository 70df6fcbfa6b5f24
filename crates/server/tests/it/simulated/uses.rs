//! Records of use, in the histories where they are kept: what the controller has to tell, what the server has taken, and what a power cut
//! may cost.

use super::cards::{CARDS, STRANGER, tag};
use super::world::door;
use klinke_controller::journal::Journal;
use klinke_controller::journal::file::LogFile;
use klinke_model::ids::JournalId;
use klinke_model::news::{News, NewsEntry, TaggedUse, UseOutcome};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Which entry: a number means one thing within a journal.
type Which = (JournalId, u64);

/// A controller's journal while it has power.
pub struct Running {
    pub journal: Journal,
    file: LogFile,
    /// A batch is on its way over this link.
    pub is_telling: bool,
}

/// What came of readings where that is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsesSeen {
    /// Taken by the server, by card.
    pub taken: [usize; CARDS],
    /// Not released, or refused.
    pub shut: usize,
    /// Lost with the power before they were on the disk.
    pub lost: usize,
    /// Gone because records ended.
    pub ended: usize,
    /// Told once more, and taken once.
    pub again: usize,
}

impl UsesSeen {
    pub fn add(&mut self, other: &Self) {
        for card in 0..CARDS {
            self.taken[card] += other.taken[card];
        }
        self.shut += other.shut;
        self.lost += other.lost;
        self.ended += other.ended;
        self.again += other.again;
    }

    /// Whether all that could go wrong was tried.
    pub fn happened(&self) -> bool {
        (0..STRANGER).all(|card| self.taken[card] > 10)
            && self.taken[STRANGER] == 0
            && [self.shut, self.ended, self.again].iter().all(|many| *many > 10)
            // one must come in the moment before a power cut
            && self.lost > 2
    }
}

/// One reading that is noted.
#[derive(Clone, Copy)]
struct Noted {
    used: TaggedUse,
    card: usize,
    is_durable: bool,
}

/// All of it, as somebody sees it who stands beside.
#[derive(Default)]
pub struct Uses {
    seed: u64,
    path: PathBuf,
    /// What has to come to the server.
    due: HashMap<Which, Noted>,
    /// What was to, until records ended: it may be on its way.
    ended: HashMap<Which, Noted>,
    taken: HashSet<Which>,
    /// The journal that the server takes, and up to where.
    up_to: Option<Which>,
    pub seen: UsesSeen,
}

impl Uses {
    pub fn of(seed: u64, disk: &Path) -> Self {
        Self { seed, path: disk.join("journal"), ..Self::default() }
    }

    /// The power comes; `fresh` is the journal that begins when there is none.
    pub fn power_on(&mut self, fresh: JournalId) -> Running {
        let (journal, file) = Journal::open(self.path.clone(), fresh);
        let there: HashSet<u64> = waiting(&journal).map(|entry| entry.seq).collect();
        let Self { due, seed, seen, .. } = self;
        due.retain(|(_, seq), noted| {
            let is_there = there.contains(seq);
            assert!(is_there || !noted.is_durable, "seed {seed}: {seq} was on the disk");
            seen.lost += usize::from(!is_there);
            is_there
        });
        Running { journal, file, is_telling: false }
    }

    /// The power goes, maybe in the middle of writing: `cut` says after how much of it.
    pub fn power_off(&self, running: &mut Running, cut: Option<u64>) {
        let Some(cut) = cut else { return };
        let before = std::fs::read(&self.path).unwrap_or_default();
        if !running.journal.write(&mut running.file).unwrap() {
            return;
        }
        let mut after = std::fs::read(&self.path).unwrap();
        // a file that is replaced is the old or the new one
        if !before.is_empty() && after.starts_with(&before) {
            let added = after.len() - before.len();
            after.truncate(before.len() + usize::try_from(cut).unwrap() % (added + 1));
            std::fs::write(&self.path, after).unwrap();
        }
    }

    /// The disk takes what there is.
    pub fn write(&mut self, running: &mut Running) {
        if running.journal.write(&mut running.file).unwrap() {
            self.due.values_mut().for_each(|noted| noted.is_durable = true);
        }
    }

    /// A card was held to the reader at a lock: what is new in the journal since `before`, and what must be.
    pub fn presented(&mut self, running: &Running, is_kept: bool, lock: u16, card: usize, opened: bool) {
        let seed = self.seed;
        let new: Vec<NewsEntry> =
            waiting(&running.journal).filter(|entry| !self.is_known(&running.journal, entry)).collect();
        if !is_kept || card == STRANGER {
            assert!(new.is_empty(), "seed {seed}: card {card} was noted");
            return;
        }
        let [NewsEntry { seq, what: News::Use(used), .. }] = new[..] else {
            panic!("seed {seed}: card {card} was noted {} times", new.len())
        };
        assert_eq!((used.door, used.person), (door(lock), tag(card)), "seed {seed}: another door or person");
        assert_eq!(used.outcome == UseOutcome::Opened, opened, "seed {seed}: {:?}", used.outcome);
        self.seen.shut += usize::from(!opened);
        let which = (running.journal.id(), seq);
        assert!(!self.taken.contains(&which), "seed {seed}: a number means two things");
        self.due.insert(which, Noted { used, card, is_durable: false });
    }

    /// Rights that keep no records are in force.
    pub fn ended(&mut self, running: &mut Running) {
        assert_eq!(waiting(&running.journal).count(), 0, "seed {}: kept all the same", self.seed);
        self.seen.ended += self.due.len();
        self.ended.extend(self.due.drain());
        self.write(running);
        self.nothing_on_disk();
    }

    /// No byte of a use is on the disk.
    pub fn nothing_on_disk(&self) {
        let bytes = std::fs::read_to_string(&self.path).unwrap_or_default();
        assert!(!bytes.contains(r#""use""#), "seed {}: {bytes}", self.seed);
    }

    /// The server takes news as it does: what is above the highest that it has; what it answers.
    pub fn taken(&mut self, journal: JournalId, entries: &[NewsEntry]) -> u64 {
        let mut up_to = self.up_to.filter(|(of, _)| *of == journal).map_or(0, |(_, seq)| seq);
        for entry in entries {
            let which = (journal, entry.seq);
            if entry.seq <= up_to {
                self.seen.again += usize::from(self.taken.contains(&which));
                continue;
            }
            up_to = entry.seq;
            let News::Use(used) = entry.what else { continue };
            let seed = self.seed;
            let noted = self.due.remove(&which).or_else(|| self.ended.remove(&which));
            let noted =
                noted.unwrap_or_else(|| panic!("seed {seed}: {} is told twice, or never was", entry.seq));
            assert!(noted.is_durable, "seed {seed}: told before it was on the disk");
            assert_eq!(noted.used, used, "seed {seed}: another one");
            assert!(self.taken.insert(which), "seed {seed}: taken twice");
            self.seen.taken[noted.card] += 1;
        }
        self.up_to = Some((journal, up_to));
        up_to
    }

    /// When all is well everything is told.
    pub fn all_told(&self, running: &Running) {
        assert_eq!(running.journal.waiting(), [], "seed {}: not told", self.seed);
        assert!(self.due.is_empty(), "seed {}: {} never came", self.seed, self.due.len());
    }

    fn is_known(&self, journal: &Journal, entry: &NewsEntry) -> bool {
        let which = (journal.id(), entry.seq);
        self.due.contains_key(&which) || self.taken.contains(&which)
    }
}

/// The uses in a journal.
fn waiting(journal: &Journal) -> impl Iterator<Item = NewsEntry> + use<> {
    journal.waiting().into_iter().filter(|entry| matches!(entry.what, News::Use(_)))
}
