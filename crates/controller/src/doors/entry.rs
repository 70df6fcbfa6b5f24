//! Who is let in at the doors themselves: the rights in force, the order of the doors, the clock, and what is remembered.
//!
//! ```text
//!   card ──┐
//!   code ──┴▶ hash ─▶ Rights::facts_at ─▶ DoorOrder::judge ─▶ decide ─┬▶ used up, durable ─▶ let in
//!                                                                     └▶ refused
//! ```
//!
//! - Without rights, or without this door in them, nobody is let in. Nothing here asks whether a link stands: it only
//!   counts how long ago the server could be asked.
//! - A credential that opens once is durably used up before its lock is released; if that fails it is refused.
//! - What is refused looks the same at the reader, whether anybody was given it or not.

use super::keypad::Keypad;
use crate::kept::{Kept, Moment, NotKept};
use klinke_access::clock::DoorClock;
use klinke_access::decide::{Cause, Decision, Order, Reason, Request, decide};
use klinke_access::lockout::Lockout;
use klinke_access::order::DoorOrder;
use klinke_access::snapshot::{AtDoor, CredentialHash, Found, KeepsRecords, PersonTag, Rights};
use klinke_access::standing::ClockTrust;
use klinke_model::credential::CredentialKey;
use klinke_model::door::{DoorAlarm, DoorMode, DoorPosition, DoorState};
use klinke_model::ids::DoorId;
use klinke_model::time::{Mono, Timestamp};
use klinke_wire::controller::{USED, UsedCredential};
use std::collections::VecDeque;
use std::time::Duration;
use tracing::{error, warn};

/// The same card at two doors within this is an alarm, when it can be copied (trust.md T20).
pub const COPY_WITHIN: Duration = Duration::from_secs(3);

/// So many cards are remembered for that.
const COPIES_REMEMBERED: usize = 16;

/// A reader at a door, as the hardware file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderAt {
    /// Its number.
    pub reader: u16,
    /// The output of its door.
    pub output: u16,
    /// Whether codes are taken at it.
    pub has_keypad: bool,
}

/// The same at work.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) reader: u16,
    pub(super) output: u16,
    /// The outputs of the floors, for a reader in the car of a lift; none for one at a door.
    pub(super) floors: Vec<u16>,
    pub(super) keypad: Option<Keypad>,
}

/// What the doors go by when somebody stands before one.
#[derive(Debug)]
pub struct Entry {
    pub(super) rights: Option<Rights>,
    pub(super) order: DoorOrder,
    clock: DoorClock,
    /// When the server last said, in this process, that the rights in force are its newest.
    confirmed: Option<Mono>,
    kept: Kept,
    pub(super) posts: Vec<Post>,
    /// What was kept of wrong codes is on the disk.
    is_kept: bool,
    copies: VecDeque<Copyable>,
    /// A copied card was noticed and not told yet.
    is_copy_seen: bool,
    /// Somebody is forced, and it was not told yet.
    is_duress_seen: bool,
    /// The next turn of unlocked hours.
    pub(super) hours_at: Option<Mono>,
}

/// A card that can be copied, where and when it was read.
#[derive(Debug)]
struct Copyable {
    hash: CredentialHash,
    place: u8,
    at: Mono,
}

/// Somebody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LetIn {
    /// The door, by its place in the rights.
    pub(super) place: u8,
    pub(super) hold: Duration,
    /// What was presented is used up: the server does not know yet.
    pub(super) is_used_up: bool,
}

/// Whether somebody is let in, and who it is, when that is to be noted.
pub(super) type Judged<T> = (Option<PersonTag>, Result<T, Refused>);

/// What is decided of somebody before one door; nothing has come of it yet.
struct Weighed {
    place: u8,
    hash: CredentialHash,
    decision: Decision,
    found: Option<Found>,
}

/// Why somebody is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There are no rights, or this door is none of theirs.
    NoRights,
    /// The rights say no.
    Denied(Reason),
    /// It could not be remembered as used.
    NotKept,
}

impl Entry {
    /// At the start of the process: what was kept, the readers, and what the machine's clock says.
    pub fn new(kept: Kept, readers: &[ReaderAt], wall: Timestamp, now: Mono) -> Self {
        let post = |&ReaderAt { reader, output, has_keypad }: &ReaderAt| {
            let keypad = has_keypad.then(|| Keypad::new(Lockout::restored(kept.wrong(reader), now)));
            Post { reader, output, floors: Vec::new(), keypad }
        };
        Self {
            rights: None,
            order: DoorOrder::default(),
            clock: DoorClock::start(wall, kept.moment().map(|moment| moment.at), now),
            confirmed: None,
            posts: readers.iter().map(post).collect(),
            kept,
            is_kept: false,
            copies: VecDeque::new(),
            is_copy_seen: false,
            is_duress_seen: false,
            hours_at: None,
        }
    }

