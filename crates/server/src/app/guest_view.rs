//! A guest as whoever lets them in sees them, and what a form of one must be like: the same for residents and
//! administrators.

use super::standing;
use crate::http::problem::{Code, FieldCode, Fields, Problem};
use crate::node::Node;
use klinke_model::ids::{BuildingId, DoorId, GuestId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::schedule::Schedule;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{self, GuestChange, GuestChanged, GuestMade, NewGuest};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// How many doors one guest has.
const DOORS: usize = 50;
/// How long before the day a guest can be made.
const AHEAD: Duration = Duration::from_hours(366 * 24);

/// How a guest stands at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuestState {
    /// Their time has not begun.
    Coming,
    /// They may come.
    Now,
    /// They may come at other hours.
    OutsideHours,
    /// Their time is over, or they came and may come once.
    Over,
    /// Whoever invited them is suspended, or has none of the doors any more.
    Suspended,
}

/// A door of a guest.
#[derive(Serialize, ToSchema)]
pub struct GuestDoor {
    pub(super) door: DoorId,
    pub(super) name: Label,
}

/// A guest. Whoever has the link, the QR pass or the code opens the doors.
#[derive(Serialize, ToSchema)]
pub struct Guest {
    id: GuestId,
    /// The home that they count for; absent for guests of the administration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    unit: Option<UnitId>,
    building: BuildingId,
    building_name: Label,
    name: Label,
    /// By name.
    doors: Vec<GuestDoor>,
    /// The first moment at which they may come.
    starts_at: Timestamp,
    /// The first moment at which they may not any more.
    ends_at: Timestamp,
    /// At which hours; at any time without.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    hours: Option<Schedule>,
    /// They may come once.
    once: bool,
    /// The page that opens the doors.
    link: String,
    /// The text of the QR pass for a panel's camera.
    qr: String,
    /// The code to type at a panel: 6 or 8 digits.
    code: String,
    state: GuestState,
    /// Grows with every change.
    version: u64,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct GuestEdit {
    /// The version that the asker saw.
    version: u64,
    #[schema(value_type = Option<String>, required = false)]
    name: Option<Pii<String>>,
    /// All of them; at least one.
    #[schema(required = false)]
    doors: Option<Vec<DoorId>>,
    #[schema(required = false)]
    ends_at: Option<Timestamp>,
    /// `null`: at any time.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Schedule>, required = false)]
    hours: Option<Option<Schedule>>,
}

/// A field that is there, be it `null`.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Schedule>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// How a guest stands at a moment.
pub(super) fn state(guest: &record::Guest, at: Timestamp) -> GuestState {
    if guest.taken || guest.ends_at <= at {
        GuestState::Over
    } else if !guest.host_stands || !guest.doors.iter().any(|door| door.held) {
        GuestState::Suspended
    } else if at < guest.starts_at {
        GuestState::Coming
    } else if standing::in_hours(guest, at) {
        GuestState::Now
    } else {
        GuestState::OutsideHours
    }
}

/// The doors of a guest.
pub(super) fn doors(guest: &record::Guest) -> Vec<GuestDoor> {
    guest.doors.iter().map(|one| GuestDoor { door: one.door.id, name: one.door.name.clone() }).collect()
}

/// The doors of a guest that whoever invited them has too.
pub(super) fn doors_held(guest: &record::Guest) -> Vec<GuestDoor> {
    let held = guest.doors.iter().filter(|one| one.held);
    held.map(|one| GuestDoor { door: one.door.id, name: one.door.name.clone() }).collect()
}

/// A guest as whoever lets them in sees them.
pub(super) fn shown(node: &Node, guest: record::Guest) -> Guest {
    let token = node.passes.token(&guest);
    Guest {
        id: guest.id,
        unit: guest.unit,
        building: guest.building,
        building_name: guest.building_name.clone(),
        doors: doors(&guest),
        starts_at: guest.starts_at,
        ends_at: guest.ends_at,
        once: guest.once,
        link: format!("{}/guest#{}", node.public_url, token.text()),
        qr: token.qr(),
        code: node.passes.code(&guest),
        state: state(&guest, node.clock.now()),
        version: guest.version,
        name: guest.name.into_inner(),
        hours: guest.hours,
    }
}

/// What a form of a new guest says, for residents and administrators alike.
pub(super) struct Form {
    pub name: Pii<String>,
    pub doors: Vec<DoorId>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Timestamp,
    pub once: bool,
    pub hours: Option<Schedule>,
}

/// A guest made of a form, where nothing of it is wrong by itself.
pub(super) fn new_guest(
    node: &Node,
    tenant: klinke_model::ids::TenantId,
    (building, unit): (BuildingId, Option<UnitId>),
    form: Form,
) -> Result<NewGuest, Problem> {
    let now = node.clock.now();
    let mut fields = Fields::default();
    let name = fields.label("/name", form.name.reveal());
    check_doors(&mut fields, &form.doors);
    let starts_at = form.starts_at.unwrap_or(now);
    if starts_at > now.plus(AHEAD) {
        fields.wrong("/starts_at", FieldCode::OutOfRange);
    }
    if form.ends_at <= starts_at {
        fields.wrong("/ends_at", FieldCode::EndsFirst);
    } else if form.ends_at <= now {
        fields.wrong("/ends_at", FieldCode::OutOfRange);
    }
    check_hours(&mut fields, form.hours.as_ref());
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    // not an id that tells when the guest was made
    let id: GuestId = node.random.v4();
    Ok(NewGuest {
        id,
        building,
        unit,
        name: Pii::new(name),
        doors: form.doors,
        starts_at,
        ends_at: form.ends_at,
        hours: form.hours,
        once: form.once,
        codes: node.passes.choices(tenant, building, id, None),
    })
}

/// A change made of a form, where nothing of it is wrong by itself.
pub(super) fn change(edit: GuestEdit) -> Result<GuestChange, Problem> {
    let mut fields = Fields::default();
    let name = edit.name.map(|name| fields.label("/name", name.reveal()));
    if let Some(doors) = &edit.doors {
        check_doors(&mut fields, doors);
    }
    check_hours(&mut fields, edit.hours.as_ref().and_then(Option::as_ref));
    fields.check()?;
    Ok(GuestChange {
        version: edit.version,
        name: name.flatten().map(Pii::new),
        doors: edit.doors,
        ends_at: edit.ends_at,
        hours: edit.hours,
    })
}

/// The guest that was made, or why there is none.
pub(super) fn made(node: &Node, made: GuestMade) -> Result<Guest, Problem> {
    match made {
        GuestMade::Done(guest) => Ok(shown(node, *guest)),
        GuestMade::NotThere => Err(Code::NotFound.into()),
        GuestMade::NoGuests => Err(Code::DecidedByAdministrator.into()),
        GuestMade::Full => Err(Code::GuestsFull.into()),
        GuestMade::UnknownDoor => Err(wrong("/doors", FieldCode::NotFound)),
        GuestMade::TooLong => Err(wrong("/ends_at", FieldCode::OutOfRange)),
    }
}

/// The guest as it is now, or why it is not.
pub(super) fn changed(node: &Node, changed: GuestChanged) -> Result<Guest, Problem> {
    match changed {
        GuestChanged::Done(guest) => Ok(shown(node, *guest)),
        GuestChanged::Conflict(guest) => Err(Problem::conflict(&shown(node, *guest))),
        GuestChanged::NotThere => Err(Code::NotFound.into()),
        GuestChanged::UnknownDoor => Err(wrong("/doors", FieldCode::NotFound)),
        GuestChanged::TooLong => Err(wrong("/ends_at", FieldCode::OutOfRange)),
        GuestChanged::EndsFirst => Err(wrong("/ends_at", FieldCode::EndsFirst)),
    }
}

fn wrong(pointer: &str, code: FieldCode) -> Problem {
    let mut fields = Fields::default();
    fields.wrong(pointer, code);
    fields.into()
}

fn check_doors(fields: &mut Fields, doors: &[DoorId]) {
    if doors.is_empty() {
        fields.wrong("/doors", FieldCode::Required);
    } else if doors.len() > DOORS {
        fields.wrong("/doors", FieldCode::TooLong);
    }
}

fn check_hours(fields: &mut Fields, hours: Option<&Schedule>) {
    if let Some(fault) = hours.and_then(Schedule::fault) {
        fields.wrong(format!("/hours/{fault}"), FieldCode::OutOfRange);
    }
}
