//! Rows into `klinke_model` types. What a row holds was checked when it was written; what does not fit is
//! [`StorageError::Corrupt`], with the column but never the value.

use crate::entity::{
    bell_member, building, card, controller, device, door, entrance, membership, person, unit,
};
use crate::record::{HomeState, ImportFailure, ImportState, JobKind};
use crate::{Result, StorageError};
use klinke_access::decide::SiteMode;
use klinke_model::alarm::AlarmKind;
use klinke_model::card::{BlockedBy, Card, CardView};
use klinke_model::contact::{Email, Language, Phone};
use klinke_model::credential::{CredentialFormat, CredentialKey, CredentialTier};
use klinke_model::door::{Controller, Door, DoorKind, DoorTimes, Relock};
use klinke_model::door_settings::DoorHold;
use klinke_model::intercom::{BellKind, BellMember, Listing, Moderation, PictureState};
use klinke_model::people::{Device, DeviceKind, Membership, Person, Role};
use klinke_model::phone::{TrunkEncryption, TrunkKeys, TrunkWay, Verified};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::site::{Building, BuildingKind, Entrance, Unit};
use klinke_model::text::Label;

/// A choice as the database writes it. The words stay when a name in the code changes.
pub trait Word: Copy {
    /// The word in the column.
    fn word(self) -> &'static str;
    /// The choice that a word stands for.
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! words {
    ($($choice:ident { $($variant:ident = $word:literal),+ })+) => {$(
        impl Word for $choice {
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    )+};
}

impl Word for AlarmKind {
    fn word(self) -> &'static str {
        self.word()
    }
    fn from_word(word: &str) -> Option<Self> {
        Self::from_word(word)
    }
}

words! {
    BlockedBy { Holder = "holder", Administrator = "administrator" }
    CardView { Serial = "serial", Wiegand26 = "wiegand26", Wiegand34 = "wiegand34", Bits = "bits" }
    CredentialFormat { Bits = "bits", Serial = "serial", Code = "code" }
    CredentialTier { Identifier = "identifier", Proven = "proven" }
    BuildingKind { Residential = "residential", Commercial = "commercial", Mixed = "mixed" }
    SiteMode { Normal = "normal", LockedDown = "locked_down" }
    DeviceKind { App = "app", Station = "station" }
    Language { Nb = "nb", Nn = "nn", Sv = "sv", Da = "da", En = "en" }
    HolidayCalendar { None = "none", Norway = "norway", Sweden = "sweden", Denmark = "denmark", Finland = "finland" }
    DoorKind { Door = "door", Floor = "floor" }
    DoorHold { Unlocked = "unlocked", Blocked = "blocked" }
    Relock { OnOpen = "on_open", OnClose = "on_close" }
    HomeState { Rung = "rung", Empty = "empty", Suspended = "suspended", NoAccount = "no_account",
        NoDevice = "no_device", NoButton = "no_button", NotOnButton = "not_on_button" }
    ImportFailure { HasErrors = "has_errors", Interrupted = "interrupted", NotAllowed = "not_allowed" }
    ImportState { Draft = "draft", Applying = "applying", Applied = "applied", Undoing = "undoing", Undone = "undone" }
    JobKind { Invite = "invite", Import = "import", GuestMail = "guest_mail" }
    Role { Operator = "operator", Manager = "manager", BuildingAdministrator = "building_administrator",
        Caretaker = "caretaker", Auditor = "auditor" }
    Right { SeeBuilding = "see_building", SeePeople = "see_people", ChangePeople = "change_people",
        ChangeBuilding = "change_building", Devices = "devices", Roles = "roles", Audit = "audit", Tenants = "tenants",
        ReadRecords = "read_records" }
    Listing { Listed = "listed", SearchOnly = "search_only", DialOnly = "dial_only" }
    TrunkEncryption { Off = "off", Offered = "offered", Required = "required" }
    TrunkKeys { Rfc4733 = "rfc4733", Tones = "tones" }
    TrunkWay { Udp = "udp", Tcp = "tcp", Tls = "tls" }
    Verified { Vouched = "vouched", Called = "called" }
    PictureState { Seen = "seen", New = "new", Waits = "waits" }
    Moderation { None = "none", Pending = "pending", Removed = "removed" }
    BellKind { Individual = "individual", Sequential = "sequential", Parallel = "parallel", Family = "family" }
}

/// Where a value came from, for [`StorageError::Corrupt`].
#[derive(Clone, Copy, Debug)]
pub struct At(pub &'static str, pub &'static str);

impl At {
    /// The error for a value that does not fit.
    pub fn corrupt(self) -> StorageError {
        StorageError::Corrupt { table: self.0, column: self.1 }
    }

    /// A label.
    pub fn label(self, text: &str) -> Result<Label> {
        Label::new(text).map_err(|_| self.corrupt())
    }