    /// The clock that the doors go by.
    pub(super) const fn clock(&self) -> DoorClock {
        self.clock
    }

    /// With a reader in the car of a lift: what it reads is for these outputs, and for no door.
    #[must_use]
    pub fn in_lift(mut self, reader: u16, floors: &[u16]) -> Self {
        for post in self.posts.iter_mut().filter(|post| post.reader == reader) {
            post.floors = floors.to_vec();
        }
        self
    }

    /// What it is now, and whether that can be believed.
    pub(super) fn time(&self, now: Mono) -> (Timestamp, ClockTrust) {
        (self.clock.now(now), self.clock.trust())
    }

    /// The server told the time, and which rights are the newest if it could look. Only when those are in force they are
    /// confirmed.
    pub(super) fn told(&mut self, server: Timestamp, newest: Option<u64>, now: Mono) {
        self.clock.told(server, now);
        if newest.is_some() && newest == self.rights.as_ref().map(Rights::revision) {
            self.confirmed = Some(now);
        }
    }

    /// What is to be kept of the clock, and where; nothing while it is not believed.
    pub(super) fn to_keep(&self, now: Mono) -> Option<(crate::kept::ClockFile, Moment)> {
        let (at, trust) = self.time(now);
        let confirmed = match self.confirmed {
            Some(confirmed) => Some(before(at, now.since(confirmed))),
            None => self.kept.moment().and_then(|moment| moment.confirmed),
        };
        (trust == ClockTrust::Trusted).then_some((self.kept.clock()?, Moment { at, confirmed }))
    }

    /// Where a door is in the rights.
    pub(super) fn place(&self, door: DoorId) -> Option<u8> {
        let place = self.rights.as_ref()?.doors().iter().position(|plan| plan.door == door)?;
        u8::try_from(place).ok()
    }

    /// For how long the server has not said of these rights that they are its newest, nor made them; for ever, when nobody can
    /// tell.
    fn age(&self, rights: &Rights, now: Mono) -> Duration {
        let heard = self.confirmed.map_or(Duration::MAX, |confirmed| now.since(confirmed));
        let (at, ClockTrust::Trusted) = self.time(now) else { return heard };
        let kept = self.kept.moment().and_then(|moment| moment.confirmed);
        let newest = kept.map_or(rights.issued(), |kept| kept.max(rights.issued()));
        heard.min(age_at(newest, at))
    }

    /// Whether another door of this door's airlock is open, or may be.
    pub(super) fn is_interlocked(&self, place: u8, state: impl Fn(DoorId) -> Option<DoorState>) -> bool {
        self.rights
            .as_ref()
            .is_some_and(|rights| self.order.is_interlocked(place, |other| state_at(rights, other, &state)))
    }

    /// Whether the order of the doors lets this one open for somebody from afar.
    pub(super) fn order_from_afar(
        &self,
        place: u8,
        state: impl Fn(DoorId) -> Option<DoorState>,
        now: Mono,
    ) -> Order {
        let Some(rights) = &self.rights else { return Order::Kept };
        self.order.judge(place, None, |other| state_at(rights, other, &state), now)
    }

