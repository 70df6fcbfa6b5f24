//! From a wire's settled level to what the doors are told.

use super::{Contact, InputEvent, Level, Role};
use klinke_model::door::DoorPosition;

/// One input: remembers what it last said, and tells changes.
#[derive(Debug)]
pub struct Turn {
    input: u16,
    role: Role,
    last: Level,
}

impl Turn {
    /// An input that has not spoken yet.
    pub const fn new(input: u16, role: Role) -> Self {
        Self { input, role, last: Level::Unknown }
    }

    /// Takes what the wire says now; tells what that means, if anything.
    pub fn to(&mut self, level: Level) -> Option<InputEvent> {
        let before = std::mem::replace(&mut self.last, level);
        if before == level {
            return None;
        }
        let input = self.input;
        match self.role {
            Role::Contact { output } => {
                let position = match level {
                    Level::Unknown => DoorPosition::Unknown,
                    Level::Quiet => DoorPosition::Closed,
                    Level::Active => DoorPosition::Open,
                };
                Some(InputEvent::Contact(Contact { output, position }))
            }
            Role::ExitButton { output } => {
                let is_pressed = (before, level) == (Level::Quiet, Level::Active);
                is_pressed.then_some(InputEvent::ExitButton { output })
            }
            Role::Tamper => Some(InputEvent::Tamper { input, level }),
            Role::Mains => Some(InputEvent::Mains { input, level }),
            Role::Battery => Some(InputEvent::Battery { input, level }),
            Role::Fire => Some(InputEvent::Fire { input, level }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Active, Quiet, Unknown};

    #[test]
    fn a_button_is_pressed_only_from_rest() {
        let mut turn = Turn::new(0, Role::ExitButton { output: 3 });
        let pressed = Some(InputEvent::ExitButton { output: 3 });
        let told =
            [Active, Quiet, Active, Active, Unknown, Active, Quiet, Active].map(|level| turn.to(level));
        assert_eq!(told, [None, None, pressed.clone(), None, None, None, None, pressed]);
    }

    #[test]
    fn a_contact_that_is_lost_says_so_once() {
        let mut turn = Turn::new(0, Role::Contact { output: 1 });
        let says = |position| Some(InputEvent::Contact(Contact { output: 1, position }));
        let told = [Unknown, Quiet, Active, Unknown, Unknown, Active].map(|level| turn.to(level));
        let open = says(DoorPosition::Open);
        assert_eq!(
            told,
            [None, says(DoorPosition::Closed), open.clone(), says(DoorPosition::Unknown), None, open]
        );
    }
}
