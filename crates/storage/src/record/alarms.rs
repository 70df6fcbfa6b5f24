//! Alarms, as they are listed and mailed.

use klinke_model::alarm::AlarmKind;
use klinke_model::contact::{Email, Language};
use klinke_model::ids::{AlarmId, BuildingId, ControllerId, DoorId, TenantId};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;

/// A moment by a controller's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// The controller did not believe its clock.
    pub about: bool,
}

/// Something that is, or was, wrong at the doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Which.
    pub id: AlarmId,
    /// Where.
    pub building: BuildingId,
    /// What.
    pub kind: AlarmKind,
    /// The controller that told of it, and what it is called.
    pub controller: (ControllerId, Label),
    /// The door, and what it is called, when it is at one.
    pub door: Option<(DoorId, Label)>,
    /// Which reader, input or output of the controller, when it is about one.
    pub part: Option<u16>,
    /// When it began, or happened.
    pub began: Told,
    /// When it ended; none while it stands.
    pub ended: Option<Told>,
    /// When an administrator had seen it.
    pub seen_at: Option<Timestamp>,
    /// What that administrator is called, for who sees people.
    pub seen_by: Option<Pii<Label>>,
}

/// Where a page of alarms ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmAfter {
    /// 0 stands, 1 is over and not seen, 2 is over and seen.
    pub rank: u8,
    /// When the last one began.
    pub began: Timestamp,
    /// Which it was.
    pub alarm: AlarmId,
}

/// Alarms of a building: those that stand, then those that nobody has seen, then the others; the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmsPage {
    /// The alarms.
    pub alarms: Vec<Alarm>,
    /// Where it goes on, when it does.
    pub next: Option<AlarmAfter>,
    /// How many stand, on whatever page.
    pub standing: u64,
    /// How many are over and were not seen.
    pub unseen: u64,
    /// New ones are mailed to the administrators.
    pub mail: bool,
}

/// What became of a controller's news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Everything up to this entry is kept.
    pub seq: u64,
    /// How many alarms are new.
    pub new: usize,
    /// How many entries were about doors that are not the controller's.
    pub refused: usize,
}

/// A mail about alarms that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueAlarmMail {
    /// Whose data.
    pub tenant: TenantId,
    /// Of which building.
    pub building: BuildingId,
    /// When it was due.
    pub run_at: Timestamp,
    /// How often it was taken before.
    pub attempts: u32,
}

/// What a mail about alarms says, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmMail {
    /// What the building is called.
    pub building_name: Label,
    /// Its IANA time zone.
    pub time_zone: String,
    /// The alarms, the oldest first.
    pub alarms: Vec<Alarm>,
    /// Who gets it, each in their language.
    pub to: Vec<(Pii<Email>, Language)>,
}
