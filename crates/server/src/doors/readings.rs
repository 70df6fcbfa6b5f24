//! Cards that somebody reads at a reader to give them to a person: who waits for which reader, and what it read.
//!
//! ```text
//!   begin ──▶ Waiting ──enrolled──▶ Read ──saved, or forgotten after five minutes──▶ gone
//!                ├─ the window's time, cancelled ─▶ Over ─┐
//!                └─ refused, the link's end ──▶ Offline ──┴─ forgotten ─▶ gone
//! ```
//!
//! Invariants:
//! - in memory only; what was read is in no log and no answer but to who began, and is gone when it was saved, cancelled or
//!   forgotten;
//! - one reader waits for one asker, and one asker at one reader;
//! - a controller says what its own readers read, and only while somebody waits for it.

use klinke_model::credential::CredentialKey;
use klinke_model::ids::{BuildingId, ControllerId, PersonId, ReadingId, TenantId};
use klinke_model::time::Mono;
use klinke_wire::enrolment::WINDOW_MS;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a reader waits for a card.
pub const WINDOW: Duration = Duration::from_millis(WINDOW_MS);

/// How long what was read can be saved: somebody looks up a person, or types a name.
pub const KEPT: Duration = Duration::from_secs(300);

/// Who reads a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Of which property manager.
    pub tenant: TenantId,
    /// Who.
    pub person: PersonId,
    /// For whom they may.
    pub purpose: Purpose,
}

/// What a card is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An administrator gives it to somebody.
    Administration,
    /// A resident adds it themselves.
    Home,
}

/// Where a card is to be read, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Who reads it.
    pub asker: Asker,
    /// In which building it is to count.
    pub building: BuildingId,
    /// At which controller.
    pub controller: ControllerId,
    /// At which of its readers.
    pub reader: u16,
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The reader waits for a card.
    Waiting,
    /// It read this one.
    Read(CredentialKey),
    /// Nobody came in time, or it was cancelled.
    Over,
    /// The reader or its controller can not be reached.
    Offline,
}

/// A reading as its asker sees it.
#[derive(Debug)]
pub struct Seen {
    /// In which building the card is to count.
    pub building: BuildingId,
    /// How far it is.
    pub stage: Stage,
    /// For how long yet: that the reader waits, or that the card can be saved.
    pub left: Duration,
    /// Tells when it is further.
    pub news: watch::Receiver<Stage>,
}

/// Another asker waits at this reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Windows that nobody waits for any more: their controllers are to be told.
pub type Ended = Vec<(ControllerId, ReadingId)>;

/// All readings of this server.
#[derive(Debug, Default)]
pub struct Readings(Mutex<HashMap<ReadingId, Reading>>);

#[derive(Debug)]
struct Reading {
    place: Place,
    /// When its stage, whichever it is, is over.
    until: Mono,
    stage: watch::Sender<Stage>,
}

impl Reading {
    fn stage(&self, now: Mono) -> Stage {
        match *self.stage.borrow() {
            Stage::Waiting if self.until <= now => Stage::Over,
            stage => stage,
        }
    }

    fn is_waiting(&self, now: Mono) -> bool {
        self.stage(now) == Stage::Waiting
    }
}

impl Readings {
    fn lock(&self) -> MutexGuard<'_, HashMap<ReadingId, Reading>> {
        // every critical section leaves whole entries behind
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a reading. What the asker began before is over.
    ///
    /// # Errors
    /// [`Busy`] when somebody else waits at the reader.
    pub fn begin(&self, id: ReadingId, place: Place, now: Mono) -> Result<Ended, Busy> {
        let mut all = self.lock();
        forget(&mut all, now);
        let is_there = |other: &Place| (other.controller, other.reader) == (place.controller, place.reader);
        let is_theirs = |other: &Place| other.asker == place.asker;
        if all.values().any(|one| one.is_waiting(now) && is_there(&one.place) && !is_theirs(&one.place)) {
            return Err(Busy);
        }
        let mut ended = Vec::new();
        all.retain(|id, one| {
            if !is_theirs(&one.place) {
                return true;
            }
            if one.is_waiting(now) {
                ended.push((one.place.controller, *id));
            }
            false
        });
        all.insert(id, Reading { place, until: now + WINDOW, stage: watch::channel(Stage::Waiting).0 });
        Ok(ended)
    }

