//! Cards of a building: whose they are, given by number, blocked and taken back (R43). For who sees people there; changing
//! them takes the right to change people.
//!
//! A number is told to administrators alone, as it was given. Cards that only say a number can be copied, and are shown as
//! such; that one proves itself, only an administrator says.

use super::{allowed, paging};
use crate::auth::caller::Caller;
use crate::doors::readings::{Asker, Purpose};
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::card::{BlockedBy, CardNumberError, CardView};
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::ids::{BuildingId, CardId, PersonId, ReadingId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_storage::StorageError;
use klinke_storage::record::{self, CardAfter, CardMade, CardRow, CardsQuery, Edited, Part};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A card or key ring, as an administrator sees it. It opens what its holder may open.
#[derive(Serialize, ToSchema)]
pub struct Card {
    id: CardId,
    building: BuildingId,
    holder: CardHolder,
    /// What people call it.
    name: Label,
    /// How its number is written.
    kind: CardView,
    /// Its number, as it was given.
    number: String,
    /// `identifier` can be copied by anybody who has held it; `proven` can not.
    tier: CredentialTier,
    /// Who blocked it; absent while it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    blocked_by: Option<BlockedBy>,
    /// Grows with every change.
    version: u64,
}

/// Whose card it is.
#[derive(Serialize, ToSchema)]
pub struct CardHolder {
    id: PersonId,
    /// Absent for who wants none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    name: Option<Label>,
    /// The numbers of their homes in the building.
    homes: Vec<Label>,
}

impl From<Part<CardRow>> for Card {
    fn from(part: Part<CardRow>) -> Self {
        let CardRow { card, holder, homes } = part.value;
        Self {
            id: card.id,
            building: card.building,
            holder: CardHolder { id: card.person, name: holder.map(Pii::into_inner), homes },
            number: card.view.write(&card.key).unwrap_or_default(),
            name: card.name,
            kind: card.view,
            tier: card.tier,
            blocked_by: card.blocked,
            version: part.version,
        }
    }
}

/// A page of cards.
#[derive(Serialize, ToSchema)]
pub struct CardsPage {
    items: Vec<Card>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    next: Option<String>,
}

/// What a list is narrowed to.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Each word begins a word of the holder or the number of their home; or the card's name begins like it.
    text: Option<String>,
    /// Only those that are blocked, or only those that are not.
    blocked: Option<bool>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

/// A card to be given: by its number and how that is written, or as a reader read it.
#[derive(Deserialize, ToSchema)]
pub struct NewCard {
    /// Somebody who lives in the building, has a role over it, or is named by one of its rules.
    person: PersonId,
    name: String,
    /// How the number is written: nobody guesses.
    #[schema(required = false)]
    kind: Option<CardView>,
    #[schema(value_type = Option<String>, required = false)]
    number: Option<Pii<String>>,
    /// What a reader read for the asker, in place of a number.
    #[schema(required = false)]
    reading: Option<ReadingId>,
    /// That it proves itself is for an administrator to say; else it can be copied.
    #[serde(default = "copyable")]
    #[schema(required = false)]
    tier: CredentialTier,
}

const fn copyable() -> CredentialTier {
    CredentialTier::Identifier
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct CardChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    /// Another holder.
    #[schema(required = false)]
    person: Option<PersonId>,
    /// It opens nothing, or opens again.
    #[schema(required = false)]
    blocked: Option<bool>,
    #[schema(required = false)]
    tier: Option<CredentialTier>,
}

/// How a form says which card it is.
pub(super) enum Said<'a> {
    /// By a number that somebody typed, and how it is written.
    Typed(Option<CardView>, Option<&'a Pii<String>>),
    /// By a reading of the asker's, and what was read.
    Read(Option<CredentialKey>),
}

/// The bits of a card, and how its number is told.
pub(super) fn bits(fields: &mut Fields, said: &Said) -> Option<(CredentialKey, CardView)> {
    match said {
        Said::Typed(Some(kind), Some(text)) => match kind.read(text.reveal()) {
            Ok(key) => return Some((key, *kind)),
            Err(wrong) => fields.wrong("/number", not_a_number(wrong)),
        },
        Said::Typed(kind, text) => {
            let missing = [("/kind", kind.is_none()), ("/number", text.is_none())];
            for (pointer, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
                fields.wrong(pointer, FieldCode::Required);
            }
        }
        Said::Read(key) => {
            let read = key.and_then(|key| Some((key, CardView::of(&key)?)));
            if read.is_none() {
                fields.wrong("/reading", FieldCode::NotFound);
            }
            return read;
        }
    }
    None
}

/// Why a text is not the number of a card, as the field of a form says it.
pub(super) const fn not_a_number(wrong: CardNumberError) -> FieldCode {
    match wrong {
        CardNumberError::NotHexadecimal => FieldCode::NotHexadecimal,
        CardNumberError::Length => FieldCode::WrongLength,
        CardNumberError::NotTwoNumbers => FieldCode::NotTwoNumbers,
        CardNumberError::OutOfRange => FieldCode::OutOfRange,
        CardNumberError::Random => FieldCode::ChangesEachTime,
    }
}

/// The cards of a building, by the names of their holders.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/cards", operation_id = "cards", tag = "cards",
    params(("building" = uuid::Uuid, Path, description = "The building"), Asked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The cards", body = CardsPage),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<CardsPage>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let mut fields = Fields::default();
    let place = |mut parts: paging::Parts| {
        parts.is("holder")?;
        let after = CardAfter { name: Pii::new(parts.bytes()?), card: parts.id()? };
        parts.end().map(|()| after)
    };
    let query = CardsQuery {
        text: asked.text.as_deref().unwrap_or_default().chars().take(200).collect(),
        blocked: asked.blocked,
        after: paging::after(asked.cursor.as_deref(), place, &mut fields),
        limit: paging::limit(asked.limit, &mut fields),
    };
    fields.check()?;
    let page = node.store.cards().cards(&who.scope, building, &query).await?;
    let cursor = |after: CardAfter| {
        paging::cursor("holder", &[after.name.reveal(), after.card.0.as_bytes().as_slice()])
    };
    Ok(Json(CardsPage {
        next: page.next.map(cursor),
        items: page.cards.into_iter().map(Card::from).collect(),
    }))
}

/// The cards of a person, in the buildings where the asker sees people.
#[utoipa::path(get, path = "/api/v1/people/{person}/cards", operation_id = "cards_of_person", tag = "cards",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The cards", body = [Card])))]
pub async fn of_person(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<Json<Vec<Card>>, Problem> {
    super::people::shown(&node, &who, person).await?;
    let cards = node.store.cards().cards_of(&who.scope, person).await?;
    Ok(Json(cards.into_iter().map(Card::from).collect()))
}

/// Gives a card to somebody. From then on it opens what they may open.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/cards", operation_id = "add_card", tag = "cards",
    request_body = NewCard, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Given", body = Card),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`card_taken`: somebody has it; `current` is the `Card`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewCard>,
) -> Result<(StatusCode, Json<Card>), Problem> {
    allowed(&node, &who, Right::ChangePeople, building).await?;
    let stamp = node.stamp();
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    let asker = Asker { tenant: who.scope.tenant, person: who.person, purpose: Purpose::Administration };
    let read = |id| node.readings.card(id, asker, building, node.clock.mono());
    let said = match new.reading {
        Some(id) => Said::Read(read(id)),
        None => Said::Typed(new.kind, new.number.as_ref()),
    };
    let bits = bits(&mut fields, &said);
    let (Some(name), Some((key, view))) = (name, bits) else { return Err(fields.into()) };
    let card =
        record::NewCard { id: node.random.v7(stamp.at), person: new.person, name, key, view, tier: new.tier };
    match node.store.cards().insert_card(&who.scope, &stamp, building, card).await {
        Ok(CardMade::Done(part)) => {
            if let Some(id) = new.reading {
                node.readings.remove(id);
            }
            Ok((StatusCode::CREATED, Json(part.into())))
        }
        Ok(CardMade::Taken(part)) => Err(Problem::card_taken(&Card::from(part))),
        Ok(CardMade::Stranger) => Err(stranger()),
        Ok(CardMade::NotThere) => Err(Code::Forbidden.into()),
        // given by somebody else in this moment
        Err(StorageError::Conflict) => Err(Code::CardTaken.into()),
        Err(other) => Err(other.into()),
    }
}

/// Changes a card: its name, its holder, or whether it opens.
#[utoipa::path(patch, path = "/api/v1/cards/{card}", operation_id = "change_card", tag = "cards",
    request_body = CardChange, params(("card" = uuid::Uuid, Path, description = "The card")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = Card),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `Card`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<CardId>,
    Body(change): Body<CardChange>,
) -> Result<Json<Card>, Problem> {
    node.store.cards().card(&who.scope, id).await?.ok_or(Code::NotFound)?;
    let mut fields = Fields::default();
    let name = change.name.and_then(|name| fields.label("/name", &name));
    fields.check()?;
    let wanted =
        record::CardChange { name, person: change.person, blocked: change.blocked, tier: change.tier };
    match node.store.cards().change_card(&who.scope, &node.stamp(), id, change.version, wanted).await {
        Ok(Edited::Done(part)) => Ok(Json(part.into())),
        Ok(Edited::Conflict(part)) => Err(Problem::conflict(&Card::from(part))),
        Ok(Edited::NotThere) => Err(Code::Forbidden.into()),
        Err(StorageError::MissingReference) => Err(stranger()),
        Err(other) => Err(other.into()),
    }
}

/// Takes a card back: it opens nothing any more, and can be given to somebody else.
#[utoipa::path(delete, path = "/api/v1/cards/{card}", operation_id = "remove_card", tag = "cards",
    params(("card" = uuid::Uuid, Path, description = "The card")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<CardId>,
) -> Result<StatusCode, Problem> {
    node.store.cards().card(&who.scope, id).await?.ok_or(Code::NotFound)?;
    if node.store.cards().remove_card(&who.scope, &node.stamp(), id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Code::Forbidden.into())
    }
}

/// Nobody who has to do with the building, as far as the asker may know.
fn stranger() -> Problem {
    let mut fields = Fields::default();
    fields.wrong("/person", FieldCode::NotFound);
    fields.into()
}
