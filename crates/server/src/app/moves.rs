//! Moving out and in: what it would end, planning it, taking it back, and the proof of what it ended.

use super::add_person::NewPerson;
use super::{allowed, paging};
use crate::auth::caller::Caller;
use crate::calendar;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::moving;
use crate::node::Node;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, MoveId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::StorageError;
use klinke_storage::record::{self, Ended, MoveState, MovesQuery, NewMove};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// How far ahead a move can be planned.
const DAYS_AHEAD: i64 = 3 * 366;

/// What a move out would end, before it is decided.
#[derive(Serialize, ToSchema)]
pub struct MovePreview {
    unit: UnitId,
    number: Label,
    building: BuildingId,
    /// Today, where the building stands.
    #[schema(format = Date)]
    today: String,
    /// Who lives there now.
    people: Vec<Leaving>,
    /// Whom each of the unit's buttons rings: one goes when all of them leave.
    bells: Vec<Vec<PersonId>>,
}

/// One who lives in the unit.
#[derive(Serialize, ToSchema)]
pub struct Leaving {
    person: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    owner: bool,
    /// Lives somewhere else too, or has a role: devices and sign-in stay.
    stays_known: bool,
    /// Whether any device is signed in.
    has_device: bool,
    has_account: bool,
    /// Whether a link to set a password was sent and not used.
    invited: bool,
    /// The move that takes them out already.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves_by: Option<MoveId>,
}

/// A move to be planned.
#[derive(Deserialize, ToSchema)]
pub struct MoveOut {
    /// The last day in the unit; everything ends at its end, in the building's time zone. Absent: at once.
    #[serde(default)]
    #[schema(required = false, format = Date, example = "2026-11-30")]
    last_day: Option<String>,
    /// Who leaves.
    #[serde(default)]
    #[schema(required = false)]
    out: Vec<PersonId>,
    /// The unit that those who leave live in from then on. They stay signed in.
    #[serde(default)]
    #[schema(required = false)]
    to: Option<UnitId>,
    /// New people who move in on the day after, the first of them decides for the unit. Their `homes` are not read.
    #[serde(default)]
    #[schema(required = false)]
    into: Vec<NewPerson>,
}

/// A move, planned or done.
#[derive(Serialize, ToSchema)]
pub struct Move {
    id: MoveId,
    building: BuildingId,
    unit: UnitId,
    number: Label,
    #[schema(format = Date)]
    last_day: String,
    out: Vec<Mover>,
    /// Where those who leave live from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<MoveTo>,
    into: Vec<Mover>,
    /// What it ended, once it is carried out: the proof. Figures only.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<MoveEnded>,
}

/// The unit that somebody moves to.
#[derive(Serialize, ToSchema)]
pub struct MoveTo {
    unit: UnitId,
    number: Label,
}

/// Somebody who moves.
#[derive(Serialize, ToSchema)]
pub struct Mover {
    person: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    owner: bool,
}

/// What a move ended.
#[derive(Serialize, ToSchema)]
pub struct MoveEnded {
    /// People who left.
    people: u32,
    /// Buttons that are gone.
    bells: u32,
    /// People whose devices were signed out.
    signed_out: u32,
    /// Sign-ins that are gone.
    accounts: u32,
    /// Links to set a password that are no good any more.
    invitations: u32,
    /// People who moved in.
    moved_in: u32,
    /// People who live in another unit now.
    moved_on: u32,
    /// Codes of their own that open nothing any more.
    codes: u32,
    /// Phone numbers at which nobody is rung any more.
    numbers: u32,
}

impl From<Ended> for MoveEnded {
    fn from(ended: Ended) -> Self {
        let Ended { people, bells, signed_out, accounts, invitations, moved_in, moved_on, codes, numbers } =
            ended;
        Self { people, bells, signed_out, accounts, invitations, moved_in, moved_on, codes, numbers }
    }
}

