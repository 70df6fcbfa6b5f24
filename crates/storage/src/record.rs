//! The small records that repositories take and give where a `model` type says too little.
//!
//! A record holds what one use needs, no more; what names a person is [`Pii`].

use klinke_access::decide::SiteMode;
use klinke_model::door::Door;
use klinke_model::ids::{
    BellId, BuildingId, ControllerId, DeviceId, ImportId, JobId, PersonId, SessionId, TenantId, UnitId,
};
use klinke_model::intercom::{Bell, BellKind, BellMember, Panel};
use klinke_model::people::{Device, DeviceKind, Membership, Person};
use klinke_model::privacy::Pii;
use klinke_model::site::{Building, Tenant};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What the first claim of an installation makes, all at once.
#[derive(Clone, Debug)]
pub struct NewInstallation {
    /// The property manager.
    pub tenant: Tenant,
    /// Its first administrator; becomes [`klinke_model::people::Role::Manager`].
    pub administrator: Person,
    /// How the administrator signs in; its `person` is the administrator.
    pub account: NewAccount,
}

/// How a person will sign in.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Whose account it is.
    pub person: PersonId,
    /// What they type, folded to lower case by the caller; unique in the installation.
    pub user_name: Pii<String>,
    /// Argon2id, as a PHC string.
    pub password_hash: Pii<String>,
}

/// An account that somebody tries to sign in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose data it reaches.
    pub tenant: TenantId,
    /// Who.
    pub person: PersonId,
    /// Argon2id, as a PHC string.
    pub password_hash: Pii<String>,
    /// Not suspended. The caller compares the password first, so that both answers take the same time.
    pub active: bool,
}

/// Who holds a session's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHolder {
    /// Whose data it reaches.
    pub tenant: TenantId,
    /// Which session.
    pub session: SessionId,
    /// On which device.
    pub device: DeviceId,
    /// What the device is used as.
    pub device_kind: DeviceKind,
    /// Who.
    pub person: PersonId,
}

/// What a panel must prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelKey {
    /// Whose panel it is.
    pub tenant: TenantId,
    /// The building it hangs at.
    pub building: BuildingId,
    /// ECDSA P-256, SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
}

/// The controller behind a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControllerIdentity {
    /// Whose controller it is.
    pub tenant: TenantId,
    /// Which.
    pub controller: ControllerId,
}

/// A device that signs in, with its session.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// The device.
    pub device: Device,
    /// Its session. UUIDv4: a version 7 id would tell when somebody signed in.
    pub session: SessionId,
    /// SHA-256 of the token; the token itself is never stored.
    pub token_hash: [u8; 32],
    /// Last day the session is good for, days since 1970 in UTC.
    pub expires_day: i64,
}

/// A person and their place in a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitMember {
    /// The place.
    pub membership: Membership,
    /// The person, suspended or not.
    pub person: Person,
}

/// All that a panel shows at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelDirectory {
    /// The building's name.
    pub building: Label,
    /// The building's address.
    pub address: Label,
    /// Where the panel hangs.
    pub panel: Label,
    /// Changes exactly when anything else here changes; the same content has the same revision in any database.
    pub revision: String,
    /// The buttons, in the order to show.
    pub bells: Vec<DirectoryBell>,
}

/// One button as a panel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryBell {
    /// Which.
    pub bell: BellId,
    /// Its text.
    pub label: Pii<Label>,
    /// Apartment number or company.
    pub unit: Label,
    /// The stair of the unit.
    pub entrance: Label,
    /// How it rings.
    pub kind: BellKind,
    /// Active members to choose from, in order. [`BellKind::Family`] only: no other button names its members.
    pub members: Vec<BellMember>,
}

/// All that a tap on a button needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingFacts {
    /// The button, with its active members only.
    pub bell: Bell,
    /// The unit it rings.
    pub unit: UnitId,
    /// The panel it is on.
    pub panel: Panel,
    /// The building of the panel.
    pub building: Building,
    /// Every device of the members, in no order.
    pub devices: Vec<Device>,
    /// The doors that a call at this panel offers, in the panel's order.
    pub doors: Vec<Door>,
}

