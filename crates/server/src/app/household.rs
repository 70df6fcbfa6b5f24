//! Who lives in one's own home, and what its unit owner decides (R15): take somebody in and out, a button of their own,
//! hand the decisions on.
//!
//! A link to set a password for somebody new goes by mail, or is shown once to hand over; whoever holds it becomes that
//! person, so it is made only for somebody who has nothing but this home.

use super::invitations::{LIVES, NewLink, link, user_name};
use super::my_bells::decided;
use crate::auth::session::SignedIn;
use crate::auth::token::Token;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::contact::Language;
use klinke_model::ids::{BellId, PersonId, UnitId};
use klinke_model::intercom::BellKind;
use klinke_model::people::Person;
use klinke_model::policy::{Asking, BellChange};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_storage::record::{Household, Joined, Left, NewMember, Refused, WayToMember};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The most panels that a home's buttons are put on at once.
const PANELS: usize = 32;

/// A home of the person who asks.
#[derive(Serialize, ToSchema)]
pub struct MyHome {
    unit: UnitId,
    /// Apartment number or company.
    number: Label,
    /// The building's name.
    building: Label,
    /// The asker decides for it.
    owner: bool,
    /// The asker may take somebody in.
    may_add: bool,
    /// Only the building's policy keeps them from it.
    add_is_administrators: bool,
    /// A member can get a button of their own.
    may_give_buttons: bool,
    /// Who lives here: who decides first, then by name.
    members: Vec<MyHomeMember>,
}

/// Somebody who lives there.
#[derive(Serialize, ToSchema)]
pub struct MyHomeMember {
    person: PersonId,
    /// Absent for who goes without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    name: Option<Label>,
    /// The person who asks.
    you: bool,
    /// Decides for the home.
    owner: bool,
    way_in: WayIn,
    /// Has a button of their own.
    own_button: bool,
    /// The asker may take them out.
    may_take_out: bool,
    /// The asker may send them a new link.
    may_invite: bool,
}

/// How somebody comes in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WayIn {
    /// They have a password.
    Account,
    /// A link waits for them.
    Invited,
    /// Neither.
    None,
}

/// Somebody to take in.
#[derive(Deserialize, ToSchema)]
pub struct NewHomeMember {
    #[schema(value_type = String)]
    name: Pii<String>,
    /// Where the link goes; without it, it is shown once, to hand over.
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    email: Pii<String>,
    /// What they are written to in.
    #[serde(default)]
    #[schema(required = false)]
    language: Language,
}

/// Who decides from now on.
#[derive(Deserialize, ToSchema)]
pub struct NewOwner {
    person: PersonId,
}

/// A home as somebody who lives there sees it.
pub(super) fn home(household: Household, asker: PersonId) -> MyHome {
    let Household { owner, policy, has_bells, .. } = household;
    let asking = Asking { owner, removed: false };
    MyHome {
        unit: household.unit,
        number: household.number,
        building: household.building_name,
        owner,
        may_add: owner && policy.add_members,
        add_is_administrators: owner && !policy.add_members,
        may_give_buttons: owner
            && has_bells
            && policy.resident_may(BellChange::Kind(BellKind::Individual), asking).is_ok(),
        members: household
            .members
            .into_iter()
            .map(|member| MyHomeMember {
                person: member.person,
                name: member.name.map(Pii::into_inner),
                you: member.person == asker,
                owner: member.owner,
                way_in: match (member.has_account, member.invited) {
                    (true, _) => WayIn::Account,
                    (false, true) => WayIn::Invited,
                    (false, false) => WayIn::None,
                },
                own_button: member.own_button,
                may_take_out: owner && member.taken_in && !member.owner,
                may_invite: owner && member.taken_in && !member.has_account,
            })
            .collect(),
    }
}