    /// A controller tells what a reader read. `false` when nobody waits for it.
    pub fn read(&self, controller: ControllerId, id: ReadingId, key: CredentialKey, now: Mono) -> bool {
        let mut all = self.lock();
        let waiting = |one: &&mut Reading| one.place.controller == controller && one.is_waiting(now);
        let Some(one) = all.get_mut(&id).filter(waiting) else { return false };
        one.until = now + KEPT;
        one.stage.send_replace(Stage::Read(key));
        true
    }

    /// A controller has no window for it.
    pub fn refused(&self, controller: ControllerId, id: ReadingId, now: Mono) {
        self.go_offline(|reading, place| reading == id && place.controller == controller, now);
    }

    /// The link to a controller ended, and with it what its readers wait for.
    pub fn link_lost(&self, controller: ControllerId, now: Mono) {
        self.go_offline(|_, place| place.controller == controller, now);
    }

    fn go_offline(&self, is_meant: impl Fn(ReadingId, &Place) -> bool, now: Mono) {
        for (id, one) in self.lock().iter() {
            if is_meant(*id, &one.place) && one.is_waiting(now) {
                one.stage.send_replace(Stage::Offline);
            }
        }
    }

    /// A reading of this asker.
    pub fn look(&self, id: ReadingId, asker: Asker, now: Mono) -> Option<Seen> {
        let mut all = self.lock();
        forget(&mut all, now);
        let one = all.get(&id).filter(|one| one.place.asker == asker)?;
        Some(Seen {
            building: one.place.building,
            stage: one.stage(now),
            left: one.until.since(now),
            news: one.stage.subscribe(),
        })
    }

    /// What was read for this asker, when it can be saved in this building.
    pub fn card(
        &self,
        id: ReadingId,
        asker: Asker,
        building: BuildingId,
        now: Mono,
    ) -> Option<CredentialKey> {
        let seen = self.look(id, asker, now)?;
        match seen.stage {
            Stage::Read(key) if seen.building == building => Some(key),
            _ => None,
        }
    }

    /// The card was saved, or its reader never waited: nobody needs it any more.
    pub fn remove(&self, id: ReadingId) {
        self.lock().remove(&id);
    }

    /// The asker does not want it any more. `None` when it is not theirs; else what is to be told.
    pub fn cancel(&self, id: ReadingId, asker: Asker, now: Mono) -> Option<Ended> {
        let mut all = self.lock();
        let one = all.get_mut(&id).filter(|one| one.place.asker == asker)?;
        let ended = one.is_waiting(now).then_some((one.place.controller, id));
        // the number goes too
        one.stage.send_replace(Stage::Over);
        one.until = one.until.min(now + WINDOW);
        Some(ended.into_iter().collect())
    }

    /// Forgets what nobody came back for.
    pub fn forget_old(&self, now: Mono) {
        forget(&mut self.lock(), now);
    }
}

