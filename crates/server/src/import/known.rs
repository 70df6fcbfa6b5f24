//! What is known of a building's people while a list is read row by row: who lives there, and who is new with the list.

use super::cells::Row;
use super::check::{CellCode, CellError, Judged, Status};
use super::columns::Column;
use super::content::Content;
use super::values::{self, folded};
use klinke_model::contact::{Email, Language, Phone};
use klinke_model::ids::{EntranceId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_storage::record::{Details, House, ImportPlan, NewHome};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A row whose cells are good.
pub(super) struct Entry {
    name: Label,
    email: Option<Email>,
    phone: Option<Phone>,
    language: Option<Language>,
    home: Home,
    owner: Option<bool>,
}

/// The home that a row names.
enum Home {
    /// The building has it.
    There(UnitId),
    /// It does not; `column` says so.
    Missing { entrance: EntranceId, number: Label, column: usize },
}

/// Where what is known of somebody stands.
#[derive(Clone, Copy)]
enum Person {
    /// With the residents of the house.
    There(usize),
    /// With the new people of the plan.
    New(usize),
}

/// Who is known, growing with the list. What is known of a person stands once: in the house or in the plan.
pub(super) struct Known<'a> {
    columns: &'a [Column],
    house: &'a House,
    makes_homes: bool,
    entrances: HashMap<EntranceId, String>,
    units: HashMap<String, Vec<(UnitId, EntranceId)>>,
    people: HashMap<PersonId, Person>,
    /// Which of the plan's changes is theirs.
    changed: HashMap<PersonId, usize>,
    by_email: HashMap<String, PersonId>,
    by_name: HashMap<(UnitId, String), PersonId>,
    places: HashMap<(PersonId, UnitId), bool>,
    /// Named by the list, where.
    pub(super) named: HashSet<(PersonId, UnitId)>,
    /// Homes that the building does not have.
    pub(super) homes: HashMap<EntranceId, HashSet<String>>,
    pub(super) plan: ImportPlan,
}

impl<'a> Known<'a> {
    pub(super) fn new(content: &'a Content, house: &'a House) -> Self {
        let mut units: HashMap<String, Vec<(UnitId, EntranceId)>> = HashMap::new();
        for unit in &house.units {
            units.entry(folded(unit.number.as_str())).or_default().push((unit.id, unit.entrance));
        }
        let mut known = Self {
            columns: &content.columns,
            house,
            makes_homes: content.make_homes && house.makes_homes,
            entrances: house.entrances.iter().map(|(id, name)| (*id, folded(name.as_str()))).collect(),
            units,
            people: HashMap::new(),
            changed: HashMap::new(),
            by_email: HashMap::new(),
            by_name: HashMap::new(),
            places: HashMap::new(),
            named: HashSet::new(),
            homes: HashMap::new(),
            plan: ImportPlan::default(),
        };
        for (index, resident) in house.residents.iter().enumerate() {
            let place = resident.place;
            known.know(place.person, place.unit, place.owner, &resident.details);
            known.people.insert(place.person, Person::There(index));
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
    }

    /// What is known of somebody by now, and whether it may be changed.
    fn details(&self, person: PersonId) -> Option<(&Details, bool)> {
        match *self.people.get(&person)? {
            Person::New(index) => self.plan.people.get(index).map(|(_, details)| (details, true)),
            Person::There(index) => {
                let resident = self.house.residents.get(index)?;
                let changed = self.changed.get(&person).and_then(|index| self.plan.changes.get(*index));
                let details = changed.map_or(&resident.details, |(_, _, after)| after);
                Some((details, resident.changeable))
            }
        }
    }

    fn column(&self, wanted: Column) -> Option<usize> {
        self.columns.iter().position(|column| *column == wanted)
    }

    /// The text in a column, and where it is; empty where there is no such column.
    fn cell<'r>(&self, row: Row<'r>, wanted: Column) -> (usize, &'r str) {
        let column = self.column(wanted).unwrap_or_default();
        let text = self.column(wanted).and_then(|column| row.cell(column));
        (column, text.map_or("", str::trim))
    }

