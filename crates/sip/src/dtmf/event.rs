//! Keys as events beside the sound (RFC 4733): heard once for each press, sent with three last packets.
//!
//! A press is a row of packets with the same timestamp and a growing duration; each alone tells the whole. It is told with
//! the first packet that has lasted 40 ms or says that it is the end, so it comes at once and survives the loss of any
//! others.

use super::Digit;
use klinke_model::time::Mono;
use std::time::Duration;

/// A key is pressed when it has been for so long.
const LEAST: Duration = Duration::from_millis(40);
/// How many presses are remembered, so that none is told twice.
const REMEMBERED: usize = 8;
/// How long we press.
const PRESS: Duration = Duration::from_millis(120);
/// How often a packet is sent while we press.
const STEP: Duration = Duration::from_millis(20);
/// The end is told so often (RFC 4733 §2.5.1.4).
const ENDS: u8 = 3;
/// The volume we tell, −dBm0.
const VOLUME: u8 = 10;

/// The payload of one packet (RFC 4733 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Which event; 0 to 15 are keys.
    pub event: u8,
    /// It is over.
    pub end: bool,
    /// How loud, 0 to 63 dB below 0 dBm0.
    pub volume: u8,
    /// For how long so far, in ticks.
    pub duration: u16,
}

impl Payload {
    /// Reads a payload; `None` when it is too short. What follows the first event is read over.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[event, flags, high, low] = payload.first_chunk::<4>()?;
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { event, end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
    }

    /// The payload as bytes.
    pub fn write(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | self.volume & 0x3f, high, low]
    }
}

/// Hears presses: each once.
#[derive(Debug)]
pub struct Listener {
    /// Ticks of [`LEAST`].
    least: u32,
    /// Stream and timestamp of the last presses that were told, newest last.
    told: Vec<(u32, u32)>,
}

impl Listener {
    /// For events whose clock has so many ticks a second.
    pub fn new(clock_rate: u32) -> Self {
        Self { least: ticks(LEAST, clock_rate), told: Vec::new() }
    }

    /// Takes the payload of a packet of this stream and timestamp; a key the first time it is sure.
    pub fn heard(&mut self, ssrc: u32, timestamp: u32, payload: &[u8]) -> Option<Digit> {
        let event = Payload::parse(payload)?;
        let digit = Digit::from_event(event.event)?;
        let is_sure = event.end || u32::from(event.duration) >= self.least;
        if !is_sure || self.told.contains(&(ssrc, timestamp)) {
            return None;
        }
        if self.told.len() >= REMEMBERED {
            self.told.remove(0);
        }
        self.told.push((ssrc, timestamp));
        Some(digit)
    }
}

/// Presses keys, one after the other.
#[derive(Debug)]
pub struct Sender {
    clock_rate: u32,
    waiting: std::collections::VecDeque<Digit>,
    press: Option<Press>,
}

#[derive(Debug)]
struct Press {
    digit: Digit,
    timestamp: u32,
    since: Mono,
    due: Mono,
    packets: u32,
    ends: u8,
}

/// A packet to send; it takes the next number of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Out {
    /// The press's own timestamp.
    pub timestamp: u32,
    /// The first of a press.
    pub marker: bool,
    /// What it carries.
    pub payload: [u8; 4],
}

impl Sender {
    /// Keys that may wait.
    const MOST: usize = 32;
    /// How long after a press the next begins.
    const PAUSE: Duration = Duration::from_millis(80);

    /// For events whose clock has so many ticks a second.
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate, waiting: std::collections::VecDeque::new(), press: None }
    }

    /// Presses this key when those before it are done; `false` when too many wait.
    pub fn press(&mut self, digit: Digit) -> bool {
        let has_room = self.waiting.len() < Self::MOST;
        if has_room {
            self.waiting.push_back(digit);
        }
        has_room
    }

    /// Whether a key is down: no sound is sent then.
    pub fn is_pressing(&self) -> bool {
        self.press.as_ref().is_some_and(|press| press.ends < ENDS)
    }

    /// Whether every key was pressed that was to be.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.press.is_none()
    }

    /// What is due now, when the stream's sound is at `timestamp`. To be asked until there is nothing.
    pub fn poll(&mut self, timestamp: u32, now: Mono) -> Option<Out> {
        if self.press.as_ref().is_some_and(|press| press.ends >= ENDS && now >= press.due) {
            self.press = None;
        }
        if self.press.is_none() {
            let digit = self.waiting.pop_front()?;
            self.press = Some(Press { digit, timestamp, since: now, due: now, packets: 0, ends: 0 });
        }
        let press = self.press.as_mut()?;
        if now < press.due || press.ends >= ENDS {
            return None;
        }
        let lasted = now.since(press.since) + STEP;
        let is_end = press.ends > 0 || lasted >= PRESS;
        let duration = ticks(lasted.min(PRESS), self.clock_rate);
        let payload = Payload {
            event: press.digit.event(),
            end: is_end,
            volume: VOLUME,
            duration: u16::try_from(duration).unwrap_or(u16::MAX),
        };
        let out = Out { timestamp: press.timestamp, marker: press.packets == 0, payload: payload.write() };
        press.packets += 1;
        if is_end {
            press.ends += 1;
            if press.ends >= ENDS {
                press.due = now + Self::PAUSE;
            }
        } else {
            press.due = press.due + STEP;
        }
        Some(out)
    }
}

