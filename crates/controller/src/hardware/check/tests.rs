//! Files with one thing wrong: each is refused, with its line.

use crate::hardware::{Drive, Hardware, HardwareError, LockKind, ReadBy, read};
use klinke_wire::enrolment::ReaderKind;

fn reading(text: &str) -> Result<Hardware, HardwareError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hardware.toml");
    std::fs::write(&path, text).unwrap();
    read(&path)
}

/// One good output in five lines; what is wrong comes after it.
const GOOD: &str = r#"
[[output]]
number = 0
lock = "fail_secure"
on.modbus_tcp = { host = "10.0.0.7", unit = 1, coil = 0, ends_by = "waveshare_flash" }
"#;

#[test]
fn a_file_with_everything_is_read_and_its_outputs_are_in_order() {
    let text = r#"
        [[output]]
        number = 1
        lock = "fail_safe"
        on.gpio = { chip = "/dev/gpiochip0", line = 17, active = "low", ends_by = "timer_relay", ends_after_ms = 8000 }

        [[output]]
        number = 0
        lock = "fail_secure"
        [output.on.shelly]
        host = "10.0.0.8"
        switch = 0
        password_file = "/etc/klinke-door/shelly"

        [[output]]
        number = 2
        lock = "fail_secure"
        on.modbus_rtu = { device = "/dev/ttyUSB0", baud = 9600, unit = 3, coil = 7, ends_by = "unit_watchdog", ends_after_ms = 6000 }

        [[output]]
        number = 3
        lock = "fail_secure"
        on.mqtt = { host = "10.0.0.9", port = 8883, authority_file = "/etc/klinke-door/broker.pem", topic = "house/gate", user = "door", password_file = "/etc/klinke-door/mqtt" }

        [[input]]
        is = "contact"
        output = 1
        on.gpio = { chip = "/dev/gpiochip0", line = 18, active = "high", pull = "up" }

        [[input]]
        is = "fire"
        debounce_ms = 200
        on.modbus_rtu = { device = "/dev/ttyUSB0", baud = 9600, unit = 3, input = 0, active = "off" }

        [[reader]]
        number = 0
        output = 1
        keypad = true
        on.osdp = { device = "/dev/ttyUSB1", baud = 115200, address = 1 }

        [[reader]]
        number = 1
        output = 1
        on.osdp = { device = "/dev/ttyUSB1", baud = 115200, address = 2, legacy_plain = true }

        [[reader]]
        number = 7
        output = 3
        on.wiegand = { chip = "/dev/gpiochip0", data0 = 20, data1 = 21 }
    "#;
    let hardware = reading(text).unwrap();
    let numbers: Vec<u16> = hardware.outputs.iter().map(|output| output.get_ref().number).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
    assert!(matches!(hardware.outputs[0].get_ref().on, Drive::Shelly(_)));
    assert_eq!(hardware.outputs[1].get_ref().lock, Some(LockKind::FailSafe));
    assert_eq!(hardware.inputs.len(), 2);
    let readers: Vec<_> = hardware.readers.iter().map(|reader| reader.get_ref()).collect();
    assert_eq!(readers.iter().map(|reader| reader.number).collect::<Vec<_>>(), [0, 1, 7]);
    assert!(readers[0].keypad && !readers[1].keypad);
    let plain = |place: usize| matches!(&readers[place].on, ReadBy::Osdp(osdp) if osdp.legacy_plain);
    assert!(!plain(0) && plain(1), "in clear only where it says so");
}

