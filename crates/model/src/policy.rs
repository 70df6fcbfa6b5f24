//! What the people of a building may decide for themselves (R5, R10–R16, R44, R45, R63). Inside of what administrators can do
//! anyway: a policy never limits an administrator.

use crate::intercom::BellKind;
use crate::phone::Phones;
use serde::{Deserialize, Serialize};

/// The policy of a building. What is not said is as in [`Default`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BuildingPolicy {
    /// Residents may change the text of their button.
    pub edit_text: bool,
    /// What residents write or put on a button is shown only after an administrator approved it.
    pub approve_first: bool,
    /// Residents may put a picture on their button.
    pub pictures: bool,
    /// The types of doorbell that a unit may choose from. Sequential and parallel are the administrators' unless named.
    pub bell_kinds: Vec<BellKind>,
    /// Residents may hide their button.
    pub hide: bool,
    /// A unit without a button gets one by itself, as soon as somebody who lives there can be rung (R14).
    pub button_by_itself: bool,
    /// Unit owners may add members to their household.
    pub add_members: bool,
    /// Residents may add cards of their own.
    pub own_cards: bool,
    /// Residents may have a code of their own. When it is taken away, the codes that there are end.
    pub own_codes: bool,
    /// The code with its last digit one higher opens the same and raises a silent alarm.
    pub duress_codes: bool,
    /// How many guests a unit may have at once; none at zero. 50 at most.
    pub guests: u8,
    /// How many days a guest may come. 366 at most.
    pub guest_days: u16,
    /// When the ordinary phones of residents with a verified number are rung.
    pub phones: Phones,
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

impl QuietHours {
    /// Whether this minute of the building's day (0 to 1439) is in them. `from` is, `until` is not.
    pub const fn cover(self, minute: u16) -> bool {
        if self.from < self.until {
            self.from <= minute && minute < self.until
        } else {
            self.from <= minute || minute < self.until
        }
    }
}

/// What somebody who lives in a unit wants to do with its button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BellChange {
    /// Another text, alias, or text of a member behind a family button.
    Text,
    /// A picture, or another one.
    Picture,
    /// The button without its picture.
    NoPicture,
    /// Another type.
    Kind(BellKind),
    /// Hidden from now on, or at some hours.
    Hide,
    /// Shown again.
    Show,
}

/// Who wants it, and of which button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The asking resident decides for the unit.
    pub owner: bool,
    /// An administrator took the button off the panel (R12).
    pub removed: bool,
}

/// When an allowed change is seen on the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// As soon as it is made.
    AtOnce,
    /// When an administrator has approved it.
    AfterApproval,
}

/// Who decides it instead of the asking resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecidedBy {
    /// The building's policy keeps it to its administrators, or they took the button away.
    #[error("the administrator of the building decides")]
    Administrator,
    /// Whoever decides for the unit.
    #[error("the unit owner decides")]
    UnitOwner,
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
            approve_first: false,
            pictures: false,
            bell_kinds: vec![BellKind::Individual, BellKind::Family],
            hide: true,
            button_by_itself: true,
            add_members: false,
            own_cards: false,
            own_codes: false,
            duress_codes: false,
            guests: 5,
            guest_days: 30,
            phones: Phones::WithoutDevice,
            quiet_hours: None,
            button_order: ButtonOrder::AsPlaced,
        }
    }
}

