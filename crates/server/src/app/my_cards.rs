//! One's own cards, and for a unit owner those of their home (R44): lost, found, and added where the building's policy leaves
//! it to residents.
//!
//! A lost card is blocked at once, whatever the policy says. A number is never told here, only how it ends.

use super::card_readings::asker;
use super::cards::{Said, bits};
use crate::auth::session::SignedIn;
use crate::doors::readings::Purpose;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::card::{BlockedBy, CardView, ending};
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::ids::{CardId, PersonId, ReadingId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_storage::record::{self, HeldCard, Household, MyCardChanged, MyCardMade};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A card or key ring of one's own, or of somebody in the home that one decides for.
#[derive(Serialize, ToSchema)]
pub struct MyCard {
    id: CardId,
    /// The building's name.
    building: Label,
    person: PersonId,
    /// Whose it is; absent for who goes without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    holder: Option<Label>,
    /// The person who asks.
    you: bool,
    /// What it is called.
    name: Label,
    /// How its number ends.
    ending: String,
    /// `identifier` can be copied by anybody who has held it; `proven` can not.
    tier: CredentialTier,
    /// Who blocked it; absent while it opens. What an administrator blocked they alone let in again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    blocked_by: Option<BlockedBy>,
    /// A change names the version that it was made from.
    version: u64,
}

/// A home in which one may add cards.
#[derive(Serialize, ToSchema)]
pub struct MyCardsHome {
    unit: UnitId,
    /// Apartment number or company.
    number: Label,
    /// The building's name.
    building: Label,
    /// For whom: oneself, and who lives in the home that one decides for.
    people: Vec<MyCardsPerson>,
}

/// Somebody for whom one may add cards.
#[derive(Serialize, ToSchema)]
pub struct MyCardsPerson {
    person: PersonId,
    /// Absent for who goes without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    name: Option<Label>,
    /// The person who asks.
    you: bool,
}

/// One's own cards.
#[derive(Serialize, ToSchema)]
pub struct MyCards {
    /// One's own first.
    items: Vec<MyCard>,
    /// Where one may add some oneself; empty where that is the administrators'.
    homes: Vec<MyCardsHome>,
}

/// A card that a resident adds: by its number and how that is written, or as a reader read it.
#[derive(Deserialize, ToSchema)]
pub struct NewMyCard {
    /// The home.
    unit: UnitId,
    /// For whom; for oneself without.
    #[schema(required = false)]
    person: Option<PersonId>,
    name: String,
    /// How the number is written: nobody guesses.
    #[schema(required = false)]
    kind: Option<CardView>,
    #[schema(value_type = Option<String>, required = false)]
    number: Option<Pii<String>>,
    /// What a reader read for the asker, in place of a number.
    #[schema(required = false)]
    reading: Option<ReadingId>,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct MyCardChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    /// Lost, or found.
    #[schema(required = false)]
    blocked: Option<bool>,
}

fn shown(held: HeldCard, asker: PersonId) -> MyCard {
    let HeldCard { card, version, building_name, holder } = held;
    MyCard {
        id: card.id,
        building: building_name,
        person: card.person,
        holder: holder.map(Pii::into_inner),
        you: card.person == asker,
        ending: ending(&card),
        name: card.name,
        tier: card.tier,
        blocked_by: card.blocked,
        version,
    }
}

/// A home in which the asker may add cards.
fn home(household: Household, asker: PersonId) -> Option<MyCardsHome> {
    let Household { unit, number, building_name: building, owner, policy, members, .. } = household;
    let mine = members.into_iter().filter(|member| owner || member.person == asker);
    policy.own_cards.then(|| MyCardsHome {
        unit,
        number,
        building,
        people: mine
            .map(|member| MyCardsPerson {
                person: member.person,
                name: member.name.map(Pii::into_inner),
                you: member.person == asker,
            })
            .collect(),
    })
}

/// One's own cards, and those of the people of the homes that one decides for.
#[utoipa::path(get, path = "/api/v1/me/cards", operation_id = "my_cards", tag = "me",
    security(("session" = [])), responses((status = 200, description = "The cards", body = MyCards)))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<MyCards>, Problem> {
    let cards = node.store.cards().my_cards(&who.scope).await?;
    let homes = node.store.households().mine(&who.scope).await?;
    Ok(Json(MyCards {
        items: cards.into_iter().map(|held| shown(held, who.person)).collect(),
        homes: homes.into_iter().filter_map(|household| home(household, who.person)).collect(),
    }))
}

