//! Who lives here: the homes of a building, and whether a visitor who rings one reaches somebody.

use super::allowed;
use super::people::PersonStanding;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use klinke_model::ids::{BuildingId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{self, HomeMember, HomeRow, HomesQuery};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The longest page.
pub(super) const LIMIT: u16 = 200;

/// Whether a visitor who rings a home reaches somebody, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HomeState {
    /// A device rings.
    Rung,
    /// Nobody lives there.
    Empty,
    /// Everybody who lives there is suspended.
    Suspended,
    /// Nobody who lives there has a sign-in.
    NoAccount,
    /// Nobody who lives there is signed in on a device.
    NoDevice,
    /// No panel has a button for it.
    NoButton,
    /// It has buttons, and none rings somebody with a device.
    NotOnButton,
}

impl From<record::HomeState> for HomeState {
    fn from(state: record::HomeState) -> Self {
        match state {
            record::HomeState::Rung => Self::Rung,
            record::HomeState::Empty => Self::Empty,
            record::HomeState::Suspended => Self::Suspended,
            record::HomeState::NoAccount => Self::NoAccount,
            record::HomeState::NoDevice => Self::NoDevice,
            record::HomeState::NoButton => Self::NoButton,
            record::HomeState::NotOnButton => Self::NotOnButton,
        }
    }
}

/// A home, with who lives there.
#[derive(Serialize, ToSchema)]
#[schema(as = LivedHome)]
pub struct Home {
    /// The unit.
    id: UnitId,
    /// Apartment number or company name.
    number: Label,
    /// The name of its entrance.
    entrance: Label,
    state: HomeState,
    members: Vec<Member>,
}

/// Somebody who lives in a home.
#[derive(Serialize, ToSchema)]
#[schema(as = HomeMember)]
pub struct Member {
    person: PersonId,
    /// Absent for who wants none.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    /// Decides for the home.
    owner: bool,
    standing: PersonStanding,
    /// Whether any device of theirs is signed in.
    can_be_rung: bool,
}

/// How many homes are in which state.
#[derive(Serialize, ToSchema)]
#[schema(as = HomeCount)]
pub struct Count {
    state: HomeState,
    homes: u64,
}

/// A page of homes.
#[derive(Serialize, ToSchema)]
pub struct HomesPage {
    items: Vec<Home>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<UnitId>,
}

/// What is left of the list.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskedHomes {
    /// A visitor reaches somebody.
    Rung,
    /// People live there, and no visitor reaches them, for whichever reason.
    Silent,
    /// Nobody lives there.
    Empty,
    /// Everybody who lives there is suspended.
    Suspended,
    /// Nobody who lives there has a sign-in.
    NoAccount,
    /// Nobody who lives there is signed in on a device.
    NoDevice,
    /// No panel has a button for it.
    NoButton,
    /// It has buttons, and none rings somebody with a device.
    NotOnButton,
}

impl AskedHomes {
    fn states(self) -> Vec<record::HomeState> {
        use record::HomeState as Of;
        match self {
            Self::Rung => vec![Of::Rung],
            Self::Silent => Of::ALL.into_iter().filter(|state| state.is_silent()).collect(),
            Self::Empty => vec![Of::Empty],
            Self::Suspended => vec![Of::Suspended],
            Self::NoAccount => vec![Of::NoAccount],
            Self::NoDevice => vec![Of::NoDevice],
            Self::NoButton => vec![Of::NoButton],
            Self::NotOnButton => vec![Of::NotOnButton],
        }
    }
}

/// What the list is narrowed to.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Homes that are rung, or are not and why.
    #[param(inline)]
    state: Option<AskedHomes>,
    /// Each word begins the number, or finds somebody who lives there.
    text: Option<String>,
    /// The `next` of the page before.
    cursor: Option<UnitId>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

/// The length of a page.
///
/// # Errors
/// `invalid` when it is none.
pub(super) fn page_length(limit: Option<u16>) -> Result<u16, Problem> {
    let limit = limit.unwrap_or(50);
    let mut fields = Fields::default();
    if !(1..=LIMIT).contains(&limit) {
        fields.wrong("/limit", FieldCode::OutOfRange);
    }
    fields.check()?;
    Ok(limit)
}

/// The homes of a building with who lives there, by number.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/who", operation_id = "who_lives_here", tag = "people",
    params(("building" = uuid::Uuid, Path, description = "The building"), Asked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The homes", body = HomesPage),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<HomesPage>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let query = HomesQuery {
        text: asked.text.as_deref().unwrap_or_default().chars().take(200).collect(),
        states: asked.state.map(AskedHomes::states).unwrap_or_default(),
        after: asked.cursor,
        limit: page_length(asked.limit)?,
    };
    let page = node.store.who().homes(&who.scope, building, &query).await?;
    let now = node.clock.now();
    let last = page.homes.last().map(|home| home.unit);
    Ok(Json(HomesPage {
        next: last.filter(|_| page.more),
        items: page.homes.into_iter().map(|home| shown(home, now)).collect(),
    }))
}

/// How many homes of a building are in which state; states that no home is in are left out.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/who/counts", operation_id = "home_counts", tag = "people",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The counts", body = [Count]),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn counts(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Count>>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let counts = node.store.who().home_counts(&who.scope, building).await?;
    Ok(Json(counts.into_iter().map(|(state, homes)| Count { state: state.into(), homes }).collect()))
}

fn shown(home: HomeRow, now: Timestamp) -> Home {
    let member = |one: HomeMember| Member {
        person: one.person,
        name: one.name.map(Pii::into_inner),
        owner: one.owner,
        standing: PersonStanding::of(one.active, one.has_account, one.invited_until, now),
        can_be_rung: one.active && one.has_device,
    };
    Home {
        id: home.unit,
        number: home.number,
        entrance: home.entrance,
        state: home.state.into(),
        members: home.members.into_iter().map(member).collect(),
    }
}
