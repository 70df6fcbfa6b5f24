//! The small records that repositories take and give where a `model` type says too little.
//!
//! A record holds what one use needs, no more; what names a person is [`Pii`].

mod alarms;
mod buttons;
pub(crate) mod cards;
mod controllers;
mod guests;
mod households;
mod imports;
mod invitations;
mod lists;
mod moves;
mod own_codes;
mod parts;
mod people;
mod phones;
mod records;
mod rules;
mod stations;
mod tenants;
mod tokens;
mod webhooks;
mod who;

pub use alarms::{Alarm, AlarmAfter, AlarmMail, AlarmsPage, DueAlarmMail, Taken, Told};
pub use buttons::{Button, ButtonChanged, ButtonEdit, Look, NewPicture, PictureSet, Unlisted};
pub use cards::{
    CardAfter, CardChange, CardHouse, CardMade, CardRow, CardsPage, CardsQuery, HeldCard, MyCardChanged,
    MyCardMade, NewCard, NewMyCard,
};
pub use controllers::{ControllerRights, RightsCard, RightsCode, RightsGuest, RightsHolder};
pub use guests::{
    CodeChoice, Codes, Guest, GuestChange, GuestChanged, GuestDoor, GuestHome, GuestMade, GuestMail,
    GuestsOf, GuestsPage, NewGuest,
};
pub use households::{
    BellChange, BellChanged, BellHours, Household, HouseholdMember, Joined, Left, MyBell, NewMember, Refused,
    SeenBy, SeenDoor, WayToMember,
};
pub use imports::{
    Details, House, HouseResident, HouseUnit, Import, ImportDone, ImportFailure, ImportOutcome, ImportPlan,
    ImportStanding, ImportState, ImportWish, NewHome, NewImport, Wished,
};
pub use invitations::{Followed, InvitationState, Invited, Job, JobKind, WayIn};
pub use lists::{
    BuildingCounts, ButtonAfter, ButtonsOrder, ButtonsPage, ButtonsQuery, MoveState, MovesPage, MovesQuery,
    PeopleCounts, UnitAfter, UnitRow, UnitsPage, UnitsQuery,
};
pub use moves::{CarriedOut, Ended, Leaving, Move, MovePreview, Mover, NewMove};
pub use own_codes::{CodeHolder, HeldCode, MyCode, MyCodeMade, OwnCodeChoice, OwnCodeChoices};
pub use parts::{Edited, KeptSettings, Part, Removed, UnitDoors, Uses};
pub use people::{
    Changed, Deleted, Home, PeopleAfter, PeopleOrder, PeoplePage, PeopleQuery, PersonRow, Standing, Suspended,
};
pub use phones::{
    LimitsSet, NewTrunk, NumberOf, PhonesOfBuilding, RingNumber, RingPhones, TRUNKS, Trunk, TrunkAdded,
    TrunkChange, TrunkChanged, TrunkOrdered,
};
pub use records::{
    KeptOfMe, NamedPerson, NewReading, NewRecordPolicy, ReadingsPage, RecordAfter, RecordHouse, RecordOf,
    RecordPolicy, RecordReading, RecordsPage, RecordsQuery, RecordsSet, UseRecord,
};
pub use rules::{
    NamedGroup, NamedRule, RightBy, RuleMade, RulePerson, RuleThrough, StoredFacts, StoredRight,
};
pub use stations::{
    AnyNumberSet, NewSipAccount, RelaySet, RingStation, SIP_DEVICES, SipAccount, SipAccountOf, SipAdded,
    SipDevice, SipLogin, SipOwner, StationRelay,
};
pub use tenants::{AppRequirements, NewTenant, TenantChanged, TenantRow, TenantStopped};
pub use tokens::{ApiToken, NewApiToken, TokenFault, TokenHolder};
pub use webhooks::{DueWebhook, NewWebhook, Tried, Waiting, Webhook, WebhookChange, WebhookChanged};
pub use who::{
    Because, Ghost, GhostRole, HomeMember, HomeRow, HomeState, HomesPage, HomesQuery, KeyHolder, KeysPage,
    Named, Openable, OpenablePage, Opener, OpenersPage,
};

use klinke_model::door::Door;
use klinke_model::ids::{
    ApiTokenId, BellId, BuildingId, ControllerId, DeviceId, PersonId, PictureId, RoleGrantId, SessionId,
    TenantId, UnitId,
};
use klinke_model::intercom::{Bell, BellKind, BellMember, Panel};
use klinke_model::people::{Device, DeviceKind, Membership, Person, Role, RoleGrant};
use klinke_model::policy::{BuildingPolicy, QuietHours};
use klinke_model::privacy::Pii;
use klinke_model::site::{Building, Tenant};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde_json::Value;

/// What the first claim of an installation makes, all at once.
#[derive(Clone, Debug)]
pub struct NewInstallation {
    /// The property manager.
    pub tenant: Tenant,
    /// Its first administrator; becomes [`klinke_model::people::Role::Manager`].
    pub administrator: Person,
    /// How the administrator signs in; its `person` is the administrator.
    pub account: NewAccount,
    /// Ids of what the administrator is given: operator of the service, manager of the first property manager.
    pub roles: (RoleGrantId, RoleGrantId),
}

