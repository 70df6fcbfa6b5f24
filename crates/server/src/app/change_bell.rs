//! An administrator changes a button, or says what they think of what residents did with it (R10, R12, R16).

use super::allowed;
use super::bells::Bell;
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BellId, BuildingId, PersonId};
use klinke_model::intercom::{BellKind, BellMember, DialCode, Listing};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_storage::record::{Button, ButtonChanged, ButtonEdit, Look};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct BellChange {
    /// The version that the asker saw.
    version: u64,
    /// Its text.
    #[schema(value_type = Option<String>, required = false)]
    label: Option<Pii<String>>,
    /// What else the search of the panel finds it by; empty takes it away.
    #[schema(value_type = Option<String>, required = false)]
    alias: Option<Pii<String>>,
    #[schema(required = false)]
    kind: Option<BellKind>,
    /// Whom it rings, in order.
    #[schema(required = false)]
    members: Option<Vec<PersonId>>,
    #[schema(required = false)]
    listing: Option<Listing>,
    /// 4 to 8 digits that no other button of the panel has; empty takes it away.
    #[schema(value_type = Option<String>, required = false)]
    dial_code: Option<Pii<String>>,
    #[schema(required = false)]
    hidden: Option<bool>,
    /// Also the buttons with the same text that the same unit has on other panels.
    #[schema(required = false)]
    everywhere: Option<bool>,
}

/// What an administrator says to a button.
#[derive(Deserialize, ToSchema)]
pub struct BellLook {
    /// The version that the asker saw.
    version: u64,
    verdict: BellVerdict,
    /// Why it is taken off, or its picture away, 1 to 80 characters; told to those it rings.
    #[schema(value_type = Option<String>, required = false)]
    reason: Option<Pii<String>>,
}

/// What an administrator says to a button.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BellVerdict {
    /// It may stand; what waited stands from now on.
    Approve,
    /// What stood there before stands again; what waited is thrown away.
    PutBack,
    /// It leaves its panel; residents can not show it again. With a reason.
    Remove,
    /// It is on its panel again.
    BringBack,
    /// Its picture is gone, and the next one of its residents waits for an administrator. With a reason.
    TakePicture,
}

/// Changes a button; its panel shows it at once.
#[utoipa::path(patch, path = "/api/v1/bells/{bell}", operation_id = "change_bell", tag = "buildings", request_body = BellChange,
    params(("bell" = uuid::Uuid, Path, description = "The button")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = Bell),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `Bell`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(bell): Object<BellId>,
    Body(change): Body<BellChange>,
) -> Result<Json<Bell>, Problem> {
    let (building, before) = found(&node, &who, bell).await?;
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let edit = edited(&node, &who, building, before, &change).await?;
    let everywhere = change.everywhere.unwrap_or(false);
    let intercom = node.store.intercom();
    let changed =
        intercom.change_bell(&who.scope, &node.stamp(), bell, change.version, &edit, everywhere).await?;
    answer(&node, &who, building, bell, changed).await
}

/// Says what becomes of what residents did with a button, or takes it off its panel.
#[utoipa::path(post, path = "/api/v1/bells/{bell}/moderation", operation_id = "moderate_bell", tag = "buildings", request_body = BellLook,
    params(("bell" = uuid::Uuid, Path, description = "The button")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Done", body = Bell),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `Bell`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn moderate(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(bell): Object<BellId>,
    Body(look): Body<BellLook>,
) -> Result<Json<Bell>, Problem> {
    let (building, _) = found(&node, &who, bell).await?;
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let verdict = match look.verdict {
        BellVerdict::Approve => Some(Look::Approve),
        BellVerdict::PutBack => Some(Look::PutBack),
        BellVerdict::BringBack => Some(Look::BringBack),
        BellVerdict::Remove | BellVerdict::TakePicture => {
            let reason = look.reason.as_ref().map_or("", |reason| reason.reveal());
            let because =
                if matches!(look.verdict, BellVerdict::Remove) { Look::Remove } else { Look::TakePicture };
            fields.label("/reason", reason).map(because)
        }
    };
    let Some(verdict) = verdict else { return Err(fields.into()) };
    let moderated =
        node.store.intercom().moderate_bell(&who.scope, &node.stamp(), bell, look.version, &verdict).await?;
    answer(&node, &who, building, bell, moderated).await
}

