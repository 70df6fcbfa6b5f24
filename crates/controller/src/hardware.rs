//! What is wired to this controller: the file that `klinke-door run --hardware` reads at its start.
//!
//! TOML. Each output and input says what it is and where it is (`on`); the reference with all words stands in
//! `docs/installers.md`. The file is taken whole or not at all, and what is wrong is told with its line and what to
//! do. Secrets are never in it, only the paths of their files.
//!
//! The rule of [`crate::output`] is kept here already: an output that does not end a release by itself is refused
//! unless it names what does ([`EndsBy`]).

mod check;
mod read;
mod wired;

pub use read::{HardwareError, read};

pub use klinke_model::door::LockKind;
pub use wired::wired;

use klinke_wire::enrolment::{ReaderKind, ReaderReport};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardware {
    /// The outputs, in the order of their numbers once read.
    #[serde(default, rename = "output")]
    pub outputs: Vec<Spanned<OutputWiring>>,
    /// The inputs, in the order of the file.
    #[serde(default, rename = "input")]
    pub inputs: Vec<Spanned<InputWiring>>,
    /// The readers, in the order of the file.
    #[serde(default, rename = "reader")]
    pub readers: Vec<Spanned<ReaderWiring>>,
}

/// One output: one lock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputWiring {
    /// Its number, from 0; doors are assigned to it in the administration.
    pub number: u16,
    /// What the lock does without power; not where another system opens the door.
    pub lock: Option<LockKind>,
    /// Where it is.
    pub on: Drive,
}

/// Where an output is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drive {
    /// A line of this machine.
    Gpio(GpioOutput),
    /// A coil behind Modbus TCP.
    ModbusTcp(TcpCoil),
    /// A coil on an RS-485 bus of this machine.
    ModbusRtu(RtuCoil),
    /// A Shelly relay, second generation or later.
    Shelly(ShellyRelay),
    /// A relay that keeps to our contract over MQTT.
    Mqtt(MqttRelay),
    /// Another system's panel, on which we are a reader.
    OsdpReader(PanelReader),
}

/// What ends a release when this program is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndsBy {
    /// A timer relay behind the output, which drops at the latest after `ends_after_ms` whatever the output does.
    TimerRelay,
    /// The unit drops its coils when nobody speaks to it for `ends_after_ms`, as the installer set it there.
    UnitWatchdog,
    /// The unit times each release itself, as Waveshare's "flash on" does (coil addresses from 0x0200).
    WaveshareFlash,
}

/// The level of a line that means released, or active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineLevel {
    /// 1.
    High,
    /// 0.
    Low,
}

/// An output on a line of this machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpioOutput {
    /// Such as `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// The line's offset on it.
    pub line: u32,
    /// The level that releases.
    pub active: LineLevel,
    /// What ends a release without us: a timer relay, the only thing that can.
    pub ends_by: Option<EndsBy>,
    /// After how long, ms.
    pub ends_after_ms: Option<u32>,
}

/// A coil behind Modbus TCP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TcpCoil {
    /// The unit's address. A number, not a name: an opening does not wait for a name server.
    pub host: IpAddr,
    /// Its port.
    #[serde(default = "modbus_port")]
    pub port: u16,
    /// The unit behind it, 1 to 247 (255 for "the host itself").
    pub unit: u8,
    /// The coil, from 0.
    pub coil: u16,
    /// What ends a release without us.
    pub ends_by: Option<EndsBy>,
    /// After how long, ms.
    pub ends_after_ms: Option<u32>,
}

/// A coil on an RS-485 bus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RtuCoil {
    /// Such as `/dev/ttyUSB0`.
    pub device: PathBuf,
    /// The bus's speed, bit/s; 8 data bits, no parity, one stop bit.
    pub baud: u32,
    /// The unit, 1 to 247.
    pub unit: u8,
    /// The coil, from 0.
    pub coil: u16,
    /// What ends a release without us.
    pub ends_by: Option<EndsBy>,
    /// After how long, ms.
    pub ends_after_ms: Option<u32>,
}

