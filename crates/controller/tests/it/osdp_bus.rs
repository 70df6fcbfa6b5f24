//! The machine of a bus in virtual time: days in milliseconds, lost answers, noise, readers that are always busy. The
//! other end is our own emulation of a reader, which the tests of other panels hold to the protocol.

use crate::osdp_desk::{BAUD, card, entropy, key, reader};
use crate::osdp_wire::{clear_answer, code};
use klinke_controller::reader::osdp::emulation::{Emulation, EmulationConfig, PanelEvent};
use klinke_controller::reader::osdp::{
    Bus, BusConfig, BusEvent, Identity, Input, KeyingFailure, OFFLINE_AFTER, Output, ReaderKey,
    SESSION_FRAMES, Trust,
};
use klinke_controller::reader::{Feedback, OfflineReason, ReaderAlarm, ReaderEvent, Reading};
use klinke_model::time::Mono;
use proptest::prelude::*;
use std::time::Duration;

const IDENTITY: Identity = Identity { vendor: [1, 2, 3], serial: 99 };

fn theirs(key: Option<ReaderKey>, may_be_plain: bool) -> Emulation {
    let config = EmulationConfig { address: 1, identity: IDENTITY, key, may_be_plain, baud: BAUD };
    Emulation::new(config, entropy, Mono::default())
}

/// A bus and one reader, and the time.
struct World {
    bus: Bus,
    reader: Emulation,
    now: Mono,
    told: Vec<BusEvent>,
    panel: Vec<PanelEvent>,
    /// Commands that were sent, by code.
    commands: Vec<u8>,
}

impl World {
    fn new(trust: Trust, reader_key: Option<ReaderKey>) -> Self {
        let is_plain = trust == Trust::LegacyPlain;
        let config = BusConfig { baud: BAUD, readers: vec![reader(0, trust)] };
        let bus = Bus::new(config, entropy, Mono::default()).unwrap();
        let now = Mono::default();
        let reader = theirs(reader_key, is_plain);
        Self { bus, reader, now, told: Vec::new(), panel: Vec::new(), commands: Vec::new() }
    }

    fn secure() -> Self {
        let own = key();
        Self::new(Trust::Key(own.clone()), Some(own))
    }

    /// Runs for a time; `between` may change or take away what passes to the reader, and what it answers.
    fn run_with(
        &mut self,
        time: Duration,
        mut command: impl FnMut(&[u8]) -> Option<Vec<u8>>,
        mut answer: impl FnMut(Vec<u8>) -> Option<Vec<u8>>,
    ) {
        let end = self.now + time;
        loop {
            let wake = loop {
                match self.bus.poll() {
                    Output::Event(event) => self.told.push(event),
                    Output::Wait(wake) => break wake,
                    Output::Write(bytes) => {
                        self.commands.push(code(&bytes[1..]));
                        if let Some(bytes) = command(&bytes) {
                            self.reader.handle(Input::Bytes(&bytes), self.now);
                        }
                        for answered in self.drain_reader() {
                            if let Some(answered) = answer(answered) {
                                // 2 ms on the way
                                self.now = self.now + Duration::from_millis(2);
                                self.bus.handle(Input::Bytes(&answered), self.now);
                            }
                        }
                    }
                }
            };
            if wake >= end {
                self.now = end.max(self.now);
                return;
            }
            assert!(wake > self.now || self.now == Mono::default(), "it waits for what is over");
            self.now = wake.max(self.now);
            self.reader.handle(Input::Tick, self.now);
            let late = self.drain_reader();
            assert!(late.is_empty(), "a reader speaks when it is asked");
            self.bus.handle(Input::Tick, self.now);
        }
    }

