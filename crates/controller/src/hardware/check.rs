//! What a hardware file must hold beyond its words: each thing once, each number in its range, each release with an
//! end.

use super::{
    Drive, Ending, EndsBy, Hardware, InputKind, InputWiring, OutputWiring, ReadBy, ReaderWiring, Sense,
    ending,
};
use crate::input::LONGEST_DEBOUNCE;
use crate::reader::osdp::MOST_READERS;
use klinke_model::door::DoorTimes;
use osdp::MAX_PD_ADDR;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Wrong {
    /// The byte of the file.
    pub(super) at: usize,
    /// What, and what to do.
    pub(super) what: String,
}

/// The place of one wire: nothing else may be there.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Place {
    Line(PathBuf, u32),
    TcpCoil(SocketAddr, u8, u16),
    RtuCoil(PathBuf, u8, u16),
    Switch(SocketAddr, u16),
    Topic(SocketAddr, String),
    TcpInput(SocketAddr, u8, u16),
    RtuInput(PathBuf, u8, u16),
    Osdp(PathBuf, u8),
    Pcsc,
}

pub(super) fn check(hardware: &Hardware) -> Result<(), Wrong> {
    let mut taken = HashSet::new();
    let mut speeds = HashMap::new();
    let mut numbers = HashSet::new();
    let is_desk = hardware.inputs.is_empty()
        && !hardware.readers.is_empty()
        && hardware.readers.iter().all(|reader| reader.get_ref().outputs().next().is_none());
    if hardware.outputs.is_empty() && !is_desk {
        return Err(Wrong { at: 0, what: "there is no [[output]]: add one for each lock".into() });
    }
    for spanned in &hardware.outputs {
        let (at, wiring) = (spanned.span().start, spanned.get_ref());
        let wrong = |what: String| Wrong { at, what: format!("output {}: {what}", wiring.number) };
        if !numbers.insert(wiring.number) {
            return Err(wrong("this number is there twice; each output needs its own".into()));
        }
        if usize::from(wiring.number) >= hardware.outputs.len() {
            let last = hardware.outputs.len() - 1;
            return Err(wrong(format!("numbers go from 0 without a gap, here to {last}")));
        }
        let place = output(wiring, &mut speeds).map_err(wrong)?;
        if !taken.insert(place) {
            return Err(wrong("something else is on the same line, coil, switch or topic already".into()));
        }
    }
    let mut contacts = HashSet::new();
    for (number, spanned) in hardware.inputs.iter().enumerate() {
        let (at, wiring) = (spanned.span().start, spanned.get_ref());
        let wrong = |what: String| Wrong { at, what: format!("input {number}: {what}") };
        let place = input(wiring, &numbers, &mut speeds).map_err(wrong)?;
        if wiring.is == InputKind::Contact && !contacts.insert(wiring.output) {
            return Err(wrong("this output has a contact already; a door has one".into()));
        }
        if !taken.insert(place) {
            return Err(wrong("something else is on the same line or discrete input already".into()));
        }
    }
    check_readers(hardware, &numbers, taken, speeds)?;
    check_own_lines(hardware)
}

/// A panel's line is its own: it asks there, and whoever else speaks is taken for one of its readers.
fn check_own_lines(hardware: &Hardware) -> Result<(), Wrong> {
    let outputs = hardware.outputs.iter().filter_map(|output| match &output.get_ref().on {
        Drive::ModbusRtu(coil) => Some(&coil.device),
        Drive::OsdpReader(panel) => Some(&panel.device),
        Drive::Gpio(_) | Drive::ModbusTcp(_) | Drive::Shelly(_) | Drive::Mqtt(_) => None,
    });
    let inputs = hardware.inputs.iter().filter_map(|input| match &input.get_ref().on {
        Sense::ModbusRtu(input) => Some(&input.device),
        Sense::Gpio(_) | Sense::ModbusTcp(_) => None,
    });
    let readers = hardware.readers.iter().filter_map(|reader| match &reader.get_ref().on {
        ReadBy::Osdp(osdp) => Some(&osdp.device),
        ReadBy::Wiegand(_) | ReadBy::Pcsc(_) => None,
    });
    let used: Vec<&PathBuf> = outputs.chain(inputs).chain(readers).collect();
    for output in &hardware.outputs {
        let Drive::OsdpReader(panel) = &output.get_ref().on else { continue };
        if used.iter().filter(|device| **device == &panel.device).count() > 1 {
            let what = format!(
                "output {}: the line to another system's panel carries nothing else",
                output.get_ref().number
            );
            return Err(Wrong { at: output.span().start, what });
        }
    }
    Ok(())
}

