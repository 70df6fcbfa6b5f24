//! Who lives where, who may open what, which keys are out, and what was forgotten.

use klinke_access::decide::SiteMode;
use klinke_model::door::Door;
use klinke_model::ids::{BellId, BuildingId, DoorId, MoveId, PersonId, RoleGrantId, RuleId, UnitId};
use klinke_model::people::Role;
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;

/// Whether a visitor who rings a home reaches somebody, and if not, why. The first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HomeState {
    /// A device rings.
    Rung,
    /// Nobody lives there.
    Empty,
    /// Everybody who lives there is suspended.
    Suspended,
    /// Nobody who lives there has a sign-in.
    NoAccount,
    /// Nobody who lives there is signed in on a device.
    NoDevice,
    /// No panel has a button for it.
    NoButton,
    /// It has buttons, and none rings somebody with a device.
    NotOnButton,
}

impl HomeState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Rung,
        Self::Empty,
        Self::Suspended,
        Self::NoAccount,
        Self::NoDevice,
        Self::NoButton,
        Self::NotOnButton,
    ];

    /// People live there, and no visitor reaches them.
    pub const fn is_silent(self) -> bool {
        !matches!(self, Self::Rung | Self::Empty)
    }
}

/// Which homes to list. Sorted by folded number, then id.
#[derive(Clone, Debug, Default)]
pub struct HomesQuery {
    /// What was typed: each word begins the number, or finds somebody who lives there.
    pub text: String,
    /// In one of these states; empty is any.
    pub states: Vec<HomeState>,
    /// The last one of the page before.
    pub after: Option<UnitId>,
    /// How many.
    pub limit: u16,
}

/// A page of homes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomesPage {
    /// The homes, in order.
    pub homes: Vec<HomeRow>,
    /// Whether there are others after them.
    pub more: bool,
}

/// A home, with who lives there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeRow {
    /// Which.
    pub unit: UnitId,
    /// Apartment number or company name.
    pub number: Label,
    /// The name of its entrance.
    pub entrance: Label,
    /// Whether it can be rung.
    pub state: HomeState,
    /// Who lives there, by name.
    pub members: Vec<HomeMember>,
}

/// Somebody who lives in a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeMember {
    /// Who.
    pub person: PersonId,
    /// What they are called; none for who goes without a name.
    pub name: Option<Pii<Label>>,
    /// Decides for the unit.
    pub owner: bool,
    /// Not suspended.
    pub active: bool,
    /// Has a sign-in.
    pub has_account: bool,
    /// Is signed in on some device.
    pub has_device: bool,
    /// First moment at which the link to set a password is not good any more.
    pub invited_until: Option<Timestamp>,
}

/// Everybody who may open a door, a page at a time, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenersPage {
    /// The door.
    pub door: Door,
    /// While an emergency is on nobody opens it.
    pub site_mode: SiteMode,
    /// The people, in order.
    pub people: Vec<Opener>,
    /// Whether there are others after them.
    pub more: bool,
}

/// Somebody who may open a door, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opener {
    /// Who.
    pub person: PersonId,
    /// What they are called; none for who goes without a name, and for who lives where the asker does not see people.
    pub name: Option<Pii<Label>>,
    /// The asker sees who lives in one of the homes by which they may, or they may by a role.
    pub shown: bool,
    /// Why: at least one.
    pub because: Vec<Because>,
}

/// Doors that a person may open, a page at a time, by building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenablePage {
    /// The doors.
    pub doors: Vec<Openable>,
    /// Whether there are others after them.
    pub more: bool,
}

/// A door that a person may open, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Openable {
    /// Which.
    pub door: DoorId,
    /// Its name.
    pub name: Label,
    /// Where.
    pub building: BuildingId,
    /// Its name.
    pub building_name: Label,
    /// While an emergency is on nobody opens it.
    pub site_mode: SiteMode,
    /// Why: at least one.
    pub because: Vec<Because>,
}

/// Why somebody may open a door.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// They live in a home whose people may open it.
    Home {
        /// Which.
        unit: UnitId,
        /// Apartment number or company name.
        number: Label,
        /// Where.
        building: BuildingId,
        /// Its name.
        building_name: Label,
    },
    /// They administer the door's building.
    Role {
        /// Which grant.
        grant: RoleGrantId,
        /// As what.
        role: Role,
        /// For this building alone.
        building: Option<BuildingId>,
        /// First moment at which it is over.
        ends_at: Option<Timestamp>,
    },
    /// A rule allows them.
    Rule {
        /// Which.
        rule: RuleId,
        /// Its name.
        name: Label,
        /// What the hours are called in which it holds; at any time without.
        hours: Option<Label>,
        /// The last day on which it holds, in days since 1970.
        last_day: Option<i64>,
    },
}

/// What somebody holds in a building. Never which device, and never when it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// Who.
    pub person: PersonId,
    /// What they are called; none for who goes without a name.
    pub name: Option<Pii<Label>>,
    /// The numbers of their homes here.
    pub homes: Vec<Label>,
    /// Phones and computers that are signed in.
    pub apps: u32,
    /// Apartment stations that are signed in.
    pub stations: u32,
    /// First moment at which an open link to set a password is not good any more.
    pub invited_until: Option<Timestamp>,
    /// Their roles here.
    pub roles: Vec<(Role, Option<Timestamp>)>,
}

/// A page of what is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysPage {
    /// Who holds something, by name.
    pub holders: Vec<KeyHolder>,
    /// Whether there are others after them.
    pub more: bool,
}

/// What was issued and has no reason any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ghost {
    /// A sign-in or a signed-in device of somebody without a home and without a role.
    Access(Named),
    /// An open link to set a password, of somebody without a home and without a role.
    Invitation(Named),
    /// A button of a home where nobody lives.
    Bell {
        /// Which.
        bell: BellId,
        /// Its text.
        text: Pii<Label>,
        /// The home's number.
        number: Label,
    },
    /// A role of somebody who is suspended.
    SuspendedRole(GhostRole),
    /// A role that is over.
    EndedRole(GhostRole),
    /// A home that opens doors and where nobody lives.
    Home {
        /// Which.
        unit: UnitId,
        /// Its number.
        number: Label,
        /// How many doors.
        doors: u32,
    },
    /// A move that is due and was not carried out.
    Move {
        /// Which.
        moving: MoveId,
        /// The home's number.
        number: Label,
        /// First moment after it.
        ends_at: Timestamp,
    },
}

/// Somebody, with what to call them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Who.
    pub person: PersonId,
    /// What they are called; none for who goes without a name.
    pub name: Option<Pii<Label>>,
}

/// A role that gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GhostRole {
    /// Which grant.
    pub grant: RoleGrantId,
    /// Whose.
    pub who: Named,
    /// What it was.
    pub role: Role,
    /// For one building alone.
    pub building: Option<BuildingId>,
    /// First moment at which it is over.
    pub ends_at: Option<Timestamp>,
}