    fn drain_reader(&mut self) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        loop {
            match self.reader.poll() {
                Output::Write(bytes) => answers.push(bytes),
                Output::Event(event) => self.panel.push(event),
                Output::Wait(_) => return answers,
            }
        }
    }

    fn run(&mut self, time: Duration) {
        self.run_with(time, |bytes| Some(bytes.to_vec()), Some);
    }

    fn readings(&mut self) -> Vec<Reading> {
        let told = std::mem::take(&mut self.told);
        let reading = |event| match event {
            BusEvent::Reader(ReaderEvent { what, .. }) => Some(what),
            _ => None,
        };
        told.into_iter().filter_map(reading).collect()
    }
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn sessions_are_made_anew_and_nobody_notices() {
    let mut world = World::secure();
    world.run(SECOND);
    assert_eq!(world.readings(), [Reading::Online]);
    world.run(2 * HOUR);
    let sessions = world.commands.iter().filter(|command| **command == 0x76).count();
    assert_eq!(sessions, 1 + world.commands.len() / SESSION_FRAMES as usize);
    assert!(sessions >= 3);
    assert_eq!(world.readings(), [], "no loss, no alarm");
    world.reader.present(card(1), world.now);
    world.run(SECOND);
    assert_eq!(world.readings(), [Reading::Card(card(1))]);
}

#[test]
fn a_reader_is_polled_at_least_every_fifty_milliseconds() {
    let mut world = World::secure();
    world.run(SECOND);
    world.commands.clear();
    world.run(10 * SECOND);
    assert!(world.commands.len() >= 200, "{} commands in 10 s", world.commands.len());
}

#[test]
fn lost_answers_are_asked_for_again_and_everything_happens_once() {
    let mut world = World::secure();
    world.run(SECOND);
    assert_eq!(world.readings(), [Reading::Online]);
    let mut turn = 0;
    for number in 1..=100 {
        world.reader.present(card(number), world.now);
        let lose = |bytes: Vec<u8>| {
            turn += 1;
            (turn % 3 != 0).then_some(bytes)
        };
        world.run_with(SECOND, |bytes| Some(bytes.to_vec()), lose);
        assert_eq!(world.readings(), [Reading::Card(card(number))]);
    }
    assert_eq!(
        world.panel.iter().filter(|event| **event == PanelEvent::Presented { is_taken: true }).count(),
        100
    );
}

#[test]
fn a_silent_reader_is_offline_after_eight_seconds_and_back_when_it_answers() {
    let mut world = World::secure();
    world.run(SECOND);
    world.readings();
    world.run_with(OFFLINE_AFTER - SECOND / 2, |_| None, Some);
    assert_eq!(world.readings(), [], "not yet");
    world.run_with(2 * SECOND, |_| None, Some);
    assert_eq!(world.readings(), [Reading::Offline(OfflineReason::Silent)]);
    world.run_with(60 * SECOND, |_| None, Some);
    assert_eq!(world.readings(), [], "once");
    world.run(11 * SECOND);
    assert_eq!(world.readings(), [Reading::Online]);
}

#[test]
fn a_reader_that_is_always_busy_is_offline() {
    let mut world = World::secure();
    world.run(SECOND);
    world.readings();
    let mut last = Vec::new();
    for _ in 0..1000 {
        let now = world.now;
        world.run_with(
            Duration::from_millis(20),
            |bytes| {
                last = bytes[1..].to_vec();
                None
            },
            Some,
        );
        if !last.is_empty() {
            let mut busy = clear_answer(&last, 0x79, &[]);
            busy[4] &= !3;
            world.bus.handle(Input::Bytes(&crate::osdp_wire::mended(busy)), world.now);
        }
        assert!(world.now > now);
    }
    assert_eq!(world.readings(), [Reading::Offline(OfflineReason::Silent)]);
}

#[test]
fn a_reader_that_comes_and_goes_is_an_alarm() {
    let mut world = World::secure();
    for _ in 0..3 {
        world.run(11 * SECOND);
        world.run_with(10 * SECOND, |_| None, Some);
    }
    let readings = world.readings();
    let losses = readings.iter().filter(|what| matches!(what, Reading::Offline(_))).count();
    assert_eq!((losses, readings.last()), (3, Some(&Reading::Alarm(ReaderAlarm::Flapping))));
}