/// A reading that is over is told for a while, a card that nobody saved is gone.
fn forget(all: &mut HashMap<ReadingId, Reading>, now: Mono) {
    all.retain(|_, one| match one.stage(now) {
        Stage::Read(_) => one.until > now,
        _ => one.until + KEPT > now,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::card::CardView;
    use klinke_model::ids::v4;

    fn asker(person: u8) -> Asker {
        let (tenant, person) = (TenantId(v4([1; 16])), PersonId(v4([person; 16])));
        Asker { tenant, person, purpose: Purpose::Administration }
    }
    fn place(person: u8, reader: u16) -> Place {
        let (building, controller) = (BuildingId(v4([2; 16])), ControllerId(v4([3; 16])));
        Place { asker: asker(person), building, controller, reader }
    }
    fn id(byte: u8) -> ReadingId {
        ReadingId(v4([byte; 16]))
    }
    fn s(seconds: u64) -> Mono {
        Mono::from_millis(seconds * 1_000)
    }
    fn key() -> CredentialKey {
        CardView::Wiegand26.read("127-53471").unwrap()
    }
    fn stage(readings: &Readings, one: u8, person: u8, now: u64) -> Option<Stage> {
        readings.look(id(one), asker(person), s(now)).map(|seen| seen.stage)
    }

    #[test]
    fn a_card_is_told_to_who_waits_for_it_once_and_is_gone_when_it_is_saved() {
        let (readings, at) = (Readings::default(), place(1, 0));
        assert_eq!(readings.begin(id(1), at, s(0)), Ok(vec![]));
        assert_eq!(stage(&readings, 1, 1, 1), Some(Stage::Waiting));
        assert!(!readings.read(ControllerId(v4([9; 16])), id(1), key(), s(2)), "not its reader");
        assert!(readings.read(at.controller, id(1), key(), s(2)));
        let other = CardView::Wiegand26.read("1-1").unwrap();
        assert!(!readings.read(at.controller, id(1), other, s(3)), "a second one");
        assert_eq!(stage(&readings, 1, 1, 200), Some(Stage::Read(key())));
        for (asker, building) in [
            (asker(2), at.building),
            (Asker { purpose: Purpose::Home, ..asker(1) }, at.building),
            (Asker { tenant: TenantId(v4([7; 16])), ..asker(1) }, at.building),
            (asker(1), BuildingId(v4([9; 16]))),
        ] {
            assert_eq!(readings.card(id(1), asker, building, s(3)), None, "{asker:?}");
        }
        assert_eq!(stage(&readings, 1, 2, 3), None, "another administrator's");
        assert_eq!(readings.card(id(1), asker(1), at.building, s(301)), Some(key()));
        readings.remove(id(1));
        assert_eq!(stage(&readings, 1, 1, 3), None);

        readings.begin(id(2), at, s(400)).unwrap();
        assert!(readings.read(at.controller, id(2), key(), s(401)));
        assert_eq!(readings.card(id(2), asker(1), at.building, s(701)), None, "nobody saved it");
        assert!(readings.lock().is_empty());
    }

    #[test]
    fn it_ends_by_time_by_its_asker_and_with_the_link() {
        let (readings, at) = (Readings::default(), place(1, 0));
        readings.begin(id(1), at, s(0)).unwrap();
        assert_eq!(stage(&readings, 1, 1, 59), Some(Stage::Waiting));
        assert_eq!(stage(&readings, 1, 1, 60), Some(Stage::Over));
        assert!(!readings.read(at.controller, id(1), key(), s(60)), "too late");

        readings.begin(id(2), at, s(100)).unwrap();
        assert_eq!(readings.cancel(id(2), asker(2), s(101)), None);
        assert_eq!(readings.cancel(id(2), asker(1), s(101)), Some(vec![(at.controller, id(2))]));
        assert_eq!(readings.cancel(id(2), asker(1), s(102)), Some(vec![]), "once is enough");
        assert_eq!(stage(&readings, 2, 1, 103), Some(Stage::Over));

        readings.begin(id(3), at, s(200)).unwrap();
        readings.link_lost(ControllerId(v4([9; 16])), s(201));
        assert_eq!(stage(&readings, 3, 1, 202), Some(Stage::Waiting));
        readings.link_lost(at.controller, s(203));
        assert_eq!(stage(&readings, 3, 1, 204), Some(Stage::Offline));
        assert!(!readings.read(at.controller, id(3), key(), s(205)));

        readings.begin(id(4), at, s(300)).unwrap();
        readings.refused(at.controller, id(4), s(301));
        assert_eq!(stage(&readings, 4, 1, 302), Some(Stage::Offline));
        // what was read before is there without the link
        readings.begin(id(5), at, s(400)).unwrap();
        assert!(readings.read(at.controller, id(5), key(), s(401)));
        readings.link_lost(at.controller, s(402));
        assert_eq!(stage(&readings, 5, 1, 403), Some(Stage::Read(key())));
        // cancelled: the number is gone at once
        assert_eq!(readings.cancel(id(5), asker(1), s(404)), Some(vec![]));
        assert_eq!(stage(&readings, 5, 1, 405), Some(Stage::Over));
    }

    #[test]
    fn a_reader_waits_for_one_and_one_waits_at_one_reader() {
        let readings = Readings::default();
        readings.begin(id(1), place(1, 0), s(0)).unwrap();
        assert_eq!(readings.begin(id(2), place(2, 0), s(1)), Err(Busy));
        assert_eq!(readings.begin(id(2), place(2, 1), s(1)), Ok(vec![]));
        // the asker goes to another reader
        assert_eq!(readings.begin(id(3), place(1, 2), s(2)), Ok(vec![(place(1, 0).controller, id(1))]));
        assert_eq!(stage(&readings, 1, 1, 3), None);
        assert_eq!(readings.begin(id(4), place(2, 0), s(3)).unwrap().len(), 1);
        assert_eq!(readings.begin(id(5), place(3, 0), s(63)), Ok(vec![]), "its time is over");
    }
}
