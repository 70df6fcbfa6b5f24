//! What is wrong at the doors: kinds of alarms, in stable words. None of them has a field for a person, card, unit or session: in a
//! small house even "who was it" has no place here.
//!
//! Some last: they stand from a beginning to an end (a door that is held open, a reader that is gone). Others only happen (wrong
//! codes at a keypad).

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $lasts:literal;)+) => {
        /// What is wrong. The words are stable: they stand in the protocol, in the database and in messages.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum AlarmKind { $($(#[$doc])* $name,)+ }

        impl AlarmKind {
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

            /// Whether it stands until it ends. The others only happen.
            pub const fn lasts(self) -> bool {
                match self { $(Self::$name => $lasts),+ }
            }
        }
    };
}

kinds! {
    /// A leaf was opened while its lock was not released.
    ForcedOpen = "forced_open", true;
    /// A leaf stood open for longer than it may.
    HeldOpen = "held_open", true;
    /// Several wrong codes at one keypad: somebody may be guessing.
    WrongCodes = "wrong_codes", false;
    /// The same card was read at two far doors within a moment: one of them may be a copy. Neither door is said.
    CardAtTwoDoors = "card_at_two_doors", false;
    /// Somebody let themselves in with a code that says that they are forced to.
    Duress = "duress", false;
    /// A housing is open, or the line of its switch is cut.
    Tamper = "tamper", true;
    /// The housing of a reader is open.
    ReaderTamper = "reader_tamper", true;
    /// A reader tells nothing.
    ReaderOffline = "reader_offline", true;
    /// A reader is not believed: without encryption, with another key, another device, or what came was changed on its way.
    ReaderFault = "reader_fault", false;
    /// The supply of a reader is failing.
    ReaderPower = "reader_power", true;
    /// A lock does not do what it is told.
    OutputFault = "output_fault", true;
    /// There is no mains power.
    Mains = "mains", true;
    /// The battery is low.
    Battery = "battery", true;
    /// The fire alarm is on. Its wire releases the locks, not this.
    Fire = "fire", true;
    /// The controller's clock can not be believed: rights with hours or dates are refused.
    Clock = "clock", true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_and_are_what_json_says() {
        for kind in AlarmKind::ALL {
            assert_eq!(AlarmKind::from_word(kind.word()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
        assert_eq!(AlarmKind::from_word("somebody_came"), None);
    }

    #[test]
    fn what_only_happens_is_what_nothing_ends() {
        let happens: Vec<_> = AlarmKind::ALL.iter().filter(|kind| !kind.lasts()).collect();
        assert_eq!(
            happens,
            [&AlarmKind::WrongCodes, &AlarmKind::CardAtTwoDoors, &AlarmKind::Duress, &AlarmKind::ReaderFault]
        );
    }
}
