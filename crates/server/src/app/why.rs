//! Why a door does or does not open for somebody, now or at any moment: the same decision as an opening, told with each right
//! that was considered. It reads rights, never whether somebody came.

use super::people::shown;
use super::{allowed, standing};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_access::decide::{self, Cause, Decision, Facts, Order, Reason, SiteMode, decide};
use klinke_access::order::is_secured;
use klinke_access::standing::Standing;
use klinke_model::door::Door;
use klinke_model::door_settings::DoorSettings;
use klinke_model::ids::{BuildingId, DoorId, PersonId, RuleId};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{RightBy, RuleThrough, StoredFacts};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What is asked.
#[derive(Deserialize, ToSchema)]
pub struct WhyAsked {
    /// Who.
    person: PersonId,
    /// Which door of the building.
    door: DoorId,
    /// The moment, UTC milliseconds since 1970; now without. Only the rights are judged at another moment: what the door and
    /// the building were like is not kept.
    #[schema(required = false)]
    at: Option<Timestamp>,
}

/// How a right stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RightStanding {
    /// It has ended.
    Over,
    /// It has not begun.
    NotYet,
    /// It has hours or days, and the building's time zone is not known.
    ClockUntrusted,
    /// It holds at other hours.
    OutsideHours,
    /// It holds.
    InForce,
}

/// Where a right comes from.
#[derive(Serialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum RightSource {
    /// They live in a home whose people may open the door.
    Home,
    /// A rule allows them.
    Rule {
        /// Which.
        rule: RuleId,
        /// Its name.
        name: Label,
        /// What its hours are called; absent when it holds at any time.
        #[serde(skip_serializing_if = "Option::is_none")]
        hours: Option<Label>,
        /// The first moment at which it holds, UTC milliseconds since 1970.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// The first moment at which it does not hold any more.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// What its groups are called that they are in, and those that the door is in.
        groups: Vec<Label>,
    },
    /// They administer the door's building.
    Role,
}

/// A right that was considered.
#[derive(Serialize, ToSchema)]
pub struct RightConsidered {
    #[serde(flatten)]
    source: RightSource,
    standing: RightStanding,
}

/// A door that comes before.
#[derive(Serialize, ToSchema)]
pub struct WhyAfter {
    /// What it is called.
    name: Label,
    /// For how long after somebody went through it the other one opens, s.
    within_s: u16,
}

/// Whether the door opens, and why.
#[derive(Serialize, ToSchema)]
pub struct Why {
    /// The moment that was judged, UTC milliseconds since 1970.
    at: Timestamp,
    /// It opens.
    opens: bool,
    /// The one reason why it does not, such as `no_right`, `outside_hours`, `right_over` or `door_blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
    /// The door that somebody must have gone through before, whoever opens this one. Whether somebody did only the controller
    /// knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    after: Option<WhyAfter>,
    /// Every right that they have to this door, whether it holds or not.
    rights: Vec<RightConsidered>,
}

/// Why a door of a building does or does not open for somebody. For who sees people there. It changes nothing.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/why", operation_id = "why", tag = "rules",
    request_body = WhyAsked, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The decision and what it was made of", body = Why),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`: no such door in the building, or nobody whom the asker sees", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(asked): Body<WhyAsked>,
) -> Result<Json<Why>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let mut fields = Fields::default();
    let door = node.store.doors().door(&who.scope, asked.door).await?;
    let door = door.filter(|door| door.building == building);
    if door.is_none() {
        fields.wrong("/door", FieldCode::NotFound);
    }
    if shown(&node, &who, asked.person).await.is_err() {
        fields.wrong("/person", FieldCode::NotFound);
    }
    fields.check()?;
    let door = door.ok_or(Code::NotFound)?;
    let at = asked.at.unwrap_or_else(|| node.clock.now());
    let service = Scope { at, ..Scope::system(who.scope.tenant) };
    let stored = node.store.doors().facts(&service, asked.person, asked.door).await?;
    let mut stored = stored.ok_or(Code::NotFound)?;
    let door_mode = match asked.at {
        None => node.presence.door(asked.door).map(|state| state.mode),
        Some(_) => {
            stored.site_mode = SiteMode::Normal;
            None
        }
    };
    let now = standing::now_at(&stored, at);
    let ordered = ordered(&node, &service, &door, asked.at.is_none()).await?;
    let facts = Facts { order: ordered.order, ..standing::facts(&stored, &now, door_mode) };
    let reason = match decide(&decide::Request { cause: Cause::List }, &facts) {
        Decision::Granted { .. } => None,
        Decision::Denied(reason) => Some(reason),
    };
    let through = node.store.rules().through(&who.scope, asked.person, asked.door).await?;
    let (opens, after, rights) = (reason.is_none(), ordered.after, considered(stored, &through, &now));
    Ok(Json(Why { at, opens, reason, after, rights }))
}

/// What the order of the doors says, as far as it is known here.
struct Ordered {
    order: Order,
    after: Option<WhyAfter>,
}

/// The controller keeps the order. What follows from the settings alone is said at any moment; what follows from how the other
/// doors of an airlock are, only of now.
async fn ordered(node: &Node, service: &Scope, door: &Door, is_now: bool) -> Result<Ordered, Problem> {
    let parts = node.store.parts();
    let settings = async |door| -> Result<DoorSettings, Problem> {
        Ok(parts.door_settings(service, door).await?.map(|part| part.value.settings).unwrap_or_default())
    };
    let own = settings(door.id).await?;
    let doors = node.store.doors().doors(service, door.building).await?;
    let after = own.after.and_then(|after| {
        let before = doors.iter().find(|other| other.id == after.door)?;
        Some(WhyAfter { name: before.name.clone(), within_s: after.within_s })
    });
    if let Some(airlock) = own.airlock.filter(|_| is_now) {
        for other in doors.iter().filter(|other| other.id != door.id && other.controller == door.controller) {
            if settings(other.id).await?.airlock == Some(airlock)
                && !node.presence.door(other.id).is_some_and(is_secured)
            {
                return Ok(Ordered { order: Order::Interlocked, after });
            }
        }
    }
    let order = if own.two_people_within_s.is_some() { Order::SecondPerson } else { Order::Kept };
    Ok(Ordered { order, after })
}

fn considered(
    stored: StoredFacts,
    through: &[RuleThrough],
    now: &klinke_access::standing::Now,
) -> Vec<RightConsidered> {
    let role = stored
        .administers_building
        .then_some(RightConsidered { source: RightSource::Role, standing: RightStanding::InForce });
    let one = |right: klinke_storage::record::StoredRight| {
        let standing = match standing::of_right(&right, now) {
            // a right that is there is never none
            Standing::None | Standing::Over => RightStanding::Over,
            Standing::NotYet => RightStanding::NotYet,
            Standing::ClockUntrusted => RightStanding::ClockUntrusted,
            Standing::OutsideHours => RightStanding::OutsideHours,
            Standing::InForce => RightStanding::InForce,
        };
        let source = match right.by {
            RightBy::Home => RightSource::Home,
            RightBy::Rule { rule, name } => RightSource::Rule {
                rule,
                name,
                hours: right.schedule.map(|(name, _)| name),
                from: right.from,
                until: right.until,
                groups: through
                    .iter()
                    .find(|one| one.rule == rule)
                    .map(|one| one.groups.clone())
                    .unwrap_or_default(),
            },
        };
        RightConsidered { source, standing }
    };
    stored.rights.into_iter().map(one).chain(role).collect()
}
