//! The journal in memory: pure, and bounded.
//!
//! When there is no more room, the oldest that only happened goes first, then the oldest that has begun and ended in here. What
//! remains is one entry for each alarm that stands or stood when the server last listened, and those are no more than there are
//! wires: the end of an alarm that the server knows of is never lost.
//!
//! Uses of doors ([`uses`]) stand in the same sequence and have a bound of their own: no alarm goes for a use, and no use for an alarm.

pub mod uses;

use klinke_model::ids::{JournalId, v4};
use klinke_model::news::{News, NewsEntry, Raised};
use klinke_model::time::Timestamp;
use klinke_wire::controller::{ControllerRequest, NEWS, StandingAlarms};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The most alarms that wait for the server.
pub const MOST: usize = 10_000;

/// So many lines more than there are entries, and the file is written anew.
const SLACK: usize = 1_000;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// The first, and only the first.
    Journal {
        /// Which journal.
        journal: JournalId,
        /// The number of the next entry, at least.
        next: u64,
        /// Alarms that stand though the entry that raised them is noted.
        standing: Vec<(u64, Raised)>,
    },
    /// An entry.
    Entry(NewsEntry),
    /// The server has everything up to this one.
    Noted {
        /// Its number.
        seq: u64,
    },
}

/// What is to be written.
#[derive(Debug)]
pub struct Work {
    /// The whole file, or lines to add to it.
    pub is_whole: bool,
    /// The lines.
    pub lines: Vec<Line>,
    /// The number up to which entries are durable then.
    pub up_to: u64,
}

/// The journal in memory.
#[derive(Debug)]
pub struct Queue {
    journal: JournalId,
    next: u64,
    entries: VecDeque<NewsEntry>,
    /// How many of them are uses.
    uses: usize,
    standing: BTreeMap<u64, Raised>,
    /// How many entries went for want of room and were not told yet.
    lost: u64,
    /// Lines that are not on the disk.
    to_write: Vec<Line>,
    /// The file has to be written anew.
    is_anew: bool,
    /// Work was taken and is not done.
    is_writing: bool,
    /// How many lines the file has.
    lines: usize,
    /// How many uses it has in them, with those that are to be added.
    uses_kept: usize,
    /// How many of those the server has noted.
    uses_noted: usize,
    /// Entries up to this number are on the disk.
    durable: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self::new(JournalId(v4([0; 16])))
    }
}

impl Queue {
    /// A journal that begins.
    pub const fn new(journal: JournalId) -> Self {
        Self {
            journal,
            next: 1,
            entries: VecDeque::new(),
            uses: 0,
            standing: BTreeMap::new(),
            lost: 0,
            to_write: Vec::new(),
            is_anew: true,
            is_writing: false,
            lines: 0,
            uses_kept: 0,
            uses_noted: 0,
            durable: 0,
        }
    }

    /// From the lines of a file. With `is_cut` there was more in it that could not be read: numbers that may have been told are
    /// not used again. `None` when the first line is not the first.
    pub fn restore(lines: impl IntoIterator<Item = Line>, is_cut: bool) -> Option<Self> {
        let mut lines = lines.into_iter();
        let Some(Line::Journal { journal, next, standing }) = lines.next() else { return None };
        let mut queue = Self { next, standing: standing.into_iter().collect(), ..Self::new(journal) };
        queue.is_anew = is_cut;
        queue.lines = 1;
        for line in lines {
            queue.lines += 1;
            match line {
                Line::Journal { .. } => return None,
                Line::Entry(entry) => {
                    queue.next = queue.next.max(entry.seq.saturating_add(1));
                    queue.put(entry);
                }
                Line::Noted { seq } => queue.forget(seq),
            }
        }
        if is_cut {
            queue.next = queue.next.saturating_add(2 * (MOST + uses::MOST) as u64);
        }
        queue.durable = queue.next.saturating_sub(1);
        // told by the process before
        queue.lost = 0;
        Some(queue)
    }

    /// Which journal this is.
    pub const fn id(&self) -> JournalId {
        self.journal
    }

    /// Notes an alarm; the number of its entry.
    pub fn raise(&mut self, alarm: Raised, at: Timestamp, trusted: bool) -> u64 {
        let seq = self.next;
        self.push(NewsEntry { seq, at, trusted, what: News::Raised(alarm) });
        seq
    }

    /// Notes that an alarm is over; nothing when it does not stand.
    pub fn end(&mut self, raised: u64, at: Timestamp, trusted: bool) {
        if self.standing.contains_key(&raised) {
            self.push(NewsEntry { seq: self.next, at, trusted, what: News::Ended { raised } });
        }
    }

    fn push(&mut self, entry: NewsEntry) {
        self.next = entry.seq.saturating_add(1);
        self.put(entry);
        self.to_write.push(Line::Entry(entry));
        if self.entries.len() - self.uses > MOST {
            self.make_room();
        }
    }

    /// Takes an entry, new or from the file.
    fn put(&mut self, entry: NewsEntry) {
        self.stand(&entry);
        self.entries.push_back(entry);
        if uses::is_use(&entry) {
            self.put_use();
        }
    }