    pub(super) fn entry(&mut self, row: Row<'_>) -> Result<Entry, Vec<CellError>> {
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
        let home = match self.home(row) {
            Ok(Home::Missing { entrance, number, column }) if !self.makes_homes => {
                if name.is_some() && errors.is_empty() {
                    self.homes.entry(entrance).or_default().insert(folded(number.as_str()));
                }
                errors.push(CellError { column, code: CellCode::UnknownUnit });
                None
            }
            Ok(home) => Some(home),
            Err(error) => {
                errors.push(error);
                None
            }
        };
        match (name, home) {
            (Some(name), Some(home)) if errors.is_empty() => {
                Ok(Entry { name, email, phone, language, home, owner })
            }
            _ => Err(errors),
        }
    }

    fn home(&self, row: Row<'_>) -> Result<Home, CellError> {
        let (column, number) = self.cell(row, Column::Unit);
        let wrong = |code| CellError { column, code };
        if number.is_empty() {
            return Err(wrong(CellCode::Empty));
        }
        let (at, entrance) = self.cell(row, Column::Entrance);
        let entrance = folded(entrance);
        // "B" means "Storgata 12 B", when no other entrance ends like that
        let fits = |id: &EntranceId| {
            let name = self.entrances.get(id).map_or("", String::as_str);
            name == entrance || name.split(' ').next_back() == Some(&entrance)
        };
        let found = self.units.get(&folded(number)).map_or(&[][..], Vec::as_slice);
        if entrance.is_empty() {
            match found {
                [] => {}
                [(unit, _)] => return Ok(Home::There(*unit)),
                _ => return Err(wrong(CellCode::WhichEntrance)),
            }
        } else {
            let mut there = found.iter().filter(|(_, id)| fits(id));
            match (there.next(), there.next()) {
                (None, _) => {}
                (Some((unit, _)), None) => return Ok(Home::There(*unit)),
                _ => return Err(CellError { column: at, code: CellCode::WhichEntrance }),
            }
        }
        // it is not there: it could be made where there is no doubt behind which entrance
        let column = if found.is_empty() { column } else { at };
        let unknown = |column| CellError { column, code: CellCode::UnknownUnit };
        let behind = if entrance.is_empty() {
            match self.house.entrances.as_slice() {
                [(only, _)] => *only,
                _ => return Err(unknown(column)),
            }
        } else {
            let mut behind = self.house.entrances.iter().map(|(id, _)| id).filter(|id| fits(id));
            match (behind.next(), behind.next()) {
                (Some(one), None) => *one,
                (None, _) => return Err(unknown(at)),
                _ => return Err(CellError { column: at, code: CellCode::WhichEntrance }),
            }
        };
        let number = values::name(number).map_err(wrong)?;
        Ok(Home::Missing { entrance: behind, number, column })
    }

    /// How many new things there are.
    fn made(&self) -> usize {
        self.plan.people.len() + self.plan.homes.len()
    }

    /// The home of a good row; one that the building does not have is made.
    fn unit(&mut self, home: Home, id: &impl Fn(usize) -> Uuid) -> UnitId {
        match home {
            Home::There(unit) => unit,
            Home::Missing { entrance, number, .. } => {
                let unit = UnitId::from(id(self.made()));
                let word = folded(number.as_str());
                self.homes.entry(entrance).or_default().insert(word.clone());
                self.units.entry(word).or_default().push((unit, entrance));
                self.plan.homes.push(NewHome { id: unit, entrance, number });
                unit
            }
        }
    }

    /// The newest home is not made after all.
    fn unmake(&mut self) {
        let Some(home) = self.plan.homes.pop() else { return };
        let word = folded(home.number.as_str());
        if let Some(units) = self.units.get_mut(&word) {
            units.retain(|(unit, _)| *unit != home.id);
        }
        if let Some(words) = self.homes.get_mut(&home.entrance) {
            words.remove(&word);
        }
        self.named.retain(|(_, unit)| *unit != home.id);
    }