/// One's own homes, with everybody who lives there.
#[utoipa::path(get, path = "/api/v1/me/household", operation_id = "my_household", tag = "me",
    security(("session" = [])), responses((status = 200, description = "The homes, by building and number", body = [MyHome])))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Vec<MyHome>>, Problem> {
    let homes = node.store.households().mine(&who.scope).await?;
    Ok(Json(homes.into_iter().map(|household| home(household, who.person)).collect()))
}

/// Takes somebody new in. The link to set their password goes by mail, or is here, this once.
#[utoipa::path(post, path = "/api/v1/me/household/{unit}/members", operation_id = "take_in_member", tag = "me",
    request_body = NewHomeMember, params(("unit" = uuid::Uuid, Path, description = "The home")), security(("session" = [])),
    responses((status = 201, description = "They live there", body = NewLink),
        (status = 403, description = "`decided_by_administrator`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: not a home that the asker decides for", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`household_full`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn take_in(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(unit): Object<UnitId>,
    Body(new): Body<NewHomeMember>,
) -> Result<(StatusCode, Json<NewLink>), Problem> {
    let homes = node.store.households().mine(&who.scope).await?;
    if !homes.iter().any(|home| home.unit == unit && home.owner) {
        return Err(Code::NotFound.into());
    }
    let mut fields = Fields::default();
    let name = fields.label("/name", new.name.reveal());
    let email = fields.email("/email", new.email.reveal());
    fields.check()?;
    let attempt = node.household_limit.take(who.person)?;
    let now = node.clock.now();
    let by_mail = email.is_some();
    let person = Person {
        id: node.random.v7(now),
        name: name.map(Pii::new),
        email,
        phone: None,
        language: new.language,
        active: true,
        needs_longer: false,
        version: 1,
    };
    let id = person.id;
    let (way, token) = way(&node, by_mail);
    let done = node.store.households().take_in(&who.scope, now, NewMember { person, unit, way }).await?;
    if let Joined::Refused(why) = done {
        attempt.give_back();
        return Err(refused(why, Code::NotFound));
    }
    buttons_changed(&node, &who, unit).await?;
    Ok((StatusCode::CREATED, Json(made(&node, &who, id, token).await?)))
}

/// Makes a new link for somebody whom the household took in, who has no password yet.
#[utoipa::path(post, path = "/api/v1/me/household/{unit}/members/{person}/invitation", operation_id = "invite_member", tag = "me",
    params(("unit" = uuid::Uuid, Path, description = "The home"), ("person" = uuid::Uuid, Path, description = "The member")),
    security(("session" = [])),
    responses((status = 201, description = "It is on its way, or here", body = NewLink),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`has_password`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn invite(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object((unit, person)): Object<(UnitId, PersonId)>,
) -> Result<(StatusCode, Json<NewLink>), Problem> {
    let attempt = node.household_limit.take(who.person)?;
    let service = Scope::system(who.scope.tenant);
    let invited = node.store.invitations().addressee(&service, person).await?;
    let by_mail = invited.is_some_and(|invited| invited.email.is_some());
    let (way, token) = way(&node, by_mail);
    let now = node.clock.now();
    let done = node.store.households().invite_member(&who.scope, now, unit, person, way).await?;
    if let Joined::Refused(why) = done {
        attempt.give_back();
        return Err(refused(why, Code::HasPassword));
    }
    Ok((StatusCode::CREATED, Json(made(&node, &who, person, token).await?)))
}

/// Takes out somebody whom the household took in. What lets them into this home ends at once.
#[utoipa::path(delete, path = "/api/v1/me/household/{unit}/members/{person}", operation_id = "take_out_member", tag = "me",
    params(("unit" = uuid::Uuid, Path, description = "The home"), ("person" = uuid::Uuid, Path, description = "The member")),
    security(("session" = [])),
    responses((status = 204, description = "They no longer live there"),
        (status = 403, description = "`decided_by_administrator`: the household did not take them in itself", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn take_out(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object((unit, person)): Object<(UnitId, PersonId)>,
) -> Result<StatusCode, Problem> {
    match node.store.households().take_out(&who.scope, unit, person).await? {
        Left::Done { signed_out, fewer_doors } => {
            for device in signed_out {
                node.exchange.device_signed_out(device).await;
            }
            for device in fewer_doors {
                node.exchange.device_anew(device);
            }
            buttons_changed(&node, &who, unit).await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Left::Refused(why) => Err(refused(why, Code::NotFound)),
    }
}

/// Gives a member a button of their own, on each panel that has one of the home's.
#[utoipa::path(put, path = "/api/v1/me/household/{unit}/members/{person}/button", operation_id = "give_member_button", tag = "me",
    params(("unit" = uuid::Uuid, Path, description = "The home"), ("person" = uuid::Uuid, Path, description = "The member")),
    security(("session" = [])),
    responses((status = 204, description = "It is on the panels"),
        (status = 403, description = "`decided_by_administrator`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`has_button`: they have one, have no name, or the home has no button at all", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn give_button(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object((unit, person)): Object<(UnitId, PersonId)>,
) -> Result<StatusCode, Problem> {
    let now = node.clock.now();
    let ids: Vec<BellId> = (0..PANELS).map(|_| node.random.v7(now)).collect();
    match node.store.households().give_button(&who.scope, unit, person, &ids).await? {
        Joined::Done => {
            buttons_changed(&node, &who, unit).await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Joined::Refused(why) => Err(refused(why, Code::HasButton)),
    }
}

/// Hands on who decides for a home. The asker no longer does.
#[utoipa::path(put, path = "/api/v1/me/household/{unit}/owner", operation_id = "hand_on_home", tag = "me",
    request_body = NewOwner, params(("unit" = uuid::Uuid, Path, description = "The home")), security(("session" = [])),
    responses((status = 204, description = "They decide now"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`no_password`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn hand_on(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(unit): Object<UnitId>,
    Body(NewOwner { person }): Body<NewOwner>,
) -> Result<StatusCode, Problem> {
    match node.store.households().hand_on(&who.scope, unit, person).await? {
        Joined::Done => Ok(StatusCode::NO_CONTENT),
        Joined::Refused(why) => Err(refused(why, Code::NoPassword)),
    }
}

/// The refusal. `not_them`: why it can not be done to this person.
fn refused(why: Refused, not_them: Code) -> Problem {
    match why {
        Refused::NotThere => Code::NotFound.into(),
        Refused::Decided(by) => decided(by),
        Refused::Full => Code::HouseholdFull.into(),
        Refused::NotThem => not_them.into(),
    }
}

/// By mail where there is an address and a mail server; else a link to hand over.
fn way(node: &Node, has_email: bool) -> (WayToMember, Option<Token>) {
    let now = node.clock.now();
    if has_email && node.mailer.is_some() {
        return (WayToMember::Mail(node.random.v7(now)), None);
    }
    let token = Token::new(&node.random);
    (WayToMember::Hand(token.hash().0, now.plus(LIVES)), Some(token))
}

async fn made(
    node: &Node,
    who: &SignedIn,
    person: PersonId,
    token: Option<Token>,
) -> Result<NewLink, Problem> {
    let Some(token) = token else {
        node.work.notify_one();
        return Ok(NewLink::mailed());
    };
    let service = Scope::system(who.scope.tenant);
    let invited = node.store.invitations().addressee(&service, person).await?.ok_or(Code::NotFound)?;
    let user_name = user_name(node, &invited).await?.into_inner();
    Ok(NewLink::handed(link(node, &token), user_name))
}

/// The panels of the home's building show what changed. Who asks lives in the home.
async fn buttons_changed(node: &Arc<Node>, who: &SignedIn, unit: UnitId) -> Result<(), Problem> {
    let homes = node.store.households().mine(&who.scope).await?;
    if let Some(home) = homes.into_iter().find(|home| home.unit == unit) {
        panels_changed(node, who.scope.tenant, home.building);
    }
    Ok(())
}
