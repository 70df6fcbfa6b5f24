//! Panels and the buttons on them.

use crate::ids::{BellId, BuildingId, DoorId, EntranceId, PanelId, PersonId, UnitId};
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