fn check_readers(
    hardware: &Hardware,
    outputs: &HashSet<u16>,
    mut taken: HashSet<Place>,
    mut speeds: HashMap<PathBuf, u32>,
) -> Result<(), Wrong> {
    let others: HashSet<PathBuf> = speeds.keys().cloned().collect();
    let mut numbers = HashSet::new();
    let mut on_line: HashMap<&Path, usize> = HashMap::new();
    for spanned in &hardware.readers {
        let (at, wiring) = (spanned.span().start, spanned.get_ref());
        let wrong = |what: String| Wrong { at, what: format!("reader {}: {what}", wiring.number) };
        if !numbers.insert(wiring.number) {
            return Err(wrong("this number is there twice; each reader needs its own".into()));
        }
        for place in reader(wiring, outputs, &others, &mut speeds).map_err(wrong)? {
            if !taken.insert(place) {
                return Err(wrong("something else has the same line or address already".into()));
            }
        }
        if let ReadBy::Osdp(osdp) = &wiring.on {
            let count = on_line.entry(&osdp.device).or_default();
            *count += 1;
            if *count > MOST_READERS {
                return Err(wrong(format!(
                    "a line has at most {MOST_READERS} readers; put this one on another line"
                )));
            }
        }
    }
    Ok(())
}

fn reader(
    wiring: &ReaderWiring,
    outputs: &HashSet<u16>,
    others: &HashSet<PathBuf>,
    speeds: &mut HashMap<PathBuf, u32>,
) -> Result<Vec<Place>, String> {
    let is_desk = matches!(wiring.on, ReadBy::Pcsc(_)) && wiring.floors.is_empty();
    if wiring.output.is_some() != wiring.floors.is_empty() && !is_desk {
        return Err(
            "say at which output's door it stands (`output = 0`), or in the car of a lift which floors \
                    it enables (`floors = [0, 1]`)"
                .into(),
        );
    }
    if let Some(output) = wiring.outputs().find(|output| !outputs.contains(output)) {
        return Err(format!("there is no output {output}: say at which output's door it stands"));
    }
    if wiring.floors.iter().collect::<HashSet<_>>().len() < wiring.floors.len() {
        return Err("each of its `floors` is there once".into());
    }
    if wiring.keypad && matches!(wiring.on, ReadBy::Pcsc(_)) {
        return Err("a chip card reader has no keypad: leave out `keypad`".into());
    }
    match &wiring.on {
        ReadBy::Osdp(osdp) => {
            address(osdp.address, "the reader")?;
            if others.contains(&osdp.device) {
                return Err("a line of readers carries nothing else: put the Modbus units on another".into());
            }
            speed(&osdp.device, osdp.baud, speeds)?;
            Ok(vec![Place::Osdp(osdp.device.clone(), osdp.address)])
        }
        ReadBy::Wiegand(wires) => Ok(vec![
            Place::Line(wires.chip.clone(), wires.data0),
            Place::Line(wires.chip.clone(), wires.data1),
        ]),
        ReadBy::Pcsc(_) => Ok(vec![Place::Pcsc]),
    }
}

fn output(wiring: &OutputWiring, speeds: &mut HashMap<PathBuf, u32>) -> Result<Place, String> {
    match (wiring.lock, wiring.hands_on()) {
        (None, false) => {
            return Err("say what the lock does without power: `lock = \"fail_safe\"`, it opens, or \
                        `lock = \"fail_secure\"`, it stays locked"
                .into());
        }
        (Some(_), true) => {
            return Err(
                "another system drives this lock and knows what it does without power: leave out `lock`"
                    .into(),
            );
        }
        (Some(_), false) | (None, true) => {}
    }
    match &wiring.on {
        Drive::Gpio(gpio) => {
            if gpio.ends_by != Some(EndsBy::TimerRelay) {
                return Err(
                    "a line of this machine may stay released when this program dies: put a timer relay \
                            behind it and say `ends_by = \"timer_relay\"` and its time as `ends_after_ms`"
                        .into(),
                );
            }
            ends(gpio.ends_by, gpio.ends_after_ms)?;
            Ok(Place::Line(gpio.chip.clone(), gpio.line))
        }
        Drive::ModbusTcp(coil) => {
            ends(coil.ends_by, coil.ends_after_ms)?;
            flash(coil.ends_by, coil.coil)?;
            unit(coil.unit, 255)?;
            Ok(Place::TcpCoil((coil.host, coil.port).into(), coil.unit, coil.coil))
        }
        Drive::ModbusRtu(coil) => {
            ends(coil.ends_by, coil.ends_after_ms)?;
            flash(coil.ends_by, coil.coil)?;
            unit(coil.unit, 247)?;
            speed(&coil.device, coil.baud, speeds)?;
            Ok(Place::RtuCoil(coil.device.clone(), coil.unit, coil.coil))
        }
        Drive::Shelly(relay) => Ok(Place::Switch((relay.host, relay.port).into(), relay.switch)),
        Drive::Mqtt(relay) => {
            let is_plain = |c: char| !matches!(c, '+' | '#' | '\0') && !c.is_control();
            if relay.topic.is_empty() || relay.topic.starts_with('$') || !relay.topic.chars().all(is_plain) {
                return Err("`topic` is the topic of one relay, without + and #".into());
            }
            if relay.authority_file.is_none() && !relay.host.is_loopback() {
                return Err("a broker on another machine needs TLS: name its authority's certificate as \
                            `authority_file`"
                    .into());
            }
            Ok(Place::Topic((relay.host, relay.port).into(), relay.topic.clone()))
        }
        Drive::OsdpReader(panel) => {
            address(panel.address, "the panel")?;
            speed(&panel.device, panel.baud, &mut HashMap::new())?;
            Ok(Place::Osdp(panel.device.clone(), panel.address))
        }
    }
}

