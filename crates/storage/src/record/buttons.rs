//! Buttons as administrators run them.

use klinke_model::intercom::{Bell, BellKind, BellMember, DialCode, Listing, Moderation, Picture};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;

/// A button with all that an administrator sees of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// Its panel, unit, text, type and members.
    pub bell: Bell,
    /// Apartment number or company name of its unit.
    pub number: Label,
    /// Grows with every change.
    pub version: u64,
    /// What else the search finds it by.
    pub alias: Option<Pii<Label>>,
    /// How a visitor comes to it.
    pub listing: Listing,
    /// What rings it from any keyboard of its panel.
    pub dial_code: Option<Pii<DialCode>>,
    /// Hidden by a tap, of a resident or an administrator.
    pub hidden: bool,
    /// What administrators make of it.
    pub moderation: Moderation,
    /// Why it was taken off its panel.
    pub removed_reason: Option<Label>,
    /// What stood there when an administrator looked last.
    pub before: Option<Pii<Label>>,
    /// What a resident wants to stand there.
    pub asked: Option<Pii<Label>>,
    /// Its picture, while the policy allows one.
    pub picture: Option<Picture>,
    /// Why its last picture was taken away.
    pub picture_reason: Option<Label>,
}

/// What an administrator makes of a button: all that they can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonEdit {
    /// Its text.
    pub label: Pii<Label>,
    /// What else the search finds it by.
    pub alias: Option<Pii<Label>>,
    /// How it rings.
    pub kind: BellKind,
    /// Whom it rings, in order.
    pub members: Vec<BellMember>,
    /// How a visitor comes to it.
    pub listing: Listing,
    /// What rings it from any keyboard of its panel.
    pub dial_code: Option<Pii<DialCode>>,
    /// Not on the panel for now.
    pub hidden: bool,
}

/// What an administrator says to what residents did, or to a button at all (R12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It may stand; what waited stands from now on.
    Approve,
    /// What stood there before stands again; what waited is thrown away.
    PutBack,
    /// The button leaves its panel, for this reason; residents can not show it again.
    Remove(Label),
    /// It is on its panel again.
    BringBack,
    /// It has no picture any more, for this reason.
    TakePicture(Label),
}

/// What became of a change to a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonChanged {
    /// It is so.
    Done,
    /// Somebody else changed it since.
    Conflict,
    /// Another button of the panel has this code.
    CodeTaken,
    /// Nothing by this id that the asker may change.
    NotThere,
}

/// A panel on which a home has no button yet, though somebody who lives there can be rung (R14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// The panel.
    pub panel: klinke_model::ids::PanelId,
    /// The home.
    pub unit: klinke_model::ids::UnitId,
    /// The building of both.
    pub building: klinke_model::ids::BuildingId,
}

/// A picture that is to be put on a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPicture {
    /// Fresh, and random.
    pub id: klinke_model::ids::PictureId,
    /// A small JPEG.
    pub content: Pii<Vec<u8>>,
}

/// What became of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureSet {
    /// It is there, or gone; in which building.
    Done(klinke_model::ids::BuildingId),
    /// Somebody else decides that; to an administrator: their own policy allows no pictures.
    Decided(klinke_model::policy::DecidedBy),
    /// No button of theirs.
    NotThere,
}
