//! A list beside who lives there: what is wrong with each row, and what the others would change.
//!
//! A row is somebody we know when its e-mail address is theirs, or its name is theirs in its unit. An empty cell changes
//! nothing, so the same list a second time changes nothing at all. Nobody moves out because a list does not name them.

use super::columns::Column;
use super::content::Content;
use super::values::{self, folded};
use klinke_model::contact::{Email, Language, Phone};
use klinke_model::ids::{PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_storage::record::{Details, House, ImportPlan};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use utoipa::ToSchema;

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
}

/// A row whose cells are good.
struct Entry {
    name: Label,
    email: Option<Email>,
    phone: Option<Phone>,
    language: Option<Language>,
    unit: UnitId,
    owner: Option<bool>,
}

/// Who is known, growing with the list.
struct Known<'a> {
    columns: &'a [Column],
    units: HashMap<String, Vec<(UnitId, String)>>,
    people: HashMap<PersonId, Details>,
    by_email: HashMap<String, PersonId>,
    by_name: HashMap<(UnitId, String), PersonId>,
    places: HashMap<(PersonId, UnitId), bool>,
    /// People of whom nothing may be changed.
    fixed: HashSet<PersonId>,
    /// Named by the list, where.
    named: HashSet<(PersonId, UnitId)>,
    /// People who are new with this list.
    new: HashMap<PersonId, usize>,
    plan: ImportPlan,
}