/// Whether a coil's release has an end of its own.
fn ends(ends_by: Option<EndsBy>, ends_after_ms: Option<u32>) -> Result<(), String> {
    if ends_by.is_none() {
        return Err(
            "a plain coil may stay released when this program dies: say with `ends_by` what ends a release \
                    then: \"waveshare_flash\", \"timer_relay\" or \"unit_watchdog\""
                .into(),
        );
    }
    match ending(ends_by, ends_after_ms) {
        Some(Ending::TimerRelay(after) | Ending::UnitWatchdog(after)) => {
            let millis = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
            let range = DoorTimes::RELEASE_MS;
            let said = || format!("`ends_after_ms` goes from {} to {}", range.start(), range.end());
            range.contains(&millis).then_some(()).ok_or_else(said)
        }
        Some(Ending::WaveshareFlash) => Ok(()),
        None if ends_by == Some(EndsBy::WaveshareFlash) => {
            Err("the unit is told how long: `ends_after_ms` does not go with \"waveshare_flash\"".into())
        }
        None => Err("say after how long it ends a release: `ends_after_ms`, as it is set there".into()),
    }
}

/// "Flash on" has one byte for the coil.
fn flash(ends_by: Option<EndsBy>, coil: u16) -> Result<(), String> {
    let fits = ends_by != Some(EndsBy::WaveshareFlash) || coil <= 0xFF;
    fits.then_some(()).ok_or_else(|| "a unit with \"waveshare_flash\" has coils from 0 to 255".into())
}

fn unit(unit: u8, most: u8) -> Result<(), String> {
    let is_one = (1..=247).contains(&unit) || unit == most;
    is_one.then_some(()).ok_or_else(|| "a unit has a number from 1 to 247".into())
}

fn address(address: u8, set_in: &str) -> Result<(), String> {
    let said = || format!("`address` goes from 0 to {MAX_PD_ADDR}, as it is set in {set_in}");
    (address <= MAX_PD_ADDR).then_some(()).ok_or_else(said)
}

/// A bus has one speed, whoever is on it.
fn speed(device: &Path, baud: u32, speeds: &mut HashMap<PathBuf, u32>) -> Result<(), String> {
    if !(1_200..=921_600).contains(&baud) {
        return Err("`baud` goes from 1200 to 921600".into());
    }
    let first = *speeds.entry(device.to_owned()).or_insert(baud);
    let differs =
        || format!("everything on one bus has the same `baud`; {} has {first} already", device.display());
    (first == baud).then_some(()).ok_or_else(differs)
}

fn input(
    wiring: &InputWiring,
    outputs: &HashSet<u16>,
    speeds: &mut HashMap<PathBuf, u32>,
) -> Result<Place, String> {
    let longest = LONGEST_DEBOUNCE.as_millis();
    if u128::from(wiring.debounce_ms) > longest {
        return Err(format!("`debounce_ms` goes to {longest}, so that 400 ms always count"));
    }
    match (wiring.is, wiring.output) {
        (InputKind::Contact | InputKind::ExitButton, None) => {
            return Err("say beside which output it is: `output = 0`".into());
        }
        (InputKind::Contact | InputKind::ExitButton, Some(output)) if !outputs.contains(&output) => {
            return Err(format!("there is no output {output}"));
        }
        (InputKind::Contact | InputKind::ExitButton, Some(_)) | (_, None) => {}
        (_, Some(_)) => return Err("it belongs to the whole controller: leave out `output`".into()),
    }
    match &wiring.on {
        Sense::Gpio(gpio) => Ok(Place::Line(gpio.chip.clone(), gpio.line)),
        Sense::ModbusTcp(input) => {
            unit(input.unit, 255)?;
            Ok(Place::TcpInput((input.host, input.port).into(), input.unit, input.input))
        }
        Sense::ModbusRtu(input) => {
            unit(input.unit, 247)?;
            speed(&input.device, input.baud, speeds)?;
            Ok(Place::RtuInput(input.device.clone(), input.unit, input.input))
        }
    }
}

#[cfg(test)]
mod tests;