#[test]
fn an_output_is_never_commanded_late() {
    let mut world = World::secure();
    world.run(SECOND);
    world.told.clear();
    let limit = world.now + SECOND;
    world.bus.release(0, 0, 3 * SECOND, limit, world.now);
    let (mut sent, mut after) = (0, 0);
    world.commands.clear();
    let begun = world.now;
    // nothing passes for three seconds: it is repeated, and given up when its time is over
    world.run_with(
        3 * SECOND,
        |bytes| {
            sent += usize::from(code(&bytes[1..]) == 0x68);
            None
        },
        Some,
    );
    assert!(sent >= 2, "repeated");
    assert_eq!(world.told, [BusEvent::Released { reader: 0, output: 0, is_done: false }]);
    assert!(world.now.since(begun) >= 3 * SECOND);
    world.run_with(
        5 * SECOND,
        |bytes| {
            after += usize::from(code(&bytes[1..]) == 0x68);
            Some(bytes.to_vec())
        },
        Some,
    );
    assert_eq!(after, 0, "not sent again");
    world.told.clear();
    // one whose time is over already is not sent at all
    world.bus.release(0, 0, SECOND, Mono::default(), world.now);
    world.bus.release(7, 0, SECOND, world.now + SECOND, world.now);
    world.run(2 * SECOND);
    let refused = |reader| BusEvent::Released { reader, output: 0, is_done: false };
    world.told.sort_by_key(|event| format!("{event:?}"));
    assert_eq!(world.told, [refused(0), refused(7)]);
}

#[test]
fn a_window_for_keying_closes_and_nothing_was_given_away() {
    // a reader that has a key already: it does not take the public one
    let mut world = World::new(Trust::None, Some(key()));
    world.run(SECOND);
    assert!(world.commands.is_empty(), "nobody speaks to a reader without a key");
    world.told.clear();
    assert!(world.bus.open_keying(0, None, 11 * 60 * SECOND, world.now).is_err(), "too long");
    world.bus.open_keying(0, None, 60 * SECOND, world.now).unwrap();
    world.run(2 * 60 * SECOND);
    assert_eq!(world.told, [BusEvent::KeyingFailed { reader: 0, why: KeyingFailure::Expired }]);
    assert!(!world.commands.contains(&0x75), "no key was sent");
    world.commands.clear();
    world.run(60 * SECOND);
    assert!(world.commands.is_empty(), "after the window nobody speaks to it again");
}

#[test]
fn a_window_is_for_the_reader_whose_label_was_read() {
    let mut world = World::new(Trust::None, None);
    world.reader.open_install(10 * 60 * SECOND, world.now);
    world.told.clear();
    let other = Identity { serial: 100, ..IDENTITY };
    world.bus.open_keying(0, Some(other), 60 * SECOND, world.now).unwrap();
    world.run(5 * SECOND);
    let why = KeyingFailure::OtherReader;
    assert_eq!(world.told.last(), Some(&BusEvent::KeyingFailed { reader: 0, why }));
    assert!(!world.commands.contains(&0x75));
    world.told.clear();
    world.bus.open_keying(0, Some(IDENTITY), 60 * SECOND, world.now).unwrap();
    world.run(5 * SECOND);
    let Some(BusEvent::KeyMade { identity: IDENTITY, .. }) = world.told.first() else {
        panic!("no key was made: {:?}", world.told)
    };
    world.bus.stored(0, world.now);
    world.run(5 * SECOND);
    assert_eq!(world.told.last(), Some(&BusEvent::Keyed { reader: 0 }));
}

