//! What the administration asks of people, and is answered.

use klinke_model::ids::{BuildingId, DeviceId, PersonId, UnitId};
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;

/// How a person stands: what a list is filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not suspended.
    Active,
    /// Suspended.
    Suspended,
    /// Has a link that is still good, and no account yet.
    Invited,
    /// Active without an account, and no link that is still good.
    NotInvited,
    /// Active with a home, and no device that would ring.
    Unreachable,
}

/// What people are listed by. Each order is read off an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeopleOrder {
    /// The name, å after z.
    #[default]
    Name,
    /// The first of their homes in the building, then the name. Of the people of one building only.
    Home,
}

/// Where a page of people ends: what its last row is sorted by, as it was then. A row that is gone or changed since
/// leaves the place where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleAfter {
    /// The home, when the list is in that order: what its number is sorted by, and which.
    pub home: Option<(Vec<u8>, UnitId)>,
    /// What the name is sorted by.
    pub name: Pii<Vec<u8>>,
    /// Who.
    pub person: PersonId,
}

/// Which people to list.
#[derive(Clone, Debug, Default)]
pub struct PeopleQuery {
    /// Who live in this building.
    pub building: Option<BuildingId>,
    /// Who live in this unit.
    pub unit: Option<UnitId>,
    /// Who stand like this.
    pub standing: Option<Standing>,
    /// What was typed: each word begins a word of the person, or the number of a unit they live in.
    pub text: String,
    /// By what; by name where no building is named.
    pub order: PeopleOrder,
    /// From the last to the first.
    pub descending: bool,
    /// Where the page before ends.
    pub after: Option<PeopleAfter>,
    /// How many.
    pub limit: u16,
    /// The moment at which an invitation is good.
    pub at: Option<Timestamp>,
}

/// A page of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeoplePage {
    /// The people, in order.
    pub people: Vec<PersonRow>,
    /// Where it ends, when there are others after them.
    pub next: Option<PeopleAfter>,
}

/// One person as a list shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Who.
    pub person: Person,
    /// Where they live, as far as the asker administers it.
    pub homes: Vec<Home>,
    /// Whether any device of theirs is signed in. How many, which and since when is nobody's business.
    pub can_be_rung: bool,
    /// Whether they have a sign-in.
    pub has_account: bool,
    /// First moment at which the link to set a password is not good any more.
    pub invited_until: Option<Timestamp>,
}

/// A person's place in a unit, with what to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Which.
    pub unit: UnitId,
    /// Apartment number or company name.
    pub number: Label,
    /// Where.
    pub building: BuildingId,
    /// Its name.
    pub building_name: Label,
    /// May decide for the unit.
    pub owner: bool,
    /// The last day of a scheduled move out, in days since 1970 in the building's time zone.
    pub last_day: Option<i64>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is made; this is how they are now.
    Done(Person),
    /// Somebody else changed them since; nothing was changed, this is how they are.
    Conflict(Person),
    /// Nobody by this id that the asker may change.
    NotFound,
}

/// What became of deleting a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// They are gone. Devices that were signed out by it.
    Done(Vec<DeviceId>),
    /// They have a home, a role, or will move.
    StillHere,
    /// Nobody by this id that the asker may change.
    NotThere,
}

/// What became of a suspension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspended {
    /// Devices that were signed out by it: their connections are to be closed.
    pub devices: Vec<DeviceId>,
}
