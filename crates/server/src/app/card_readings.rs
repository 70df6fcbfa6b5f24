//! An administrator reads a card at a reader, to give it to somebody: the readers that can be reached, a window of 60 s at
//! one of them, and what it read. The card is saved by [`super::cards::add`], which takes the reading in place of a number.
//!
//! For who may give cards. Only who began a reading sees it, and nothing of it is kept.

use super::allowed;
use super::cards::Card;
use crate::auth::session::SignedIn;
use crate::doors::readings::{Asker, Place, Purpose, Stage};
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::card::CardView;
use klinke_model::credential::CredentialTier;
use klinke_model::ids::{BuildingId, ControllerId, DoorId, ReadingId};
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// How long an answer waits for news, less than any request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A reader that can be reached just now.
#[derive(Serialize, ToSchema)]
pub struct Reader {
    controller: ControllerId,
    /// The controller's name.
    controller_name: Label,
    /// Its number at the controller.
    reader: u16,
    /// The door that it stands at; absent for a reader on a desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    door: Option<ReaderDoor>,
}

/// The door of a reader.
#[derive(Serialize, ToSchema)]
pub struct ReaderDoor {
    id: DoorId,
    name: Label,
}

/// Where a card is to be read.
#[derive(Deserialize, ToSchema)]
pub struct NewCardReading {
    pub(super) controller: ControllerId,
    pub(super) reader: u16,
}

/// How far a reading is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadingState {
    /// The reader waits for a card.
    Waiting,
    /// It read one.
    Read,
    /// Nobody came in time, or it was cancelled.
    Over,
    /// The reader or its controller can not be reached.
    Offline,
}

/// A card that is read.
#[derive(Serialize, ToSchema)]
pub struct CardReading {
    id: ReadingId,
    state: ReadingState,
    /// How long the reader waits, or the card can be saved, UTC milliseconds since 1970.
    expires_at: Timestamp,
    /// What was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    card: Option<ReadCard>,
}

/// A card that was read.
#[derive(Serialize, ToSchema)]
pub struct ReadCard {
    /// How its number is written.
    kind: CardView,
    number: String,
    /// `identifier`: it can be copied, as far as the reader can tell.
    tier: CredentialTier,
    /// The card that it is already, when somebody has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    taken: Option<Card>,
}

pub(super) const fn state_of(stage: Stage) -> ReadingState {
    match stage {
        Stage::Waiting => ReadingState::Waiting,
        Stage::Read(_) => ReadingState::Read,
        Stage::Over => ReadingState::Over,
        Stage::Offline => ReadingState::Offline,
    }
}

/// Who reads a card for this purpose.
pub(super) const fn asker(who: &SignedIn, purpose: Purpose) -> Asker {
    Asker { tenant: who.scope.tenant, person: who.person, purpose }
}

/// Has a reader wait; what to answer who began.
pub(super) fn begun(node: &Node, place: Place) -> Result<(ReadingId, Timestamp), Problem> {
    let (id, now): (ReadingId, _) = (node.random.v4(), node.clock.mono());
    let ended = node.readings.begin(id, place, now).map_err(|_| Code::ReaderBusy)?;
    node.links.end_enrol(ended);
    if !node.links.enrol(place.controller, id, place.reader, now) {
        node.readings.remove(id);
        return Err(Code::ReaderOffline.into());
    }
    Ok((id, node.clock.now().plus(crate::doors::readings::WINDOW)))
}

/// How far a reading of this asker is: at once when it waits no more, else when it does not or after a while.
pub(super) async fn news(
    node: &Node,
    id: ReadingId,
    asker: Asker,
) -> Result<crate::doors::readings::Seen, Problem> {
    let find = || node.readings.look(id, asker, node.clock.mono()).ok_or(Code::NotFound);
    let mut seen = find()?;
    if seen.stage == Stage::Waiting {
        let further = seen.news.wait_for(|stage| *stage != Stage::Waiting);
        tokio::select! {
            // the sender lives as long as the reading: gone is not found below
            _ = further => {}
            () = tokio::time::sleep(PATIENCE.min(seen.left)) => {}
            () = node.stop.cancelled() => {}
        }
        seen = find()?;
    }
    Ok(seen)
}

pub(super) fn cancelled(node: &Node, id: ReadingId, asker: Asker) -> Result<StatusCode, Problem> {
    let ended = node.readings.cancel(id, asker, node.clock.mono()).ok_or(Code::NotFound)?;
    node.links.end_enrol(ended);
    Ok(StatusCode::NO_CONTENT)
}