#[test]
fn each_wrong_file_is_refused_with_its_line_and_what_to_do() {
    let coil = |number: u16, rest: &str| {
        format!(
            "{GOOD}[[output]]\nnumber = {number}\nlock = \"fail_secure\"\non.modbus_tcp = {{ host = \"10.0.0.8\", unit = 1, coil = 1{rest} }}\n"
        )
    };
    let gpio = |rest: &str| {
        format!(
            "{GOOD}[[output]]\nnumber = 1\nlock = \"fail_safe\"\non.gpio = {{ chip = \"/dev/gpiochip0\", line = 4, active = \"high\"{rest} }}\n"
        )
    };
    let mqtt = |host: &str, topic: &str| {
        format!(
            "{GOOD}[[output]]\nnumber = 1\nlock = \"fail_secure\"\non.mqtt = {{ host = \"{host}\", port = 1883, topic = \"{topic}\", user = \"u\", password_file = \"p\" }}\n"
        )
    };
    let input = |head: &str| {
        format!(
            "{GOOD}[[input]]\n{head}\non.gpio = {{ chip = \"/dev/gpiochip0\", line = 4, active = \"high\" }}\n"
        )
    };
    let panel = |lock: &str, device: &str, address: u8| {
        format!(
            "{GOOD}[[output]]\nnumber = 1\n{lock}\non.osdp_reader = {{ device = \"{device}\", baud = 9600, address = {address}, \
             key_file = \"k\", card_file = \"c\" }}\n"
        )
    };
    let flash = ", ends_by = \"waveshare_flash\"";
    let rows = [
        (String::new(), 1, "there is no [[output]]"),
        (GOOD.replace("lock = \"fail_secure\"", ""), 2, "say what the lock does without power"),
        (panel("", "/dev/ttyS0", 127), 6, "from 0 to 126, as it is set in the panel"),
        (panel("lock = \"fail_safe\"", "/dev/ttyS0", 1), 6, "leave out `lock`"),
        (
            panel("", "/dev/ttyS0", 1)
                + "[[reader]]\nnumber = 0\noutput = 0\non.osdp = { device = \"/dev/ttyS0\", baud = 9600, address = 2 }\n",
            6,
            "carries nothing else",
        ),
        (coil(1, ""), 6, "output 1: a plain coil may stay released"),
        (coil(1, ", ends_by = \"timer_relay\""), 6, "say after how long it ends a release"),
        (coil(1, ", ends_by = \"unit_watchdog\", ends_after_ms = 60001"), 6, "from 1000 to 60000"),
        (coil(1, ", ends_by = \"waveshare_flash\", ends_after_ms = 5000"), 6, "the unit is told how long"),
        (coil(0, flash), 6, "output 0: this number is there twice"),
        (coil(2, flash), 6, "output 2: numbers go from 0 without a gap, here to 1"),
        (coil(1, flash).replace("10.0.0.8", "10.0.0.7").replace("coil = 1", "coil = 0"), 6, "on the same"),
        (coil(1, flash).replace("unit = 1, coil = 1", "unit = 0, coil = 1"), 6, "from 1 to 247"),
        (coil(1, flash).replace("coil = 1", "coil = 256"), 6, "from 0 to 255"),
        (mqtt("10.0.0.9", "gate"), 6, "needs TLS"),
        (mqtt("127.0.0.1", "gate/#"), 6, "without + and #"),
        (gpio(""), 6, "put a timer relay behind it"),
        (gpio(", ends_by = \"unit_watchdog\", ends_after_ms = 5000"), 6, "put a timer relay behind it"),
        (input("is = \"contact\""), 6, "input 0: say beside which output it is"),
        (input("is = \"exit_button\"\noutput = 1"), 6, "there is no output 1"),
        (input("is = \"mains\"\noutput = 0"), 6, "leave out `output`"),
        (input("is = \"fire\"\ndebounce_ms = 201"), 6, "so that 400 ms always count"),
    ];
    for (text, line, what) in rows {
        match reading(&text) {
            Err(HardwareError::Wrong { line: told, what: said, .. }) => {
                assert!(said.contains(what) && told == line, "line {told}: {said}\n{text}");
            }
            other => panic!("{other:?}\n{text}"),
        }
    }
}

