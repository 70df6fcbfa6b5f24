//! What people ask and decide about their own home, and are answered.

use klinke_access::decide::SiteMode;
use klinke_model::door::Door;
use klinke_model::ids::{BellId, BuildingId, DeviceId, JobId, PersonId, TenantId, UnitId};
use klinke_model::intercom::{BellKind, BellMember, Moderation};
use klinke_model::people::Person;
use klinke_model::policy::{BuildingPolicy, DecidedBy};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_model::timetable::{Timetable, WallClock};

/// A button of one's own home, or that rings oneself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyBell {
    /// Which.
    pub id: BellId,
    /// Grows with every change.
    pub version: u64,
    /// Where its panel hangs.
    pub panel: Label,
    /// The building.
    pub building: BuildingId,
    /// Its name.
    pub building_name: Label,
    /// Its time zone.
    pub time_zone: String,
    /// The unit it rings.
    pub unit: UnitId,
    /// Apartment number or company.
    pub number: Label,
    /// The unit's stair.
    pub entrance: Label,
    /// Its text.
    pub label: Pii<Label>,
    /// Another name that visitors find it by.
    pub alias: Option<Pii<Label>>,
    /// The text that waits for an administrator.
    pub asked: Option<Pii<Label>>,
    /// How it rings.
    pub kind: BellKind,
    /// Whom it rings, in order.
    pub members: Vec<BellMember>,
    /// Hidden by a tap.
    pub hidden: bool,
    /// When it is hidden by itself.
    pub hours: Timetable,
    /// It is, just now.
    pub hours_hide: bool,
    /// What administrators make of it.
    pub moderation: Moderation,
    /// Its picture, while the policy allows one.
    pub picture: Option<klinke_model::intercom::Picture>,
    /// Why an administrator took its last picture away.
    pub picture_reason: Option<Label>,
    /// Why they took it off its panel.
    pub removed_reason: Option<Label>,
    /// Who asks decides for the unit.
    pub owner: bool,
    /// What the building's people may decide for themselves.
    pub policy: BuildingPolicy,
}

/// What a person sees in the app, as an administrator may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBy {
    /// Not suspended: else they see nothing.
    pub active: bool,
    /// Their homes.
    pub homes: Vec<Household>,
    /// Their buttons.
    pub bells: Vec<MyBell>,
    /// The doors that they may open because of where they live.
    pub doors: Vec<SeenDoor>,
}

/// A door that a person may open, as the app lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenDoor {
    /// The door.
    pub door: Door,
    /// The name of its building.
    pub building_name: Label,
    /// Of its building.
    pub site_mode: SiteMode,
}

/// What a resident wants of a button; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct BellChange {
    /// Its text.
    pub label: Option<Pii<Label>>,
    /// Another name that visitors find it by, or none.
    pub alias: Option<Option<Pii<Label>>>,
    /// How it rings.
    pub kind: Option<BellKind>,
    /// Hidden or shown.
    pub hidden: Option<bool>,
    /// When it is hidden by itself, and the time where the building stands.
    pub hours: Option<(Timetable, WallClock)>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BellChanged {
    /// It is so.
    Done(Box<MyBell>),
    /// Somebody else changed it since; how it is.
    Conflict(Box<MyBell>),
    /// Somebody else decides that.
    Decided(DecidedBy),
    /// A button for one resident rings exactly one.
    NeedsOneMember,
    /// None of theirs.
    NotThere,
}

/// A home and who lives in it, as somebody who does sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    /// Which.
    pub unit: UnitId,
    /// Apartment number or company.
    pub number: Label,
    /// The building.
    pub building: BuildingId,
    /// Its name.
    pub building_name: Label,
    /// Who asks decides for it.
    pub owner: bool,
    /// What the building's people may decide for themselves.
    pub policy: BuildingPolicy,
    /// It has a button somewhere, beside which a member can have their own.
    pub has_bells: bool,
    /// Who lives here: owners first, then by name.
    pub members: Vec<HouseholdMember>,
}

/// Somebody who lives here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseholdMember {
    /// Who.
    pub person: PersonId,
    /// What they are called.
    pub name: Option<Pii<Label>>,
    /// Decides for the home.
    pub owner: bool,
    /// The household took them in itself.
    pub taken_in: bool,
    /// They have a password.
    pub has_account: bool,
    /// A link for them waits to be sent, or is still good.
    pub invited: bool,
    /// They have a button of their own.
    pub own_button: bool,
}

/// Somebody whom a unit owner takes in.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// Who.
    pub person: Person,
    /// Where.
    pub unit: UnitId,
    /// How they get their password.
    pub way: WayToMember,
}

/// How somebody gets their link to set a password.
#[derive(Clone, Copy, Debug)]
pub enum WayToMember {
    /// By mail.
    Mail(JobId),
    /// By hand: the hash of its token, and its end.
    Hand([u8; 32], Timestamp),
}

/// Why a unit owner's wish was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing of theirs.
    NotThere,
    /// Somebody else decides that.
    Decided(DecidedBy),
    /// As many live there as one may take in.
    Full,
    /// It can not be done to this person: they have a password, or are not of the household's own.
    NotThem,
}

/// What became of taking somebody in, or of another wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// It is so.
    Done,
    /// It is not.
    Refused(Refused),
}

/// What became of taking somebody out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// They no longer live here. What is to be closed, since nothing else lets them in: all their devices; or else what
    /// is to be told anew of their doors.
    Done {
        /// Devices that were signed out by it.
        signed_out: Vec<DeviceId>,
        /// Devices that stay, with fewer doors.
        fewer_doors: Vec<DeviceId>,
    },
    /// It was not done.
    Refused(Refused),
}

/// A button's timetable, for whoever turns it at the minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BellHours {
    /// Whose.
    pub tenant: TenantId,
    /// Which button.
    pub bell: BellId,
    /// In which building.
    pub building: BuildingId,
    /// The time zone of its building.
    pub time_zone: String,
    /// When it is hidden.
    pub hours: Timetable,
    /// Whether it hides the button, as far as is written.
    pub hides: bool,
}
