//! The people whom an administrator sees: a page of the list, and one of them.

use super::{administrator, paging};
use crate::auth::caller::{Asks, Caller};
use crate::calendar;
use crate::http::body::Object;
use crate::http::problem::{Code, Fields, Problem};
use crate::node::Node;
use axum::Json;
use axum::extract::{Query, State};
use klinke_model::contact::Language;
use klinke_model::ids::{BuildingId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{PeopleAfter, PeopleOrder, PeopleQuery, PersonRow, Standing};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A person as an administrator sees them. No devices and no times: those are the person's own.
#[derive(Serialize, ToSchema)]
pub struct Person {
    id: PersonId,
    /// Absent for who wants none.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    language: Language,
    /// Needs more time at doors: locks stay released for longer.
    needs_longer: bool,
    /// Grows with every change; a change names the one it is based on.
    version: u64,
    /// Suspended, has a sign-in, was sent a link to make one, was sent one that is too old, or none of these.
    standing: PersonStanding,
    /// Whether any device of theirs is signed in.
    can_be_rung: bool,
    /// Where they live, as far as the asker administers it.
    homes: Vec<Home>,
}

/// How a person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonStanding {
    /// Rings nowhere and opens nothing.
    Suspended,
    /// Has a sign-in.
    Active,
    /// Was sent a link that is still good.
    Invited,
    /// Was sent a link that is too old.
    InvitationEnded,
    /// Has no sign-in and no link.
    NotInvited,
}

impl PersonStanding {
    /// From what is stored.
    pub fn of(active: bool, has_account: bool, invited_until: Option<Timestamp>, now: Timestamp) -> Self {
        match (active, has_account, invited_until) {
            (false, ..) => Self::Suspended,
            (true, true, _) => Self::Active,
            (true, false, Some(until)) if until > now => Self::Invited,
            (true, false, Some(_)) => Self::InvitationEnded,
            (true, false, None) => Self::NotInvited,
        }
    }
}

/// A person's place in a unit.
#[derive(Serialize, ToSchema)]
#[schema(as = PersonHome)]
pub struct Home {
    unit: UnitId,
    /// Apartment number or company name.
    number: Label,
    building: BuildingId,
    building_name: Label,
    /// Decides for the unit.
    owner: bool,
    /// The last day of a planned move out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date, example = "2026-11-30")]
    last_day: Option<String>,
}

impl Person {
    /// For the screen of an administrator.
    pub fn new(row: PersonRow, now: Timestamp) -> Self {
        let standing = PersonStanding::of(row.person.active, row.has_account, row.invited_until, now);
        Self {
            id: row.person.id,
            name: row.person.name.map(Pii::into_inner),
            email: row.person.email.map(|email| email.into_inner().into()),
            phone: row.person.phone.map(|phone| phone.into_inner().into()),
            language: row.person.language,
            needs_longer: row.person.needs_longer,
            version: row.person.version,
            standing,
            can_be_rung: row.can_be_rung,
            homes: row
                .homes
                .into_iter()
                .map(|home| Home {
                    unit: home.unit,
                    number: home.number,
                    building: home.building,
                    building_name: home.building_name,
                    owner: home.owner,
                    last_day: home.last_day.and_then(calendar::written),
                })
                .collect(),
        }
    }
}

/// A page of people.
#[derive(Serialize, ToSchema)]
pub struct PeoplePage {
    items: Vec<Person>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What a list is narrowed to.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Who live in this building.
    building: Option<BuildingId>,
    /// Who live in this unit.
    unit: Option<UnitId>,
    /// Who stand like this.
    #[param(inline)]
    standing: Option<AskedStanding>,
    /// Each word begins a word of the name, e-mail address or phone number, or the number of a unit.
    text: Option<String>,
    /// `name` or, for the people of one building, `home`: the number of the first of their homes there. `-name` and `-home`
    /// the other way round.
    sort: Option<String>,
    /// The `next` of the page before, in the same order.
    cursor: Option<String>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

/// How the people of a list stand.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskedStanding {
    /// Not suspended.
    Active,
    /// Suspended.
    Suspended,
    /// Has a link that is still good, and no sign-in yet.
    Invited,
    /// Has no sign-in and no link that is still good.
    NotInvited,
    /// Lives somewhere, and no device would ring.
    Unreachable,
}

