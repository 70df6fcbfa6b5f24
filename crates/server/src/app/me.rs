//! What a person sees and changes of themselves (R23, R72): how they are reached, what is kept about them, and signing out
//! everywhere else.
//!
//! How one is spelled is the administrators' to change: the button and the list of residents show it. A new e-mail
//! address or phone number needs the password in the same request: links to set a new one go to that address.

use crate::app::my_records::MyRecord;
use crate::app::paging::LIMIT;
use crate::app::sign_in::SignInLimits;
use crate::auth::session::SignedIn;
use crate::http::body::Body;
use crate::http::client::Client;
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use klinke_model::card::ending;
use klinke_model::contact::{Email, Language, Phone};
use klinke_model::ids::PictureId;
use klinke_model::people::{self, Role};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::Changed;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A person as they see themselves.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// A change names the version that it was made from.
    version: u64,
    /// Absent for who wants none. Administrators change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    name: Option<Label>,
    /// What they sign in with; absent for who has no password of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    email: Option<Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    phone: Option<Phone>,
    /// What they are written to in.
    language: Language,
    /// Locks stay released for longer. Administrators change it.
    needs_longer: bool,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct MeChange {
    /// The version that the asker saw.
    version: u64,
    /// Empty takes it away.
    #[schema(value_type = Option<String>, required = false)]
    email: Option<Pii<String>>,
    /// Empty takes it away.
    #[schema(value_type = Option<String>, required = false)]
    phone: Option<Pii<String>>,
    #[schema(required = false)]
    language: Option<Language>,
    /// Needed for another e-mail address or phone number.
    #[schema(value_type = Option<String>, format = Password, required = false)]
    password: Option<Pii<String>>,
}

/// All that is kept about a person, but for their password's hash and what administrators changed.
#[derive(Serialize, ToSchema)]
pub struct MyData {
    me: Me,
    homes: Vec<MyDataHome>,
    buttons: Vec<MyDataButton>,
    cards: Vec<MyDataCard>,
    /// The buildings in which they have a code of their own. The app shows it.
    codes: Vec<Label>,
    /// The number at which they are rung by an ordinary phone; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    phone_number: Option<String>,
    guests: Vec<MyDataGuest>,
    /// The names of the devices that are signed in.
    devices: Vec<Label>,
    /// Their uses of doors in commercial buildings that keep records, the newest first.
    records: Vec<MyRecord>,
    roles: Vec<Role>,
    /// When they bound themselves to confidentiality is in the administrators' audit.
    confidentiality_accepted: bool,
}

/// A home.
#[derive(Serialize, ToSchema)]
pub struct MyDataHome {
    building: Label,
    number: Label,
    owner: bool,
}

/// A button that rings them.
#[derive(Serialize, ToSchema)]
pub struct MyDataButton {
    building: Label,
    panel: Label,
    text: Label,
    /// Its picture, at `/api/v1/pictures/{picture}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    picture: Option<PictureId>,
    hidden: bool,
}

/// A card or key ring.
#[derive(Serialize, ToSchema)]
pub struct MyDataCard {
    building: Label,
    name: Label,
    /// How its number ends: the whole of it would be a copy of the card.
    ending: String,
    blocked: bool,
}

/// A guest of theirs.
#[derive(Serialize, ToSchema)]
pub struct MyDataGuest {
    building: Label,
    name: Label,
    doors: Vec<Label>,
    /// The first moment at which they may come.
    starts_at: Timestamp,
    /// The first moment at which they may not any more.
    ends_at: Timestamp,
}

fn shown(person: people::Person, user_name: Option<Pii<String>>) -> Me {
    Me {
        version: person.version,
        name: person.name.map(Pii::into_inner),
        user_name: user_name.map(Pii::into_inner),
        email: person.email.map(Pii::into_inner),
        phone: person.phone.map(Pii::into_inner),
        language: person.language,
        needs_longer: person.needs_longer,
    }
}

/// The person, what they sign in with, and the hash of their password.
type Oneself = (people::Person, Option<Pii<String>>, Option<Pii<String>>);

async fn read(node: &Node, who: &SignedIn) -> Result<Oneself, Problem> {
    let person = node.store.people().person(&who.scope, who.person).await?.ok_or(Code::NotSignedIn)?;
    let account = node.store.people().my_account(&who.scope).await?;
    let (user_name, hash) = account.unzip();
    Ok((person, user_name, hash))
}

/// The person who asks.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "me", tag = "me",
    security(("session" = [])), responses((status = 200, description = "Oneself", body = Me)))]
