//! Why a door does not open. The rule itself is `access::decide`; the words are here because what is kept of a use says them too
//! ([`crate::news::UseOutcome`]).

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {
        /// Why a door does not open. The names are stable: they are codes of the API and keys of texts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// Every reason, in the order in which they are told.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

reasons! {
    /// Nobody was given this card, code or pass.
    CredentialUnknown,
    /// The card, code or pass is blocked.
    CredentialBlocked,
    /// The card, code or pass is not valid yet.
    CredentialNotYet,
    /// The card, code or pass is valid no longer.
    CredentialOver,
    /// The card, code or pass was good for once.
    CredentialUsedUp,
    /// The person is suspended.
    PersonSuspended,
    /// No unit and no rule gives the person this door, and they do not administer its building (which counts from the
    /// list only: a call is answered by a resident).
    NoRight,
    /// Their right has ended.
    RightOver,
    /// Their right has not begun.
    RightNotYet,
    /// Their right, or what they presented, has hours or an end, and the door's clock can not be believed.
    ClockUntrusted,
    /// Their right holds at other hours.
    OutsideHours,
    /// The door is not one that the panel of the call offers.
    DoorNotOfCall,
    /// The card can be copied, and this door takes none that can.
    CredentialCopyable,
    /// Nobody could confirm a right of this kind for too long.
    RightsTooOld,
    /// An emergency is on.
    SiteLockedDown,
    /// The door opens for nobody until it is released.
    DoorBlocked,
    /// The door was locked by an emergency.
    DoorLockedDown,
    /// The door before this one comes first.
    DoorBeforeFirst,
    /// Another door of the airlock has to close first.
    Interlocked,
    /// The door asks for a second person.
    SecondPersonNeeded,
    /// The door's times are out of their ranges; an installer has to set them.
    DoorTimesInvalid,
}
