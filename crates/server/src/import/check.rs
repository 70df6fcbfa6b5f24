//! A list beside who lives there: what is wrong with each row, and what the others would change.
//!
//! A row is somebody we know when its e-mail address is theirs, or its name is theirs in its unit. An empty cell changes
//! nothing, so the same list a second time changes nothing at all. Nobody moves out because a list does not name them.
//!
//! A home that the building does not have is an error of its row, or, when whoever prepares the list says so, it is made:
//! behind the entrance that the row names, or behind the only one there is.

use super::columns::Column;
use super::content::Content;
use super::known::Known;
use klinke_model::ids::{EntranceId, PersonId};
use klinke_model::text::Label;
use klinke_storage::record::{House, ImportPlan};
use serde::Serialize;
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// What is wrong with a cell. Stable: clients translate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellCode {
    /// Nothing in it.
    Empty,
    /// More than 80 characters.
    TooLong,
    /// A character that can not be shown.
    Control,
    /// It would be taken for a formula by a spreadsheet.
    Formula,
    /// Not an e-mail address.
    NotAnAddress,
    /// Not a phone number.
    NotANumber,
    /// Neither yes nor no.
    NotYesOrNo,
    /// Not a language that is written in.
    UnknownLanguage,
    /// The building has no such unit.
    UnknownUnit,
    /// Several entrances have this number: say which.
    WhichEntrance,
    /// The same person in the same unit as a row above.
    Twice,
    /// Somebody who lives elsewhere too or has a role: what is known of them is not this administrator's to change.
    NotYours,
}

/// One wrong cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CellError {
    /// Which column, from 0.
    pub column: usize,
    /// What is wrong.
    pub code: CellCode,
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Something is wrong with it.
    Error,
    /// Somebody new.
    New,
    /// Somebody we know, with something new.
    Changed,
    /// As it is already.
    Same,
    /// Left out by who prepares the list.
    LeftOut,
}

/// A row, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What becomes of it.
    pub status: Status,
    /// Why it can not be taken.
    pub errors: Vec<CellError>,
    /// Columns whose content is new.
    pub changed: Vec<usize>,
}

/// Homes of a list that the building does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MissingHomes {
    /// Behind which entrance.
    pub entrance: EntranceId,
    /// Its name.
    pub name: Label,
    /// How many.
    pub count: usize,
}

/// A list, judged.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its rows.
    pub rows: Vec<Judged>,
    /// What the good ones do.
    pub plan: ImportPlan,
    /// Columns without which nothing can be done.
    pub missing: Vec<Column>,
    /// How many people live there whom the list does not name.
    pub not_named: usize,
    /// Homes that are made, or would be.
    pub homes: Vec<MissingHomes>,
}

/// Judges a list. `id` gives the id of the nth new thing: a person or a home.
pub fn check(content: &Content, house: &House, id: impl Fn(usize) -> Uuid) -> Checked {
    let has = |column| content.columns.contains(&column);
    let mut missing = Vec::new();
    if !has(Column::Name) && !has(Column::FirstName) && !has(Column::LastName) {
        missing.push(Column::Name);
    }
    if !has(Column::Unit) {
        missing.push(Column::Unit);
    }
    let mut known = Known::new(content, house);
    let rows = content.rows.rows().enumerate().map(|(index, row)| {
        if content.left_out.contains(&index) {
            return Judged { status: Status::LeftOut, errors: Vec::new(), changed: Vec::new() };
        }
        if !missing.is_empty() {
            return Judged { status: Status::Error, errors: Vec::new(), changed: Vec::new() };
        }
        match known.entry(row) {
            Err(errors) => Judged { status: Status::Error, errors, changed: Vec::new() },
            Ok(entry) => known.take(entry, &id),
        }
    });
    let rows = rows.collect();
    let living: HashSet<PersonId> = house.residents.iter().map(|resident| resident.place.person).collect();
    let named: HashSet<PersonId> = known.named.iter().map(|(person, _)| *person).collect();
    let not_named = living.difference(&named).count();
    let count = |entrance| known.homes.get(entrance).map_or(0, HashSet::len);
    let homes = house.entrances.iter().map(|(entrance, name)| MissingHomes {
        entrance: *entrance,
        name: name.clone(),
        count: count(entrance),
    });
    let homes = homes.filter(|homes| homes.count > 0).collect();
    Checked { rows, plan: known.plan, missing, not_named, homes }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
