//! How often ordinary phones may be called, and where to: what bounds the bill (trust.md T14).

use super::everywhere;
use super::trunks::changed;
use crate::auth::session::SignedIn;
use crate::http::body::Body;
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::TenantId;
use klinke_model::phone::{CallingCode, E164, PhoneLimits as Limits};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_sip::dial::{Barred, Countries};
use klinke_storage::record::LimitsSet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The limits.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PhoneLimits {
    /// The calling codes of the countries whose numbers may be called, 1 to 20. Numbers that cost extra are refused in each
    /// of them.
    #[schema(example = json!([47, 46, 45, 358, 354]))]
    countries: Vec<u16>,
    /// Calls to one number within an hour, 1 to 60.
    number_hour: u16,
    /// Calls of one building within an hour, 1 to 600.
    building_hour: u16,
    /// Calls of all buildings within 24 hours, 1 to 5,000.
    tenant_day: u16,
}

/// The limits in force.
#[derive(Serialize, ToSchema)]
pub struct PhoneLimitsHere {
    /// Grows with every change; 0 while nobody changed the defaults. A change names the version it was made from.
    version: u64,
    limits: PhoneLimits,
    /// Minutes that may be talked within 24 hours, at most: no call is longer than the server lets it be.
    minutes_day: u64,
}

/// New limits.
#[derive(Deserialize, ToSchema)]
pub struct PhoneLimitsChange {
    /// The version that the asker saw.
    version: u64,
    limits: PhoneLimits,
}

fn shown(node: &Node, version: u64, limits: Limits) -> PhoneLimitsHere {
    let Limits { countries, number_hour, building_hour, tenant_day } = limits;
    let seconds = u64::from(tenant_day) * u64::from(node.config.calls.talk_s);
    let countries = countries.into_iter().map(CallingCode::number).collect();
    let limits = PhoneLimits { countries, number_hour, building_hour, tenant_day };
    PhoneLimitsHere { version, limits, minutes_day: seconds.div_ceil(60) }
}

/// The limits of calls to ordinary phones.
#[utoipa::path(get, path = "/api/v1/phone-limits", operation_id = "phone_limits", tag = "phones", security(("session" = [])),
    responses((status = 200, description = "The limits", body = PhoneLimitsHere)))]
pub async fn handler(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<PhoneLimitsHere>, Problem> {
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    let (version, limits) = node.store.trunks().phone_limits(&who.scope).await?.ok_or(Code::Forbidden)?;
    Ok(Json(shown(&node, version, limits)))
}

/// Sets the limits of calls to ordinary phones.
#[utoipa::path(put, path = "/api/v1/phone-limits", operation_id = "set_phone_limits", tag = "phones",
    request_body = PhoneLimitsChange, security(("session" = [])),
    responses((status = 200, description = "In force", body = PhoneLimitsHere),
        (status = 409, description = "`conflict`: somebody else changed them since; `current` is a `PhoneLimitsHere`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn set(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(PhoneLimitsChange { version, limits }): Body<PhoneLimitsChange>,
) -> Result<Json<PhoneLimitsHere>, Problem> {
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    let mut fields = Fields::default();
    let mut countries = Vec::with_capacity(limits.countries.len());
    for (at, code) in limits.countries.iter().enumerate() {
        match CallingCode::new(*code) {
            Ok(code) => countries.push(code),
            Err(_) => fields.wrong(format!("/limits/countries/{at}"), FieldCode::NotACountry),
        }
    }
    fields.check()?;
    let PhoneLimits { number_hour, building_hour, tenant_day, .. } = limits;
    let wanted = Limits { countries, number_hour, building_hour, tenant_day };
    let mut fields = Fields::default();
    if let Some(field) = wanted.wrong() {
        fields.wrong(format!("/limits/{field}"), FieldCode::OutOfRange);
    }
    fields.check()?;
    match node.store.trunks().set_phone_limits(&who.scope, &node.stamp(), version, wanted.clone()).await? {
        LimitsSet::Done(version) => {
            changed(&node);
            Ok(Json(shown(&node, version, wanted)))
        }
        LimitsSet::Conflict(version, limits) => Err(Problem::conflict(&shown(&node, version, limits))),
        LimitsSet::NotThere => Err(Code::Forbidden.into()),
    }
}

/// The countries that limits allow, as calls take them.
pub fn countries(limits: &Limits) -> Countries {
    let codes: Vec<String> = limits.countries.iter().map(|code| code.number().to_string()).collect();
    Countries::new(codes.iter().map(String::as_str))
}

/// A field that is a number which the property manager's calls may go to. What may not be called is refused where it is
/// typed, not when somebody rings.
pub(super) async fn callable(
    node: &Node,
    tenant: TenantId,
    fields: &mut Fields,
    pointer: &str,
    typed: &Pii<String>,
) -> Result<Option<Pii<E164>>, Problem> {
    let limits = node.store.trunks().phone_limits(&Scope::system(tenant)).await?;
    let limits = limits.map(|(_, limits)| limits).unwrap_or_default();
    let code = match countries(&limits).read(typed.reveal()) {
        Ok(number) => match E164::new(number.as_str()) {
            Ok(number) => return Ok(Some(Pii::new(number))),
            Err(_) => FieldCode::NotAPhone,
        },
        Err(Barred::NotANumber) => FieldCode::NotAPhone,
        Err(Barred::Country) => FieldCode::CountryNotAllowed,
        Err(Barred::Premium) => FieldCode::CostsExtra,
    };
    fields.wrong(pointer, code);
    Ok(None)
}