/// The readers of a building that can be reached just now, by the names of their doors; those on desks first.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/readers", operation_id = "readers", tag = "cards",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 200, description = "The readers", body = [Reader])))]
pub async fn readers(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Reader>>, Problem> {
    allowed(&node, &who, Right::ChangePeople, building).await?;
    let doors = node.store.doors().doors(&who.scope, building).await?;
    let mut readers = Vec::new();
    for controller in node.store.doors().controllers(&who.scope, building).await? {
        for told in node.presence.controller(controller.id).into_iter().flat_map(|known| known.readers) {
            let stands_at = |door: &&klinke_model::door::Door| {
                door.controller == Some(controller.id) && Some(door.output) == told.output
            };
            let door = doors.iter().find(stands_at);
            // a reader at an output that drives no door lets nobody in, and is nowhere that people know
            if told.output.is_none() || door.is_some() {
                readers.push(Reader {
                    controller: controller.id,
                    controller_name: controller.name.clone(),
                    reader: told.reader,
                    door: door.map(|door| ReaderDoor { id: door.id, name: door.name.clone() }),
                });
            }
        }
    }
    readers.sort_by_key(|reader| (reader.door.as_ref().map(|door| door.name.clone()), reader.reader));
    Ok(Json(readers))
}

/// Has a reader wait 60 s for a card. Meanwhile it lets nobody in with one; what one began before is over.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/card-readings", operation_id = "read_card", tag = "cards",
    request_body = NewCardReading, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 201, description = "It waits", body = CardReading),
        (status = 409, description = "`reader_busy`: it waits for somebody else's card; `reader_offline`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn begin(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewCardReading>,
) -> Result<(StatusCode, Json<CardReading>), Problem> {
    allowed(&node, &who, Right::ChangePeople, building).await?;
    let controllers = node.store.doors().controllers(&who.scope, building).await?;
    let mut fields = Fields::default();
    if controllers.iter().all(|controller| controller.id != new.controller) {
        fields.wrong("/controller", FieldCode::NotFound);
    }
    fields.check()?;
    let known = node.presence.controller(new.controller).ok_or(Code::ReaderOffline)?;
    let mut fields = Fields::default();
    if known.readers.iter().all(|told| told.reader != new.reader) {
        fields.wrong("/reader", FieldCode::NotFound);
    }
    fields.check()?;
    let asker = asker(&who, Purpose::Administration);
    let place = Place { asker, building, controller: new.controller, reader: new.reader };
    let (id, expires_at) = begun(&node, place)?;
    let reading = CardReading { id, state: ReadingState::Waiting, expires_at, card: None };
    Ok((StatusCode::CREATED, Json(reading)))
}

/// How far a reading is. While the reader waits the answer does too, up to 10 s. For who began it.
#[utoipa::path(get, path = "/api/v1/card-readings/{reading}", operation_id = "card_reading", tag = "cards",
    params(("reading" = uuid::Uuid, Path, description = "The reading")), security(("session" = [])),
    responses((status = 200, description = "So far it is", body = CardReading),
        (status = 404, description = "`not_found`: nobody's, somebody else's, or forgotten", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn look(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<ReadingId>,
) -> Result<Json<CardReading>, Problem> {
    let seen = news(&node, id, asker(&who, Purpose::Administration)).await?;
    // a role may have ended meanwhile
    let scope = who.scope.at(node.clock.now());
    if !node.store.people().may_in(&scope, Right::ChangePeople, seen.building).await? {
        return Err(Code::NotFound.into());
    }
    let card = match seen.stage {
        Stage::Read(key) => {
            let taken = node.store.cards().card_by_key(&scope, seen.building, &key).await?;
            CardView::of(&key).map(|kind| ReadCard {
                kind,
                number: kind.write(&key).unwrap_or_default(),
                tier: CredentialTier::Identifier,
                taken: taken.map(Card::from),
            })
        }
        Stage::Waiting | Stage::Over | Stage::Offline => None,
    };
    let expires_at = node.clock.now().plus(seen.left);
    Ok(Json(CardReading { id, state: state_of(seen.stage), expires_at, card }))
}

/// Nobody needs the card any more: the reader goes back to letting people in, and what it read is forgotten. For who began it.
#[utoipa::path(delete, path = "/api/v1/card-readings/{reading}", operation_id = "cancel_card_reading", tag = "cards",
    params(("reading" = uuid::Uuid, Path, description = "The reading")), security(("session" = [])),
    responses((status = 204, description = "Over"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn cancel(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<ReadingId>,
) -> Result<StatusCode, Problem> {
    cancelled(&node, id, asker(&who, Purpose::Administration))
}