    /// The proof that the rights in force keep records of use, if they do.
    pub(super) fn keeps_records(&self) -> Option<KeepsRecords<'_>> {
        self.rights.as_ref()?.keeps_records()
    }

    /// Who this is, where that is kept.
    fn person(&self, weighed: &Weighed) -> Option<PersonTag> {
        self.keeps_records().and(weighed.found).map(|found| found.person)
    }

    /// Whether who presents this is let in at this door.
    pub(super) fn present(
        &mut self,
        door: DoorId,
        mode: DoorMode,
        key: &CredentialKey,
        state: impl Fn(DoorId) -> Option<DoorState>,
        now: Mono,
    ) -> Judged<LetIn> {
        match self.weigh(door, mode, key, state, now) {
            Err(refused) => (None, Err(refused)),
            Ok(weighed) => (self.person(&weighed), self.judged(&weighed, now)),
        }
    }

    fn judged(&mut self, weighed: &Weighed, now: Mono) -> Result<LetIn, Refused> {
        self.notice(weighed, now);
        if let (Decision::Granted { .. }, Some(found)) = (&weighed.decision, &weighed.found)
            && found.once
        {
            self.use_up(weighed.hash, found, now)?;
        }
        self.settle(weighed, now)
    }

    /// To which of these floors who presents this may go: at least one, or why none. What opens once is used up by one ride.
    pub(super) fn present_floors(
        &mut self,
        floors: &[(DoorId, DoorMode)],
        key: &CredentialKey,
        state: impl Fn(DoorId) -> Option<DoorState>,
        now: Mono,
    ) -> Judged<Vec<(DoorId, LetIn)>> {
        let mut all = Vec::with_capacity(floors.len());
        for (door, mode) in floors {
            if let Ok(weighed) = self.weigh(*door, *mode, key, &state, now) {
                all.push((*door, weighed));
            }
        }
        let person = all.first().and_then(|(_, weighed)| self.person(weighed));
        (person, self.floors_judged(&all, now))
    }

    fn floors_judged(
        &mut self,
        all: &[(DoorId, Weighed)],
        now: Mono,
    ) -> Result<Vec<(DoorId, LetIn)>, Refused> {
        if let Some((_, weighed)) = all.first() {
            self.notice(weighed, now);
        }
        let is_granted = |weighed: &Weighed| matches!(weighed.decision, Decision::Granted { .. });
        let granted = all.iter().find(|(_, weighed)| is_granted(weighed));
        if let Some((_, Weighed { hash, found: Some(found), .. })) = granted
            && found.once
        {
            self.use_up(*hash, found, now)?;
        }
        let (mut let_in, mut refused) = (Vec::new(), Refused::NoRights);
        for (door, weighed) in all {
            match self.settle(weighed, now) {
                Ok(one) => let_in.push((*door, one)),
                // that somebody else has to come too is worth saying, whatever the other floors say
                Err(_) if refused == Refused::Denied(Reason::SecondPersonNeeded) => {}
                Err(why) => refused = why,
            }
        }
        if let_in.is_empty() { Err(refused) } else { Ok(let_in) }
    }

    /// What is decided of who presents this before this door.
    fn weigh(
        &self,
        door: DoorId,
        mode: DoorMode,
        key: &CredentialKey,
        state: impl Fn(DoorId) -> Option<DoorState>,
        now: Mono,
    ) -> Result<Weighed, Refused> {
        let place = self.place(door).ok_or(Refused::NoRights)?;
        let rights = self.rights.as_ref().ok_or(Refused::NoRights)?;
        let hash = rights.key().credential(key);
        let (at, clock) = self.time(now);
        let asked = AtDoor {
            door: place,
            at,
            clock,
            rights_age: self.age(rights, now),
            mode,
            // judged below, when it is known for whom
            order: Order::Kept,
            used: self.kept.is_used(hash),
        };
        let (mut facts, found) = rights.facts_at(hash, &asked).ok_or(Refused::NoRights)?;
        if let Some(Found { person, .. }) = found {
            facts.order = self.order.judge(place, Some(person), |other| state_at(rights, other, &state), now);
        }
        Ok(Weighed { place, hash, decision: decide(&Request { cause: Cause::AtDoor }, &facts), found })
    }

    /// Notices a copied card and a code for duress: whether it opens or not, and nothing at the door tells of it.
    fn notice(&mut self, weighed: &Weighed, now: Mono) {
        self.is_duress_seen |= weighed.found.is_some_and(|found| found.duress);
        let is_copyable = weighed.found.is_some_and(|found| found.copyable);
        if is_copyable && self.is_copied(weighed.hash, weighed.place, now) {
            warn!("a card that can be copied was read at two doors within 3 s; one of them may be a copy");
            self.is_copy_seen = true;
        }
    }

    /// Remembers what was decided for the order of the doors.
    fn settle(&mut self, weighed: &Weighed, now: Mono) -> Result<LetIn, Refused> {
        let place = weighed.place;
        match (weighed.decision, weighed.found) {
            (Decision::Granted { hold }, Some(found)) => {
                self.order.granted(place);
                Ok(LetIn { place, hold, is_used_up: found.once })
            }
            // nobody's credential is never granted
            (Decision::Granted { .. }, None) => Err(Refused::NoRights),
            (Decision::Denied(reason), found) => {
                if let (Reason::SecondPersonNeeded, Some(found)) = (reason, found) {
                    self.order.first_came(place, found.person, now);
                }
                Err(Refused::Denied(reason))
            }
        }
    }

    /// Whether a copied card was noticed since this was asked last.
    pub(super) const fn takes_copy_seen(&mut self) -> bool {
        std::mem::replace(&mut self.is_copy_seen, false)
    }

    /// Whether somebody was forced since this was asked last.
    pub(super) const fn takes_duress_seen(&mut self) -> bool {
        std::mem::replace(&mut self.is_duress_seen, false)
    }

    fn use_up(&mut self, hash: CredentialHash, found: &Found, now: Mono) -> Result<(), Refused> {
        let (at, trust) = self.time(now);
        let believed = (trust == ClockTrust::Trusted).then_some(at);
        self.kept.use_up(hash, found.until, believed).map_err(|error: NotKept| {
            error!(%error, "a credential that opens once is refused");
            Refused::NotKept
        })
    }

    /// What opened once and is not noted by the server yet: some of it.
    pub(super) fn unnoted(&self) -> Vec<UsedCredential> {
        self.kept.unnoted(USED).into_iter().map(|hash| UsedCredential(hash.0)).collect()
    }

    /// The server has noted these.
    pub(super) fn noted(&mut self, these: &[UsedCredential]) {
        if let Err(error) = self.kept.noted(these.iter().map(|used| CredentialHash(used.0))) {
            error!(%error, "it could not be kept what the server has noted; it is told again after a restart");
        }
    }

    /// Whether the same card was read a moment ago at a door that nobody comes from so quickly: one of them may be a
    /// copy. Whose it is, and which doors they are, is told to nobody.
    pub(super) fn is_copied(&mut self, hash: CredentialHash, place: u8, now: Mono) -> bool {
        self.copies.retain(|copy| now.since(copy.at) < COPY_WITHIN);
        let plans = self.rights.as_ref().map(Rights::doors).unwrap_or_default();
        let is_far = |other: u8| {
            let plan = |place: u8| plans.get(usize::from(place));
            let (Some(here), Some(there)) = (plan(place), plan(other)) else { return false };
            let is_beside = here.airlock.is_some() && here.airlock == there.airlock
                || here.after.is_some_and(|after| after.door == other)
                || there.after.is_some_and(|after| after.door == place);
            place != other && !is_beside
        };
        let is_copied = self.copies.iter().any(|copy| copy.hash == hash && is_far(copy.place));
        if self.copies.len() >= COPIES_REMEMBERED {
            self.copies.pop_front();
        }
        self.copies.push_back(Copyable { hash, place, at: now });
        is_copied
    }

    /// Whether a code may be looked at now at this reader: its wait is over, and what was wrong before is kept.
    pub(super) fn may_try(&mut self, reader: u16, now: Mono) -> bool {
        let Some(lockout) = self.lockout(reader) else { return false };
        let (wait, wrong) = (lockout.wait(now), lockout.kept(now));
        if !wait.is_zero() {
            return false;
        }
        // a disk that takes nothing would forget every wrong code with the power
        self.is_kept || self.keep_wrong(reader, wrong)
    }

    /// A code was looked at and was wrong. Durable when this returns, or no code is looked at before it is.
    /// Whether somebody should know.
    pub(super) fn was_wrong(&mut self, reader: u16, now: Mono) -> bool {
        let Some(lockout) = self.lockout(reader) else { return false };
        let is_alarm = lockout.wrong(now).is_alarm;
        let wrong = lockout.kept(now);
        if is_alarm {
            warn!(reader, wrong, "wrong codes at a keypad: somebody may be guessing");
        }
        self.keep_wrong(reader, wrong);
        is_alarm
    }

    fn keep_wrong(&mut self, reader: u16, wrong: u32) -> bool {
        let kept = self.kept.keep_wrong(reader, wrong);
        if let Err(error) = &kept {
            error!(%error, "wrong codes can not be kept; no code is taken until they can");
        }
        self.is_kept = kept.is_ok();
        self.is_kept
    }

    fn lockout(&mut self, reader: u16) -> Option<&mut Lockout> {
        let post = self.posts.iter_mut().find(|post| post.reader == reader)?;
        Some(&mut post.keypad.as_mut()?.lockout)
    }
}

impl Default for Entry {
    /// No readers, a clock that is not believed, and nothing remembered.
    fn default() -> Self {
        Self::new(Kept::default(), &[], Timestamp::from_millis(0), Mono::default())
    }
}

/// How the door of this place is; one that is not driven here is never known to be locked.
fn state_at(rights: &Rights, place: u8, state: impl Fn(DoorId) -> Option<DoorState>) -> DoorState {
    let unknown =
        DoorState { mode: DoorMode::Unlocked, position: DoorPosition::Unknown, alarm: DoorAlarm::Normal };
    rights.doors().get(usize::from(place)).and_then(|plan| state(plan.door)).unwrap_or(unknown)
}

/// How long ago a moment was; not at all, when it is to come.
pub fn age_at(moment: Timestamp, at: Timestamp) -> Duration {
    Duration::from_millis(at.as_millis().saturating_sub(moment.as_millis()).try_into().unwrap_or(0))
}

/// The moment that was so long before another.
pub(super) fn before(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}
