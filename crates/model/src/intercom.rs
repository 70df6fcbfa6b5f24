//! Panels and the buttons on them.

use crate::ids::{BellId, BuildingId, DoorId, EntranceId, PanelId, PersonId, PictureId, UnitId};
use crate::privacy::Pii;
use crate::text::Label;
use serde::{Deserialize, Serialize};

/// How a button rings (R4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BellKind {
    /// One button for one resident.
    Individual,
    /// One button that rings its members one after another.
    Sequential,
    /// One button that rings all its members at once.
    Parallel,
    /// One button that opens into its members; each can be rung, or all.
    Family,
}

/// How a visitor comes to a button (R16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// It stands among the others.
    #[default]
    Listed,
    /// It stands in no list; the search finds it.
    SearchOnly,
    /// It never reaches the panel; who knows its code dials it.
    DialOnly,
}

/// What a visitor types to ring a button that does not stand on the panel: 4 to 8 digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "String", into = "String")]
pub struct DialCode(String);

/// A text is not 4 to 8 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code is 4 to 8 digits")]
pub struct NotACode;

impl DialCode {
    /// Checks a text.
    ///
    /// # Errors
    /// When it is anything but 4 to 8 digits.
    pub fn new(text: &str) -> Result<Self, NotACode> {
        let fits = (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self(text.to_owned())).ok_or(NotACode)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DialCode {
    type Error = NotACode;
    fn try_from(text: String) -> Result<Self, NotACode> {
        Self::new(&text)
    }
}

impl From<DialCode> for String {
    fn from(code: DialCode) -> Self {
        code.0
    }
}

/// What administrators made of a picture on a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PictureState {
    /// They put it there, or let it stand.
    Seen,
    /// They have not seen it yet; it is on the panel.
    New,
    /// One of them has to approve it before it is on the panel.
    Waits,
}

/// A picture on a button (R11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Picture {
    /// Which: what it is asked for by.
    pub id: PictureId,
    /// What administrators made of it.
    pub state: PictureState,
}

/// Whether an administrator has looked at what residents wrote on a button (R12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Moderation {
    /// There is nothing to look at.
    #[default]
    None,
    /// A resident wrote something since the last look.
    Pending,
    /// An administrator took the button off its panel; residents can not show it again.
    Removed,
}

/// A panel (door station).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Id.
    pub id: PanelId,
    /// The building it belongs to.
    pub building: BuildingId,
    /// The entrance it hangs at, when it serves one.
    pub entrance: Option<EntranceId>,
    /// Such as "Entrance A".
    pub name: Label,
    /// Doors that a resident can open from a call at this panel, in the order they are passed.
    pub doors: Vec<DoorId>,
}

/// A button on a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bell {
    /// Id.
    pub id: BellId,
    /// The panel it is on.
    pub panel: PanelId,
    /// The unit it rings.
    pub unit: UnitId,
    /// Its text.
    pub label: Pii<Label>,
    /// How it rings.
    pub kind: BellKind,
    /// Who it rings, in order.
    pub members: Vec<BellMember>,
}

/// A person behind a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BellMember {
    /// Who.
    pub person: PersonId,
    /// What a family or business button shows for them.
    pub label: Pii<Label>,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Everybody who was rung declined.
    Declined,
    /// Nobody answered in time.
    NoAnswer,
    /// No device of those rung could be reached.
    Unreachable,
    /// The visitor hung up or went away.
    VisitorLeft,
    /// The resident hung up.
    ResidentHungUp,
    /// The time to talk was over.
    TimeLimit,
    /// A resident opened the door without answering.
    Opened,
    /// The panel or the answering device was lost, or the server restarted.
    Interrupted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_four_to_eight_digits() {
        for text in ["4711", "00000000"] {
            assert_eq!(DialCode::new(text).unwrap().as_str(), text);
        }
        for text in ["", "471", "123456789", "47 1", "４７１１", "-4711"] {
            assert_eq!(DialCode::new(text), Err(NotACode), "{text}");
        }
    }
}