    fn stand(&mut self, entry: &NewsEntry) {
        match entry.what {
            News::Raised(alarm) if alarm.kind.lasts() => {
                self.standing.insert(entry.seq, alarm);
            }
            News::Raised(_) | News::Use(_) => {}
            News::Ended { raised } => {
                self.standing.remove(&raised);
            }
        }
    }

    fn make_room(&mut self) {
        let happened = |entry: &NewsEntry| matches!(entry.what, News::Raised(alarm) if !alarm.kind.lasts());
        let before = self.entries.len();
        if let Some(place) = self.entries.iter().position(happened) {
            self.entries.remove(place);
        } else {
            let ended = self.entries.iter().filter_map(|entry| match entry.what {
                News::Ended { raised } => Some(raised),
                News::Raised(_) | News::Use(_) => None,
            });
            let ended: std::collections::HashSet<u64> = ended.collect();
            // the oldest that is here from its beginning to its end
            let gone = self.entries.iter().map(|entry| entry.seq).find(|seq| ended.contains(seq));
            self.entries.retain(|entry| {
                Some(entry.seq) != gone
                    && !matches!(entry.what, News::Ended { raised } if Some(raised) == gone)
            });
        }
        self.lost += (before - self.entries.len()) as u64;
        self.is_anew = true;
    }

    /// How many entries went for want of room since this was asked last.
    pub const fn take_lost(&mut self) -> u64 {
        std::mem::replace(&mut self.lost, 0)
    }

    /// The alarms that stand.
    pub fn standing(&self) -> impl Iterator<Item = (u64, Raised)> + '_ {
        self.standing.iter().map(|(seq, alarm)| (*seq, *alarm))
    }

    /// What the server should have standing of what it has noted: what stands, and what is over without its knowing.
    pub fn standing_there(&self) -> StandingAlarms {
        let noted = self.entries.front().map_or(self.next, |oldest| oldest.seq).saturating_sub(1);
        let over = self.entries.iter().filter_map(|entry| match entry.what {
            News::Ended { raised } => Some(raised),
            News::Raised(_) | News::Use(_) => None,
        });
        let alarms = self.standing.keys().copied().chain(over).filter(|seq| *seq <= noted).collect();
        StandingAlarms { journal: self.journal, noted, alarms }
    }

    /// The entries that wait for the server.
    pub fn waiting(&self) -> impl Iterator<Item = &NewsEntry> {
        self.entries.iter()
    }

    /// The server has everything of this journal up to a number; whether that is news.
    pub fn noted(&mut self, journal: JournalId, seq: u64) -> bool {
        let is_news = journal == self.journal && self.entries.front().is_some_and(|oldest| oldest.seq <= seq);
        if is_news {
            self.forget(seq);
            self.to_write.push(Line::Noted { seq });
        }
        is_news
    }

    fn forget(&mut self, seq: u64) {
        while let Some(entry) = self.entries.pop_front_if(|oldest| oldest.seq <= seq) {
            let is_use = usize::from(uses::is_use(&entry));
            self.uses -= is_use;
            self.uses_noted += is_use;
        }
    }

    /// What to tell the server next; nothing before it is durable.
    pub fn news(&self) -> Option<ControllerRequest> {
        let durable = self.entries.iter().take_while(|entry| entry.seq <= self.durable);
        let entries: Vec<_> = durable.take(NEWS).copied().collect();
        (!entries.is_empty()).then_some(ControllerRequest::News { journal: self.journal, entries })
    }

    /// What to write next, if there is something.
    pub fn work(&mut self) -> Option<Work> {
        let up_to = self.next.saturating_sub(1);
        if self.is_anew || self.lines + self.to_write.len() > self.entries.len() + SLACK {
            self.to_write.clear();
            self.is_anew = false;
            let lines = self.whole();
            self.lines = lines.len();
            (self.uses_kept, self.uses_noted) = (self.uses, 0);
            self.is_writing = true;
            return Some(Work { is_whole: true, lines, up_to });
        }
        let lines = std::mem::take(&mut self.to_write);
        self.lines += lines.len();
        self.is_writing = !lines.is_empty();
        (!lines.is_empty()).then_some(Work { is_whole: false, lines, up_to })
    }

    /// The last work is done.
    pub fn written(&mut self, up_to: u64) {
        self.is_writing = false;
        self.durable = self.durable.max(up_to);
    }

    /// The last work is not done, or nobody knows: all of it is written anew.
    pub const fn not_written(&mut self) {
        self.is_writing = false;
        self.is_anew = true;
    }

    /// Whether everything is durable.
    pub fn is_settled(&self) -> bool {
        !self.is_anew
            && !self.is_writing
            && self.to_write.is_empty()
            && self.durable.saturating_add(1) >= self.next
    }

    fn whole(&self) -> Vec<Line> {
        // what an entry raises stands by that entry
        let oldest = self.entries.front().map_or(self.next, |entry| entry.seq);
        let standing = self.standing().filter(|(seq, _)| *seq < oldest).collect();
        let first = Line::Journal { journal: self.journal, next: self.next, standing };
        std::iter::once(first).chain(self.entries.iter().copied().map(Line::Entry)).collect()
    }
}
