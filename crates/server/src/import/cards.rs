//! A list of cards from a file, without IO: whose each is and what becomes of it, row by row.
//!
//! Who: by e-mail address, or by the number of the home and the name together; only people who live in the building are
//! found. Which card: its kind, from the file or said once for all of it, and its number. Nothing is guessed: a row that
//! fits two people, or says no kind, is told and left out.

use super::columns::{Column, guess};
use super::read::Sheet;
use klinke_model::card::{CardNumberError, CardView};
use klinke_model::credential::CredentialKey;
use klinke_model::fold::{fold, words};
use klinke_model::ids::PersonId;
use klinke_model::text::Label;
use klinke_storage::record::CardHouse;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap, HashSet};
use utoipa::ToSchema;

/// Most rows of one file.
pub const MAX_CARDS: usize = 5_000;

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CardRowStatus)]
pub enum Status {
    /// It is given to them.
    New,
    /// They have it already.
    Same,
    /// Somebody else has it.
    Taken,
    /// The file names it before.
    Twice,
    /// Nobody who lives in the building.
    PersonUnknown,
    /// Several people fit.
    PersonUnclear,
    /// It does not say how the number is written.
    NoKind,
    /// The number is not of this kind.
    NotANumber,
    /// The name of the card can not be one.
    NotAName,
}

/// A row as it was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What becomes of it.
    pub status: Status,
    /// What is wrong with the number.
    pub wrong: Option<CardNumberError>,
    /// Who the file says: e-mail address, or home and name.
    pub said: String,
    /// The number as the file has it.
    pub number: String,
    /// The card, when it is to be given.
    pub card: Option<Found>,
}

/// A card to be given.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whose.
    pub person: PersonId,
    /// What it is called.
    pub name: Label,
    /// What readers read.
    pub key: CredentialKey,
    /// How its number was written.
    pub view: CardView,
}

/// Which columns a file lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The cards' numbers.
    pub number: bool,
    /// Neither e-mail address, nor home and name.
    pub person: bool,
}

/// What holds for every row that does not say it itself.
#[derive(Clone, Debug)]
pub struct Usual {
    /// How numbers are written.
    pub kind: Option<CardView>,
    /// What cards are called.
    pub name: Label,
}

#[derive(Default)]
struct Columns {
    email: Option<usize>,
    unit: Option<usize>,
    name: Option<usize>,
    first_name: Option<usize>,
    last_name: Option<usize>,
    number: Option<usize>,
    kind: Option<usize>,
    card_name: Option<usize>,
}

const NUMBER: &[&str] = &[
    "kort",
    "kortnummer",
    "kortnr",
    "card",
    "cardnumber",
    "cardno",
    "number",
    "nummer",
    "nr",
    "uid",
    "brikke",
    "brikkenummer",
    "bricka",
    "bricknummer",
    "tagg",
    "tag",
    "tagnumber",
    "nøglebrik",
    "serial",
    "serienummer",
];
const KIND: &[&str] = &["type", "typ", "kind", "slag", "art", "format", "korttype", "korttyp", "cardtype"];
const CARD_NAME: &[&str] =
    &["kortnavn", "kortnamn", "cardname", "label", "etikett", "etiket", "merking", "märkning", "mærkning"];

impl Columns {
    fn of(head: &[String]) -> Self {
        let mut found = Self::default();
        for (place, (column, text)) in guess(head).into_iter().zip(head).enumerate() {
            let word: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            let field = match column {
                Column::Email => &mut found.email,
                Column::Unit => &mut found.unit,
                Column::Name => &mut found.name,
                Column::FirstName => &mut found.first_name,
                Column::LastName => &mut found.last_name,
                _ if NUMBER.contains(&word.as_str()) => &mut found.number,
                _ if KIND.contains(&word.as_str()) => &mut found.kind,
                _ if CARD_NAME.contains(&word.as_str()) => &mut found.card_name,
                _ => continue,
            };
            field.get_or_insert(place);
        }
        found
    }

    fn missing(&self) -> Missing {
        let named = self.name.or(self.first_name).or(self.last_name).is_some();
        Missing {
            number: self.number.is_none(),
            person: self.email.is_none() && !(self.unit.is_some() && named),
        }
    }
}