/// A role for a person.
#[derive(Clone, Copy, Debug)]
pub struct NewRole {
    /// Its id, unless the person has this role there already.
    pub id: RoleGrantId,
    /// Who gets it.
    pub person: PersonId,
    /// What they get.
    pub grant: RoleGrant,
}

/// A role that somebody was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenRole {
    /// Which.
    pub id: RoleGrantId,
    /// Who has it.
    pub person: PersonId,
    /// What they are called; none for who goes without a name.
    pub name: Option<Pii<Label>>,
    /// What they have.
    pub grant: RoleGrant,
    /// They bound themselves to confidentiality.
    pub bound: bool,
}

/// A role that somebody gave, took, or moved the end of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChange {
    /// When.
    pub at: Timestamp,
    /// `role.given`, `role.changed` or `role.taken`.
    pub action: String,
    /// By whom; none is the service.
    pub by: Option<PersonId>,
    /// What they are called.
    pub by_name: Option<Pii<Label>>,
    /// Whose role it is.
    pub person: PersonId,
    /// What they are called.
    pub person_name: Option<Pii<Label>>,
    /// Which role.
    pub role: Role,
    /// Over which building; none is all.
    pub building: Option<BuildingId>,
}

/// What became of changing a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySet {
    /// It is so; the version it has now.
    Done(u64),
    /// No such building, or the principal may not.
    NotThere,
    /// Somebody else changed it before: its version and what it is now.
    Changed(u64, BuildingPolicy),
}

/// What became of taking a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is gone.
    Done,
    /// There was none, or none that the principal may take.
    NotThere,
    /// Nobody would be left who gives roles.
    LastManager,
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
    /// Some of its buttons can only be dialled.
    pub dials: bool,
    /// The buttons, in the order to show.
    pub bells: Vec<DirectoryBell>,
}

/// A panel as those see it who look after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPanel {
    /// The panel.
    pub panel: Panel,
    /// Whether a device holds its key.
    pub paired: bool,
    /// Whether it has an account: it is a door station of another maker.
    pub door_station: bool,
    /// The button of it that a door station rings with every number that no button of it has.
    pub any_number: Option<BellId>,
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
    /// What else the search finds it by.
    pub alias: Option<Pii<Label>>,
    /// Its picture.
    pub picture: Option<PictureId>,
    /// Only the search shows it.
    pub search_only: bool,
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
    /// Those of them that register over SIP, in no order.
    pub stations: Vec<RingStation>,
    /// The doors that a call at this panel offers, in the panel's order.
    pub doors: Vec<Door>,
    /// When the doorbell does not ring aloud.
    pub quiet_hours: Option<QuietHours>,
    /// Which ordinary phones may be rung. None when the building's policy is off, no trunk is switched on, or no active
    /// member has a number that is known to be theirs.
    pub phones: Option<RingPhones>,
}

/// When an administrator changes something, and what makes the change's entry in the audit impossible to guess once it is
/// erased.
#[derive(Clone, Copy)]
pub struct Stamp {
    /// When.
    pub at: Timestamp,
    /// Random; new for every change.
    pub salt: [u8; 16],
}

impl std::fmt::Debug for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stamp").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Which entries of the audit.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Of this building only.
    pub building: Option<BuildingId>,
    /// That name this person only.
    pub person: Option<PersonId>,
    /// Whose action begins with this: `person` for all that happened to people.
    pub action: Option<String>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Older than this one.
    pub before: Option<u64>,
    /// How many; 200 at most.
    pub limit: u32,
}

/// One change that an administrator made.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The building it was in, when it was in one.
    pub building: Option<BuildingId>,
    /// What happened, such as `person.changed`.
    pub action: String,
    /// Whom it names.
    pub persons: Vec<PersonId>,
    /// What changed; none when it was erased.
    pub content: Option<Pii<AuditContent>>,
}

/// What an entry of the audit says.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditContent {
    /// Who; none is the service itself, or a token.
    pub actor: Option<PersonId>,
    /// The token that asked, when it was one.
    pub token: Option<ApiTokenId>,
    /// The role they did it by.
    pub role: String,
    /// What was.
    pub before: Option<Value>,
    /// What is.
    pub after: Option<Value>,
}

/// Entries, with what to call whom and what they name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditPage {
    /// The newest first.
    pub entries: Vec<AuditEntry>,
    /// Of whatever is still there and the reader may see; who did something is named in any case.
    pub names: Vec<AuditName>,
}

/// What to call something that an entry names by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditName {
    /// Its id.
    pub id: uuid::Uuid,
    /// What it is.
    pub kind: NamedKind,
    /// What it is called now.
    pub name: Pii<Label>,
    /// Where it is, when it is in a building; of a person, one where they live.
    pub building: Option<BuildingId>,
}

/// What something is that an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedKind {
    /// Somebody.
    Person,
    /// A unit.
    Unit,
    /// A building.
    Building,
    /// An entrance.
    Entrance,
    /// A door.
    Door,
    /// A panel.
    Panel,
    /// A controller.
    Controller,
    /// Another program's token.
    Token,
    /// A group of people or of doors.
    Group,
}

/// The chain, checked from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditProof {
    /// How many entries there are.
    pub entries: u64,
    /// How many of them were erased.
    pub erased: u64,
    /// The first place where the chain is broken.
    pub first_bad: Option<u64>,
    /// The last hash. Who keeps it elsewhere notices when the end of the chain is cut off or written anew.
    pub head: [u8; 32],
}