#[test]
fn each_wrong_reader_is_refused_with_its_line_and_what_to_do() {
    let osdp = |number: u16, line: u16, address: u8| {
        format!(
            "[[reader]]\nnumber = {number}\noutput = 0\non.osdp = {{ device = \"/dev/ttyUSB{line}\", baud = 115200, address = {address} }}\n"
        )
    };
    let wires = |data0: u32, data1: u32| {
        format!(
            "[[reader]]\nnumber = 1\noutput = 0\non.wiegand = {{ chip = \"/dev/gpiochip0\", data0 = {data0}, data1 = {data1} }}\n"
        )
    };
    let modbus = "[[input]]\nis = \"fire\"\non.modbus_rtu = { device = \"/dev/ttyUSB0\", baud = 115200, unit = 3, input = 0, active = \"on\" }\n";
    let desk = |number: u16, rest: &str| format!("[[reader]]\nnumber = {number}\n{rest}on.pcsc = {{}}\n");
    let first = osdp(0, 0, 1);
    let nine: String = (0..9).map(|number| osdp(number, 0, u8::try_from(number).unwrap())).collect();
    let rows = [
        (osdp(0, 0, 1).replace("output = 0", "output = 1"), 6, "reader 0: there is no output 1"),
        (osdp(0, 0, 127), 6, "from 0 to 126"),
        (format!("{first}{}", osdp(0, 0, 2)), 10, "this number is there twice"),
        (format!("{first}{}", osdp(1, 0, 1)), 10, "the same line or address"),
        (format!("{first}{}", osdp(1, 0, 2).replace("115200", "9600")), 10, "the same `baud`"),
        (format!("{modbus}{first}"), 9, "carries nothing else"),
        (wires(4, 4), 6, "the same line or address"),
        (nine, 38, "at most 8 readers"),
        (osdp(0, 0, 1).replace("output = 0", "floors = [0, 1]"), 6, "there is no output 1"),
        (osdp(0, 0, 1).replace("output = 0", "floors = [0, 0]"), 6, "there once"),
        (osdp(0, 0, 1).replace("output = 0", "output = 0\nfloors = [0]"), 6, "which floors it enables"),
        (osdp(0, 0, 1).replace("output = 0\n", ""), 6, "which floors it enables"),
        (desk(0, "output = 1\n"), 6, "there is no output 1"),
        (desk(0, "keypad = true\n"), 6, "has no keypad"),
        (format!("{}{}", desk(0, ""), desk(1, "")), 9, "the same line or address"),
    ];
    for (text, line, what) in rows {
        match reading(&format!("{GOOD}{text}")) {
            Err(HardwareError::Wrong { line: told, what: said, .. }) => {
                assert!(said.contains(what) && told == line, "line {told}: {said}\n{text}");
            }
            other => panic!("{other:?}\n{text}"),
        }
    }
    // a key is no word of the file
    let with_key = osdp(0, 0, 1).replace("address = 1", "address = 1, key = \"00\"");
    assert!(matches!(reading(&format!("{GOOD}{with_key}")), Err(HardwareError::Toml { .. })));
}

#[test]
fn a_reader_on_a_desk_needs_no_output_and_no_lock() {
    let desk = "[[reader]]\nnumber = 3\non.pcsc = {}\n";
    for (text, outputs) in [(desk.to_owned(), 0), (format!("{GOOD}{desk}"), 1)] {
        let hardware = reading(&text).unwrap();
        let readers: Vec<_> =
            hardware.reader_reports().iter().map(|told| (told.reader, told.output, told.kind)).collect();
        assert_eq!((hardware.outputs.len(), readers), (outputs, vec![(3, None, ReaderKind::Pcsc)]));
    }
    // at a door it is a reader like any
    let at_door = reading(&format!("{GOOD}{}", desk.replace("on.pcsc", "output = 0\non.pcsc"))).unwrap();
    assert_eq!(at_door.reader_reports()[0].output, Some(0));
    // a board that drives nothing has no wires
    let input =
        "[[input]]\nis = \"fire\"\non.gpio = { chip = \"/dev/gpiochip0\", line = 4, active = \"high\" }\n";
    assert!(reading(&format!("{input}{desk}")).unwrap_err().to_string().contains("no [[output]]"));
}

#[test]
fn an_unknown_word_is_refused_with_its_line() {
    let rows = [
        GOOD.replace("lock =", "lok ="),
        GOOD.replace("fail_secure", "fail_open"),
        GOOD.replace("coil = 0", "coil = 0, password = \"x\""),
        GOOD.replace("waveshare_flash", "hope"),
        GOOD.replace("10.0.0.7", "relay.example"),
        GOOD.replace("modbus_tcp", "relay"),
    ];
    for text in rows {
        let error = reading(&text).unwrap_err();
        assert!(matches!(error, HardwareError::Toml { .. }), "{error}");
        assert!(error.to_string().contains("line "), "{error}");
    }
}

#[test]
fn one_bus_has_one_speed() {
    let on = |number, baud| {
        format!(
            "[[output]]\nnumber = {number}\nlock = \"fail_secure\"\non.modbus_rtu = {{ device = \"/dev/ttyUSB0\", baud = {baud}, unit = 1, coil = {number}, ends_by = \"waveshare_flash\" }}\n"
        )
    };
    assert!(reading(&format!("{}{}", on(0, 9_600), on(1, 9_600))).is_ok());
    let error = reading(&format!("{}{}", on(0, 9_600), on(1, 19_200))).unwrap_err();
    assert!(error.to_string().contains("line 5: output 1: everything on one bus"), "{error}");
}
