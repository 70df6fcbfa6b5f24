//! Runs an open command at most once, and never late.
//!
//! Networks repeat, delay and replay. The guard stands between the link and the lock and lets a command through
//! only when all of this holds:
//!
//! - it names this start of the process ([`BootId`]), so nothing from before a restart can run;
//! - `now ≤ not_after ≤ now + life`, on the controller's own monotonic clock, so a deadline reckoned wrongly or
//!   made up cannot keep a command alive;
//! - its [`OpeningId`] was not seen before, *whatever became of it then*: a command that was refused once does
//!   not run later because the configuration has changed since;
//! - the door is one of this controller's, and the hold is within [`DoorTimes::RELEASE_MS`].
//!
//! An id is remembered at least until its deadline. Memory is bounded; when it is full of ids that are still
//! alive the guard refuses with [`Refusal::Overloaded`] and forgets none of them. Ids whose deadline is over are
//! forgotten only when their place is needed.

use klinke_model::door::DoorTimes;
use klinke_model::ids::{BootId, DoorId, OpeningId};
use klinke_model::time::Mono;
use std::collections::HashMap;
use std::time::Duration;

/// A command as it came off the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCommand {
    /// The start of the process it is for.
    pub boot: BootId,
    /// Which command.
    pub opening: OpeningId,
    /// Which door.
    pub door: DoorId,
    /// How long the lock stays released, ms.
    pub hold_ms: u32,
    /// The last moment at which it may run.
    pub not_after: Mono,
}

/// Why a command does not run. The first that applies, in the order of the enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is for another start of the process.
    #[error("the command is for another start of the process")]
    OtherBoot,
    /// Its deadline is over.
    #[error("the command came too late")]
    Expired,
    /// Its deadline is further ahead than commands live.
    #[error("the command's deadline is too far ahead")]
    DeadlineTooFar,
    /// This opening was answered before.
    #[error("the command was answered before")]
    Repeated,
    /// There is no room to remember it.
    #[error("too many commands at once")]
    Overloaded,
    /// Not a door of this controller.
    #[error("the door is not one of this controller's")]
    UnknownDoor,
    /// The hold is outside of [`DoorTimes::RELEASE_MS`].
    #[error("the hold is out of its range")]
    BadHold,
}

/// The guard of one start of the process.
#[derive(Debug)]
pub struct Guard {
    boot: BootId,
    life: Duration,
    capacity: usize,
    /// The openings answered, with the last moment at which each could have run.
    seen: HashMap<OpeningId, Mono>,
}

impl Guard {
    /// A guard for this start of the process. Commands live at most `life`; at most `capacity` are remembered.
    pub fn new(boot: BootId, life: Duration, capacity: usize) -> Self {
        Self { boot, life, capacity, seen: HashMap::with_capacity(capacity) }
    }

    /// The start of the process that commands are for.
    pub const fn boot(&self) -> BootId {
        self.boot
    }