impl BuildingPolicy {
    /// Whether a resident may do this to a button of their unit, and when it is seen.
    ///
    /// To take one's own picture away is always allowed, and to be shown again when one may no longer hide: a policy that
    /// became stricter never holds anybody in what they could not choose today.
    ///
    /// # Errors
    /// Who decides it instead.
    pub fn resident_may(&self, change: BellChange, asking: Asking) -> Result<Effect, DecidedBy> {
        if asking.removed && change != BellChange::NoPicture {
            return Err(DecidedBy::Administrator);
        }
        let allowed = match change {
            BellChange::Text => self.edit_text,
            BellChange::Picture => self.pictures,
            BellChange::Kind(kind) => self.bell_kinds.contains(&kind),
            BellChange::Hide => self.hide,
            BellChange::NoPicture | BellChange::Show => true,
        };
        if !allowed {
            return Err(DecidedBy::Administrator);
        }
        match change {
            BellChange::Kind(_) if !asking.owner => Err(DecidedBy::UnitOwner),
            BellChange::Text | BellChange::Picture if self.approve_first => Ok(Effect::AfterApproval),
            _ => Ok(Effect::AtOnce),
        }
    }

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

    #[test]
    fn quiet_hours_go_over_midnight() {
        let night = QuietHours { from: 1_320, until: 420 };
        let covered: Vec<bool> = [1_319, 1_320, 1_439, 0, 419, 420].map(|minute| night.cover(minute)).into();
        assert_eq!(covered, [false, true, true, true, true, false]);
        let noon = QuietHours { from: 720, until: 780 };
        assert_eq!([719, 720, 779, 780].map(|minute| noon.cover(minute)), [false, true, true, false]);
    }

    #[test]
    fn a_resident_changes_what_the_policy_leaves_to_them() {
        let (owner, member) =
            (Asking { owner: true, removed: false }, Asking { owner: false, removed: false });
        let policy = BuildingPolicy::default();
        assert_eq!(policy.resident_may(BellChange::Text, member), Ok(Effect::AtOnce));
        assert_eq!(policy.resident_may(BellChange::Hide, member), Ok(Effect::AtOnce));
        assert_eq!(policy.resident_may(BellChange::Picture, owner), Err(DecidedBy::Administrator));
        assert_eq!(policy.resident_may(BellChange::Kind(BellKind::Family), owner), Ok(Effect::AtOnce));
        assert_eq!(
            policy.resident_may(BellChange::Kind(BellKind::Family), member),
            Err(DecidedBy::UnitOwner)
        );
        // whoever decides for the unit does not decide over the administrator
        assert_eq!(
            policy.resident_may(BellChange::Kind(BellKind::Parallel), owner),
            Err(DecidedBy::Administrator)
        );
        let strict = BuildingPolicy { edit_text: false, hide: false, bell_kinds: Vec::new(), ..policy };
        for change in [BellChange::Text, BellChange::Hide, BellChange::Kind(BellKind::Individual)] {
            assert_eq!(strict.resident_may(change, owner), Err(DecidedBy::Administrator));
        }
        // who hid a button before may show it
        assert_eq!(strict.resident_may(BellChange::Show, member), Ok(Effect::AtOnce));
    }

    #[test]
    fn what_is_written_waits_where_the_administrator_wants_to_see_it_first() {
        let asking = Asking { owner: true, removed: false };
        let policy = BuildingPolicy { pictures: true, approve_first: true, ..BuildingPolicy::default() };
        assert_eq!(policy.resident_may(BellChange::Text, asking), Ok(Effect::AfterApproval));
        assert_eq!(policy.resident_may(BellChange::Picture, asking), Ok(Effect::AfterApproval));
        assert_eq!(policy.resident_may(BellChange::NoPicture, asking), Ok(Effect::AtOnce));
        assert_eq!(policy.resident_may(BellChange::Hide, asking), Ok(Effect::AtOnce));
    }

    #[test]
    fn nobody_but_the_administrator_brings_back_a_button_that_was_taken_away() {
        let asking = Asking { owner: true, removed: true };
        let policy = BuildingPolicy { pictures: true, ..BuildingPolicy::default() };
        for change in [BellChange::Show, BellChange::Text, BellChange::Picture, BellChange::Hide] {
            assert_eq!(policy.resident_may(change, asking), Err(DecidedBy::Administrator));
        }
        assert_eq!(policy.resident_may(BellChange::NoPicture, asking), Ok(Effect::AtOnce));
    }
}
