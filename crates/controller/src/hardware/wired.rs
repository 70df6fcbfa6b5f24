//! What the server is told of the wiring, so that people read it in the administration.

use super::{Drive, Ending, Hardware, InputKind, OutputWiring, ending};
use klinke_model::door::DoorWiring;
use klinke_wire::controller::WiredOutput;

impl OutputWiring {
    /// What ends a release without us, where the file has to say it.
    pub fn ending(&self) -> Option<Ending> {
        match &self.on {
            Drive::Gpio(gpio) => ending(gpio.ends_by, gpio.ends_after_ms),
            Drive::ModbusTcp(coil) => ending(coil.ends_by, coil.ends_after_ms),
            Drive::ModbusRtu(coil) => ending(coil.ends_by, coil.ends_after_ms),
            Drive::Shelly(_) | Drive::Mqtt(_) | Drive::OsdpReader(_) => None,
        }
    }

    /// Whether it stays released while its lease is renewed.
    pub fn holds(&self) -> bool {
        !self.hands_on() && !matches!(self.ending(), Some(Ending::TimerRelay(_)))
    }

    /// Whether another system opens the door, by a card that is presented to it.
    pub const fn hands_on(&self) -> bool {
        matches!(self.on, Drive::OsdpReader(_))
    }
}

/// What is wired to each output, in the order of their numbers.
pub fn wired(hardware: &Hardware) -> Vec<WiredOutput> {
    let inputs: Vec<_> = hardware.inputs.iter().map(|input| input.get_ref()).collect();
    let has = |is: InputKind, output: Option<u16>| {
        inputs.iter().any(|input| input.is == is && input.output == output)
    };
    let one = |output: &OutputWiring| WiredOutput {
        output: output.number,
        wiring: DoorWiring {
            lock: output.lock,
            holds: output.holds(),
            handed_on: output.hands_on(),
            contact: has(InputKind::Contact, Some(output.number)),
            exit_button: has(InputKind::ExitButton, Some(output.number)),
            fire_input: has(InputKind::Fire, None),
        },
    };
    hardware.outputs.iter().map(|output| one(output.get_ref())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::door::LockKind;

    #[test]
    fn each_output_is_told_with_what_stands_beside_it() {
        let text = r#"
            [[output]]
            number = 0
            lock = "fail_safe"
            on.modbus_tcp = { host = "10.0.0.7", unit = 1, coil = 0, ends_by = "timer_relay", ends_after_ms = 5000 }
            [[output]]
            number = 1
            lock = "fail_secure"
            on.modbus_tcp = { host = "10.0.0.7", unit = 1, coil = 1, ends_by = "unit_watchdog", ends_after_ms = 5000 }
            [[output]]
            number = 2
            on.osdp_reader = { device = "/dev/ttyUSB0", baud = 9600, address = 0, key_file = "k", card_file = "c" }
            [[input]]
            is = "contact"
            output = 1
            on.modbus_tcp = { host = "10.0.0.7", unit = 1, input = 0, active = "on" }
            [[input]]
            is = "exit_button"
            output = 0
            on.modbus_tcp = { host = "10.0.0.7", unit = 1, input = 1, active = "on" }
        "#;
        let hardware: Hardware = toml::from_str(text).unwrap();
        let relay = DoorWiring {
            lock: Some(LockKind::FailSafe),
            holds: false,
            handed_on: false,
            contact: false,
            exit_button: true,
            fire_input: false,
        };
        let watched = DoorWiring {
            lock: Some(LockKind::FailSecure),
            holds: true,
            contact: true,
            exit_button: false,
            ..relay
        };
        let other = DoorWiring { lock: None, handed_on: true, exit_button: false, ..relay };
        let told = |wired: Vec<WiredOutput>| wired.into_iter().map(|one| one.wiring).collect::<Vec<_>>();
        assert_eq!(told(wired(&hardware)), [relay, watched, other]);
        let fire = "[[input]]\nis = \"fire\"\non.modbus_tcp = { host = \"10.0.0.7\", unit = 1, input = 2, active = \"on\" }";
        let hardware: Hardware = toml::from_str(&format!("{text}\n{fire}")).unwrap();
        assert!(wired(&hardware).iter().all(|one| one.wiring.fire_input), "of all of a controller's doors");
    }
}
