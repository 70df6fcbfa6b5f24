//! What the people of a building may decide for themselves (R5, R10–R16, R44, R45, R63). Inside of what administrators can do
//! anyway: a policy never limits an administrator.

use crate::intercom::BellKind;
use serde::{Deserialize, Serialize};

/// The policy of a building. What is not said is as in [`Default`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BuildingPolicy {
    /// Residents may change the text of their button.
    pub edit_text: bool,
    /// Residents may put a picture on their button.
    pub pictures: bool,
    /// The types of doorbell that a unit may choose from. Sequential and parallel are the administrators' unless named.
    pub bell_kinds: Vec<BellKind>,
    /// Residents may hide their button.
    pub hide: bool,
    /// Unit owners may add members to their household.
    pub add_members: bool,
    /// Residents may add cards of their own.
    pub own_cards: bool,
    /// How many guests a unit may have at once; none at zero. 50 at most.
    pub guests: u8,
    /// How many days a guest may come. 366 at most.
    pub guest_days: u16,
    /// Who has no app is rung by an ordinary phone call.
    pub phone_fallback: bool,
    /// When the doorbell does not ring aloud.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub quiet_hours: Option<QuietHours>,
    /// In which order a panel shows its buttons.
    pub button_order: ButtonOrder,
}

/// Quiet hours, in the building's time zone; over midnight when they end before they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuietHours {
    /// Minutes after midnight, 0 to 1439.
    pub from: u16,
    /// Minutes after midnight, 0 to 1439.
    pub until: u16,
}

/// In which order a panel shows its buttons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ButtonOrder {
    /// As the administrator put them.
    #[default]
    AsPlaced,
    /// By their text.
    ByText,
    /// By unit.
    ByUnit,
}

impl Default for BuildingPolicy {
    fn default() -> Self {
        Self {
            edit_text: true,
            pictures: false,
            bell_kinds: vec![BellKind::Individual, BellKind::Family],
            hide: true,
            add_members: false,
            own_cards: false,
            guests: 5,
            guest_days: 30,
            phone_fallback: true,
            quiet_hours: None,
            button_order: ButtonOrder::AsPlaced,
        }
    }
}

impl BuildingPolicy {
    /// The first field that is out of its range.
    pub fn wrong(&self) -> Option<&'static str> {
        let a_minute = |minute| minute < 24 * 60;
        if self.guests > 50 {
            return Some("guests");
        }
        if self.guest_days == 0 || self.guest_days > 366 {
            return Some("guest_days");
        }
        match self.quiet_hours {
            Some(QuietHours { from, until }) if !a_minute(from) || !a_minute(until) || from == until => {
                Some("quiet_hours")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_default() {
        let read: BuildingPolicy = serde_json::from_str(r#"{"pictures":true}"#).unwrap();
        assert_eq!(read, BuildingPolicy { pictures: true, ..BuildingPolicy::default() });
        assert_eq!(BuildingPolicy::default().wrong(), None);
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let policy = BuildingPolicy::default;
        let quiet = |from, until| Some(QuietHours { from, until });
        assert_eq!(BuildingPolicy { guests: 51, ..policy() }.wrong(), Some("guests"));
        assert_eq!(BuildingPolicy { guest_days: 0, ..policy() }.wrong(), Some("guest_days"));
        assert_eq!(
            BuildingPolicy { quiet_hours: quiet(1_320, 1_440), ..policy() }.wrong(),
            Some("quiet_hours")
        );
        assert_eq!(BuildingPolicy { quiet_hours: quiet(60, 60), ..policy() }.wrong(), Some("quiet_hours"));
        assert_eq!(BuildingPolicy { quiet_hours: quiet(1_320, 420), ..policy() }.wrong(), None);
    }
}
