//! What devices register with over SIP, as it is kept and as it is shown.

use klinke_model::contact::Language;
use klinke_model::ids::{DeviceId, DoorId, PanelId, PersonId, SipAccountId, TenantId};
use klinke_model::people::{Device, Person};
use klinke_model::privacy::Pii;
use klinke_model::station_relay::RelayWay;
use klinke_model::text::Label;

/// How many SIP devices a person may have.
pub const SIP_DEVICES: usize = 8;

/// An account that nobody had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSipAccount {
    /// Its id.
    pub id: SipAccountId,
    /// The user name: random, unlike any other of the installation.
    pub name: String,
    /// HA1 by MD5, hexadecimal (RFC 7616, section 3.4.2).
    pub md5: Pii<String>,
    /// HA1 by SHA-256.
    pub sha256: Pii<String>,
}

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SipAccountOf {
    /// A station of a person.
    Device(DeviceId, PersonId),
    /// A door station.
    Panel(PanelId),
}

/// An account as the registrar needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipLogin {
    /// Of which property manager.
    pub tenant: TenantId,
    /// Its id.
    pub id: SipAccountId,
    /// The user name.
    pub name: String,
    /// HA1 by MD5.
    pub md5: Pii<String>,
    /// HA1 by SHA-256.
    pub sha256: Pii<String>,
    /// Whose.
    pub of: SipAccountOf,
}

/// A SIP device of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipDevice {
    /// Its account.
    pub account: SipAccountId,
    /// The device: always a station.
    pub device: Device,
}

/// An account as administrators see it: never what it registers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipAccount {
    /// Its id.
    pub id: SipAccountId,
    /// Whose.
    pub owner: SipOwner,
}

/// Whose an account is, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SipOwner {
    /// A station of this person.
    Device(Device, Box<Person>),
    /// A door station, with its name.
    Panel(PanelId, Label),
}

/// A SIP device that a button may ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingStation {
    /// Which.
    pub device: DeviceId,
    /// What its person is spoken to in.
    pub language: Language,
}

/// What became of a new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SipAdded {
    /// It may register.
    Done,
    /// The person has [`SIP_DEVICES`].
    TooMany,
    /// The person is suspended.
    Suspended,
    /// Not the asker's to give.
    NotThere,
}

/// What became of having a door station ring a button with any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnyNumberSet {
    /// It is so.
    Done,
    /// No such panel, or not the principal's.
    NotThere,
    /// The panel is no door station.
    NoStation,
    /// The button is not one of the panel.
    NoBell,
}

/// A door that a door station opens by a relay of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationRelay {
    /// The door.
    pub door: DoorId,
    /// The door station.
    pub panel: PanelId,
    /// How it is told.
    pub way: RelayWay,
    /// The password of its web server, encrypted by the caller; nothing where it has no name to sign in with.
    pub password: Option<Pii<Vec<u8>>>,
}

/// What became of letting a door station open a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelaySet {
    /// It is so.
    Done,
    /// Door or station are not there, not of one building, or not the principal's.
    NotThere,
    /// The panel is no door station.
    NoStation,
    /// A controller drives the door.
    Driven,
    /// Something is set for the door that takes a controller.
    NeedsController,
}
