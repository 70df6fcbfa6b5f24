//! Cards, as administrators and their holders see them.

use super::House;
use klinke_model::card::{Card, CardView};
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::ids::{BuildingId, CardId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use std::collections::HashMap;

use super::Part;

/// A card with whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRow {
    /// The card.
    pub card: Card,
    /// What its holder is called; none for who goes without a name.
    pub holder: Option<Pii<Label>>,
    /// The numbers of their homes in the card's building.
    pub homes: Vec<Label>,
}

/// Which cards of a building to list, by the names of their holders.
#[derive(Clone, Debug, Default)]
pub struct CardsQuery {
    /// What was typed: each word begins a word of the holder or the number of their home; or the card's name begins like it.
    pub text: String,
    /// Only those that are blocked, or only those that are not.
    pub blocked: Option<bool>,
    /// Where the page before ends.
    pub after: Option<CardAfter>,
    /// How many.
    pub limit: u16,
}

/// Where a page of cards ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardAfter {
    /// What the holder is sorted by; personal.
    pub name: Pii<Vec<u8>>,
    /// Which.
    pub card: CardId,
}

/// A page of cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardsPage {
    /// The cards, in order.
    pub cards: Vec<Part<CardRow>>,
    /// Where it ends, when there are others after them.
    pub next: Option<CardAfter>,
}

/// A card to be given to somebody.
#[derive(Clone, Debug)]
pub struct NewCard {
    /// Its new id.
    pub id: CardId,
    /// Whose it is to be.
    pub person: PersonId,
    /// What people call it.
    pub name: Label,
    /// What readers read.
    pub key: CredentialKey,
    /// How its number was given.
    pub view: CardView,
    /// Whether it can be copied.
    pub tier: CredentialTier,
}

/// What became of giving a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardMade {
    /// It opens from now on.
    Done(Part<CardRow>),
    /// The building is not there, or the principal may not.
    NotThere,
    /// Nobody who has to do with the building, or nobody whom the principal sees.
    Stranger,
    /// Somebody in the building has it already.
    Taken(Part<CardRow>),
}

/// What is to be changed of a card; what is none stays.
#[derive(Clone, Debug, Default)]
pub struct CardChange {
    /// Another name.
    pub name: Option<Label>,
    /// Another holder.
    pub person: Option<PersonId>,
    /// To block it, or to let it in again.
    pub blocked: Option<bool>,
    /// Whether it can be copied.
    pub tier: Option<CredentialTier>,
}

/// What the cards of a file are compared with.
#[derive(Clone, Debug, Default)]
pub struct CardHouse {
    /// Who lives where.
    pub house: House,
    /// Who has which card.
    pub cards: HashMap<CredentialKey, PersonId>,
}

/// A card as its holder sees it, or the unit owner of their home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCard {
    /// The card.
    pub card: Card,
    /// Grows with every change.
    pub version: u64,
    /// The building's name.
    pub building_name: Label,
    /// What its holder is called; none for who goes without a name.
    pub holder: Option<Pii<Label>>,
}

/// A card that a resident adds.
#[derive(Clone, Debug)]
pub struct NewMyCard {
    /// In the building of this home of the asker.
    pub unit: UnitId,
    /// The card: for the asker, or for somebody in the home that they decide for.
    pub card: NewCard,
}

/// What became of a card that a resident adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MyCardMade {
    /// It opens from now on.
    Done(HeldCard),
    /// Not a home of the asker, or not somebody whom they decide for.
    NotThere,
    /// The building's policy leaves cards to its administrators.
    Administrators,
    /// Somebody in the building has it already: who is not told.
    Taken,
    /// They have as many as one may add oneself.
    Full,
}

/// What became of changing a card of one's own home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MyCardChanged {
    /// It is so.
    Done(HeldCard),
    /// Somebody else changed it before: how it is now.
    Conflict(HeldCard),
    /// An administrator blocked it: only they let it in again.
    Administrators,
    /// It is not there, or not theirs.
    NotThere,
}

/// Where a card counts and whose it is.
pub type Place = (BuildingId, PersonId);