pub async fn handler(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Me>, Problem> {
    let (person, user_name, _) = read(&node, &who).await?;
    Ok(Json(shown(person, user_name)))
}

/// Changes how the person who asks is reached.
#[utoipa::path(patch, path = "/api/v1/me", operation_id = "change_me", tag = "me", request_body = MeChange,
    security(("session" = [])),
    responses((status = 200, description = "Changed", body = Me),
        (status = 403, description = "`wrong_password`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: changed elsewhere since; `current` is a `Me`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    client: Client,
    Body(change): Body<MeChange>,
) -> Result<Json<Me>, Problem> {
    let (before, user_name, hash) = read(&node, &who).await?;
    let mut fields = Fields::default();
    let email = match &change.email {
        Some(email) => fields.email("/email", email.reveal()),
        None => before.email.clone(),
    };
    let phone = match &change.phone {
        Some(phone) => fields.phone("/phone", phone.reveal()),
        None => before.phone.clone(),
    };
    let reached_anew = email != before.email || phone != before.phone;
    if reached_anew && change.password.is_none() {
        fields.wrong("/password", FieldCode::Required);
    }
    fields.check()?;
    if let Some(password) = change.password.filter(|_| reached_anew) {
        let limits: &SignInLimits = &node.sign_in_limits;
        let guessed = user_name.clone().unwrap_or_else(|| Pii::new(who.person.0.to_string()));
        let right = limits.guarded(&guessed, client.prefix(), node.passwords.verify(password, hash));
        if !right.await? {
            return Err(Code::WrongPassword.into());
        }
    }
    let language = change.language.unwrap_or(before.language);
    match node.store.people().change_me(&who.scope, change.version, email, phone, language).await? {
        Changed::Done(person) => Ok(Json(shown(person, user_name))),
        Changed::Conflict(person) => Err(Problem::conflict(&shown(person, user_name))),
        Changed::NotFound => Err(Code::NotSignedIn.into()),
    }
}

/// Signs out every device of the person who asks but this one.
#[utoipa::path(delete, path = "/api/v1/me/devices", operation_id = "sign_out_others", tag = "me",
    security(("session" = [])), responses((status = 204, description = "Only this one is signed in")))]
pub async fn sign_out_others(State(node): State<Arc<Node>>, who: SignedIn) -> Result<StatusCode, Problem> {
    for device in node.store.devices().sign_out_others(&who.scope).await? {
        node.exchange.device_signed_out(device).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Answer to who asks what is kept about them: a file.
pub type DataFile = ([(HeaderName, HeaderValue); 1], Json<MyData>);

/// All that is kept about the person who asks.
#[utoipa::path(get, path = "/api/v1/me/data", operation_id = "my_data", tag = "me",
    security(("session" = [])), responses((status = 200, description = "What is kept", body = MyData)))]
pub async fn data(State(node): State<Arc<Node>>, who: SignedIn) -> Result<DataFile, Problem> {
    let (person, user_name, _) = read(&node, &who).await?;
    let homes = node.store.households().mine(&who.scope).await?;
    let bells = node.store.households().my_bells(&who.scope).await?;
    let cards = node.store.cards().my_cards(&who.scope).await?;
    let devices = node.store.devices().list(&who.scope, who.person).await?;
    let roles = node.store.people().roles(&who.scope, who.person).await?;
    let guests = node.store.guests().my_guests(&who.scope).await?;
    let codes = node.store.own_codes().my_codes(&who.scope).await?;
    let number = node.store.phone_numbers().number(&who.scope, who.person).await?;
    let mut records: Vec<MyRecord> = Vec::new();
    let mut after = None;
    loop {
        let page = node.store.records().my_records(&who.scope, after, LIMIT).await?;
        records.extend(page.records.into_iter().map(MyRecord::from));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let kept = MyData {
        me: shown(person, user_name),
        homes: homes
            .into_iter()
            .map(|home| MyDataHome { building: home.building_name, number: home.number, owner: home.owner })
            .collect(),
        buttons: bells
            .into_iter()
            .filter(|bell| bell.members.iter().any(|member| member.person == who.person))
            .map(|bell| MyDataButton {
                building: bell.building_name,
                panel: bell.panel,
                text: bell.label.into_inner(),
                picture: bell.picture.map(|picture| picture.id),
                hidden: bell.hidden || bell.hours_hide,
            })
            .collect(),
        cards: cards
            .into_iter()
            .filter(|held| held.card.person == who.person)
            .map(|held| MyDataCard {
                building: held.building_name,
                ending: ending(&held.card),
                blocked: held.card.blocked.is_some(),
                name: held.card.name,
            })
            .collect(),
        codes: codes.into_iter().filter_map(|code| code.number.map(|_| code.building_name)).collect(),
        phone_number: number.map(|number| number.number.into_inner().into()),
        guests: guests
            .into_iter()
            .map(|guest| MyDataGuest {
                building: guest.building_name,
                name: guest.name.into_inner(),
                doors: guest.doors.into_iter().map(|one| one.door.name).collect(),
                starts_at: guest.starts_at,
                ends_at: guest.ends_at,
            })
            .collect(),
        devices: devices.into_iter().map(|device| device.name.into_inner()).collect(),
        records,
        roles: roles.into_iter().map(|grant| grant.role).collect(),
        confidentiality_accepted: node.store.people().is_bound(&who.scope, who.person).await?,
    };
    let file = HeaderValue::from_static("attachment; filename=\"klinke.json\"");
    Ok(([(header::CONTENT_DISPOSITION, file)], Json(kept)))
}