/// How a file says that numbers are written.
fn kind(text: &str) -> Option<CardView> {
    let word: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    match word.as_str() {
        "serial" | "serialnumber" | "serienummer" | "serienr" | "uid" | "csn" | "mifare" => {
            Some(CardView::Serial)
        }
        "wiegand26" | "26" | "26bit" | "h10301" => Some(CardView::Wiegand26),
        "wiegand34" | "34" | "34bit" | "h10306" => Some(CardView::Wiegand34),
        "bits" | "bit" | "bitar" | "raw" => Some(CardView::Bits),
        _ => None,
    }
}

/// Judges every row.
///
/// # Errors
/// Which columns the file lacks.
pub fn judge(sheet: &Sheet, usual: &Usual, house: &CardHouse) -> Result<Vec<Judged>, Missing> {
    let columns = Columns::of(&sheet.head);
    let missing = columns.missing();
    if missing != Missing::default() {
        return Err(missing);
    }
    let people = People::of(house);
    let mut named = HashSet::new();
    let rows = sheet.rows.rows().map(|row| {
        let cell =
            |column: Option<usize>| column.and_then(|column| row.cell(column)).unwrap_or_default().trim();
        let name = [columns.name, columns.first_name, columns.last_name]
            .map(cell)
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let (email, unit) = (cell(columns.email), cell(columns.unit));
        let said =
            if email.is_empty() { format!("{unit} {name}").trim().to_owned() } else { email.to_owned() };
        let number = cell(columns.number).to_owned();
        let row = Judged { status: Status::New, wrong: None, said, number, card: None };
        let view = match cell(columns.kind) {
            "" => usual.kind,
            text => kind(text),
        };
        let Some(view) = view else { return Judged { status: Status::NoKind, ..row } };
        let key = match view.read(&row.number) {
            Ok(key) => key,
            Err(wrong) => return Judged { status: Status::NotANumber, wrong: Some(wrong), ..row },
        };
        let person = match people.find(email, unit, &name) {
            Ok(person) => person,
            Err(status) => return Judged { status, ..row },
        };
        let card_name = match cell(columns.card_name) {
            "" => usual.name.clone(),
            text => match Label::new(text) {
                Ok(name) => name,
                Err(_) => return Judged { status: Status::NotAName, ..row },
            },
        };
        match house.cards.get(&key) {
            Some(holder) if *holder == person => return Judged { status: Status::Same, ..row },
            Some(_) => return Judged { status: Status::Taken, ..row },
            None => {}
        }
        if !named.insert(key) {
            return Judged { status: Status::Twice, ..row };
        }
        Judged { card: Some(Found { person, name: card_name, key, view }), ..row }
    });
    Ok(rows.collect())
}

/// Who lives in the building, by how a file says it.
struct People {
    by_email: HashMap<String, BTreeSet<PersonId>>,
    by_home: HashMap<(String, Vec<String>), BTreeSet<PersonId>>,
}

impl People {
    fn of(house: &CardHouse) -> Self {
        let numbers: HashMap<_, _> =
            house.house.units.iter().map(|unit| (unit.id, fold(unit.number.as_str()))).collect();
        let mut people = Self { by_email: HashMap::new(), by_home: HashMap::new() };
        for resident in &house.house.residents {
            let person = resident.place.person;
            if let Some(email) = &resident.details.email {
                let email: String = email.reveal().clone().into();
                people.by_email.entry(email.to_lowercase()).or_default().insert(person);
            }
            if let (Some(number), Some(name)) = (numbers.get(&resident.place.unit), &resident.details.name) {
                let key = (number.clone(), words(name.reveal().as_str()));
                people.by_home.entry(key).or_default().insert(person);
            }
        }
        people
    }

