//! What a column is, guessed from its head in Norwegian, Swedish, Danish and English.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// The whole name.
    Name,
    /// First names.
    FirstName,
    /// Last names.
    LastName,
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// Apartment number or company, as the building says it.
    Unit,
    /// The entrance, where the same number is behind several.
    Entrance,
    /// Whether they may decide for the unit.
    Owner,
    /// The language that they are written to in.
    Language,
    /// Not used.
    Ignored,
}

const WORDS: &[(Column, &[&str])] = &[
    (Column::FirstName, &["fornavn", "förnamn", "firstname", "givenname", "tilltalsnamn"]),
    (Column::LastName, &["etternavn", "efternavn", "efternamn", "lastname", "surname", "familyname"]),
    (
        Column::Name,
        &["navn", "namn", "name", "fullname", "fulltnavn", "beboer", "bebuar", "boende", "resident"],
    ),
    (
        Column::Email,
        &["epost", "epostadresse", "epostadress", "email", "emailaddress", "mail", "mailadresse", "mejl"],
    ),
    (
        Column::Phone,
        &[
            "telefon",
            "telefonnummer",
            "tlf",
            "tlfnr",
            "mobil",
            "mobilnummer",
            "mobiltelefon",
            "phone",
            "phonenumber",
            "mobile",
            "tel",
        ],
    ),
    (
        Column::Unit,
        &[
            "leilighet",
            "leilighetsnummer",
            "leilighetsnr",
            "husvære",
            "bustad",
            "bolig",
            "boligenhet",
            "bolignummer",
            "lägenhet",
            "lägenhetsnummer",
            "lägenhetsnr",
            "lghnr",
            "lgh",
            "lejlighed",
            "lejlighedsnummer",
            "apartment",
            "apartmentnumber",
            "unit",
            "unitnumber",
            "flat",
            "enhet",
            "enhed",
            "eining",
            "company",
            "firma",
        ],
    ),
    (
        Column::Entrance,
        &[
            "oppgang",
            "oppgong",
            "inngang",
            "inngong",
            "trapphus",
            "trappuppgång",
            "port",
            "uppgång",
            "opgang",
            "entrance",
            "stair",
            "staircase",
        ],
    ),
    (Column::Owner, &["eier", "eigar", "ägare", "ejer", "owner", "andelseier", "andelseigar"]),
    (Column::Language, &["språk", "sprog", "language", "målform"]),
];

/// What each column is; each but [`Column::Ignored`] once at most.
pub fn guess(head: &[String]) -> Vec<Column> {
    let mut found = Vec::new();
    for text in head {
        let word: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        let fits = WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(column, _)| *column);
        found.push(fits.filter(|column| !found.contains(column)).unwrap_or(Column::Ignored));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_known_in_each_language() {
        let of = |head: &str| guess(&head.split('|').map(str::to_owned).collect::<Vec<_>>());
        use Column::*;
        assert_eq!(
            of("Navn|E-post|Mobil|Leilighet|Oppgang|Eier"),
            [Name, Email, Phone, Unit, Entrance, Owner]
        );
        assert_eq!(
            of("Förnamn|Efternamn|E-postadress|Lägenhetsnr|Trapphus|Språk"),
            [FirstName, LastName, Email, Unit, Entrance, Language]
        );
        assert_eq!(
            of("Fornavn|Efternavn|Tlf.|Lejlighed|Opgang|Ejer"),
            [FirstName, LastName, Phone, Unit, Entrance, Owner]
        );
        assert_eq!(
            of("Namn|Telefon|Husvære|Oppgong|Eigar|Målform"),
            [Name, Phone, Unit, Entrance, Owner, Language]
        );
        assert_eq!(
            of("First name|LAST NAME|Email address|Unit|Notes|Phone number"),
            [FirstName, LastName, Email, Unit, Ignored, Phone]
        );
        assert_eq!(of("Name|Name"), [Name, Ignored], "the second of two is for somebody to say");
    }
}