fn ticks(duration: Duration, clock_rate: u32) -> u32 {
    u32::try_from(duration.as_millis() * u128::from(clock_rate) / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn payload(event: u8, end: bool, duration: u16) -> [u8; 4] {
        Payload { event, end, volume: 10, duration }.write()
    }

    #[test]
    fn the_bytes_are_those_of_the_standard() {
        assert_eq!(payload(5, true, 0x320), [5, 0x8a, 3, 0x20]);
        let read = Payload::parse(&[8, 0x4a, 0, 160, 99]).unwrap();
        assert_eq!(read, Payload { event: 8, end: false, volume: 10, duration: 160 });
        assert_eq!(Payload::parse(&[5, 0, 0]), None);
    }

    #[test]
    fn a_press_is_told_once_at_40_ms_or_at_its_end() {
        let five = Digit::from_char('5');
        // duration, end, and whether it is told with this packet
        let cases: [&[(u16, bool, bool)]; 5] = [
            &[
                (160, false, false),
                (320, false, true),
                (480, false, false),
                (480, true, false),
                (480, true, false),
            ],
            &[(0, false, false), (0, true, true), (0, true, false)],
            // all but one of the ends are lost
            &[(800, true, true)],
            // those in the middle are lost
            &[(160, false, false), (800, false, true)],
            // swapped on the way
            &[(480, true, true), (320, false, false)],
        ];
        for packets in cases {
            let mut listener = Listener::new(8_000);
            for &(duration, end, told) in packets {
                let heard = listener.heard(1, 16_000, &payload(5, end, duration));
                assert_eq!(heard, five.filter(|_| told), "{packets:?}");
            }
        }
    }

    #[test]
    fn forty_milliseconds_are_counted_in_the_clock_of_the_stream() {
        let mut listener = Listener::new(48_000);
        assert_eq!(listener.heard(1, 1, &payload(5, false, 960)), None);
        assert!(listener.heard(1, 1, &payload(5, false, 1_920)).is_some());
    }

    #[test]
    fn what_is_no_key_is_nothing_and_another_press_another_key() {
        let mut listener = Listener::new(8_000);
        assert_eq!(listener.heard(1, 1, &payload(16, true, 800)), None, "flash");
        assert!(listener.heard(1, 1, &payload(5, true, 800)).is_some());
        assert!(listener.heard(1, 2, &payload(5, true, 800)).is_some(), "the same key again");
        assert_eq!(listener.heard(1, 1, &payload(5, true, 800)), None, "the first once more");
    }

    #[test]
    fn what_we_press_is_heard_once_however_much_of_it_is_lost() {
        let mut sender = Sender::new(8_000);
        for digit in "58".chars().filter_map(Digit::from_char) {
            assert!(sender.press(digit));
        }
        let mut sent = Vec::new();
        for millis in 0..1_000 {
            while let Some(out) = sender.poll(millis * 8, Mono::from_millis(millis.into())) {
                sent.push((millis, out));
            }
        }
        let presses: Vec<&[(u32, Out)]> = sent.chunk_by(|a, b| a.1.timestamp == b.1.timestamp).collect();
        assert_eq!(presses.len(), 2);
        for press in &presses {
            let ends = press.iter().filter(|(_, out)| Payload::parse(&out.payload).unwrap().end).count();
            let markers: Vec<bool> = press.iter().map(|(_, out)| out.marker).collect();
            assert_eq!(ends, 3);
            assert!(markers[0] && !markers[1..].contains(&true));
            let (_, last) = press.last().unwrap();
            assert_eq!(Payload::parse(&last.payload).unwrap().duration, 960);
        }
        assert!(presses[1][0].0 >= presses[0].last().unwrap().0 + 80, "a pause between them");
        for lost in 0..sent.len() {
            let mut listener = Listener::new(8_000);
            let heard: Vec<char> = sent[..]
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != lost && n % 2 == 0)
                .filter_map(|(_, (_, out))| listener.heard(1, out.timestamp, &out.payload))
                .map(Digit::as_char)
                .collect();
            assert_eq!(heard, ['5', '8'], "without packet {lost} and every second");
        }
    }

    #[test]
    fn only_so_many_keys_wait() {
        let (mut sender, five) = (Sender::new(8_000), Digit::from_char('5').unwrap());
        assert_eq!((0..100).filter(|_| sender.press(five)).count(), Sender::MOST);
    }

    proptest! {
        #[test]
        fn any_payloads_are_heard_or_not(payloads in prop::collection::vec((0_u32..3, 0_u32..5, prop::collection::vec(any::<u8>(), 0..8)), 0..100)) {
            let mut listener = Listener::new(8_000);
            let mut told = std::collections::HashSet::new();
            for (ssrc, timestamp, payload) in payloads {
                if listener.heard(ssrc, timestamp, &payload).is_some() && told.len() < REMEMBERED {
                    prop_assert!(told.insert((ssrc, timestamp)), "told twice");
                }
            }
        }
    }
}