/// A Shelly relay. It times each release itself (`toggle_after`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShellyRelay {
    /// The device's address.
    pub host: IpAddr,
    /// Its port.
    #[serde(default = "http_port")]
    pub port: u16,
    /// Which switch of the device, from 0.
    pub switch: u16,
    /// A file with the device's password and nothing else, readable by this program's user only.
    pub password_file: PathBuf,
}

/// A relay that keeps to our contract over MQTT (`docs/mqtt-relay.md`). It times each release itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttRelay {
    /// The broker's address.
    pub host: IpAddr,
    /// Its port.
    pub port: u16,
    /// What `/command` and `/state` are added to.
    pub topic: String,
    /// The certificate of the broker's authority, PEM. Without it there is no TLS, and the broker must be this machine.
    pub authority_file: Option<PathBuf>,
    /// The user at the broker.
    pub user: String,
    /// A file with the password and nothing else, readable by this program's user only.
    pub password_file: PathBuf,
}

/// A reader that we are on another system's panel: each release presents one card there, once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelReader {
    /// Such as `/dev/ttyUSB0`: a line of its own.
    pub device: PathBuf,
    /// The line's speed as it is set on the panel, bit/s; 8 data bits, no parity, one stop bit.
    pub baud: u32,
    /// Our address on it, 0 to 126.
    pub address: u8,
    /// A file with the key that the panel has for this address, 32 hexadecimal digits, readable by this program's user only.
    /// `klinke-door key-panel` makes it.
    pub key_file: PathBuf,
    /// A file with the card that the panel lets in, readable by this program's user only.
    pub card_file: PathBuf,
}

/// One input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputWiring {
    /// What it is there for.
    pub is: InputKind,
    /// The output beside which it is: for a contact and an exit button.
    pub output: Option<u16>,
    /// How long it must not have changed before it counts, ms: 0 to 200.
    #[serde(default = "debounce_ms")]
    pub debounce_ms: u32,
    /// Where it is.
    pub on: Sense,
}

/// What an input is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Active while the leaf is open.
    Contact,
    /// Active while pressed.
    ExitButton,
    /// Active while a housing is open.
    Tamper,
    /// Active while there is no mains power.
    Mains,
    /// Active while the battery is low.
    Battery,
    /// Active while the fire alarm is on.
    Fire,
}

/// Where an input is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sense {
    /// A line of this machine.
    Gpio(GpioInput),
    /// A discrete input behind Modbus TCP.
    ModbusTcp(TcpInput),
    /// A discrete input on an RS-485 bus of this machine.
    ModbusRtu(RtuInput),
}

/// What a line is pulled to by the machine itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// By resistors outside.
    #[default]
    Outside,
    /// Up.
    Up,
    /// Down.
    Down,
}

/// An input on a line of this machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpioInput {
    /// Such as `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// The line's offset on it.
    pub line: u32,
    /// The level that means active.
    pub active: LineLevel,
    /// What pulls it.
    #[serde(default)]
    pub pull: Pull,
}

/// The state of a discrete input that means active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BitLevel {
    /// 1.
    On,
    /// 0.
    Off,
}

/// A discrete input behind Modbus TCP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TcpInput {
    /// The unit's address.
    pub host: IpAddr,
    /// Its port.
    #[serde(default = "modbus_port")]
    pub port: u16,
    /// The unit behind it, 1 to 247 (255 for "the host itself").
    pub unit: u8,
    /// The discrete input, from 0.
    pub input: u16,
    /// The state that means active.
    pub active: BitLevel,
}

/// A discrete input on an RS-485 bus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RtuInput {
    /// Such as `/dev/ttyUSB0`.
    pub device: PathBuf,
    /// The bus's speed, bit/s.
    pub baud: u32,
    /// The unit, 1 to 247.
    pub unit: u8,
    /// The discrete input, from 0.
    pub input: u16,
    /// The state that means active.
    pub active: BitLevel,
}

