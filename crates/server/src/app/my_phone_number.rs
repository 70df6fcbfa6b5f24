//! The number at which one is rung oneself. It is kept once its call proved it: the app shows a code, the number is called,
//! the code is typed on that phone ([`crate::number_proofs`]). It opens doors, so another one needs the password in the same
//! request.
//!
//! A call is offered only where one can be made: over a trunk that stands on this server. One that comes to nothing ends the
//! proof, and why is told to whoever asked for it, to nobody else.

use super::phone_limits::{callable, countries};
use crate::auth::session::SignedIn;
use crate::http::body::Body;
use crate::http::client::Client;
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::number_proofs::{Begun, Proof, Unproven};
use crate::phones::NotRung;
use crate::phones::confirming::{self, Confirming};
use crate::phones::invite::NotInvited;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::phone::{E164, Verified};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use klinke_storage::StorageError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The number at which one is rung.
#[derive(Serialize, ToSchema)]
pub struct MyPhoneNumber {
    /// In international form; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "+4791500123")]
    number: Option<String>,
    /// How it is known to be one's own; absent without a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    verified: Option<Verified>,
    /// A number that is not proven yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    waiting: Option<WaitingNumber>,
    /// The last number whose call came to nothing; absent when there is none, when it was given up, and after a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    unproven: Option<UnprovenNumber>,
    /// Whether a number can be confirmed: this server has a trunk to call it by. Else an administrator can vouch for one.
    can_confirm: bool,
    /// The numbers that calls come from, each once, in the order in which trunks are tried.
    #[schema(example = json!(["+4721600000"]))]
    calls_from: Vec<String>,
}

/// A number that waits for its call.
#[derive(Serialize, ToSchema)]
pub struct WaitingNumber {
    number: String,
    /// First moment at which it waits no more, in UTC milliseconds.
    until: Timestamp,
}

/// A number that was not proven.
#[derive(Serialize, ToSchema)]
pub struct UnprovenNumber {
    number: String,
    why: Unproven,
}

/// Another number.
#[derive(Deserialize, ToSchema)]
pub struct NewPhoneNumber {
    /// In international form, of a country that may be called.
    #[schema(value_type = String, example = "+47 915 00 123")]
    number: Pii<String>,
    /// One's own.
    #[schema(value_type = Option<String>, format = Password, required = false)]
    password: Option<Pii<String>>,
}

/// What is to be typed on the phone that is called.
#[derive(Serialize, ToSchema)]
pub struct NumberToConfirm {
    /// In international form.
    number: String,
    /// Four digits.
    #[schema(example = "4711")]
    code: String,
    /// First moment at which the code proves nothing any more, in UTC milliseconds.
    until: Timestamp,
}

/// The number at which one is rung by an ordinary phone.
#[utoipa::path(get, path = "/api/v1/me/phone-number", operation_id = "my_phone_number", tag = "me", security(("session" = [])),
    responses((status = 200, description = "The number, if there is one", body = MyPhoneNumber)))]
