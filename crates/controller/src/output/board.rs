//! The outputs of a hardware file, as the doors see them.
//!
//! | output | its release ends without us |
//! |---|---|
//! | line of this machine | by the timer relay behind it, which the file must name |
//! | coil, `waveshare_flash` | by the unit, which is told how long |
//! | coil, `timer_relay` | by the timer relay behind it |
//! | coil, `unit_watchdog` | by the unit, some seconds after we fell silent |
//! | Shelly | by the device (`toggle_after`) |
//! | MQTT relay | by the device, which our contract binds to it |
//! | reader on another panel | there is none: a card is presented once |

use super::gpio::OutputLine;
use super::handed::HandedOn;
use super::modbus::Coil;
use super::mqtt::Relay;
use super::remote::{Command, Device, drive};
use super::shelly::Shelly;
use super::{Answer, Board, OutputError, OutputEvent, Ticket};
use crate::hardware::{Drive, Ending, Hardware};
use crate::input::Positions;
use crate::modbus::bus::{Bus, Place};
use crate::secret;
use klinke_access::door_cycle::LONGEST_LEASE;
use klinke_model::door::DoorPosition;
use klinke_model::time::Clock;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// The Modbus lines of this controller, each once, whoever sits on it.
#[derive(Debug, Default)]
pub struct Buses(HashMap<Place, Bus>);

impl Buses {
    /// The line to this place.
    pub fn to(&mut self, place: Place) -> Bus {
        self.0.entry(place.clone()).or_insert_with(|| Bus::new(place)).clone()
    }
}

/// The outputs of a hardware file.
#[derive(Debug)]
pub struct WiredBoard {
    outputs: Vec<Output>,
    positions: Positions,
    tickets: u64,
}

#[derive(Debug)]
struct Output {
    way: Way,
    longest: Duration,
    /// No timer relay drops it while its lease is renewed.
    holds: bool,
    hands_on: bool,
}

#[derive(Debug)]
enum Way {
    Line(OutputLine),
    Remote(watch::Sender<Option<Command>>),
}

impl WiredBoard {
    /// Takes the lines of this machine, each inactive from then on, and starts a task for each other output on the
    /// Tokio runtime that this is called in. A device that cannot be reached does not keep the others from starting.
    ///
    /// # Errors
    /// When a line cannot be had, or a password cannot be read.
    pub fn start(
        hardware: &Hardware,
        buses: &mut Buses,
        positions: Positions,
        events: &mpsc::Sender<OutputEvent>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, OutputError> {
        // lines first: they are locked when they are taken
        let mut outputs = Vec::new();
        for wiring in &hardware.outputs {
            let wiring = wiring.get_ref();
            let way = match &wiring.on {
                Drive::Gpio(gpio) => Some(OutputLine::open(&gpio.chip, gpio.line, gpio.active)?),
                _ => None,
            };
            outputs.push((wiring, way));
        }
        let start = |(wiring, line): (&crate::hardware::OutputWiring, Option<OutputLine>)| {
            let number = wiring.number;
            let lost = || io::Error::other("an output without an end of its releases");
            let ending = wiring.ending();
            let way = match (&wiring.on, line) {
                (Drive::Gpio(_), Some(line)) if ending.is_some() => Way::Line(line),
                (Drive::Gpio(_), _) => return Err(lost()),
                (Drive::ModbusTcp(coil), _) => {
                    let bus = buses.to(Place::Tcp((coil.host, coil.port).into()));
                    remote(Coil::new(bus, coil.unit, coil.coil, ending.ok_or_else(lost)?), number, events)
                }
                (Drive::ModbusRtu(coil), _) => {
                    let bus = buses.to(Place::Rtu { device: coil.device.clone(), baud: coil.baud });
                    remote(Coil::new(bus, coil.unit, coil.coil, ending.ok_or_else(lost)?), number, events)
                }
                (Drive::Shelly(relay), _) => {
                    let password = secret::read(&relay.password_file)?;
                    let address = SocketAddr::from((relay.host, relay.port));
                    remote(Shelly::new(address, relay.switch, password), number, events)
                }
                (Drive::Mqtt(relay), _) => {
                    let password = secret::read(&relay.password_file)?;
                    remote(Relay::start(relay, &password)?, number, events)
                }
                (Drive::OsdpReader(panel), _) => {
                    remote(HandedOn::start(panel, number, clock)?, number, events)
                }
            };
            let longest = match ending {
                Some(Ending::TimerRelay(after)) => after.min(LONGEST_LEASE),
                _ => LONGEST_LEASE,
            };
            Ok(Output { way, longest, holds: wiring.holds(), hands_on: wiring.hands_on() })
        };
        let outputs = outputs.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { outputs, positions, tickets: 0 })
    }

    fn tell(&mut self, output: u16, lease: Option<Duration>) -> Result<Answer, OutputError> {
        let wired = self.outputs.get(usize::from(output)).ok_or(OutputError::Unknown(output))?;
        match &wired.way {
            Way::Line(line) => {
                line.set(lease.is_some())?;
                Ok(Answer::Done)
            }
            Way::Remote(commands) => {
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                let command = Command { ticket, given: Instant::now(), lease };
                let gone = |_| io::Error::other("the task of this output has ended");
                commands.send(Some(command)).map_err(gone)?;
                Ok(Answer::Later(ticket))
            }
        }
    }
}

fn remote(device: impl Device, output: u16, events: &mpsc::Sender<OutputEvent>) -> Way {
    let (commands, receiver) = watch::channel(None);
    tokio::spawn(drive(device, output, receiver, events.clone()));
    Way::Remote(commands)
}

impl Board for WiredBoard {
    fn outputs(&self) -> u16 {
        u16::try_from(self.outputs.len()).unwrap_or(u16::MAX)
    }

    fn release(&mut self, output: u16, lease: Duration) -> Result<Answer, OutputError> {
        let lease = lease.min(self.longest(output));
        self.tell(output, Some(lease))
    }

    fn lock(&mut self, output: u16) -> Result<Answer, OutputError> {
        self.tell(output, None)
    }

    fn position(&self, output: u16) -> DoorPosition {
        self.positions.of(output)
    }

    fn longest(&self, output: u16) -> Duration {
        self.outputs.get(usize::from(output)).map_or(LONGEST_LEASE, |output| output.longest)
    }

    fn holds(&self, output: u16) -> bool {
        self.outputs.get(usize::from(output)).is_some_and(|output| output.holds)
    }

    fn hands_on(&self, output: u16) -> bool {
        self.outputs.get(usize::from(output)).is_some_and(|output| output.hands_on)
    }
}
