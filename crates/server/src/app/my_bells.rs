//! The buttons of one's own home: what they say, how they ring, when they are hidden (R5, R10, R13).
//!
//! What a resident may change is the building's policy. What it keeps to administrators answers 403
//! `decided_by_administrator`, what is the unit owner's `decided_by_owner`; both only for a button that the asker has.

use crate::auth::session::SignedIn;
use crate::calendar;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BellId, UnitId};
use klinke_model::intercom::{BellKind, Moderation, Picture};
use klinke_model::policy::{Asking, BellChange as Wish, DecidedBy, Effect};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::timetable::Timetable;
use klinke_storage::record::{self, BellChanged};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A button of one's own home.
#[derive(Serialize, ToSchema)]
pub struct MyBell {
    id: BellId,
    /// A change names the version that it was made from.
    version: u64,
    /// The building's name.
    building: Label,
    /// Where the panel hangs.
    panel: Label,
    unit: UnitId,
    /// Apartment number or company.
    number: Label,
    entrance: Label,
    /// Its text.
    label: Label,
    /// Another name that visitors find it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    alias: Option<Label>,
    /// The text that waits for an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    asked: Option<Label>,
    kind: BellKind,
    /// Whom it rings, in order, as the button shows them.
    members: Vec<Label>,
    /// Hidden by a tap.
    hidden: bool,
    /// When it is hidden by itself, by the building's clock.
    hours: Timetable,
    /// It is, just now.
    hours_hide: bool,
    /// An administrator took it off the panel.
    removed: bool,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    removed_reason: Option<Label>,
    /// Its picture, while the building's policy allows pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    picture: Option<Picture>,
    /// Why an administrator took its last picture away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    picture_reason: Option<Label>,
    may: MyBellRights,
}

/// What the asker may change on a button. What is not theirs is the administrator's; the type is the unit owner's.
#[derive(Serialize, ToSchema)]
pub struct MyBellRights {
    text: bool,
    /// A new text waits until an administrator has approved it.
    text_waits: bool,
    picture: bool,
    /// A new picture waits until an administrator has approved it.
    picture_waits: bool,
    hide: bool,
    /// The types to choose from; empty for who does not decide for the unit.
    kinds: Vec<BellKind>,
    /// Decides for the unit.
    owner: bool,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct MyBellChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(value_type = Option<String>, required = false)]
    label: Option<Pii<String>>,
    /// Empty takes it away.
    #[schema(value_type = Option<String>, required = false)]
    alias: Option<Pii<String>>,
    #[schema(required = false)]
    kind: Option<BellKind>,
    #[schema(required = false)]
    hidden: Option<bool>,
    /// A timetable without rows takes it away.
    #[schema(required = false)]
    hours: Option<Timetable>,
}

impl From<record::MyBell> for MyBell {
    fn from(bell: record::MyBell) -> Self {
        let removed = bell.moderation == Moderation::Removed;
        let asking = Asking { owner: bell.owner, removed };
        let may = |wish| bell.policy.resident_may(wish, asking);
        let alone = bell.members.len() == 1;
        let kinds = [BellKind::Individual, BellKind::Family, BellKind::Sequential, BellKind::Parallel];
        let fits = |kind: &BellKind| *kind != BellKind::Individual || alone;
        let may = MyBellRights {
            text: may(Wish::Text).is_ok(),
            text_waits: may(Wish::Text) == Ok(Effect::AfterApproval),
            picture: may(Wish::Picture).is_ok(),
            picture_waits: may(Wish::Picture) == Ok(Effect::AfterApproval) || bell.picture_reason.is_some(),
            hide: may(Wish::Hide).is_ok(),
            kinds: kinds.into_iter().filter(fits).filter(|kind| may(Wish::Kind(*kind)).is_ok()).collect(),
            owner: bell.owner,
        };
        Self {
            id: bell.id,
            version: bell.version,
            building: bell.building_name,
            panel: bell.panel,
            unit: bell.unit,
            number: bell.number,
            entrance: bell.entrance,
            label: bell.label.into_inner(),
            alias: bell.alias.map(Pii::into_inner),
            asked: bell.asked.map(Pii::into_inner),
            kind: bell.kind,
            members: bell.members.into_iter().map(|member| member.label.into_inner()).collect(),
            hidden: bell.hidden,
            hours: bell.hours,
            hours_hide: bell.hours_hide,
            removed,
            removed_reason: bell.removed_reason,
            picture: bell.picture,
            picture_reason: bell.picture_reason,
            may,
        }
    }
}

/// The refusal of what somebody else decides.
pub(super) fn decided(by: DecidedBy) -> Problem {
    match by {
        DecidedBy::Administrator => Code::DecidedByAdministrator.into(),
        DecidedBy::UnitOwner => Code::DecidedByOwner.into(),
    }
}

/// One's own buttons: those that ring oneself, and all of the homes that one decides for.
#[utoipa::path(get, path = "/api/v1/me/bells", operation_id = "my_bells", tag = "me",
    security(("session" = [])), responses((status = 200, description = "The buttons, by panel and place", body = [MyBell])))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Vec<MyBell>>, Problem> {
    let bells = node.store.households().my_bells(&who.scope).await?;
    Ok(Json(bells.into_iter().map(MyBell::from).collect()))
}

/// Changes one of one's own buttons; its panel shows it at once.
#[utoipa::path(patch, path = "/api/v1/me/bells/{bell}", operation_id = "change_my_bell", tag = "me", request_body = MyBellChange,
    params(("bell" = uuid::Uuid, Path, description = "The button")), security(("session" = [])),
    responses((status = 200, description = "Changed", body = MyBell),
        (status = 403, description = "`decided_by_administrator`; `decided_by_owner`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `MyBell`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(bell): Object<BellId>,
    Body(change): Body<MyBellChange>,
) -> Result<Json<MyBell>, Problem> {
    let households = node.store.households();
    // first whose it is: what is wrong with a wish about somebody else's button is nobody's business
    let mine = households.my_bells(&who.scope).await?;
    let before = mine.into_iter().find(|mine| mine.id == bell).ok_or(Code::NotFound)?;
    let mut fields = Fields::default();
    let label = change.label.as_ref().and_then(|label| fields.label("/label", label.reveal()));
    let alias = change.alias.as_ref().map(|alias| match alias.reveal().trim() {
        "" => None,
        alias => fields.label("/alias", alias).map(Pii::new),
    });
    if let Some(row) = change.hours.as_ref().and_then(Timetable::wrong) {
        fields.wrong(format!("/hours/rows/{row}"), FieldCode::OutOfRange);
    }
    fields.check()?;
    let hours = match change.hours {
        Some(hours) => {
            let now = calendar::wall_clock(node.clock.now(), &before.time_zone).ok_or(Code::Internal)?;
            Some((hours, now))
        }
        None => None,
    };
    let (label, kind, hidden) = (label.map(Pii::new), change.kind, change.hidden);
    let wish = record::BellChange { label, alias, kind, hidden, hours };
    match households.change_my_bell(&who.scope, bell, change.version, wish).await? {
        BellChanged::Done(bell) => {
            panels_changed(&node, who.scope.tenant, bell.building);
            Ok(Json((*bell).into()))
        }
        BellChanged::Conflict(bell) => Err(Problem::conflict(&MyBell::from(*bell))),
        BellChanged::Decided(by) => Err(decided(by)),
        BellChanged::NeedsOneMember => {
            let mut fields = Fields::default();
            fields.wrong("/kind", FieldCode::OutOfRange);
            Err(fields.into())
        }
        BellChanged::NotThere => Err(Code::NotFound.into()),
    }
}