impl Asked {
    /// As the store is asked.
    ///
    /// # Errors
    /// `invalid` when the order, the cursor or the page's length is none.
    pub fn query(&self, now: Timestamp) -> Result<PeopleQuery, Problem> {
        let mut fields = Fields::default();
        // homes of several buildings have no order that an index serves
        let orders = if self.building.is_some() { &ORDERS[..] } else { &ORDERS[..1] };
        let (order, descending) = paging::order(self.sort.as_deref(), PeopleOrder::Name, orders, &mut fields);
        let after = paging::after(self.cursor.as_deref(), |parts| place(order, parts), &mut fields);
        let limit = paging::limit(self.limit, &mut fields);
        fields.check()?;
        let standing = self.standing.map(|standing| match standing {
            AskedStanding::Active => Standing::Active,
            AskedStanding::Suspended => Standing::Suspended,
            AskedStanding::Invited => Standing::Invited,
            AskedStanding::NotInvited => Standing::NotInvited,
            AskedStanding::Unreachable => Standing::Unreachable,
        });
        Ok(PeopleQuery {
            building: self.building,
            unit: self.unit,
            standing,
            text: self.text.as_deref().unwrap_or_default().chars().take(200).collect(),
            order,
            descending,
            after,
            limit,
            at: Some(now),
        })
    }
}

/// The orders of the list, by name.
const ORDERS: [(&str, PeopleOrder); 2] = [("name", PeopleOrder::Name), ("home", PeopleOrder::Home)];

fn cursor(after: &PeopleAfter) -> String {
    let (name, person) = (after.name.reveal().as_slice(), after.person.0.as_bytes().as_slice());
    match &after.home {
        Some((number, unit)) => paging::cursor("home", &[number, unit.0.as_bytes(), name, person]),
        None => paging::cursor("name", &[name, person]),
    }
}

fn place(order: PeopleOrder, mut parts: paging::Parts) -> Option<PeopleAfter> {
    let home = match order {
        PeopleOrder::Name => parts.is("name").map(|()| None)?,
        PeopleOrder::Home => parts.is("home").and_then(|()| Some(Some((parts.bytes()?, parts.id()?))))?,
    };
    let after = PeopleAfter { home, name: Pii::new(parts.bytes()?), person: parts.id()? };
    parts.end().map(|()| after)
}

/// A page of the people in the buildings that one administers; managers see everybody.
#[utoipa::path(get, path = "/api/v1/people", operation_id = "people", tag = "people", params(Asked),
    security(("session" = []), ("token" = [])), responses((status = 200, description = "The people, in this order", body = PeoplePage),
        (status = 400, description = "`malformed`", body = crate::http::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = crate::http::problem::ProblemBody, content_type = "application/problem+json")))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: Caller,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<PeoplePage>, Problem> {
    administrator(&node, &who, Right::SeePeople).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let now = node.clock.now();
    let page = node.store.people().page(&who.scope, &asked.query(now)?).await?;
    Ok(Json(PeoplePage {
        next: page.next.as_ref().map(cursor),
        items: page.people.into_iter().map(|row| Person::new(row, now)).collect(),
    }))
}

/// One person.
#[utoipa::path(get, path = "/api/v1/people/{person}", operation_id = "person", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The person", body = Person)))]
pub async fn one(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<Json<Person>, Problem> {
    shown(&node, &who, person).await.map(Json)
}

/// A person as the administrator who asks sees them.
pub(super) async fn shown(node: &Node, who: &impl Asks, person: PersonId) -> Result<Person, Problem> {
    let row = node.store.people().row(who.scope(), person).await?.ok_or(Code::NotFound)?;
    Ok(Person::new(row, node.clock.now()))
}
