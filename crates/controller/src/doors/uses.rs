//! What came of somebody before a door, for the journal: where the rights in force keep records of use, and nowhere else.
//!
//! ```text
//!   card, code ─▶ decided ─┬▶ refused ────────────────────────────────┐
//!                          └▶ the lock is told ─▶ its output answers ─┴▶ Uses ─▶ journal, when rights say so still
//! ```
//!
//! - Who it was is only looked at when the rights keep records ([`super::entry::Entry::keeps_records`]); else there is no tag to pass on.
//! - It is noted when it is known whether the lock was released, which is after that was commanded. Nobody at a door waits for it.
//! - An unknown credential is nobody's, and no use. So is whoever opens from afar: the server knows of them itself.

use super::entry::Refused;
use super::{Doors, before};
use klinke_access::decide::Reason;
use klinke_access::standing::ClockTrust;
use klinke_model::ids::DoorId;
use klinke_model::news::{PersonTag, TaggedUse, UseOutcome};
use klinke_model::time::Mono;
use klinke_wire::controller::Outcome;
use std::time::Duration;

/// Somebody before a door, of whom it is noted what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) door: DoorId,
    pub(super) person: PersonTag,
}

/// Uses whose outcome is known, until the end of the step.
#[derive(Debug, Default)]
pub(super) struct Uses(Vec<TaggedUse>);

impl Uses {
    /// They were not let in.
    pub(super) fn refused(&mut self, by: Option<Before>, why: Refused) {
        match why {
            Refused::Denied(Reason::CredentialUnknown) | Refused::NoRights => {}
            Refused::Denied(reason) => self.add(by, UseOutcome::Refused(reason)),
            Refused::NotKept => self.add(by, UseOutcome::Failed),
        }
    }

    /// They were, and this is what the output made of it.
    pub(super) fn answered(&mut self, by: Option<Before>, outcome: Outcome) {
        let is_open = matches!(outcome, Outcome::Opened { .. } | Outcome::Sent);
        self.add(by, if is_open { UseOutcome::Opened } else { UseOutcome::Failed });
    }

    fn add(&mut self, by: Option<Before>, outcome: UseOutcome) {
        self.0.extend(by.map(|Before { door, person }| TaggedUse { door, person, outcome }));
    }
}

impl Doors {
    /// Puts what came of somebody into the journal: the end of every step.
    pub(super) fn note_uses(&mut self, now: Mono) {
        let uses = std::mem::take(&mut self.reports.uses).0;
        if uses.is_empty() {
            return;
        }
        let Some(keeps) = self.entry.keeps_records() else { return };
        let (at, trust) = self.entry.time(now);
        for used in uses {
            self.reports.journal.note_use(keeps, used, at, trust == ClockTrust::Trusted);
        }
        self.keep_records(now);
    }

    /// Lets go of the uses that may not be kept: all of them when the rights in force keep no records, and else those that are too old.
    pub(super) fn keep_records(&self, now: Mono) {
        let Some(keeps) = self.entry.keeps_records() else { return self.reports.journal.forget_uses() };
        if let (at, ClockTrust::Trusted) = self.entry.time(now) {
            let days = Duration::from_hours(24 * u64::from(keeps.days()));
            self.reports.journal.forget_uses_before(before(at, days));
        }
    }

    /// What is done now and then, once there are rights: what the server has is taken off the disk too.
    pub(super) fn tidy_records(&self, now: Mono) {
        if self.entry.rights.is_some() {
            self.keep_records(now);
            self.reports.journal.tidy();
        }
    }
}
