//! Ordinary phones, as they are set up and as a call needs them.

use klinke_model::contact::Language;
use klinke_model::ids::{BuildingId, PersonId, TrunkId};
use klinke_model::phone::{E164, PhoneLimits, Phones, TrunkEncryption, TrunkKeys, TrunkWay, Verified};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;

/// How many trunks a property manager may have.
pub const TRUNKS: usize = 8;

/// A trunk but for what only the store gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTrunk {
    /// Its id.
    pub id: TrunkId,
    /// What people call it.
    pub name: Label,
    /// A host name in small letters, or an address as in a URL.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// How it is spoken to.
    pub way: TrunkWay,
    /// The domain of SIP addresses, where it is not the host.
    pub domain: Option<String>,
    /// The one number that all calls come from.
    pub caller: E164,
    /// Whether to register (RFC 3261, §10).
    pub registers: bool,
    /// The name that challenges are answered with.
    pub account: Option<String>,
    /// Its password, encrypted; none where there is none.
    pub password: Option<Vec<u8>>,
    /// How keys come.
    pub keys: TrunkKeys,
    /// Whether the sound of its calls is encrypted.
    pub encryption: TrunkEncryption,
    /// Whether it is used.
    pub enabled: bool,
}

/// A trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// As it was set up.
    pub set: NewTrunk,
    /// Grows with every change.
    pub version: u64,
}

/// How a trunk is to be from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkChange {
    /// The version that the asker saw.
    pub version: u64,
    /// Everything but the password.
    pub set: NewTrunk,
    /// The encrypted password is to be `set`'s; else it stays as it is, which is nothing without an account.
    pub password: bool,
}

/// What became of a new trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkAdded {
    /// It is the last that is tried.
    Done,
    /// There are [`TRUNKS`].
    TooMany,
    /// Not the asker's to add.
    NotThere,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrunkChanged {
    /// It is made; this is how it is now.
    Done(Trunk),
    /// Somebody else changed it before; this is how it is.
    Conflict(Trunk),
    /// None by this id that the asker may change.
    NotFound,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrunkOrdered {
    /// This is the order now.
    Done(Vec<Trunk>),
    /// These are not all trunks, each once.
    NotAll,
    /// Not the asker's to order.
    NotThere,
}

/// What became of new limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitsSet {
    /// They are in force, with this version.
    Done(u64),
    /// Somebody else changed them before; these are in force.
    Conflict(u64, PhoneLimits),
    /// Not the asker's to set.
    NotThere,
}

/// The number at which somebody is rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberOf {
    /// The number.
    pub number: Pii<E164>,
    /// How it is known to be theirs.
    pub verified: Verified,
    /// Who vouches for it; none when nobody does, or they are not here any more.
    pub by: Option<PersonId>,
}

/// A building, and how many of its people an ordinary phone can be rung for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhonesOfBuilding {
    /// The building.
    pub building: BuildingId,
    /// Its name.
    pub name: Label,
    /// When phones are rung there.
    pub when: Phones,
    /// How many of the people who live there have a number.
    pub numbers: u64,
}

/// Which ordinary phones a button may ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingPhones {
    /// When they are rung; never [`Phones::Off`].
    pub when: Phones,
    /// The numbers of active members, in no order.
    pub numbers: Vec<RingNumber>,
    /// What the property manager's calls keep to: whoever calls reads each number by its countries once more.
    pub limits: PhoneLimits,
}

/// A number that a button may ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingNumber {
    /// Whose.
    pub person: PersonId,
    /// Where they are rung.
    pub number: Pii<E164>,
    /// What they are spoken to in.
    pub language: Language,
}
