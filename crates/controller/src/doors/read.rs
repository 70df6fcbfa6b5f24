//! What readers tell the doors, and what hours do to them.

use super::driven::Asker;
use super::entry::Refused;
use super::keypad::Typed;
use super::uses::Before;
use super::{Doors, Driven};
use crate::reader::{Feedback, Keys, ReaderAlarm, ReaderEvent, Reading};
use klinke_access::decide::{Reason, SiteMode};
use klinke_access::door_cycle::{Held, Restriction};
use klinke_access::snapshot::Rights;
use klinke_access::standing::ClockTrust;
use klinke_model::alarm::AlarmKind;
use klinke_model::credential::CredentialKey;
use klinke_model::ids::DoorId;
use klinke_model::news::Raised;
use klinke_model::time::{Mono, Timestamp};
use klinke_wire::controller::{ControllerRequest, UsedCredential};
use std::time::Duration;
use tracing::{info, warn};

impl Doors {
    /// Takes what a reader tells. Whether it is there or not moves no lock.
    pub(super) fn reading(&mut self, event: &ReaderEvent, now: Mono) {
        let reader = event.reader;
        match &event.what {
            // a card that is read to be given to somebody opens nothing
            Reading::Card(card) if self.enrolled(reader, card, now) => {}
            Reading::Card(card) => {
                let answer = self.judge(reader, card, now);
                self.refuse(reader, answer);
            }
            Reading::Keys(keys) => self.keys(reader, keys, now),
            Reading::Online => {
                info!(reader, "a reader is online");
                // what is wrong with it still, it tells next
                for kind in [AlarmKind::ReaderOffline, AlarmKind::ReaderTamper, AlarmKind::ReaderPower] {
                    self.reader_alarm(kind, reader, false, now);
                }
                self.reader_is(reader, true);
            }
            Reading::Offline(why) => {
                warn!(reader, ?why, "a reader is offline");
                self.forget_typed(reader);
                self.reader_is(reader, false);
                self.reader_alarm(AlarmKind::ReaderOffline, reader, true, now);
            }
            Reading::Alarm(what) => {
                warn!(reader, ?what, "a reader has to be looked at");
                // one that comes and goes is told as offline
                if *what != ReaderAlarm::Flapping {
                    self.raise(AlarmKind::ReaderFault, self.door_of(reader), Some(reader), now);
                }
            }
            Reading::Tamper(is_open) => {
                warn!(reader, is_open, "the housing of a reader");
                self.reader_alarm(AlarmKind::ReaderTamper, reader, *is_open, now);
            }
            Reading::PowerFailing(fails) => {
                warn!(reader, fails, "the supply of a reader");
                self.reader_alarm(AlarmKind::ReaderPower, reader, *fails, now);
            }
        }
    }

    fn reader_alarm(&mut self, kind: AlarmKind, reader: u16, is_on: bool, now: Mono) {
        let alarm = Raised { kind, door: self.door_of(reader), part: Some(reader) };
        self.reports.alarms.set(alarm, is_on, now);
    }

    /// The door that a reader stands at.
    fn door_of(&self, reader: u16) -> Option<DoorId> {
        let post = self.entry.posts.iter().find(|post| post.reader == reader)?;
        Some(self.driven.iter().find(|driven| driven.output == post.output)?.door)
    }

    /// Shows who is not let in that they are not. Who is let in sees it when the output has answered.
    fn refuse(&self, reader: u16, answer: Result<(), Refused>) {
        match answer {
            Ok(()) => {}
            Err(Refused::Denied(Reason::SecondPersonNeeded)) => {
                self.reports.lamps.show(reader, Feedback::More);
            }
            Err(_) => self.reports.lamps.show(reader, Feedback::Denied),
        }
    }

    /// Lets in who presents this at a reader, or says why not.
    pub(super) fn judge(&mut self, reader: u16, key: &CredentialKey, now: Mono) -> Result<(), Refused> {
        let posts = &self.entry.posts;
        let post = posts.iter().find(|post| post.reader == reader).ok_or(Refused::NoRights)?;
        let output = post.output;
        if !post.floors.is_empty() {
            let floors = post.floors.clone();
            return self.judge_floors(reader, &floors, key, now);
        }
        let Self { entry, driven, board, reports, .. } = self;
        let at = driven.iter().position(|driven| driven.output == output).ok_or(Refused::NoRights)?;
        let states = |door| driven.iter().find(|driven| driven.door == door).map(Driven::secured);
        let here = driven.get(at).ok_or(Refused::NoRights)?;
        let door = here.door;
        let (person, let_in) = entry.present(door, here.report().state.mode, key, states, now);
        reports.noticed(entry, Some(door), now);
        let by = person.map(|person| Before { door, person });
        let let_in = let_in.inspect_err(|why| reports.uses.refused(by, *why))?;
        if let Some(driven) = driven.get_mut(at) {
            driven.let_in(Asker::Reader { reader, by }, let_in.hold, &mut **board, reports, now);
        }
        if let_in.is_used_up {
            self.tell_used();
        }
        // they may be the first, with whom the hours begin
        self.keep_hours(now);
        Ok(())
    }

    /// Tells the server what opened once, as long as it has not noted all of it. Told in any number of links it is one use.
    pub(super) fn tell_used(&mut self) {
        let credentials = self.entry.unnoted();
        if !credentials.is_empty() {
            self.reports.say(ControllerRequest::Used { credentials });
        }
    }

