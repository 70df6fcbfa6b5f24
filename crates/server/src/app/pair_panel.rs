//! A new panel asks to be one: it shows a code and waits for an administrator, or brings a ticket.
//!
//! The panel made its key pair itself; the private half never leaves it. Here only the public half arrives, and is
//! checked to be a point on P-256 before anything is kept.

use crate::auth::token::Token;
use crate::http::body::{Body, Object};
use crate::http::client::Client;
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::pairing::{Device, LIFE, OpenError, Standing};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use klinke_model::ids::{PairingId, PanelId};
use klinke_model::scope::Scope;
use p256::pkcs8::{DecodePublicKey, EncodePublicKey};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The header in which the panel proves that it opened the pairing.
pub const SECRET_HEADER: &str = "klinke-pairing-secret";

/// A new panel.
#[derive(Deserialize, ToSchema)]
pub struct NewPairing {
    /// P-256 public key as base64 SubjectPublicKeyInfo (what WebCrypto exports as `spki`).
    public_key: String,
}

/// A pairing that the panel has opened.
#[derive(Serialize, ToSchema)]
pub struct OpenedPairing {
    pairing: PairingId,
    /// To prove itself with, in the header `Klinke-Pairing-Secret`. Never shown.
    secret: String,
    /// To show.
    #[schema(example = "4071 9936")]
    code: String,
    /// How long the code can be claimed, in seconds.
    #[schema(example = 600)]
    expires_s: u64,
}

/// How a pairing stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PairingState {
    /// Nobody has claimed it yet.
    Waiting,
    /// This is the panel's name now.
    Claimed {
        /// Which panel.
        panel: PanelId,
    },
    /// Nobody claimed it in time; open another.
    Expired,
}

/// A ticket.
#[derive(Deserialize, ToSchema)]
pub struct Ticket {
    /// As it was issued.
    ticket: String,
}

/// Which panel the device is now.
#[derive(Serialize, ToSchema)]
pub struct PairedPanel {
    panel: PanelId,
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Full => Code::TooManyWaiting.into(),
            OpenError::TooMany(too_many) => too_many.into(),
        }
    }
}

/// Opens a pairing for a new panel.
#[utoipa::path(post, path = "/api/v1/panel-pairings", operation_id = "open_pairing", tag = "pairing", request_body = NewPairing,
    responses((status = 201, description = "Opened: show the code", body = OpenedPairing),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn open(
    State(node): State<Arc<Node>>,
    client: Client,
    Body(new): Body<NewPairing>,
) -> Result<(StatusCode, Json<OpenedPairing>), Problem> {
    let Some(public_key) = read_key(&new.public_key) else {
        let mut fields = Fields::default();
        fields.wrong("/public_key", FieldCode::NotAKey);
        return Err(fields.into());
    };
    let opened = node.pairings.open_panel(client.prefix(), public_key)?;
    let answer = OpenedPairing {
        pairing: opened.pairing,
        secret: opened.secret.text(),
        code: opened.code.to_string(),
        expires_s: LIFE.as_secs(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// How a pairing stands, for the panel that opened it.
#[utoipa::path(get, path = "/api/v1/panel-pairings/{pairing}", operation_id = "pairing", tag = "pairing",
    params(("pairing" = uuid::Uuid, Path, description = "The pairing"),
        ("Klinke-Pairing-Secret" = String, Header, description = "The pairing's secret")),
    responses((status = 200, description = "How it stands", body = PairingState)))]
pub async fn state(
    State(node): State<Arc<Node>>,
    Object(pairing): Object<PairingId>,
    headers: HeaderMap,
) -> Result<Json<PairingState>, Problem> {
    let secret = secret(&headers)?;
    Ok(Json(match node.pairings.standing(pairing, &secret).ok_or(Code::NotFound)? {
        Standing::Waiting => PairingState::Waiting,
        Standing::Claimed(panel) => PairingState::Claimed { panel },
        Standing::Expired => PairingState::Expired,
    }))
}

/// Claims the pairing at once with a ticket: the device becomes the panel that the ticket was issued for.
#[utoipa::path(post, path = "/api/v1/panel-pairings/{pairing}/ticket", operation_id = "redeem_ticket", tag = "pairing", request_body = Ticket,
    params(("pairing" = uuid::Uuid, Path, description = "The pairing"),
        ("Klinke-Pairing-Secret" = String, Header, description = "The pairing's secret")),
    responses((status = 200, description = "It is this panel now", body = PairedPanel),
        (status = 404, description = "`not_found`; `unknown_ticket`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn redeem(
    State(node): State<Arc<Node>>,
    Object(pairing): Object<PairingId>,
    headers: HeaderMap,
    Body(typed): Body<Ticket>,
) -> Result<Json<PairedPanel>, Problem> {
    let reservation = node.pairings.reserve_own(pairing, &secret(&headers)?).ok_or(Code::NotFound)?;
    let Some(Device::Panel { public_key }) = reservation.device() else { return Err(Code::NotFound.into()) };
    let ticket = Token::parse(&typed.ticket).ok_or(Code::UnknownTicket)?;
    let (tenant, panel) = node.pairings.use_ticket(&ticket).ok_or(Code::UnknownTicket)?;
    let scope = Scope::system(tenant);
    if !node.store.intercom().set_panel_key(&scope, &node.stamp(), panel, public_key.clone()).await? {
        return Err(Code::UnknownTicket.into());
    }
    // whoever held the former key is somebody else now
    node.exchange.panel_signed_out(panel);
    reservation.settle_panel(panel);
    Ok(Json(PairedPanel { panel }))
}

fn secret(headers: &HeaderMap) -> Result<Token, Problem> {
    let text = headers.get(SECRET_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Token::parse(text).ok_or(Code::NotFound.into())
}

/// The key in its one canonical form, when it is a point on P-256 other than infinity.
fn read_key(text: &str) -> Option<Vec<u8>> {
    let der = STANDARD.decode(text).ok()?;
    let key = p256::PublicKey::from_public_key_der(&der).ok()?;
    Some(key.to_public_key_der().ok()?.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_points_on_p_256_are_keys() {
        let key = rcgen::KeyPair::generate().unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
        assert_eq!(read_key(&STANDARD.encode(&spki)), Some(spki.clone()));
        let mut off_curve = spki.clone();
        *off_curve.last_mut().unwrap() ^= 1;
        assert_eq!(read_key(&STANDARD.encode(&off_curve)), None);
        assert_eq!(read_key(&STANDARD.encode(&spki[..spki.len() - 1])), None);
        for other in [&rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
            let key = rcgen::KeyPair::generate_for(other).unwrap();
            assert_eq!(read_key(&STANDARD.encode(rcgen::PublicKeyData::subject_public_key_info(&key))), None);
        }
        assert_eq!(read_key(""), None);
        assert_eq!(read_key("not base64!"), None);
    }
}