#[test]
fn a_line_that_is_gone_takes_its_readers_with_it() {
    let mut world = World::secure();
    world.run(SECOND);
    world.readings();
    world.bus.handle(Input::LineLost, world.now);
    world.commands.clear();
    world.run(60 * SECOND);
    assert_eq!(world.readings(), [Reading::Offline(OfflineReason::LineLost)]);
    assert!(world.commands.is_empty());
    world.bus.show(0, Feedback::Granted, world.now);
    world.bus.handle(Input::LineBack, world.now);
    world.run(SECOND);
    assert_eq!(world.readings(), [Reading::Online]);
    assert!(!world.commands.contains(&0x69), "what was to be shown is not shown late");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever comes instead of answers, at whatever moment: no card, no key, no output, and no panic.
    #[test]
    fn noise_makes_no_card(
        is_plain: bool,
        turns in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 1..60),
    ) {
        let mut world = if is_plain { World::new(Trust::LegacyPlain, None) } else { World::secure() };
        let mut turns = turns.into_iter().cycle().take(300);
        world.run_with(20 * SECOND, |bytes| Some(bytes.to_vec()), |answer| {
            let (kind, noise) = turns.next()?;
            match kind % 8 {
                // noise alone
                0 => Some(noise),
                // noise before the answer
                1 => Some([noise, answer].concat()),
                // the answer with a byte changed
                2 => {
                    let mut answer = answer;
                    let at = usize::from(noise.first().copied().unwrap_or(3)) % answer.len();
                    answer[at] ^= noise.last().copied().unwrap_or(1) | 1;
                    Some(answer)
                }
                // half of it
                3 => Some(answer[..answer.len() / 2].to_vec()),
                // nothing
                4 => None,
                // twice
                5 => Some([answer.clone(), answer].concat()),
                _ => Some(answer),
            }
        });
        for event in &world.told {
            let is_harmless = match event {
                BusEvent::Reader(event) => !matches!(event.what, Reading::Card(_) | Reading::Keys(_)),
                BusEvent::Identified { .. } => true,
                _ => false,
            };
            prop_assert!(is_harmless, "{event:?}");
        }
    }

    /// Frames whose check is right but that no key made, as answers within a session.
    #[test]
    fn well_formed_forgeries_make_no_card(
        forgeries in prop::collection::vec((0x40_u8..0x60, prop::collection::vec(any::<u8>(), 0..40)), 1..20),
    ) {
        let mut world = World::secure();
        world.run(SECOND);
        world.told.clear();
        let mut forgeries = forgeries.into_iter();
        let last = std::cell::RefCell::new(Vec::new());
        world.run_with(
            20 * SECOND,
            |bytes| {
                *last.borrow_mut() = bytes[1..].to_vec();
                Some(bytes.to_vec())
            },
            |answer| match forgeries.next() {
                Some((code, data)) => Some(clear_answer(&last.borrow(), code, &data)),
                None => Some(answer),
            },
        );
        let cards = world.readings().iter().filter(|what| matches!(what, Reading::Card(_) | Reading::Keys(_))).count();
        prop_assert_eq!(cards, 0);
    }

    /// A panel's line with noise on it: the emulated reader never panics and gives no card in clear.
    #[test]
    fn noise_gets_no_card_from_the_emulated_reader(
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..60),
        commands in prop::collection::vec((0_u8..4, any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 1..60),
    ) {
        let mut reader = theirs(Some(key()), false);
        let now = Mono::from_millis(5);
        let mut answers = Vec::new();
        for (noise, (sqn, code, data)) in noise.into_iter().zip(commands) {
            reader.present(card(1), now);
            let mut frame = clear_answer(&[0x53, 1, 0, 0, sqn], code, &data);
            frame[1] = 1;
            for bytes in [noise, crate::osdp_wire::mended(frame)] {
                reader.handle(Input::Bytes(&bytes), now);
            }
            loop {
                match reader.poll() {
                    Output::Write(bytes) => answers.push(bytes),
                    Output::Event(PanelEvent::Presented { is_taken }) => prop_assert!(!is_taken),
                    Output::Event(_) => {}
                    Output::Wait(_) => break,
                }
            }
        }
        for answer in answers {
            prop_assert!(answer.len() < 8 || code(&answer) != 0x50, "a card in clear");
        }
    }
}