    /// A person's name; empty is none.
    pub fn name(self, text: &str) -> Result<Option<Pii<Label>>> {
        if text.is_empty() { Ok(None) } else { self.label(text).map(Pii::new).map(Some) }
    }

    /// A choice.
    pub fn choice<T: Word>(self, word: &str) -> Result<T> {
        T::from_word(word).ok_or_else(|| self.corrupt())
    }

    /// A number in its range.
    pub fn number<T: TryFrom<i64>>(self, number: i64) -> Result<T> {
        T::try_from(number).map_err(|_| self.corrupt())
    }
}

pub fn building(row: &building::Model) -> Result<Building> {
    Ok(Building {
        id: row.id.into(),
        name: At("building", "name").label(&row.name)?,
        address: At("building", "address").label(&row.address)?,
        kind: At("building", "kind").choice(&row.kind)?,
        time_zone: row.time_zone.clone(),
        holidays: At("building", "holidays").choice(&row.holidays)?,
    })
}

pub fn entrance(row: &entrance::Model) -> Result<Entrance> {
    Ok(Entrance {
        id: row.id.into(),
        building: row.building.into(),
        name: At("entrance", "name").label(&row.name)?,
    })
}

pub fn unit(row: &unit::Model) -> Result<Unit> {
    Ok(Unit {
        id: row.id.into(),
        building: row.building.into(),
        entrance: row.entrance.into(),
        number: At("unit", "number").label(&row.number)?,
    })
}

pub fn person(row: &person::Model) -> Result<Person> {
    Ok(Person {
        id: row.id.into(),
        name: At("person", "name").name(&row.name)?,
        email: match &row.email {
            Some(email) => Some(Pii::new(Email::new(email).map_err(|_| At("person", "email").corrupt())?)),
            None => None,
        },
        phone: match &row.phone {
            Some(phone) => Some(Pii::new(Phone::new(phone).map_err(|_| At("person", "phone").corrupt())?)),
            None => None,
        },
        language: At("person", "language").choice(&row.language)?,
        active: row.active,
        needs_longer: row.needs_longer,
        version: At("person", "version").number(row.version)?,
    })
}

pub fn membership(row: &membership::Model) -> Membership {
    Membership { person: row.person.into(), unit: row.unit.into(), owner: row.owner }
}

pub fn device(row: &device::Model) -> Result<Device> {
    Ok(Device {
        id: row.id.into(),
        person: row.person.into(),
        name: Pii::new(At("device", "name").label(&row.name)?),
        kind: At("device", "kind").choice(&row.kind)?,
    })
}

pub fn controller(row: &controller::Model) -> Result<Controller> {
    Ok(Controller {
        id: row.id.into(),
        building: row.building.into(),
        name: At("controller", "name").label(&row.name)?,
    })
}

pub fn door(row: &door::Model) -> Result<Door> {
    Ok(Door {
        id: row.id.into(),
        building: row.building.into(),
        name: At("door", "name").label(&row.name)?,
        controller: row.controller.map(Into::into),
        output: At("door", "output").number(row.output.into())?,
        times: DoorTimes {
            release_ms: At("door", "release_ms").number(row.release_ms)?,
            extended_release_ms: At("door", "extended_release_ms").number(row.extended_release_ms)?,
            open_ms: At("door", "open_ms").number(row.open_ms)?,
            relock: At("door", "relock").choice(&row.relock)?,
        },
        kind: At("door", "kind").choice(&row.kind)?,
    })
}

pub fn card(row: &card::Model) -> Result<Card> {
    let bits = At("card", "bits").number(row.bits)?;
    let key = CredentialKey::new(At("card", "format").choice(&row.format)?, bits, &row.raw);
    Ok(Card {
        id: row.id.into(),
        building: row.building.into(),
        person: row.person.into(),
        name: At("card", "name").label(&row.name)?,
        key: key.map_err(|_| At("card", "raw").corrupt())?,
        view: At("card", "written_as").choice(&row.written_as)?,
        tier: At("card", "tier").choice(&row.tier)?,
        blocked: row.blocked_by.as_deref().map(|by| At("card", "blocked_by").choice(by)).transpose()?,
    })
}

pub fn bell_member(row: &bell_member::Model) -> Result<BellMember> {
    Ok(BellMember {
        person: row.person.into(),
        label: Pii::new(At("bell_member", "label").label(&row.label)?),
    })
}

/// Rows into their type, in the order of a key. Sorted here because databases sort text each in their own way.
pub fn sorted<R, T, K: Ord>(
    rows: &[R],
    convert: impl Fn(&R) -> Result<T>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>> {
    let mut all = rows.iter().map(convert).collect::<Result<Vec<T>>>()?;
    all.sort_by_cached_key(key);
    Ok(all)
}
