//! Guests: somebody who may come for a while, as they are made and read.

use klinke_access::decide::SiteMode;
use klinke_model::contact::{Email, Language};
use klinke_model::door::Door;
use klinke_model::ids::{BuildingId, DoorId, GuestId, PersonId, TenantId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;

/// Whose guests are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestsOf {
    /// Those of the person who asks.
    Oneself,
    /// Those of the administration, for who changes people in their building.
    House,
}

/// A code that a guest may get: the number it is derived with, and its keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeChoice {
    /// What it is derived with.
    pub number: u64,
    /// What it is found by in its building.
    pub hash: [u8; 32],
}

/// Codes to choose from: the first that nobody in the building has becomes the guest's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Short ones, as long as there are enough of them for each that is in use.
    pub short: Vec<CodeChoice>,
    /// Long ones.
    pub long: Vec<CodeChoice>,
}

/// A guest as somebody makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGuest {
    /// Their id: not made of the time.
    pub id: GuestId,
    /// The building that they come to.
    pub building: BuildingId,
    /// The home of the asker that they count for; none for a guest of the administration.
    pub unit: Option<UnitId>,
    /// Who it is, in the asker's words.
    pub name: Pii<Label>,
    /// The doors that they may open; at least one.
    pub doors: Vec<DoorId>,
    /// The first moment at which they may come.
    pub starts_at: Timestamp,
    /// The first moment at which they may not any more.
    pub ends_at: Timestamp,
    /// At which hours; at any time without.
    pub hours: Option<Schedule>,
    /// They may come once.
    pub once: bool,
    /// The codes to choose from.
    pub codes: Codes,
}

/// What is to be different; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestChange {
    /// The version that the asker saw.
    pub version: u64,
    /// Who it is.
    pub name: Option<Pii<Label>>,
    /// All the doors.
    pub doors: Option<Vec<DoorId>>,
    /// The first moment at which they may not come any more.
    pub ends_at: Option<Timestamp>,
    /// At which hours; at any time with `Some(None)`.
    pub hours: Option<Option<Schedule>>,
}

/// A guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Whose data it is.
    pub tenant: TenantId,
    /// Which guest.
    pub id: GuestId,
    /// The building that they come to.
    pub building: BuildingId,
    /// Its name.
    pub building_name: Label,
    /// Its street address.
    pub address: Label,
    /// Where it stands: IANA time zone.
    pub time_zone: String,
    /// Whose public holidays count there.
    pub holidays: HolidayCalendar,
    /// How its doors behave as a whole.
    pub site_mode: SiteMode,
    /// Whose guest they are; none for guests of the administration.
    pub host: Option<PersonId>,
    /// The host is not suspended and still lives in the home that the guest counts for. True without a host.
    pub host_stands: bool,
    /// The home that they count for.
    pub unit: Option<UnitId>,
    /// Who it is.
    pub name: Pii<Label>,
    /// Their doors, by name.
    pub doors: Vec<GuestDoor>,
    /// The first moment at which they may come.
    pub starts_at: Timestamp,
    /// The first moment at which they may not any more.
    pub ends_at: Timestamp,
    /// At which hours; at any time without.
    pub hours: Option<Schedule>,
    /// They may come once.
    pub once: bool,
    /// They may come once, and are just coming or may have come.
    pub taken: bool,
    /// What link and QR pass are derived with.
    pub link_number: u64,
    /// What the code is derived with.
    pub code_number: u64,
    /// Grows with every change.
    pub version: u64,
}

/// A door of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestDoor {
    /// The door.
    pub door: Door,
    /// Whoever lets the guest in has the door themself, at some hours.
    pub held: bool,
}

/// A home of a person for which they may have guests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestHome {
    /// Which.
    pub unit: UnitId,
    /// Apartment number or company.
    pub number: Label,
    /// Its building.
    pub building: BuildingId,
    /// The building's name.
    pub building_name: Label,
    /// How many more guests it may have now.
    pub left: u8,
    /// How many it may have at once; none where the administrator decides it so.
    pub at_once: u8,
    /// How many days a guest may come.
    pub longest_days: u16,
    /// The doors of the building that the person has, by name.
    pub doors: Vec<(DoorId, Label)>,
}

/// What became of making a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestMade {
    /// They may come.
    Done(Box<Guest>),
    /// The home or building is not there, or not the asker's.
    NotThere,
    /// The building's policy allows no guests.
    NoGuests,
    /// The home has as many guests as it may have.
    Full,
    /// A door that the asker can not give.
    UnknownDoor,
    /// They would come for too long.
    TooLong,
}

/// What became of changing a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestChanged {
    /// It is so.
    Done(Box<Guest>),
    /// Somebody else changed it before: how it is now.
    Conflict(Box<Guest>),
    /// Not there, or not the asker's.
    NotThere,
    /// A door that the asker can not give.
    UnknownDoor,
    /// They would come for too long.
    TooLong,
    /// The end comes before the beginning.
    EndsFirst,
}

/// Some guests of a building.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestsPage {
    /// Those who stay longest first.
    pub guests: Vec<Guest>,
    /// There are more after these.
    pub more: bool,
}

/// A mail with a guest's link that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestMail {
    /// Whose link.
    pub guest: Guest,
    /// What the host is called; none for who goes without a name.
    pub host_name: Option<Pii<Label>>,
    /// To which address.
    pub email: Pii<Email>,
    /// In which language.
    pub language: Language,
}