#[test]
fn a_card_that_the_panel_does_not_fetch_is_not_presented_later() {
    let mut world = World::secure();
    world.run(SECOND);
    world.panel.clear();
    world.reader.present(card(1), world.now);
    world.run_with(3 * SECOND, |_| None, Some);
    assert_eq!(world.panel, [PanelEvent::Presented { is_taken: false }]);
    world.run(20 * SECOND);
    assert!(!world.readings().iter().any(|what| matches!(what, Reading::Card(_))));
}

#[test]
fn a_card_is_not_presented_late_even_when_nobody_looked_at_the_time() {
    let mut world = World::secure();
    world.run(SECOND);
    world.panel.clear();
    world.reader.present(card(1), world.now);
    world.now = world.now + 3 * SECOND;
    world.bus.handle(Input::Tick, world.now);
    // the poll is the first that the reader hears of the time
    let Output::Write(poll) = world.bus.poll() else { panic!("no poll") };
    world.reader.handle(Input::Bytes(&poll), world.now);
    let answers = world.drain_reader();
    assert!(answers.iter().all(|answer| code(answer) != 0x50));
    assert_eq!(world.panel, [PanelEvent::Presented { is_taken: false }]);
}

#[test]
fn a_reader_in_clear_is_not_offered_the_public_key() {
    let mut world = World::new(Trust::LegacyPlain, None);
    world.run(10 * SECOND);
    let found = BusEvent::Identified { reader: 0, identity: IDENTITY };
    assert_eq!(world.told.first(), Some(&found));
    assert_eq!(world.readings(), [Reading::Online]);
    assert!(!world.commands.contains(&0x76));
}

/// One command in clear to an emulated reader, as the first: the answer's code and data.
fn ask_in_clear(reader: &mut Emulation, command: u8, data: &[u8]) -> (u8, Vec<u8>, Vec<PanelEvent>) {
    let mut frame = clear_answer(&[0x53, 1, 0, 0, 0], command, data);
    frame[1] = 1;
    reader.handle(Input::Bytes(&crate::osdp_wire::mended(frame)), Mono::default());
    let (mut answer, mut told) = (Vec::new(), Vec::new());
    loop {
        match reader.poll() {
            Output::Write(bytes) => answer = bytes,
            Output::Event(event) => told.push(event),
            Output::Wait(_) => return (code(&answer), answer[6..answer.len() - 2].to_vec(), told),
        }
    }
}

#[test]
fn an_emulated_reader_obeys_nobody_in_clear() {
    let lamp = [0, 0, 2, 5, 5, 2, 0, 20, 0, 0, 0, 0, 0, 0];
    let mut secure = theirs(Some(key()), false);
    for (command, data) in [(0x60, &[][..]), (0x69, &lamp), (0x64, &[]), (0x75, &[1, 16])] {
        assert_eq!(ask_in_clear(&mut secure, command, data), (0x41, vec![6], Vec::new()));
    }
    let (answer, _, _) = ask_in_clear(&mut secure, 0x61, &[0]);
    assert_eq!(answer, 0x45, "who it is, is no secret");
    let mut plain = theirs(None, true);
    let (answer, _, told) = ask_in_clear(&mut plain, 0x69, &lamp);
    assert_eq!((answer, told.len()), (0x40, 1));
}

#[test]
fn an_emulated_reader_without_a_key_takes_the_public_one_in_a_window_only() {
    let mut new = theirs(None, false);
    let mut challenge = vec![0x53, 1, 19, 0, 0x0D, 3, 0x11, 0, 0x76];
    challenge.extend([9; 8]);
    challenge.extend([0, 0]);
    challenge[4] = 0x0C;
    let challenge = crate::osdp_wire::mended(challenge);
    let ask = |new: &mut Emulation| {
        new.handle(Input::Bytes(&challenge), Mono::default());
        loop {
            match new.poll() {
                Output::Write(bytes) => return code(&bytes),
                Output::Event(_) => {}
                Output::Wait(_) => panic!("no answer"),
            }
        }
    };
    assert_eq!(ask(&mut new), 0x41);
    new.open_install(SECOND, Mono::default());
    assert_eq!(ask(&mut new), 0x76);
}

