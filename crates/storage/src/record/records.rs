//! Records of use in commercial buildings, what they are kept for, and who read them.

use klinke_model::ids::{DoorId, GuestId, PersonId, RecordId, RecordReadingId};
use klinke_model::news::UseOutcome;
use klinke_model::privacy::Pii;
use klinke_model::purpose::Purpose;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;

/// What somebody asks for when records of use are to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecordPolicy {
    /// What for.
    pub purpose: Purpose,
    /// How long, within `klinke_access::snapshot::Records::DAYS`.
    pub days: u8,
    /// The day on which the people were told, since 1970; not after today where the building stands.
    pub told_on: i64,
}

/// A person, and what they are called; none for who goes without a name or is not the asker's to name.
pub type NamedPerson = (PersonId, Option<Pii<Label>>);

/// What records of use of a building are kept for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPolicy {
    /// What was asked for.
    pub asked: NewRecordPolicy,
    /// From when on; none while a second administrator has to agree.
    pub begins_at: Option<Timestamp>,
    /// The first moment from which on it could be, if all agreed now.
    pub earliest: Timestamp,
    /// Who asked, for who sees people; none when they are gone.
    pub asked_by: Option<NamedPerson>,
    /// Who agreed.
    pub confirmed_by: Option<NamedPerson>,
}

/// Whether records of use are kept in a building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHouse {
    /// It is commercial.
    pub may_keep: bool,
    /// It was residential or mixed before: a second administrator has to agree, and the people have to be told 30 days before.
    pub needs_second: bool,
    /// The first moment from which on they could be kept if somebody told the people today.
    pub earliest: Timestamp,
    /// What is kept, if anything.
    pub policy: Option<RecordPolicy>,
    /// Grows with every change of the policy; 0 without one.
    pub version: u64,
}

/// What became of changing what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordsSet {
    /// It is so.
    Done(RecordHouse),
    /// No such building, or not the asker's.
    NotThere,
    /// The building is residential or mixed.
    NotCommercial,
    /// Who asked can not agree with themselves.
    SamePerson,
    /// Somebody changed it before, or there is nothing to agree to: how it is now.
    Conflict(RecordHouse),
}

/// Which records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordsQuery {
    /// Of this door only.
    pub door: Option<DoorId>,
    /// Of this person only.
    pub person: Option<PersonId>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// That somebody reads records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReading {
    /// Its id.
    pub id: RecordReadingId,
    /// What for, when it is a file.
    pub file: Option<Purpose>,
}

/// Where a page ends, of records or of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordAfter<Id> {
    /// When the last one was.
    pub at: Timestamp,
    /// Which it was.
    pub id: Id,
}

/// Who was before a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordOf {
    /// Somebody.
    Person(NamedPerson),
    /// A guest; a name for guests of the house only: a host's guests are their own.
    Guest(GuestId, Option<Pii<Label>>),
    /// A guest who was forgotten since.
    Gone,
}

/// A record of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRecord {
    /// Which.
    pub id: RecordId,
    /// When.
    pub at: Timestamp,
    /// The controller did not believe its clock.
    pub about: bool,
    /// What the building is called.
    pub building: Label,
    /// The door, and what it is called.
    pub door: (DoorId, Label),
    /// Who.
    pub of: RecordOf,
    /// What came of it.
    pub outcome: UseOutcome,
}

/// Records of use, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsPage {
    /// The records.
    pub records: Vec<UseRecord>,
    /// Where it goes on, when it does.
    pub next: Option<RecordAfter<RecordId>>,
}

/// That somebody read records of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordReading {
    /// Which.
    pub id: RecordReadingId,
    /// When.
    pub at: Timestamp,
    /// What the building is called.
    pub building: Label,
    /// Who read; none when they are gone.
    pub by: Option<NamedPerson>,
    /// About whom; none for everybody.
    pub about: Option<NamedPerson>,
    /// About which door; none for all of them, or for one that is gone.
    pub door: Option<(DoorId, Label)>,
    /// From which moment on.
    pub from: Option<Timestamp>,
    /// Until which moment.
    pub until: Option<Timestamp>,
    /// As a file.
    pub file: bool,
    /// What for, when it is a file.
    pub purpose: Option<Purpose>,
}

/// Readings, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingsPage {
    /// The readings.
    pub readings: Vec<RecordReading>,
    /// Where it goes on, when it does.
    pub next: Option<RecordAfter<RecordReadingId>>,
}

/// A building in which records of a person's uses are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOfMe {
    /// What it is called.
    pub building: Label,
    /// What for.
    pub purpose: Purpose,
    /// How long.
    pub days: u8,
    /// From when on.
    pub since: Timestamp,
}