/// Judges a list. `id` gives the id of the nth new person.
pub fn check(content: &Content, house: &House, id: impl Fn(usize) -> PersonId) -> Checked {
    let has = |column| content.columns.contains(&column);
    let mut missing = Vec::new();
    if !has(Column::Name) && !has(Column::FirstName) && !has(Column::LastName) {
        missing.push(Column::Name);
    }
    if !has(Column::Unit) {
        missing.push(Column::Unit);
    }
    let mut known = Known::new(&content.columns, house);
    let rows = content.rows.iter().enumerate().map(|(index, row)| {
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
    Checked { rows, plan: known.plan, missing, not_named }
}

impl<'a> Known<'a> {
    fn new(columns: &'a [Column], house: &House) -> Self {
        let mut units: HashMap<String, Vec<(UnitId, String)>> = HashMap::new();
        for unit in &house.units {
            let place = (unit.id, folded(unit.entrance.as_str()));
            units.entry(folded(unit.number.as_str())).or_default().push(place);
        }
        let mut known = Self {
            columns,
            units,
            people: HashMap::new(),
            by_email: HashMap::new(),
            by_name: HashMap::new(),
            places: HashMap::new(),
            fixed: HashSet::new(),
            named: HashSet::new(),
            new: HashMap::new(),
            plan: ImportPlan::default(),
        };
        for resident in &house.residents {
            let place = resident.place;
            known.know(place.person, place.unit, place.owner, &resident.details);
            if !resident.changeable {
                known.fixed.insert(place.person);
            }
        }
        known
    }

    fn know(&mut self, person: PersonId, unit: UnitId, owner: bool, details: &Details) {
        if let Some(email) = &details.email {
            self.by_email.entry(folded(email.reveal().as_str())).or_insert(person);
        }
        if let Some(name) = &details.name {
            self.by_name.entry((unit, folded(name.reveal().as_str()))).or_insert(person);
        }
        self.places.insert((person, unit), owner);
        self.people.insert(person, details.clone());
    }

    fn column(&self, wanted: Column) -> Option<usize> {
        self.columns.iter().position(|column| *column == wanted)
    }

    /// The text in a column, and where it is; empty where there is no such column.
    fn cell<'r>(&self, row: &'r [String], wanted: Column) -> (usize, &'r str) {
        let column = self.column(wanted).unwrap_or_default();
        let text = self.column(wanted).and_then(|column| row.get(column));
        (column, text.map_or("", |text| text.trim()))
    }

    fn entry(&self, row: &[String]) -> Result<Entry, Vec<CellError>> {
        let mut errors = Vec::new();
        let mut wrong = |column, code| errors.push(CellError { column, code });
        let (whole, name) = self.cell(row, Column::Name);
        let (first, first_name) = self.cell(row, Column::FirstName);
        let (last, last_name) = self.cell(row, Column::LastName);
        let (at, name) = match name {
            "" if self.column(Column::FirstName).is_some() => (first, format!("{first_name} {last_name}")),
            "" if self.column(Column::LastName).is_some() => (last, last_name.to_owned()),
            name => (whole, name.to_owned()),
        };
        let name = values::name(name.trim()).map_err(|code| wrong(at, code)).ok();
        let mut email = None;
        let (at, text) = self.cell(row, Column::Email);
        if !text.is_empty() {
            email = values::email(text).map_err(|code| wrong(at, code)).ok();
        }
        let mut phone = None;
        let (at, text) = self.cell(row, Column::Phone);
        if !text.is_empty() {
            phone = values::phone(text).map_err(|code| wrong(at, code)).ok();
        }
        let mut language = None;
        let (at, text) = self.cell(row, Column::Language);
        if !text.is_empty() {
            language = values::language(text).map_err(|code| wrong(at, code)).ok();
        }
        let mut owner = None;
        let (at, text) = self.cell(row, Column::Owner);
        if !text.is_empty() {
            owner = values::owner(text).map_err(|code| wrong(at, code)).ok();
        }
        let unit = self.unit(row).map_err(|error| wrong(error.column, error.code)).ok();
        match (name, unit) {
            (Some(name), Some(unit)) if errors.is_empty() => {
                Ok(Entry { name, email, phone, language, unit, owner })
            }
            _ => Err(errors),
        }
    }

    fn unit(&self, row: &[String]) -> Result<UnitId, CellError> {
        let (column, number) = self.cell(row, Column::Unit);
        let wrong = |code| CellError { column, code };
        if number.is_empty() {
            return Err(wrong(CellCode::Empty));
        }
        let found = self.units.get(&folded(number)).ok_or(wrong(CellCode::UnknownUnit))?;
        let (at, entrance) = self.cell(row, Column::Entrance);
        let entrance = folded(entrance);
        // "B" means "Storgata 12 B", when no other entrance ends like that
        let fits = |name: &str| name == entrance || name.split(' ').next_back() == Some(&entrance);
        match found.as_slice() {
            [(unit, _)] if entrance.is_empty() => Ok(*unit),
            _ if entrance.is_empty() => Err(wrong(CellCode::WhichEntrance)),
            several => {
                let mut there = several.iter().filter(|(_, name)| fits(name));
                match (there.next(), there.next()) {
                    (Some((unit, _)), None) => Ok(*unit),
                    (None, _) => Err(CellError { column: at, code: CellCode::UnknownUnit }),
                    _ => Err(CellError { column: at, code: CellCode::WhichEntrance }),
                }
            }
        }
    }

    /// Takes a good row: as somebody new, or beside what is known of them.
    fn take(&mut self, entry: Entry, id: &impl Fn(usize) -> PersonId) -> Judged {
        let by_email = entry.email.as_ref().and_then(|email| self.by_email.get(&folded(email.as_str())));
        let by_name = self.by_name.get(&(entry.unit, folded(entry.name.as_str())));
        let Some(person) = by_email.or(by_name).copied() else {
            return self.add(entry, id);
        };
        if !self.named.insert((person, entry.unit)) {
            let column = self.column(Column::Unit).unwrap_or_default();
            let errors = vec![CellError { column, code: CellCode::Twice }];
            return Judged { status: Status::Error, errors, changed: Vec::new() };
        }
        let changed = match self.change(person, &entry) {
            Ok(changed) => changed,
            Err(errors) => return Judged { status: Status::Error, errors, changed: Vec::new() },
        };
        let status = match (changed.is_empty(), self.new.contains_key(&person)) {
            (true, _) => Status::Same,
            (false, true) => Status::New,
            (false, false) => Status::Changed,
        };
        Judged { status, errors: Vec::new(), changed }
    }

    fn add(&mut self, entry: Entry, id: &impl Fn(usize) -> PersonId) -> Judged {
        let index = self.plan.people.len();
        let person = id(index);
        let owner = entry.owner.unwrap_or(false);
        let details = Details {
            name: Some(Pii::new(entry.name)),
            email: entry.email.map(Pii::new),
            phone: entry.phone.map(Pii::new),
            language: entry.language.unwrap_or_default(),
        };
        self.know(person, entry.unit, owner, &details);
        self.named.insert((person, entry.unit));
        self.new.insert(person, index);
        self.plan.people.push((person, details));
        self.plan.places.push((person, entry.unit, owner));
        Judged { status: Status::New, errors: Vec::new(), changed: Vec::new() }
    }

    /// What a row says beside what is known; the columns that say something new.
    fn change(&mut self, person: PersonId, entry: &Entry) -> Result<Vec<usize>, Vec<CellError>> {
        let Some(before) = self.people.get(&person).cloned() else { return Ok(Vec::new()) };
        let mut after = before.clone();
        let mut news = Vec::new();
        if after.name.as_ref().map(Pii::reveal) != Some(&entry.name) {
            after.name = Some(Pii::new(entry.name.clone()));
            news.extend([Column::Name, Column::FirstName, Column::LastName]);
        }
        if entry.email.is_some() && after.email.as_ref().map(Pii::reveal) != entry.email.as_ref() {
            after.email = entry.email.clone().map(Pii::new);
            news.push(Column::Email);
        }
        if entry.phone.is_some() && after.phone.as_ref().map(Pii::reveal) != entry.phone.as_ref() {
            after.phone = entry.phone.clone().map(Pii::new);
            news.push(Column::Phone);
        }
        if let Some(language) = entry.language.filter(|language| *language != after.language) {
            after.language = language;
            news.push(Column::Language);
        }
        if before != after && self.fixed.contains(&person) {
            let columns = news.into_iter().filter_map(|column| self.column(column));
            return Err(columns.map(|column| CellError { column, code: CellCode::NotYours }).collect());
        }
        if before != after {
            self.people.insert(person, after.clone());
            match self.new.get(&person).and_then(|index| self.plan.people.get_mut(*index)) {
                Some(new) => new.1 = after,
                None => self.plan.changes.push((person, before, after)),
            }
        }
        match self.places.get(&(person, entry.unit)).copied() {
            None => {
                let owner = entry.owner.unwrap_or(false);
                self.places.insert((person, entry.unit), owner);
                self.plan.places.push((person, entry.unit, owner));
                news.push(Column::Unit);
            }
            Some(was) => {
                if let Some(owner) = entry.owner.filter(|owner| *owner != was) {
                    self.places.insert((person, entry.unit), owner);
                    self.plan.owners.push((person, entry.unit, owner));
                    news.push(Column::Owner);
                }
            }
        }
        Ok(news.into_iter().filter_map(|column| self.column(column)).collect())
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