    /// Takes a good row: as somebody new, or beside what is known of them.
    pub(super) fn take(&mut self, mut entry: Entry, id: &impl Fn(usize) -> Uuid) -> Judged {
        let homes = self.plan.homes.len();
        let unit = self.unit(std::mem::replace(&mut entry.home, Home::There(Uuid::nil().into())), id);
        let by_email = entry.email.as_ref().and_then(|email| self.by_email.get(&folded(email.as_str())));
        let by_name = self.by_name.get(&(unit, folded(entry.name.as_str())));
        let Some(person) = by_email.or(by_name).copied() else {
            return self.add(entry, unit, id);
        };
        if !self.named.insert((person, unit)) {
            let column = self.column(Column::Unit).unwrap_or_default();
            let errors = vec![CellError { column, code: CellCode::Twice }];
            return Judged { status: Status::Error, errors, changed: Vec::new() };
        }
        let changed = match self.change(person, unit, &entry) {
            Ok(changed) => changed,
            Err(errors) => {
                // a home that only this row names is not made
                if self.plan.homes.len() > homes {
                    self.unmake();
                }
                return Judged { status: Status::Error, errors, changed: Vec::new() };
            }
        };
        let status = match (changed.is_empty(), matches!(self.people.get(&person), Some(Person::New(_)))) {
            (true, _) => Status::Same,
            (false, true) => Status::New,
            (false, false) => Status::Changed,
        };
        Judged { status, errors: Vec::new(), changed }
    }

    fn add(&mut self, entry: Entry, unit: UnitId, id: &impl Fn(usize) -> Uuid) -> Judged {
        let person = PersonId::from(id(self.made()));
        let owner = entry.owner.unwrap_or(false);
        let details = Details {
            name: Some(Pii::new(entry.name)),
            email: entry.email.map(Pii::new),
            phone: entry.phone.map(Pii::new),
            language: entry.language.unwrap_or_default(),
        };
        self.know(person, unit, owner, &details);
        self.named.insert((person, unit));
        self.people.insert(person, Person::New(self.plan.people.len()));
        self.plan.people.push((person, details));
        self.plan.places.push((person, unit, owner));
        Judged { status: Status::New, errors: Vec::new(), changed: Vec::new() }
    }

    /// Puts what is known of somebody from now on where it stands.
    fn set(&mut self, person: PersonId, before: Details, after: Details) {
        if let Some(Person::New(index)) = self.people.get(&person) {
            if let Some(new) = self.plan.people.get_mut(*index) {
                new.1 = after;
            }
        } else if let Some(change) = self.changed.get(&person).and_then(|at| self.plan.changes.get_mut(*at)) {
            change.2 = after;
        } else {
            self.changed.insert(person, self.plan.changes.len());
            self.plan.changes.push((person, before, after));
        }
    }

    /// What a row says beside what is known; the columns that say something new.
    fn change(
        &mut self,
        person: PersonId,
        unit: UnitId,
        entry: &Entry,
    ) -> Result<Vec<usize>, Vec<CellError>> {
        let Some((before, changeable)) = self.details(person) else { return Ok(Vec::new()) };
        let before = before.clone();
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
        if before != after && !changeable {
            let columns = news.into_iter().filter_map(|column| self.column(column));
            return Err(columns.map(|column| CellError { column, code: CellCode::NotYours }).collect());
        }
        if before != after {
            self.set(person, before, after);
        }
        match self.places.get(&(person, unit)).copied() {
            None => {
                let owner = entry.owner.unwrap_or(false);
                self.places.insert((person, unit), owner);
                self.plan.places.push((person, unit, owner));
                news.push(Column::Unit);
            }
            Some(was) => {
                if let Some(owner) = entry.owner.filter(|owner| *owner != was) {
                    self.places.insert((person, unit), owner);
                    self.plan.owners.push((person, unit, owner));
                    news.push(Column::Owner);
                }
            }
        }
        Ok(news.into_iter().filter_map(|column| self.column(column)).collect())
    }
}