/// Adds a card of one's own, or of somebody in the home that one decides for.
#[utoipa::path(post, path = "/api/v1/me/cards", operation_id = "add_my_card", tag = "me",
    request_body = NewMyCard, security(("session" = [])),
    responses((status = 201, description = "It opens", body = MyCard),
        (status = 403, description = "`decided_by_administrator`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: not one's home, or not somebody whom one decides for", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`card_taken`; `too_many_cards`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(new): Body<NewMyCard>,
) -> Result<(StatusCode, Json<MyCard>), Problem> {
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    let said = match new.reading {
        Some(id) => Said::Read(read(&node, &who, id, new.unit).await?),
        None => Said::Typed(new.kind, new.number.as_ref()),
    };
    let bits = bits(&mut fields, &said);
    let (Some(name), Some((key, view))) = (name, bits) else { return Err(fields.into()) };
    // whether a number is taken would tell by and by which cards there are
    let attempt = node.household_limit.take(who.person)?;
    let card = record::NewCard {
        id: node.random.v7(node.clock.now()),
        person: new.person.unwrap_or(who.person),
        name,
        key,
        view,
        tier: CredentialTier::Identifier,
    };
    let wanted = record::NewMyCard { unit: new.unit, card };
    let refusal = match node.store.cards().add_my_card(&who.scope, wanted).await? {
        MyCardMade::Done(held) => {
            if let Some(id) = new.reading {
                node.readings.remove(id);
            }
            return Ok((StatusCode::CREATED, Json(shown(held, who.person))));
        }
        MyCardMade::Taken => return Err(Code::CardTaken.into()),
        MyCardMade::NotThere => Code::NotFound,
        MyCardMade::Administrators => Code::DecidedByAdministrator,
        MyCardMade::Full => Code::TooManyCards,
    };
    attempt.give_back();
    Err(refusal.into())
}

/// What a reader read for the asker in the building of this home.
async fn read(
    node: &Node,
    who: &SignedIn,
    id: ReadingId,
    unit: UnitId,
) -> Result<Option<CredentialKey>, Problem> {
    let homes = node.store.households().mine(&who.scope).await?;
    let building = homes.iter().find(|home| home.unit == unit).map(|home| home.building);
    let asker = asker(who, Purpose::Home);
    Ok(building.and_then(|building| node.readings.card(id, asker, building, node.clock.mono())))
}

/// Blocks a card that is lost, lets in one that is found, or gives it another name.
#[utoipa::path(patch, path = "/api/v1/me/cards/{card}", operation_id = "change_my_card", tag = "me",
    request_body = MyCardChange, params(("card" = uuid::Uuid, Path, description = "The card")), security(("session" = [])),
    responses((status = 200, description = "Changed", body = MyCard),
        (status = 403, description = "`decided_by_administrator`: an administrator blocked it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: changed elsewhere since; `current` is a `MyCard`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<CardId>,
    Body(change): Body<MyCardChange>,
) -> Result<Json<MyCard>, Problem> {
    let mut fields = Fields::default();
    let name = change.name.and_then(|name| fields.label("/name", &name));
    fields.check()?;
    let cards = node.store.cards();
    match cards.change_my_card(&who.scope, id, change.version, name, change.blocked).await? {
        MyCardChanged::Done(held) => Ok(Json(shown(held, who.person))),
        MyCardChanged::Conflict(held) => Err(Problem::conflict(&shown(held, who.person))),
        MyCardChanged::Administrators => Err(Code::DecidedByAdministrator.into()),
        MyCardChanged::NotThere => Err(Code::NotFound.into()),
    }
}
