//! Cards that are read to be given to somebody: for a moment the next card at one reader is told to the server and not
//! judged.
//!
//! ```text
//!   Enrol ──▶ open ──card──▶ told once ──▶ over
//!               └─ its time, EndEnrol, the link's end, the reader's loss ─▶ over
//! ```
//!
//! - While a window is open its reader opens nothing with a card; codes are as ever.
//! - A card is told over the link that asked for it, or over none. Whether that link stands is seen before each card.
//! - A window is open once: its id is remembered until its end, so a repeated message opens nothing.

use super::Doors;
use crate::reader::Feedback;
use klinke_model::credential::CredentialKey;
use klinke_model::ids::{BootId, ReadingId};
use klinke_model::time::Mono;
use klinke_wire::controller::ControllerRequest;
use klinke_wire::enrolment::{EnrolRefusal, ReaderReport, WINDOW_MS};
use std::collections::HashSet;
use std::time::Duration;

/// So many windows are remembered, over all readers; more within a minute are refused.
const REMEMBERED: usize = 64;

/// How often is looked whether the link of an open window stands, for the sake of the reader's lamp.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A card is wanted at a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The start of the process it is for.
    pub boot: BootId,
    /// Which window.
    pub reading: ReadingId,
    /// Which reader.
    pub reader: u16,
    /// When the window ends.
    pub until: Mono,
}

/// The readers, and the windows at them.
#[derive(Debug, Default)]
pub(super) struct Enrolling {
    pub(super) readers: Vec<ReaderReport>,
    /// Those that said so.
    offline: HashSet<u16>,
    windows: Vec<Window>,
    /// When to look at the open ones next.
    looks_at: Option<Mono>,
}

#[derive(Debug)]
struct Window {
    reading: ReadingId,
    reader: u16,
    until: Mono,
    is_open: bool,
}

impl Enrolling {
    /// When [`Doors::look_at_windows`] has something to do.
    pub(super) const fn wakes_at(&self) -> Option<Mono> {
        self.looks_at
    }

    fn admit(&self, wish: &Wish, boot: BootId, now: Mono) -> Result<(), EnrolRefusal> {
        if wish.boot != boot {
            return Err(EnrolRefusal::OtherBoot);
        }
        if wish.until <= now || wish.until.since(now) > Duration::from_millis(WINDOW_MS) {
            return Err(EnrolRefusal::BadWindow);
        }
        if self.readers.iter().all(|known| known.reader != wish.reader) {
            return Err(EnrolRefusal::UnknownReader);
        }
        if self.offline.contains(&wish.reader) {
            return Err(EnrolRefusal::ReaderOffline);
        }
        let is_taken = |window: &Window| {
            window.reading == wish.reading || window.is_open && window.reader == wish.reader
        };
        if self.windows.len() >= REMEMBERED || self.windows.iter().any(is_taken) {
            return Err(EnrolRefusal::Busy);
        }
        Ok(())
    }

    /// Closes the open windows that are meant; at which readers they were.
    fn close(&mut self, is_meant: impl Fn(&Window) -> bool) -> Vec<(ReadingId, u16)> {
        let open = self.windows.iter_mut().filter(|window| window.is_open && is_meant(window));
        open.map(|window| {
            window.is_open = false;
            (window.reading, window.reader)
        })
        .collect()
    }

    fn plan_look(&mut self, now: Mono) {
        let open = self.windows.iter().filter(|window| window.is_open);
        self.looks_at = open.map(|window| window.until.min(now + LOOK_EVERY)).min();
    }
}

impl Doors {
    /// With these readers, as the hardware file names them: those at doors and those on desks.
    #[must_use]
    pub fn with_readers(self, readers: Vec<ReaderReport>) -> Self {
        Self { enrolling: Enrolling { readers, ..Enrolling::default() }, ..self }
    }

    /// Opens a window, or says why not.
    pub(super) fn enrol(&mut self, wish: &Wish, now: Mono) {
        self.look_at_windows(now);
        let reading = wish.reading;
        match self.enrolling.admit(wish, self.guard.boot(), now) {
            Err(reason) => self.reports.say(ControllerRequest::EnrolRefused { reading, reason }),
            // asked by a link that is gone already
            Ok(()) if !self.reports.is_heard() => {}
            Ok(()) => {
                let Wish { reader, until, .. } = *wish;
                self.enrolling.windows.push(Window { reading, reader, until, is_open: true });
                self.enrolling.plan_look(now);
                self.reports.lamps.show(reader, Feedback::Enrol);
            }
        }
    }

    /// Nobody waits for a card any more.
    pub(super) fn end_enrol(&mut self, reading: ReadingId) {
        self.end_windows(|window| window.reading == reading);
    }

    /// A new link: what another one asked for is over.
    pub(super) fn forget_windows(&mut self) {
        self.end_windows(|_| true);
    }

    /// Tells the card, when a window is open at this reader; whether one was.
    pub(super) fn enrolled(&mut self, reader: u16, key: &CredentialKey, now: Mono) -> bool {
        self.look_at_windows(now);
        let Some((reading, _)) = self.enrolling.close(|window| window.reader == reader).pop() else {
            return false;
        };
        self.enrolling.plan_look(now);
        self.reports.say(ControllerRequest::Enrolled { reading, key: *key });
        self.reports.lamps.show(reader, Feedback::Read);
        true
    }

    /// A reader is there, or is not.
    pub(super) fn reader_is(&mut self, reader: u16, is_online: bool) {
        if is_online {
            self.enrolling.offline.remove(&reader);
            return;
        }
        self.enrolling.offline.insert(reader);
        for (reading, _) in self.enrolling.close(|window| window.reader == reader) {
            let reason = EnrolRefusal::ReaderOffline;
            self.reports.say(ControllerRequest::EnrolRefused { reading, reason });
        }
    }

    /// Ends the windows whose time is over, and all of them when their link is gone.
    pub(super) fn look_at_windows(&mut self, now: Mono) {
        let is_heard = self.reports.is_heard();
        self.end_windows(|window| !is_heard || window.until <= now);
        self.enrolling.windows.retain(|window| window.until > now);
        self.enrolling.plan_look(now);
    }

    fn end_windows(&mut self, is_meant: impl Fn(&Window) -> bool) {
        for (_, reader) in self.enrolling.close(is_meant) {
            self.reports.lamps.show(reader, Feedback::Rest);
        }
    }
}
