//! Uses of doors in the journal, where the rights in force keep records of them.
//!
//! - When there are more than [`MOST`], the oldest goes.
//! - The moment they may not be kept any more ([`Queue::forget_uses`]), none is told, and the file is written anew without them. So it
//!   is with those that are too old.
//! - What the server has noted stays a line of the file until that is written anew: [`Queue::tidy`] sees to it.

use super::Queue;
use klinke_access::snapshot::KeepsRecords;
use klinke_model::news::{News, NewsEntry, TaggedUse};
use klinke_model::time::Timestamp;

/// The most uses that wait for the server.
pub const MOST: usize = 50_000;

pub(super) const fn is_use(entry: &NewsEntry) -> bool {
    matches!(entry.what, News::Use(_))
}

impl Queue {
    /// Notes a use.
    pub fn note_use(&mut self, _: KeepsRecords<'_>, used: TaggedUse, at: Timestamp, trusted: bool) {
        self.push(NewsEntry { seq: self.next, at, trusted, what: News::Use(used) });
    }

    /// One more is in the queue. What goes for it stays in the file until enough of it is old: the next start drops the same ones.
    pub(super) fn put_use(&mut self) {
        self.uses += 1;
        self.uses_kept += 1;
        if self.uses > MOST
            && let Some(oldest) = self.entries.iter().position(is_use)
        {
            self.entries.remove(oldest);
            self.uses -= 1;
            self.lost += 1;
        }
    }

    /// No use is to be kept any more; whether there is something to write.
    pub fn forget_uses(&mut self) -> bool {
        self.entries.retain(|entry| !is_use(entry));
        self.uses = 0;
        self.is_anew |= self.uses_kept > 0;
        self.is_anew
    }

    /// Forgets the uses before a moment; whether there were any. One that was noted by a clock that nobody believed is as old as the
    /// next by one that was.
    pub fn forget_uses_before(&mut self, moment: Timestamp) -> bool {
        let uses = self.entries.iter().filter(|entry| is_use(entry));
        let old = uses.take_while(|entry| !entry.trusted || entry.at < moment).filter(|entry| entry.trusted);
        let Some(last) = old.map(|entry| entry.seq).last() else { return false };
        let before = self.entries.len();
        self.entries.retain(|entry| !is_use(entry) || entry.seq > last);
        self.uses -= before - self.entries.len();
        self.is_anew = true;
        true
    }

    /// When there are uses in the file that the server has, it is to be written anew; whether there is something to write.
    pub fn tidy(&mut self) -> bool {
        self.is_anew |= self.uses_noted > 0;
        self.is_anew
    }
}
