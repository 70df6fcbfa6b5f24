//! A resident reads a card of their own at a reader, where the building's policy leaves cards to residents: at the doors that
//! they may open. What it read is never told, only how its number ends; whether somebody has it is told when it is added
//! ([`super::my_cards::add`]).

use super::card_readings::{NewCardReading, ReadingState, asker, begun, cancelled, news, state_of};
use crate::auth::session::SignedIn;
use crate::doors::readings::{Place, Purpose, Stage};
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::card::{CardView, ending_of};
use klinke_model::ids::{BuildingId, ControllerId, ReadingId};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::StorageError;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// A reader at a door that one may open.
#[derive(Serialize, ToSchema)]
pub struct MyReader {
    controller: ControllerId,
    /// Its number at the controller.
    reader: u16,
    /// The door's name.
    door: Label,
    /// The building's name.
    building: Label,
}

/// A card of one's own that is read.
#[derive(Serialize, ToSchema)]
pub struct MyCardReading {
    id: ReadingId,
    state: ReadingState,
    /// How long the reader waits, or the card can be added, UTC milliseconds since 1970.
    expires_at: Timestamp,
    /// How the number ends of the card that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    ending: Option<String>,
}

/// The readers that somebody may read a card at, each with its building.
async fn theirs(node: &Node, who: &SignedIn) -> Result<Vec<(MyReader, BuildingId)>, StorageError> {
    let homes = node.store.households().mine(&who.scope).await?;
    let open: HashSet<BuildingId> =
        homes.iter().filter(|home| home.policy.own_cards).map(|home| home.building).collect();
    let mut readers = Vec::new();
    for (door, building) in node.store.doors().openable(&who.scope, who.person).await? {
        let Some(controller) = door.controller.filter(|_| open.contains(&door.building)) else { continue };
        for told in node.presence.controller(controller).into_iter().flat_map(|known| known.readers) {
            if told.output == Some(door.output) {
                let (name, of) = (door.name.clone(), building.clone());
                let reader = MyReader { controller, reader: told.reader, door: name, building: of };
                readers.push((reader, door.building));
            }
        }
    }
    Ok(readers)
}

/// The readers at which one may read a card of one's own just now; none where cards are the administrators'.
#[utoipa::path(get, path = "/api/v1/me/readers", operation_id = "my_readers", tag = "me",
    security(("session" = [])), responses((status = 200, description = "The readers", body = [MyReader])))]
pub async fn readers(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Vec<MyReader>>, Problem> {
    Ok(Json(theirs(&node, &who).await?.into_iter().map(|(reader, _)| reader).collect()))
}

/// Has a reader wait 60 s for a card of one's own. Meanwhile it lets nobody in with one; what one began before is over.
#[utoipa::path(post, path = "/api/v1/me/card-readings", operation_id = "read_my_card", tag = "me",
    request_body = NewCardReading, security(("session" = [])),
    responses((status = 201, description = "It waits", body = MyCardReading),
        (status = 404, description = "`not_found`: not a reader that one may read a card at, or not to be reached", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`reader_busy`: it waits for somebody else's card; `reader_offline`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn begin(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(new): Body<NewCardReading>,
) -> Result<(StatusCode, Json<MyCardReading>), Problem> {
    let is_meant =
        |(reader, _): &(MyReader, _)| (reader.controller, reader.reader) == (new.controller, new.reader);
    let found = theirs(&node, &who).await?.into_iter().find(is_meant);
    let (_, building) = found.ok_or(Code::NotFound)?;
    // meanwhile the door opens for no card of the neighbours'
    let _ = node.reading_limit.take(who.person)?;
    let asker = asker(&who, Purpose::Home);
    let place = Place { asker, building, controller: new.controller, reader: new.reader };
    let (id, expires_at) = begun(&node, place)?;
    let reading = MyCardReading { id, state: ReadingState::Waiting, expires_at, ending: None };
    Ok((StatusCode::CREATED, Json(reading)))
}

/// How far a reading of one's own is. While the reader waits the answer does too, up to 10 s.
#[utoipa::path(get, path = "/api/v1/me/card-readings/{reading}", operation_id = "my_card_reading", tag = "me",
    params(("reading" = uuid::Uuid, Path, description = "The reading")), security(("session" = [])),
    responses((status = 200, description = "So far it is", body = MyCardReading),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn look(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<ReadingId>,
) -> Result<Json<MyCardReading>, Problem> {
    let seen = news(&node, id, asker(&who, Purpose::Home)).await?;
    let ending = match seen.stage {
        Stage::Read(key) => CardView::of(&key).map(|view| ending_of(view, &key)),
        Stage::Waiting | Stage::Over | Stage::Offline => None,
    };
    let expires_at = node.clock.now().plus(seen.left);
    Ok(Json(MyCardReading { id, state: state_of(seen.stage), expires_at, ending }))
}

/// One does not need the card any more: the reader goes back to letting people in, and what it read is forgotten.
#[utoipa::path(delete, path = "/api/v1/me/card-readings/{reading}", operation_id = "cancel_my_card_reading", tag = "me",
    params(("reading" = uuid::Uuid, Path, description = "The reading")), security(("session" = [])),
    responses((status = 204, description = "Over"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn cancel(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<ReadingId>,
) -> Result<StatusCode, Problem> {
    cancelled(&node, id, asker(&who, Purpose::Home))
}