/// What is stored about one person before one door: the facts that a decision is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFacts {
    /// The door.
    pub door: Door,
    /// The person is not suspended.
    pub person_active: bool,
    /// The person lives in a unit whose door set holds the door.
    pub member_reaches_door: bool,
    /// The person administers the door's building.
    pub administers_building: bool,
    /// How the building's doors behave as a whole.
    pub site_mode: SiteMode,
}

/// What there is to do later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Send a person the link to set a password; the subject is the person.
    Invite,
}

/// Work that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose data it touches.
    pub tenant: TenantId,
    /// Which.
    pub id: JobId,
    /// What.
    pub kind: JobKind,
    /// On what.
    pub subject: PersonId,
    /// When it is due; whoever takes it moves this on, so that nobody else takes it meanwhile.
    pub run_at: Timestamp,
    /// How often it was taken before.
    pub attempts: u32,
}

/// How a link to set a password stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationState {
    /// It waits to be sent.
    Waiting,
    /// It was made, and works until then.
    Open(Timestamp),
    /// Its time is over.
    Expired,
    /// A password was set with it.
    Used,
}

/// What an administrator sees of a person's way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayIn {
    /// The person can sign in.
    pub has_account: bool,
    /// The newest link, when there was one.
    pub invitation: Option<InvitationState>,
    /// A mail can be sent to them.
    pub has_email: bool,
    /// The principal may send them a link: nobody may for a person who may do more than they themselves.
    pub may_invite: bool,
}

/// Whom a link is for, as the mail and the page that it leads to need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// Whose data.
    pub tenant: TenantId,
    /// Who.
    pub person: PersonId,
    /// What others call them; empty for somebody who is anonymous.
    pub name: Pii<String>,
    /// Where the mail goes.
    pub email: Option<Pii<String>>,
    /// The language of the mail, a BCP 47 tag.
    pub language: String,
    /// What they sign in with, when they have an account.
    pub user_name: Option<Pii<String>>,
    /// Not suspended.
    pub active: bool,
}

/// What became of a link that somebody followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed<T> {
    /// It is good.
    Good(T),
    /// A password was set with it before.
    Used,
    /// Its time is over, or the person is suspended.
    Expired,
    /// No such link, or a newer one took its place.
    Unknown,
}

/// A list of people that is being read in, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Which.
    pub id: ImportId,
    /// For which building.
    pub building: BuildingId,
    /// It was applied, and can be undone until `ends_at`.
    pub applied: bool,
    /// Its rows, as the server keeps them.
    pub content: Pii<String>,
    /// When it is forgotten.
    pub ends_at: Timestamp,
}

/// What a list says of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Name.
    pub name: Pii<String>,
    /// E-mail address.
    pub email: Option<Pii<String>>,
    /// Phone number.
    pub phone: Option<Pii<String>>,
    /// The language they are written to in.
    pub language: String,
}

/// A unit that a list may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseUnit {
    /// Which.
    pub id: UnitId,
    /// Its number.
    pub number: Label,
    /// Its entrance's name.
    pub entrance: Label,
}

/// Somebody who lives there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseResident {
    /// Who and where.
    pub place: Membership,
    /// What is known of them.
    pub details: Details,
}

/// What a list is compared with: a building's units and who lives in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct House {
    /// Its units.
    pub units: Vec<HouseUnit>,
    /// Who lives in them; somebody with two homes twice.
    pub residents: Vec<HouseResident>,
}

/// What an import does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPlan {
    /// New people.
    pub people: Vec<(PersonId, Details)>,
    /// New places, of new people and others.
    pub places: Vec<(PersonId, UnitId, bool)>,
    /// People who were known, as they were and as they become.
    pub changes: Vec<(PersonId, Details, Details)>,
    /// Places whose right to decide becomes this.
    pub owners: Vec<(PersonId, UnitId, bool)>,
}

impl ImportPlan {
    /// Nothing would change.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.places.is_empty() && self.changes.is_empty() && self.owners.is_empty()
    }
}

/// What became of a wish to apply or undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// Done. Undoing: so many people stayed, because they have signed in or moved on since.
    Done(usize),
    /// Not in this state: applied before, never applied, or with errors that were not to be left out.
    Refused,
    /// Not there, or not the principal's.
    Absent,
}