pub(super) async fn found(node: &Node, who: &Caller, bell: BellId) -> Result<(BuildingId, Button), Problem> {
    Ok(node.store.intercom().button(&who.scope, bell).await?.ok_or(Code::NotFound)?)
}

async fn answer(
    node: &Arc<Node>,
    who: &Caller,
    building: BuildingId,
    bell: BellId,
    changed: ButtonChanged,
) -> Result<Json<Bell>, Problem> {
    match changed {
        ButtonChanged::Done => {
            panels_changed(node, who.scope.tenant, building);
            Ok(Json(found(node, who, bell).await?.1.into()))
        }
        ButtonChanged::Conflict => Err(Problem::conflict(&Bell::from(found(node, who, bell).await?.1))),
        ButtonChanged::CodeTaken => {
            let mut fields = Fields::default();
            fields.wrong("/dial_code", FieldCode::Taken);
            Err(fields.into())
        }
        ButtonChanged::NotThere => Err(Code::NotFound.into()),
    }
}

/// The button as it is to be, or what is wrong with it.
async fn edited(
    node: &Node,
    who: &Caller,
    building: BuildingId,
    before: Button,
    change: &BellChange,
) -> Result<ButtonEdit, Problem> {
    let mut fields = Fields::default();
    let mut edit = ButtonEdit {
        label: before.bell.label,
        alias: before.alias,
        kind: change.kind.unwrap_or(before.bell.kind),
        members: before.bell.members,
        listing: change.listing.unwrap_or(before.listing),
        dial_code: before.dial_code,
        hidden: change.hidden.unwrap_or(before.hidden),
    };
    if let Some(label) = change.label.as_ref().and_then(|label| fields.label("/label", label.reveal())) {
        edit.label = Pii::new(label);
    }
    if let Some(alias) = &change.alias {
        edit.alias = match alias.reveal().trim() {
            "" => None,
            alias => fields.label("/alias", alias).map(Pii::new),
        };
    }
    if let Some(code) = &change.dial_code {
        edit.dial_code = match code.reveal().trim() {
            "" => None,
            code => {
                let code = DialCode::new(code).map(Pii::new).ok();
                if code.is_none() {
                    fields.wrong("/dial_code", FieldCode::OutOfRange);
                }
                code
            }
        };
    }
    if let Some(chosen) = &change.members {
        let lives = node.store.people().unit_members(&who.scope, building).await?;
        let mut members: Vec<BellMember> = Vec::new();
        for (place, person) in chosen.iter().enumerate() {
            let known = edit.members.iter().find(|member| member.person == *person).cloned();
            let here = lives
                .iter()
                .find(|member| member.membership.unit == before.bell.unit && member.person.id == *person);
            match here {
                None => fields.wrong(format!("/members/{place}"), FieldCode::NotFound),
                Some(_) if members.iter().any(|member| member.person == *person) => {
                    fields.wrong(format!("/members/{place}"), FieldCode::Taken);
                }
                Some(here) => {
                    let name = here.person.name.clone().unwrap_or_else(|| edit.label.clone());
                    members.push(known.unwrap_or(BellMember { person: *person, label: name }));
                }
            }
        }
        edit.members = members;
    }
    if edit.kind == BellKind::Individual && edit.members.len() != 1 {
        fields.wrong("/members", FieldCode::OutOfRange);
    }
    if edit.listing == Listing::DialOnly && edit.dial_code.is_none() {
        fields.wrong("/dial_code", FieldCode::OutOfRange);
    }
    fields.check()?;
    Ok(edit)
}
