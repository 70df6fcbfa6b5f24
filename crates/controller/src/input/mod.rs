//! What the doors are told by wires: contacts, exit buttons, tamper switches, mains, batteries, the fire alarm; and by
//! [readers](crate::reader), on the same way, so that a card and the leaf that it moves come in their order.
//!
//! A wire becomes a [`Level`] (`Quiet`, `Active`, or `Unknown` while its line is lost), settled by [`debounce`], and a
//! change of it becomes one [`InputEvent`]. Polarity is dealt with at the wire: `Active` always means that there is
//! something to tell (the leaf is open, the button is pressed, the mains are gone).
//!
//! - An input that lasts 400 ms is always told (IEC 60839-11-1); one shorter than its debounce time never.
//! - A lost line is told as `Unknown` and is never read as a change: a button that is found pressed when its line
//!   comes (back) was not pressed.
//! - The fire input is told and mirrored, never followed: fire releases locks by wire.

pub mod debounce;
pub mod gpio;
pub mod modbus;
mod turn;

pub use turn::Turn;

use crate::hardware::{BitLevel, Hardware, InputKind, InputWiring, Sense};
use crate::modbus::bus::Place;
use crate::output::board::Buses;
use crate::reader::ReaderEvent;
use debounce::Debounce;
use klinke_model::door::DoorPosition;
use klinke_model::time::Clock;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// No input is debounced for longer: with the time that it takes to look, 400 ms must suffice.
pub const LONGEST_DEBOUNCE: Duration = Duration::from_millis(200);

/// How often inputs are looked at that cannot speak by themselves.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A door contact spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Beside which output.
    pub output: u16,
    /// What it says.
    pub position: DoorPosition,
}

/// What a wire says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Level {
    /// Its line is lost, or it has not spoken yet.
    #[default]
    Unknown,
    /// Nothing.
    Quiet,
    /// What it is there to tell.
    Active,
}

/// What an input is there for, and what it stands beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Active: the leaf of this output's door is open.
    Contact {
        /// Which output.
        output: u16,
    },
    /// Active: the button at this output's door is pressed.
    ExitButton {
        /// Which output.
        output: u16,
    },
    /// Active: a housing is open.
    Tamper,
    /// Active: there is no mains power.
    Mains,
    /// Active: the battery is low.
    Battery,
    /// Active: the fire alarm is on.
    Fire,
}

/// What the doors are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputEvent {
    /// A door contact spoke.
    Contact(Contact),
    /// Somebody inside pressed the button at this output's door.
    ExitButton {
        /// Which output.
        output: u16,
    },
    /// A housing was opened or closed, or its switch is lost.
    Tamper {
        /// Which input, as the hardware file numbers them.
        input: u16,
        /// What it says.
        level: Level,
    },
    /// The mains power went or came, or its wire is lost.
    Mains {
        /// Which input.
        input: u16,
        /// What it says.
        level: Level,
    },
    /// The battery became low or good, or its wire is lost.
    Battery {
        /// Which input.
        input: u16,
        /// What it says.
        level: Level,
    },
    /// The fire alarm went on or off, or its wire is lost. The wire releases the locks; nobody here does.
    Fire {
        /// Which input.
        input: u16,
        /// What it says.
        level: Level,
    },
    /// A reader tells something.
    Reader(ReaderEvent),
}

/// What the contacts said last, for doors that start later than their contact.
#[derive(Clone, Debug, Default)]
pub struct Positions(Arc<Mutex<HashMap<u16, DoorPosition>>>);

impl Positions {
    /// What the contact of this output's door says now; `Unknown` without a contact.
    pub fn of(&self, output: u16) -> DoorPosition {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&output).copied().unwrap_or(DoorPosition::Unknown)
    }

    fn note(&self, event: &InputEvent) {
        if let InputEvent::Contact(Contact { output, position }) = event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*output, *position);
        }
    }
}

/// The way from the inputs to the doors.
#[derive(Clone, Debug)]
pub struct Tell {
    events: mpsc::Sender<InputEvent>,
    positions: Positions,
}

impl Tell {
    /// To these doors.
    pub const fn new(events: mpsc::Sender<InputEvent>, positions: Positions) -> Self {
        Self { events, positions }
    }

    /// Tells what a settled level means, if anything. `false` when the doors are gone.
    async fn say(&self, turn: &mut Turn, level: Level) -> bool {
        let Some(event) = turn.to(level) else { return true };
        self.positions.note(&event);
        self.events.send(event).await.is_ok()
    }
}

/// Starts a task for each line and each unit that has inputs, on the Tokio runtime that this is called in.
///
/// # Errors
/// When a line of this machine cannot be had. A unit that cannot be reached is `Unknown` until it can.
pub fn start(hardware: &Hardware, buses: &mut Buses, tell: &Tell, clock: &Arc<dyn Clock>) -> io::Result<()> {
    let mut units: HashMap<(Place, u8), Vec<modbus::Bit>> = HashMap::new();
    for (number, wiring) in hardware.inputs.iter().enumerate() {
        let wiring = wiring.get_ref();
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        let debounce = Debounce::new(Duration::from_millis(u64::from(wiring.debounce_ms)));
        let turn = Turn::new(number, role(wiring));
        let (place, unit, input, active) = match &wiring.on {
            Sense::Gpio(line) => {
                let line = gpio::InputLine::open(line)?;
                tokio::spawn(line.watch(debounce, turn, tell.clone(), Arc::clone(clock)));
                continue;
            }
            Sense::ModbusTcp(at) => (Place::Tcp((at.host, at.port).into()), at.unit, at.input, at.active),
            Sense::ModbusRtu(at) => {
                (Place::Rtu { device: at.device.clone(), baud: at.baud }, at.unit, at.input, at.active)
            }
        };
        let bit = modbus::Bit { input, is_active_on: active == BitLevel::On, debounce, turn };
        units.entry((place, unit)).or_default().push(bit);
    }
    for ((place, unit), bits) in units {
        tokio::spawn(modbus::watch(buses.to(place), unit, bits, tell.clone(), Arc::clone(clock)));
    }
    Ok(())
}

fn role(wiring: &InputWiring) -> Role {
    let output = wiring.output.unwrap_or_default();
    match wiring.is {
        InputKind::Contact => Role::Contact { output },
        InputKind::ExitButton => Role::ExitButton { output },
        InputKind::Tamper => Role::Tamper,
        InputKind::Mains => Role::Mains,
        InputKind::Battery => Role::Battery,
        InputKind::Fire => Role::Fire,
    }
}