    /// The server has noted what opened once; on with the rest.
    pub(super) fn noted(&mut self, these: &[UsedCredential]) {
        self.entry.noted(these);
        self.tell_used();
    }

    fn keys(&mut self, reader: u16, keys: &Keys, now: Mono) {
        for key in keys.as_slice() {
            let typed = self.keypad(reader).and_then(|keypad| keypad.press(*key, now));
            self.typed(reader, typed.as_ref(), now);
        }
    }

    /// The pauses after which what was typed is whole.
    pub(super) fn settle_keypads(&mut self, now: Mono) {
        let readers: Vec<u16> = self.entry.posts.iter().map(|post| post.reader).collect();
        for reader in readers {
            let typed = self.keypad(reader).and_then(|keypad| keypad.settle(now));
            self.typed(reader, typed.as_ref(), now);
        }
    }

    fn typed(&mut self, reader: u16, typed: Option<&Typed>, now: Mono) {
        match typed {
            None => {}
            Some(Typed::Code(code)) if self.entry.may_try(reader, now) => {
                let answer = self.judge(reader, code, now);
                match answer {
                    Ok(()) | Err(Refused::Denied(Reason::SecondPersonNeeded)) => {}
                    // counted before it is shown, whatever was wrong: what is refused looks the same
                    Err(_) => {
                        if self.entry.was_wrong(reader, now) {
                            self.raise(AlarmKind::WrongCodes, self.door_of(reader), Some(reader), now);
                        }
                    }
                }
                self.refuse(reader, answer);
            }
            Some(Typed::Code(_) | Typed::NoCode) => self.reports.lamps.show(reader, Feedback::Denied),
        }
    }

    fn keypad(&mut self, reader: u16) -> Option<&mut super::keypad::Keypad> {
        self.entry.posts.iter_mut().find(|post| post.reader == reader)?.keypad.as_mut()
    }

    fn forget_typed(&mut self, reader: u16) {
        if let Some(keypad) = self.keypad(reader) {
            keypad.clear();
        }
    }

    /// Takes rights into force; older ones than those are refused.
    pub(super) fn take_rights(&mut self, rights: Rights, now: Mono) {
        let in_force = self.entry.rights.as_ref().map_or(0, Rights::revision);
        if rights.revision() < in_force {
            warn!(
                revision = rights.revision(),
                in_force, "refused rights that are older than those in force"
            );
            return;
        }
        info!(revision = rights.revision(), credentials = rights.credentials(), "rights in force");
        self.entry.order.update(rights.doors());
        self.entry.rights = Some(rights);
        self.keep_records(now);
        self.restrict(now);
        self.keep_hours(now);
    }

    /// The server told the time.
    pub(super) fn take_time(&mut self, server: Timestamp, newest: Option<u64>, now: Mono) {
        self.entry.told(server, newest, now);
        self.reports.alarms.set_clock(self.entry.clock(), now);
        self.keep_records(now);
        self.keep_hours(now);
    }

    /// Locks every door in an emergency, and lets go of them when it is over.
    pub(super) fn restrict(&mut self, now: Mono) {
        let restriction = match self.entry.rights.as_ref().map(Rights::site_mode) {
            Some(SiteMode::LockedDown) => Restriction::LockedDown,
            Some(SiteMode::Normal) | None => Restriction::None,
        };
        for driven in &mut self.driven {
            if std::mem::replace(&mut driven.restriction, restriction) != restriction {
                driven.hold(&*self.board, now);
                driven.carry_out(&mut *self.board, &mut self.reports, None, now);
            }
        }
    }

    /// Holds every door as its hours say now, and finds when they turn next.
    pub(super) fn keep_hours(&mut self, now: Mono) {
        let Self { entry, driven, board, reports, .. } = self;
        let (at, clock) = entry.time(now);
        let mut has_hours = false;
        for place_of in 0..driven.len() {
            let Some(door) = driven.get(place_of) else { continue };
            let wanted = match entry.place(door.door) {
                Some(place) => {
                    let rights = entry.rights.as_ref();
                    has_hours |= rights
                        .and_then(|rights| rights.doors().get(usize::from(place)))
                        .is_some_and(|plan| plan.unlocked.is_some());
                    let by_hours = rights.is_some_and(|rights| rights.unlocked_by_hours(place, at, clock));
                    let states = |door| driven.iter().find(|driven| driven.door == door).map(Driven::secured);
                    entry.order.unlocks(place, by_hours)
                        && (door.held == Held::Unlocked || !entry.is_interlocked(place, states))
                }
                None => false,
            };
            let can_hold = board.holds(door.output);
            let held = if wanted && can_hold { Held::Unlocked } else { Held::No };
            let Some(door) = driven.get_mut(place_of) else { continue };
            if wanted && !can_hold && !door.is_hold_refused {
                warn!(
                    output = door.output,
                    "this output can not hold a door unlocked; it stays locked in its hours"
                );
            }
            door.is_hold_refused = wanted && !can_hold;
            if std::mem::replace(&mut door.held, held) != held {
                door.hold(&**board, now);
                door.carry_out(&mut **board, reports, None, now);
            }
        }
        let is_needed = has_hours && clock == ClockTrust::Trusted;
        // the millisecond after the last of this minute
        let left = u64::try_from(60_000 - at.as_millis().rem_euclid(60_000)).unwrap_or(60_000);
        entry.hours_at = is_needed.then(|| now + Duration::from_millis(left));
    }
}
