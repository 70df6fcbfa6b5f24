//! What other systems are told of: that something changed, never what it says now. Who is told and wants to know more asks
//! for it, with a right to.

use crate::ids::{AlarmId, BuildingId, DeliveryId, ImportId, PersonId, UnitId};
use crate::time::Timestamp;

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        /// Something that happened. The words are stable: they stand in messages and in what was asked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum EventKind { $($(#[$doc])* #[serde(rename = $word)] $name,)+ }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The kind that a word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

events! {
    /// A person was added.
    PersonCreated = "person.created";
    /// What is known of a person changed.
    PersonChanged = "person.changed";
    /// A person rings nowhere and opens nothing any more.
    PersonSuspended = "person.suspended";
    /// A person is suspended no longer.
    PersonResumed = "person.resumed";
    /// A person is gone, with all that was known of them.
    PersonDeleted = "person.deleted";
    /// A person moved in.
    MembershipBegan = "membership.began";
    /// A person decides for their unit now, or no longer.
    MembershipChanged = "membership.changed";
    /// A person moved out.
    MembershipEnded = "membership.ended";
    /// A unit was added.
    UnitCreated = "unit.created";
    /// A unit changed.
    UnitChanged = "unit.changed";
    /// A unit is gone.
    UnitRemoved = "unit.removed";
    /// A list of people was applied: any number of them changed.
    ImportApplied = "import.applied";
    /// What a list of people did was taken back.
    ImportUndone = "import.undone";
    /// Something is wrong at the doors.
    AlarmBegan = "alarm.began";
}

// by hand: the derived one does not see words that a macro wrote
#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for EventKind {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let words = Self::ALL.iter().map(|kind| kind.word());
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(words))
            .description(Some("Something that happened."))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for EventKind {}

/// One message: ids and a moment, nothing that names anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The message's own id: the same in every try.
    pub id: DeliveryId,
    /// What happened.
    pub kind: EventKind,
    /// When it was changed.
    pub at: Timestamp,
    /// The building it was in, when it was in one.
    pub building: Option<BuildingId>,
    /// The unit it is about.
    pub unit: Option<UnitId>,
    /// The person it is about.
    pub person: Option<PersonId>,
    /// The list it is about.
    pub import: Option<ImportId>,
    /// The alarm it is about.
    pub alarm: Option<AlarmId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_and_are_what_json_says() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_word(kind.word()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
        assert_eq!(EventKind::from_word("person.opened"), None);
    }
}