    /// Lets a command through, once: the time its lock is to be released for. `is_known` says whether a door is
    /// one of this controller's.
    ///
    /// # Errors
    /// When it must not run; see [`Refusal`].
    pub fn admit(
        &mut self,
        command: &OpenCommand,
        is_known: impl FnOnce(DoorId) -> bool,
        now: Mono,
    ) -> Result<Duration, Refusal> {
        if command.boot != self.boot {
            return Err(Refusal::OtherBoot);
        }
        if now > command.not_after {
            return Err(Refusal::Expired);
        }
        if command.not_after > now + self.life {
            return Err(Refusal::DeadlineTooFar);
        }
        if self.seen.contains_key(&command.opening) {
            return Err(Refusal::Repeated);
        }
        if self.seen.len() >= self.capacity {
            self.seen.retain(|_, not_after| *not_after >= now);
        }
        if self.seen.len() >= self.capacity {
            return Err(Refusal::Overloaded);
        }
        self.seen.insert(command.opening, command.not_after);
        if !is_known(command.door) {
            return Err(Refusal::UnknownDoor);
        }
        if !DoorTimes::RELEASE_MS.contains(&command.hold_ms) {
            return Err(Refusal::BadHold);
        }
        Ok(Duration::from_millis(u64::from(command.hold_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const LIFE: Duration = Duration::from_millis(5_000);

    fn boot(byte: u8) -> BootId {
        BootId(v4([byte; 16]))
    }
    fn door(byte: u8) -> DoorId {
        DoorId(v4([byte; 16]))
    }
    fn at(millis: u64) -> Mono {
        Mono::from_millis(millis)
    }
    fn command(opening: u8, not_after: u64) -> OpenCommand {
        OpenCommand {
            boot: boot(1),
            opening: OpeningId(v4([opening; 16])),
            door: door(1),
            hold_ms: 5_000,
            not_after: at(not_after),
        }
    }
    fn guard(capacity: usize) -> Guard {
        Guard::new(boot(1), LIFE, capacity)
    }
    fn known(id: DoorId) -> bool {
        id == door(1)
    }

    #[test]
    fn every_refusal_has_its_row_and_the_edges_are_inside() {
        let now = 10_000;
        let good = command(1, now + 3_000);
        let rows = [
            (good, Ok(Duration::from_millis(5_000))),
            (OpenCommand { not_after: at(now), ..good }, Ok(Duration::from_millis(5_000))),
            (OpenCommand { not_after: at(now + 5_000), ..good }, Ok(Duration::from_millis(5_000))),
            (OpenCommand { hold_ms: 1_000, ..good }, Ok(Duration::from_millis(1_000))),
            (OpenCommand { hold_ms: 60_000, ..good }, Ok(Duration::from_millis(60_000))),
            (OpenCommand { boot: boot(2), ..good }, Err(Refusal::OtherBoot)),
            (OpenCommand { not_after: at(now - 1), ..good }, Err(Refusal::Expired)),
            (OpenCommand { not_after: at(now + 5_001), ..good }, Err(Refusal::DeadlineTooFar)),
            (OpenCommand { not_after: at(u64::MAX), ..good }, Err(Refusal::DeadlineTooFar)),
            (OpenCommand { door: door(2), ..good }, Err(Refusal::UnknownDoor)),
            (OpenCommand { hold_ms: 999, ..good }, Err(Refusal::BadHold)),
            (OpenCommand { hold_ms: 60_001, ..good }, Err(Refusal::BadHold)),
        ];
        for (command, expected) in rows {
            assert_eq!(guard(4).admit(&command, known, at(now)), expected, "{command:?}");
        }
    }

    #[test]
    fn a_command_runs_once_and_a_refused_one_never() {
        let mut guard = guard(4);
        assert!(guard.admit(&command(1, 2_000), known, at(0)).is_ok());
        assert_eq!(guard.admit(&command(1, 2_000), known, at(1)), Err(Refusal::Repeated));
        // refused, because the door was not configured yet; a repetition after it was does not open
        assert_eq!(guard.admit(&command(2, 2_000), |_| false, at(1)), Err(Refusal::UnknownDoor));
        assert_eq!(guard.admit(&command(2, 2_000), known, at(2)), Err(Refusal::Repeated));
        // the same id under a new deadline is the same opening
        assert_eq!(guard.admit(&command(1, 9_000), known, at(6_000)), Err(Refusal::Repeated));
    }

    #[test]
    fn a_full_memory_refuses_rather_than_forgetting_a_live_id() {
        let mut guard = guard(2);
        assert!(guard.admit(&command(1, 1_000), known, at(0)).is_ok());
        assert!(guard.admit(&command(2, 4_000), known, at(0)).is_ok());
        assert_eq!(guard.admit(&command(3, 5_000), known, at(1_000)), Err(Refusal::Overloaded));
        assert_eq!(guard.admit(&command(1, 1_000), known, at(1_000)), Err(Refusal::Repeated));
        // one ms later the first one is over and its place is free; the second is still remembered
        assert!(guard.admit(&command(3, 5_000), known, at(1_001)).is_ok());
        assert_eq!(guard.admit(&command(2, 4_000), known, at(1_002)), Err(Refusal::Repeated));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

        /// Any traffic of few ids, as a network with delays and repetitions makes it: each id runs at most once
        /// while it was sent with one deadline, never after that deadline, never for another boot or door.
        #[test]
        fn at_most_once_and_never_late(
            capacity in 1_usize..6,
            deadlines in prop::collection::vec(0_u64..20_000, 8),
            traffic in prop::collection::vec((0_u8..8, 0_u64..1_500, 1_u8..3, 1_u8..3, 900_u32..1_100), 1..60),
        ) {
            let mut guard = guard(capacity);
            let mut ran = HashSet::new();
            let mut now = 0;
            for (opening, later, boot_byte, door_byte, hold_ms) in traffic {
                now += later;
                let not_after = deadlines[usize::from(opening)];
                let sent = OpenCommand {
                    boot: boot(boot_byte), door: door(door_byte), hold_ms, ..command(opening, not_after)
                };
                if let Ok(hold) = guard.admit(&sent, known, at(now)) {
                    prop_assert!(ran.insert(opening), "ran twice");
                    prop_assert!(now <= not_after && not_after <= now + 5_000);
                    prop_assert_eq!((boot_byte, door_byte), (1, 1));
                    prop_assert!(hold_ms >= 1_000 && hold.as_millis() == u128::from(hold_ms));
                }
                prop_assert!(guard.seen.len() <= capacity);
            }
        }
    }
}