/// One reader.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderWiring {
    /// Its number: what the log calls it, and what its key is kept under.
    pub number: u16,
    /// The output whose door it stands at. Without one, and without `floors`, it stands on a desk: cards are only read there to be
    /// given to somebody.
    pub output: Option<u16>,
    /// In the car of a lift: the outputs of the floors that it enables, instead of `output`.
    #[serde(default)]
    pub floors: Vec<u16>,
    /// Whether codes are taken at it.
    #[serde(default)]
    pub keypad: bool,
    /// Where it is.
    pub on: ReadBy,
}

impl ReaderWiring {
    /// The outputs that it is for: that of its door, or those of the floors.
    pub fn outputs(&self) -> impl Iterator<Item = u16> + '_ {
        self.output.into_iter().chain(self.floors.iter().copied())
    }
}

/// Where a reader is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBy {
    /// On a line of OSDP readers.
    Osdp(OsdpReader),
    /// On two lines of this machine.
    Wiegand(WiegandReader),
    /// The first chip card reader that this machine's pcscd has.
    Pcsc(PcscReader),
}

/// A reader on a line of OSDP readers. It is believed by the key that `klinke-door key-reader` set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OsdpReader {
    /// Such as `/dev/ttyUSB0`.
    pub device: PathBuf,
    /// The line's speed, bit/s; 8 data bits, no parity, one stop bit.
    pub baud: u32,
    /// Its address, 0 to 126.
    pub address: u8,
    /// It speaks in clear and is read all the same: whoever is at the line can read and copy cards.
    #[serde(default)]
    pub legacy_plain: bool,
}

/// A Wiegand reader. It speaks in clear, always.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WiegandReader {
    /// Such as `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// The line of D0 (green).
    pub data0: u32,
    /// The line of D1 (white).
    pub data1: u32,
}

/// A chip card reader of this machine. There is nothing to say of it: pcscd knows it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcscReader {}

impl Hardware {
    /// The readers as the server is told of them.
    pub fn reader_reports(&self) -> Vec<ReaderReport> {
        let report = |wiring: &ReaderWiring| ReaderReport {
            reader: wiring.number,
            // in a lift: that of the first floor
            output: wiring.outputs().next(),
            kind: match wiring.on {
                ReadBy::Osdp(_) => ReaderKind::Osdp,
                ReadBy::Wiegand(_) => ReaderKind::Wiegand,
                ReadBy::Pcsc(_) => ReaderKind::Pcsc,
            },
            has_keypad: wiring.keypad,
        };
        self.readers.iter().map(|wiring| report(wiring.get_ref())).collect()
    }
}

/// What ends a release without us, once checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A timer relay, after this at the latest: no release is longer.
    TimerRelay(Duration),
    /// The unit, when nobody has spoken to it for this long.
    UnitWatchdog(Duration),
    /// The unit, for each release as long as it is told.
    WaveshareFlash,
}

/// From the two words of the file. `None` when they are not there or do not fit each other; [`read`] has refused that.
pub(crate) fn ending(ends_by: Option<EndsBy>, ends_after_ms: Option<u32>) -> Option<Ending> {
    let after = ends_after_ms.map(|millis| Duration::from_millis(u64::from(millis)));
    match (ends_by?, after) {
        (EndsBy::TimerRelay, Some(after)) => Some(Ending::TimerRelay(after)),
        (EndsBy::UnitWatchdog, Some(after)) => Some(Ending::UnitWatchdog(after)),
        (EndsBy::WaveshareFlash, None) => Some(Ending::WaveshareFlash),
        _ => None,
    }
}

const fn modbus_port() -> u16 {
    502
}
const fn http_port() -> u16 {
    80
}
const fn debounce_ms() -> u32 {
    50
}