    /// Who is meant: by e-mail address when there is one, else by home and name.
    fn find(&self, email: &str, unit: &str, name: &str) -> Result<PersonId, Status> {
        let found = if email.is_empty() {
            self.by_home.get(&(fold(unit), words(name)))
        } else {
            self.by_email.get(&email.to_lowercase())
        };
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(person), None) => Ok(*person),
            (Some(_), Some(_)) => Err(Status::PersonUnclear),
            (None, _) => Err(Status::PersonUnknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::read::read;
    use klinke_model::contact::{Email, Language};
    use klinke_model::ids::v4;
    use klinke_model::people::Membership;
    use klinke_model::privacy::Pii;
    use klinke_storage::record::{Details, House, HouseResident, HouseUnit};

    fn person(number: u8) -> PersonId {
        v4([number; 16]).into()
    }

    fn house() -> CardHouse {
        let unit = |number: u8| v4([100 + number; 16]).into();
        let units = [(1, "101"), (2, "H0102")]
            .map(|(id, number)| HouseUnit {
                id: unit(id),
                number: Label::new(number).unwrap(),
                entrance: v4([90; 16]).into(),
            })
            .to_vec();
        let resident = |id: u8, home: u8, name: &str, email: Option<&str>| HouseResident {
            place: Membership { person: person(id), unit: unit(home), owner: false },
            details: Details {
                name: Some(Pii::new(Label::new(name).unwrap())),
                email: email.map(|email| Pii::new(Email::new(email).unwrap())),
                phone: None,
                language: Language::Nb,
            },
            changeable: true,
        };
        let residents = vec![
            resident(1, 1, "Kari Haugen", Some("kari@example.org")),
            resident(2, 1, "Ola Haugen", Some("haugen@example.org")),
            resident(3, 2, "Åse Berg", Some("haugen@example.org")),
            resident(4, 2, "Per Lind", None),
            resident(5, 2, "Per Lind", None),
        ];
        let taken = CardView::Serial.read("04A22B1C").unwrap();
        CardHouse {
            house: House { units, residents, ..House::default() },
            cards: HashMap::from([(taken, person(1))]),
        }
    }

    fn usual(kind: Option<CardView>) -> Usual {
        Usual { kind, name: Label::new("Key ring").unwrap() }
    }

    fn judged(text: &str, kind: Option<CardView>) -> Vec<(Status, Option<PersonId>)> {
        let rows = judge(&read(text.as_bytes()).unwrap(), &usual(kind), &house()).unwrap();
        rows.into_iter().map(|row| (row.status, row.card.map(|card| card.person))).collect()
    }

    #[test]
    fn each_row_is_told_what_becomes_of_it() {
        let text = "E-post;Leilighet;Navn;Type;Kortnummer;Kortnavn\n\
            KARI@example.org;;;serial;04:11:22:33;Blå\n\
            ;101;Haugen, Ola;26;127-53471;\n\
            ;h0102;ase berg;H10301;127-53472;\n\
            kari@example.org;;;serial;04A22B1C;\n\
            ;101;Ola Haugen;serial;04A22B1C;\n\
            ;101;Ola Haugen;serial;04112233;\n\
            haugen@example.org;;;serial;04112244;\n\
            ;H0102;Per Lind;serial;04112244;\n\
            nobody@example.org;101;Ola Haugen;serial;04112244;\n\
            kari@example.org;;;;04112244;\n\
            kari@example.org;;;magnetic;04112244;\n\
            kari@example.org;;;26;04112244;\n\
            kari@example.org;;;serial;04112244;x\u{202e}y\n";
        let some = |number| (Status::New, Some(person(number)));
        let not = |status| (status, None);
        assert_eq!(
            judged(text, None),
            [
                some(1),
                some(2),
                some(3),
                not(Status::Same),
                not(Status::Taken),
                not(Status::Twice),
                not(Status::PersonUnclear),
                not(Status::PersonUnclear),
                not(Status::PersonUnknown),
                not(Status::NoKind),
                not(Status::NoKind),
                not(Status::NotANumber),
                not(Status::NotAName),
            ]
        );
    }

    #[test]
    fn a_kind_can_be_said_for_the_whole_file() {
        let text = "Email,Number\nkari@example.org,04112233\n";
        assert_eq!(judged(text, Some(CardView::Serial)), [(Status::New, Some(person(1)))]);
        assert_eq!(judged(text, Some(CardView::Wiegand26)), [(Status::NotANumber, None)]);
        assert_eq!(judged(text, None), [(Status::NoKind, None)]);
    }

    #[test]
    fn a_file_says_who_and_which() {
        let missing = |head: &str| {
            let sheet = read(format!("{head}\n1;2;3\n").as_bytes()).unwrap();
            judge(&sheet, &usual(None), &house()).unwrap_err()
        };
        assert_eq!(missing("Navn;Leilighet;Merknad"), Missing { number: true, person: false });
        assert_eq!(missing("Navn;Kort;Merknad"), Missing { number: false, person: true });
        assert_eq!(missing("Leilighet;Kort;Merknad"), Missing { number: false, person: true });
    }
}