impl Move {
    fn new(found: record::Move) -> Self {
        let movers = |movers: Vec<record::Mover>| {
            let shown = movers.into_iter().map(|mover| Mover {
                person: mover.person,
                name: mover.name.map(Pii::into_inner),
                owner: mover.owner,
            });
            shown.collect()
        };
        Self {
            id: found.id,
            building: found.building,
            unit: found.unit,
            number: found.number,
            last_day: calendar::written(found.last_day).unwrap_or_default(),
            out: movers(found.out),
            to: found.to.map(|(unit, number)| MoveTo { unit, number }),
            into: movers(found.into),
            ended: found.ended.map(Into::into),
        }
    }
}

/// What a move out of this unit would end.
#[utoipa::path(get, path = "/api/v1/units/{unit}/move-out", operation_id = "preview_move", tag = "moves",
    params(("unit" = uuid::Uuid, Path, description = "The unit")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Who lives there, and what ends for each", body = MovePreview)))]
pub async fn preview(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(unit): Object<UnitId>,
) -> Result<Json<MovePreview>, Problem> {
    let found = node.store.moves().preview_move(&who.scope, unit).await?.ok_or(Code::NotFound)?;
    let today = calendar::today(node.clock.now(), &found.time_zone).and_then(calendar::written);
    Ok(Json(MovePreview {
        unit,
        number: found.number,
        building: found.building,
        bells: found.bells,
        today: today.unwrap_or_default(),
        people: found
            .people
            .into_iter()
            .map(|one| Leaving {
                person: one.mover.person,
                name: one.mover.name.map(Pii::into_inner),
                owner: one.mover.owner,
                stays_known: one.stays_known,
                has_device: one.has_device,
                has_account: one.has_account,
                invited: one.invited,
                leaves_by: one.leaves_by,
            })
            .collect(),
    }))
}

/// Plans a move: nothing ends before the end of the last day, and until then it can be taken back. Without a last day it
/// is carried out before the answer.
#[utoipa::path(post, path = "/api/v1/units/{unit}/moves", operation_id = "plan_move", tag = "moves", request_body = MoveOut,
    params(("unit" = uuid::Uuid, Path, description = "The unit")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Planned", body = Move),
        (status = 409, description = "`conflict`: somebody leaves this unit by another move already", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn plan(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(unit): Object<UnitId>,
    Body(wanted): Body<MoveOut>,
) -> Result<(StatusCode, Json<Move>), Problem> {
    let moves = node.store.moves();
    let home = moves.preview_move(&who.scope, unit).await?.ok_or(Code::NotFound)?;
    allowed(&node, &who, Right::ChangePeople, home.building).await?;
    let mut fields = Fields::default();
    let now = node.clock.now();
    let today = calendar::today(now, &home.time_zone);
    let ends = match &wanted.last_day {
        None => today.map(|today| (today, now)),
        Some(day) => calendar::parsed(day)
            .filter(|day| today.is_none_or(|today| (today..=today + DAYS_AHEAD).contains(day)))
            .and_then(|day| Some((day, calendar::end_of(day, &home.time_zone)?))),
    };
    if ends.is_none() {
        fields.wrong("/last_day", FieldCode::NotADay);
    }
    if wanted.out.is_empty() && wanted.into.is_empty() {
        fields.wrong("/out", FieldCode::Empty);
    }
    if let Some(to) = wanted.to
        && (to == unit || moves.preview_move(&who.scope, to).await?.is_none())
    {
        fields.wrong("/to", FieldCode::NotFound);
    }
    for (place, person) in wanted.out.iter().enumerate() {
        if home.people.iter().all(|one| one.mover.person != *person) {
            fields.wrong(format!("/out/{place}"), FieldCode::NotFound);
        } else if wanted.out.iter().take(place).any(|before| before == person) {
            fields.wrong(format!("/out/{place}"), FieldCode::Taken);
        }
    }
    let into: Vec<_> = wanted
        .into
        .iter()
        .enumerate()
        .map(|(place, new)| (new.checked(&node, &mut fields, &format!("/into/{place}")), place == 0))
        .collect();
    let Some((last_day, ends_at)) = ends else { return Err(fields.into()) };
    fields.check()?;
    let id: MoveId = node.random.v7(now);
    let new = NewMove { id, unit, last_day, ends_at, out: wanted.out, to: wanted.to, into };
    match moves.plan_move(&who.scope, &node.stamp(), new).await {
        Err(StorageError::Conflict) => return Err(Code::Conflict.into()),
        Ok(false) => return Err(Code::NotFound.into()),
        Ok(true) => {}
        Err(error) => return Err(error.into()),
    }
    if ends_at <= now {
        moving::carry_out_due(&node).await;
    } else {
        node.moves_changed.notify_one();
    }
    Ok((StatusCode::CREATED, Json(shown(&node, &who, id).await?)))
}

/// A page of moves.
#[derive(Serialize, ToSchema)]
pub struct MovesPage {
    items: Vec<Move>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Whose moves.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Of this building.
    building: BuildingId,
    /// Those to come (without a wish), or those that are carried out.
    #[param(inline)]
    state: Option<AskedMoves>,
    /// The `next` of the page before, of the same state.
    cursor: Option<String>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

/// How the moves of a list stand.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskedMoves {
    /// To come; the next one first.
    Scheduled,
    /// Carried out; the latest first.
    Done,
}

/// Moves of a building: those to come, or those that are carried out.
#[utoipa::path(get, path = "/api/v1/moves", operation_id = "moves", tag = "moves", params(Asked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The moves", body = MovesPage),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: Caller,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<MovesPage>, Problem> {
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    allowed(&node, &who, Right::SeePeople, asked.building).await?;
    let (state, name) = match asked.state {
        None | Some(AskedMoves::Scheduled) => (MoveState::Scheduled, "scheduled"),
        Some(AskedMoves::Done) => (MoveState::Done, "done"),
    };
    let mut fields = Fields::default();
    let place = |mut parts: paging::Parts| {
        parts.is(name)?;
        let ends_at = parts.bytes()?.try_into().ok().map(i64::from_be_bytes)?;
        let id = parts.id()?;
        parts.end().map(|()| (Timestamp::from_millis(ends_at), id))
    };
    let query = MovesQuery {
        state,
        after: paging::after(asked.cursor.as_deref(), place, &mut fields),
        limit: paging::limit(asked.limit, &mut fields),
    };
    fields.check()?;
    let page = node.store.moves().moves(&who.scope, asked.building, &query).await?;
    let cursor = |(ends_at, id): (Timestamp, MoveId)| {
        paging::cursor(name, &[&ends_at.as_millis().to_be_bytes(), id.0.as_bytes()])
    };
    Ok(Json(MovesPage {
        next: page.next.map(cursor),
        items: page.moves.into_iter().map(Move::new).collect(),
    }))
}

/// One move; when it is done, the proof of what it ended.
#[utoipa::path(get, path = "/api/v1/moves/{move}", operation_id = "one_move", tag = "moves",
    params(("move" = uuid::Uuid, Path, description = "The move")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The move", body = Move)))]
pub async fn one(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<MoveId>,
) -> Result<Json<Move>, Problem> {
    shown(&node, &who, id).await.map(Json)
}

/// Takes a planned move back. People who were added only to move in by it are removed.
#[utoipa::path(delete, path = "/api/v1/moves/{move}", operation_id = "cancel_move", tag = "moves",
    params(("move" = uuid::Uuid, Path, description = "The move")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Taken back"),
        (status = 409, description = "`conflict`: it is carried out already", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn cancel(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<MoveId>,
) -> Result<StatusCode, Problem> {
    let planned = shown(&node, &who, id).await?;
    allowed(&node, &who, Right::ChangePeople, planned.building).await?;
    if node.store.moves().cancel_move(&who.scope, &node.stamp(), id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::conflict(&shown(&node, &who, id).await?))
}

async fn shown(node: &Node, who: &Caller, id: MoveId) -> Result<Move, Problem> {
    Ok(Move::new(node.store.moves().one_move(&who.scope, id).await?.ok_or(Code::NotFound)?))
}