pub async fn handler(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<MyPhoneNumber>, Problem> {
    let found = node.store.phone_numbers().number(&who.scope, who.person).await?;
    let (tenant, person) = (who.scope.tenant, who.person);
    let waiting = node.number_proofs.waits(tenant, person);
    let unproven = node.number_proofs.unproven(tenant, person);
    let (number, verified) = found.map(|found| (found.number, found.verified)).unzip();
    let calls_from: Vec<String> = node.phones.callers(tenant).into_iter().map(String::from).collect();
    Ok(Json(MyPhoneNumber {
        number: number.map(|number| number.into_inner().into()),
        verified,
        waiting: waiting
            .map(|one| WaitingNumber { number: one.number.into_inner().into(), until: one.until }),
        unproven: unproven.map(|(number, why)| UnprovenNumber { number: number.into_inner().into(), why }),
        can_confirm: !calls_from.is_empty(),
        calls_from,
    }))
}

/// Begins to confirm another number. The one before is rung until that is done.
#[utoipa::path(put, path = "/api/v1/me/phone-number", operation_id = "confirm_my_phone_number", tag = "me",
    request_body = NewPhoneNumber, security(("session" = [])),
    responses((status = 202, description = "It is called; the code is to be typed on that phone", body = NumberToConfirm),
        (status = 403, description = "`wrong_password`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`no_trunk`: there is nothing to call it by", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`; `called_too_often`: a limit of calls is reached", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn confirm(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    client: Client,
    Body(new): Body<NewPhoneNumber>,
) -> Result<(StatusCode, Json<NumberToConfirm>), Problem> {
    let mut fields = Fields::default();
    let number = callable(&node, who.scope.tenant, &mut fields, "/number", &new.number).await?;
    if new.password.is_none() {
        fields.wrong("/password", FieldCode::Required);
    }
    let (Some(number), Some(password)) = (number, new.password) else { return Err(fields.into()) };
    let (user_name, hash) = node.store.people().my_account(&who.scope).await?.unzip();
    let guessed = user_name.unwrap_or_else(|| Pii::new(who.person.0.to_string()));
    let checked = node.passwords.verify(password, hash);
    if !node.sign_in_limits.guarded(&guessed, client.prefix(), checked).await? {
        return Err(Code::WrongPassword.into());
    }
    if !node.phones.has_trunk(who.scope.tenant) {
        return Err(Code::NoTrunk.into());
    }
    let begun = node.number_proofs.begin((who.scope, who.person), number.clone(), &node.random)?;
    if let Err(refused) = ring(&node, &who, &number, &begun).await {
        node.number_proofs.forget(begun.proof);
        return Err(refused);
    }
    let code = begun.code.reveal().to_owned();
    let number = number.into_inner().into();
    Ok((StatusCode::ACCEPTED, Json(NumberToConfirm { number, code, until: begun.until })))
}

async fn ring(node: &Arc<Node>, who: &SignedIn, number: &Pii<E164>, begun: &Begun) -> Result<(), Problem> {
    let limits = node.store.trunks().phone_limits(&Scope::system(who.scope.tenant)).await?;
    let limits = limits.map(|(_, limits)| limits).unwrap_or_default();
    let Some(me) = node.store.people().person(&who.scope, who.person).await? else {
        return Err(Code::NotFound.into());
    };
    // it was read by the same countries a moment ago
    let Ok(number) = countries(&limits).read(number.reveal().as_str()) else {
        return Err(Code::NoTrunk.into());
    };
    let given_up = begun.given_up.clone();
    let wanted = Confirming { proof: begun.proof, given_up, number, language: me.language };
    confirming::ring(node, wanted).await.map_err(not_called)
}

/// Why somebody who asked for a call is not called.
pub(super) fn not_called(why: NotInvited) -> Problem {
    match why {
        NotInvited::NotRung(NotRung::NoTrunk) => Code::NoTrunk.into(),
        NotInvited::NotRung(NotRung::Capped) => Code::CalledTooOften.into(),
        NotInvited::Ports(error) => {
            tracing::warn!(%error, "a phone was not rung");
            Code::Overloaded.into()
        }
    }
}

/// Takes one's number away, and ends a proof that goes on: no ordinary phone is rung.
#[utoipa::path(delete, path = "/api/v1/me/phone-number", operation_id = "remove_my_phone_number", tag = "me",
    security(("session" = [])), responses((status = 204, description = "There is none now")))]
pub async fn remove(State(node): State<Arc<Node>>, who: SignedIn) -> Result<StatusCode, Problem> {
    node.number_proofs.give_up(who.scope.tenant, who.person);
    node.store.phone_numbers().remove_my_number(&who.scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives up the number that waits for its proof: its call is hung up, and the number from before is rung on.
#[utoipa::path(delete, path = "/api/v1/me/phone-number/waiting", operation_id = "give_up_my_waiting_number", tag = "me",
    security(("session" = [])), responses((status = 204, description = "None waits now")))]
pub async fn give_up(State(node): State<Arc<Node>>, who: SignedIn) -> StatusCode {
    node.number_proofs.give_up(who.scope.tenant, who.person);
    StatusCode::NO_CONTENT
}

/// What was typed on the phone that was called for this proof: whether its number is the person's from now on.
///
/// # Errors
/// When the store can not be written: the proof is used up by then, and it takes another call.
pub async fn typed(node: &Node, proof: Proof, code: &str) -> Result<bool, StorageError> {
    let Some((scope, number)) = node.number_proofs.typed(proof, code) else { return Ok(false) };
    let kept = node.store.phone_numbers().keep_my_number(&scope, number).await;
    if matches!(kept, Ok(true)) {
        node.number_proofs.forget(proof);
    } else {
        node.number_proofs.came_to_nothing(proof, Unproven::NotTyped);
    }
    kept
}