/// A reader that has its key and yet tells a card so that anybody can read it.
#[test]
fn a_card_that_is_signed_but_not_encrypted_is_not_taken() {
    use osdp::packet::ParsedPacket;
    use osdp::reply::CCrypt;
    use osdp::secure::session::{Disconnected, Session};
    use osdp::secure::{Direction, crypto, seal, unseal};

    let own = key();
    let config = BusConfig { baud: BAUD, readers: vec![reader(0, Trust::Key(own.clone()))] };
    let mut bus = Bus::new(config, entropy, Mono::default()).unwrap();
    let (mut proven, mut secure, mut told) = (None, None, Vec::new());
    let mut now = Mono::default();
    while now < Mono::from_millis(400) {
        let bytes = match bus.poll() {
            Output::Event(event) => {
                told.push(event);
                continue;
            }
            Output::Wait(_) => {
                now = now + Duration::from_millis(1);
                bus.handle(Input::Tick, now);
                continue;
            }
            Output::Write(bytes) => bytes[1..].to_vec(),
        };
        let (parsed, _) = ParsedPacket::parse(&bytes).unwrap();
        let mut sealed = |encrypt, code, data: &[u8]| {
            let session = secure.as_mut().unwrap();
            unseal(session, &parsed, &bytes).unwrap();
            let from = osdp::packet::Address::reply(1).unwrap();
            seal(session, from, parsed.ctrl.sqn, Direction::PdToAcu, encrypt, code, data).unwrap()
        };
        let shaken = |kind, name, code, data: &[u8]| {
            let length = u8::try_from(11 + data.len()).unwrap();
            let head = [0x53, 0x81, length, 0, bytes[4], 3, kind, name, code];
            crate::osdp_wire::mended([&head, data, &[0, 0]].concat())
        };
        let identity = [1, 2, 3, 1, 1, 9, 0, 0, 0, 0, 0, 0];
        let answer = match (parsed.code, parsed.scb.is_some()) {
            (0x61, false) => clear_answer(&bytes, 0x45, &identity),
            (0x76, _) => {
                let rnd_a: [u8; 8] = parsed.data.try_into().unwrap();
                let keys = crypto::SessionKeys::derive(own.as_bytes(), &rnd_a);
                let client_cryptogram = crypto::client_cryptogram(&keys.s_enc, &rnd_a, &[7; 8]);
                let proof = CCrypt { cuid: [0; 8], rnd_b: [7; 8], client_cryptogram };
                let begun = Session::<Disconnected>::new(*own.as_bytes()).challenge(rnd_a);
                proven = Some(begun.receive_ccrypt(&proof).unwrap());
                shaken(0x12, 1, 0x76, &proof.encode().unwrap())
            }
            (0x77, _) => {
                let session = proven.take().unwrap();
                let seed = session.initial_rmac();
                secure = Some(session.confirm_rmac_i(&seed).unwrap());
                shaken(0x14, 1, 0x78, &seed)
            }
            (0x61, true) => sealed(true, 0x45, &identity),
            (0x64, _) => sealed(true, 0x48, &[0, 0]),
            _ => sealed(false, 0x50, &[0, 1, 26, 0, 0x91, 0, 1, 0x40]),
        };
        bus.handle(Input::Bytes(&answer), now);
    }
    let reading = |what| BusEvent::Reader(ReaderEvent { reader: 0, what });
    let expected = [
        BusEvent::Identified { reader: 0, identity: Identity { vendor: [1, 2, 3], serial: 9 } },
        reading(Reading::Online),
        reading(Reading::Offline(OfflineReason::NotTrusted)),
        reading(Reading::Alarm(ReaderAlarm::NotSecure)),
    ];
    assert_eq!(told, expected);
}
