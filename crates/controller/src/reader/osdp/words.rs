//! What we say to a reader beside the handshake, and what its reports mean.

use crate::reader::{Feedback, Keys};
use klinke_model::credential::{CredentialFormat, CredentialKey};
use osdp::command::led::LedRecord;
use osdp::command::output::OutputRecord;
use osdp::command::{
    BuzzerControl, BuzzerTone, Command, LedColor, LedControl, LedPermanent, LedTemporary, OutputControl,
    OutputControlCode,
};
use osdp::reply::{Keypad, Raw};
use std::time::Duration;

/// The lamp's and the buzzer's command for a feedback. Times are in units of 100 ms.
pub(super) fn feedback(what: Feedback) -> [Command; 2] {
    let (color, off_color, off_time, total, tones) = match what {
        Feedback::Granted => (LedColor::Green, LedColor::Green, 0, 20, 1),
        Feedback::Denied => (LedColor::Red, LedColor::Black, 2, 15, 3),
        Feedback::More => (LedColor::Amber, LedColor::Black, 5, 100, 1),
        Feedback::Enrol => (LedColor::Blue, LedColor::Black, 5, 600, 1),
        Feedback::Read => (LedColor::Blue, LedColor::Blue, 0, 20, 1),
        Feedback::Rest => (LedColor::Black, LedColor::Black, 0, 0, 0),
    };
    // 2: show this for a while; 1: no longer
    let control = if what == Feedback::Rest { 1 } else { 2 };
    let temporary = LedTemporary { control, on_time: 2, off_time, on_color: color, off_color, timer: total };
    // 0: leave what is shown at rest as it is
    let black = LedColor::Black;
    let permanent = LedPermanent { control: 0, on_time: 0, off_time: 0, on_color: black, off_color: black };
    let lamp = LedControl::new(vec![LedRecord { reader: 0, led: 0, temporary, permanent }]);
    let sound = if tones == 0 { BuzzerTone::Off } else { BuzzerTone::Default };
    let tone = BuzzerControl { reader: 0, tone: sound, on_time: 1, off_time: 1, count: tones };
    [Command::Led(lamp), Command::Buzzer(tone)]
}

/// Has the reader's output on for a time, after which the reader itself ends it: rounded up to 100 ms, at most
/// 109 minutes.
pub(super) fn release(output: u8, hold: Duration) -> Command {
    let timer = u16::try_from(hold.as_millis().div_ceil(100)).unwrap_or(u16::MAX);
    let code = OutputControlCode::TemporaryOnResume;
    Command::Output(OutputControl::new(vec![OutputRecord { output, code, timer }]))
}

/// A card's bits; the bits after the last are to be ignored (OSDP v2.2 §7.10).
pub(super) fn card(data: &[u8]) -> Option<CredentialKey> {
    let mut raw = Raw::decode(data).ok()?;
    let bits = u8::try_from(raw.bit_count).ok()?;
    let used = bits % 8;
    if let Some(last) = raw.bits.last_mut().filter(|_| used != 0) {
        *last &= !(0xFF >> used);
    }
    CredentialKey::new(CredentialFormat::Bits, bits, &raw.bits).ok()
}

/// The keys that were pressed.
pub(super) fn keys(data: &[u8]) -> Option<Keys> {
    Keys::from_ascii(&Keypad::decode(data).ok()?.digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_its_bits_and_nothing_after_the_last() {
        let card = |bits: u16, bytes: &[u8]| {
            let [low, high] = bits.to_le_bytes();
            card(&[&[0, 1, low, high], bytes].concat())
        };
        let twenty_six = card(26, &[1, 2, 3, 0xFF]).unwrap();
        assert_eq!((twenty_six.bits(), twenty_six.bytes()), (26, &[1, 2, 3, 0xC0][..]));
        assert_eq!(card(200, &[7; 25]).unwrap().bytes(), [7; 25]);
        assert_eq!(card(24, &[7; 3]).unwrap().bits(), 24);
        for (bits, bytes) in [(0, 0), (23, 3), (201, 26), (257, 33), (26, 3), (26, 5), (65_535, 8_192)] {
            assert_eq!(card(bits, &vec![0x55; bytes]), None, "{bits} bits in {bytes} bytes");
        }
        assert_eq!(super::card(&[0, 1, 26]), None);
    }

    #[test]
    fn an_output_is_always_timed() {
        let timer = |hold| match release(3, hold) {
            Command::Output(control) => {
                assert_eq!(control.records.len(), 1);
                let record = control.records[0];
                assert_eq!((record.output, record.code), (3, OutputControlCode::TemporaryOnResume));
                record.timer
            }
            _ => panic!("not an output"),
        };
        assert_eq!(timer(Duration::from_millis(5_001)), 51);
        assert_eq!(timer(Duration::from_secs(1_000_000)), u16::MAX);
    }
}
