//! Lists of people that are read in.

use klinke_model::contact::{Email, Language, Phone};
use klinke_model::ids::{BuildingId, EntranceId, ImportId, PersonId, UnitId};
use klinke_model::people::{Membership, Person};
use klinke_model::privacy::Pii;
use klinke_model::scope::Principal;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How far a list has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// It is looked at and corrected.
    Draft,
    /// Somebody wished it to be applied.
    Applying,
    /// It was applied, and can be undone until it is forgotten.
    Applied,
    /// Somebody wished it to be undone.
    Undoing,
    /// It was undone; its rows are gone.
    Undone,
}

/// Why a wish to apply or undo was not carried out. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFailure {
    /// It has errors that were not to be left out, or a column is missing.
    HasErrors,
    /// The server stopped, or its database failed.
    Interrupted,
    /// Whoever wished it may not any more.
    NotAllowed,
}

/// A list that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImport {
    /// Which.
    pub id: ImportId,
    /// For which building.
    pub building: BuildingId,
    /// Its rows, as the server keeps them.
    pub content: Pii<String>,
    /// When it is forgotten.
    pub ends_at: Timestamp,
}

/// A list of people that is being read in, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Which.
    pub id: ImportId,
    /// For which building.
    pub building: BuildingId,
    /// How far it has come.
    pub state: ImportState,
    /// Its rows, as the server keeps them.
    pub content: Pii<String>,
    /// Once applied: what it did.
    pub done: Option<ImportDone>,
    /// When it is forgotten.
    pub ends_at: Timestamp,
}

/// A list without its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportStanding {
    /// Which.
    pub id: ImportId,
    /// For which building.
    pub building: BuildingId,
    /// How far it has come.
    pub state: ImportState,
    /// Why the last wish was not carried out.
    pub failed: Option<ImportFailure>,
    /// Once undone: how many people stayed.
    pub kept: u64,
    /// When it is forgotten.
    pub ends_at: Timestamp,
}

/// What somebody wishes of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportWish {
    /// To apply it.
    Apply {
        /// Rows with errors are left out. Else nothing is done while there is one.
        leave_out_errors: bool,
    },
    /// To undo it.
    Undo,
}

/// A wish, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wished {
    /// Who wished it: it is carried out with what they may at that moment, and told as theirs.
    pub by: Principal,
    /// What.
    pub wish: ImportWish,
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
    /// Its entrance.
    pub entrance: EntranceId,
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
    /// Its entrances, by name.
    pub entrances: Vec<(EntranceId, Label)>,
    /// Its units.
    pub units: Vec<HouseUnit>,
    /// Who lives in them; somebody with two homes twice.
    pub residents: Vec<HouseResident>,
    /// Whether the principal may make units in it.
    pub makes_homes: bool,
}

/// A home that a list makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHome {
    /// Which.
    pub id: UnitId,
    /// Behind which entrance.
    pub entrance: EntranceId,
    /// Its number.
    pub number: Label,
}

/// What an import does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// New homes. Their people may open the doors that those of every other home behind the entrance may.
    pub homes: Vec<NewHome>,
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
    /// How many rows of the database it is about.
    pub fn len(&self) -> usize {
        self.homes.len() + self.people.len() + self.places.len() + self.changes.len() + self.owners.len()
    }

    /// Nothing would change.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What an import did, as far as it takes to undo it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportDone {
    /// New homes.
    pub homes: Vec<UnitId>,
    /// New people.
    pub people: Vec<PersonId>,
    /// New places, of new people and others.
    pub places: Vec<(PersonId, UnitId)>,
    /// People who were known, as they were and as they became.
    pub changes: Vec<(PersonId, Details, Details)>,
    /// Places whose right to decide became this.
    pub owners: Vec<(PersonId, UnitId, bool)>,
}

impl From<ImportPlan> for ImportDone {
    fn from(plan: ImportPlan) -> Self {
        Self {
            homes: plan.homes.into_iter().map(|home| home.id).collect(),
            people: plan.people.into_iter().map(|(person, _)| person).collect(),
            places: plan.places.into_iter().map(|(person, unit, _)| (person, unit)).collect(),
            changes: plan.changes,
            owners: plan.owners,
        }
    }
}

/// What became of something that was to be done with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// Done. Undoing: so many people stayed, because they have signed in or moved on since.
    Done(usize),
    /// The caller's function refused.
    Refused,
    /// It is in a state in which this can not be done.
    Is(ImportState),
    /// Not there, or not the principal's.
    Absent,
}
