//! Lists of people that are read in.

use klinke_model::contact::{Email, Language, Phone};
use klinke_model::ids::{BuildingId, ImportId, PersonId, UnitId};
use klinke_model::people::{Membership, Person};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A list of people that is being read in, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Which.
    pub id: ImportId,
    /// For which building.
    pub building: BuildingId,
    /// It was applied, and can be undone until `ends_at`.
    pub applied: bool,
    /// Its rows, as the server keeps them.
    pub content: Pii<String>,
    /// When it is forgotten.
    pub ends_at: Timestamp,
}

/// What a list says of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Name.
    pub name: Option<Pii<Label>>,
    /// E-mail address.
    pub email: Option<Pii<Email>>,
    /// Phone number.
    pub phone: Option<Pii<Phone>>,
    /// The language they are written to in.
    pub language: Language,
}

impl From<Person> for Details {
    fn from(person: Person) -> Self {
        let Person { name, email, phone, language, .. } = person;
        Self { name, email, phone, language }
    }
}

/// A unit that a list may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseUnit {
    /// Which.
    pub id: UnitId,
    /// Its number.
    pub number: Label,
    /// Its entrance's name.
    pub entrance: Label,
}

/// Somebody who lives there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseResident {
    /// Who and where.
    pub place: Membership,
    /// What is known of them.
    pub details: Details,
    /// Whether the principal may change that: as for one person alone (see `People::change_person`).
    pub changeable: bool,
}

/// What a list is compared with: a building's units and who lives in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct House {
    /// Its units.
    pub units: Vec<HouseUnit>,
    /// Who lives in them; somebody with two homes twice.
    pub residents: Vec<HouseResident>,
}

/// What an import does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPlan {
    /// New people.
    pub people: Vec<(PersonId, Details)>,
    /// New places, of new people and others.
    pub places: Vec<(PersonId, UnitId, bool)>,
    /// People who were known, as they were and as they become.
    pub changes: Vec<(PersonId, Details, Details)>,
    /// Places whose right to decide becomes this.
    pub owners: Vec<(PersonId, UnitId, bool)>,
}

impl ImportPlan {
    /// Nothing would change.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.places.is_empty() && self.changes.is_empty() && self.owners.is_empty()
    }
}

/// What became of a wish to apply or undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// Done. Undoing: so many people stayed, because they have signed in or moved on since.
    Done(usize),
    /// Not in this state: applied before, never applied, or with errors that were not to be left out.
    Refused,
    /// Not there, or not the principal's.
    Absent,
}
