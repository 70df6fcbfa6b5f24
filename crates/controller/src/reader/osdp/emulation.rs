//! The other way round: we are a reader on somebody else's panel, so that what Klinke decides opens a door that hangs
//! on an older system. A card that is granted here is presented there as its bits.
//!
//! - Speaks in the Secure Channel with a key of its own; in clear only where the configuration says so.
//! - The install key is taken inside a window only, and only to be given a key; a patterned key is not taken.
//! - A card that the panel does not fetch within [`CARD_LIFE`] is dropped: it must not open a door later.
//! - A repeated command gets the same answer again and is carried out once.
//!
//! Without IO. After each input, drain [`Emulation::poll`] until it says [`Output::Wait`].

use super::inbox::Inbox;
use super::key::ReaderKey;
use super::reader::Identity;
use super::{Entropy, Input, LONGEST_KEYING, OFFLINE_AFTER, Output};
use klinke_model::credential::CredentialKey;
use klinke_model::time::Mono;
use osdp::caps::{Capability, FunctionCode};
use osdp::command::{BuzzerTone, Chlng, Command, CommandCode, LedColor, SCrypt};
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Scb, ScsType, Sqn};
use osdp::reply::{CCrypt, Com, LStatR, Nak, NakErrorCode, PdCap, PdId, Raw, ReplyCode};
use osdp::secure::session::{Cryptogrammed, Disconnected, Secure, Session};
use osdp::secure::{Direction, SCBK_D, crypto, seal, unseal};
use std::collections::VecDeque;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// A presented card waits this long for the panel to fetch it.
pub const CARD_LIFE: Duration = Duration::from_secs(2);
/// More cards than this do not wait.
const MOST_CARDS: usize = 4;

/// What the panel knows us as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmulationConfig {
    /// Our address on its bus, 0 to 126.
    pub address: u8,
    /// Who we say we are.
    pub identity: Identity,
    /// Our key; none before the panel has set one.
    pub key: Option<ReaderKey>,
    /// The panel may speak in clear: it cannot do otherwise, and the administrator wants it all the same.
    pub may_be_plain: bool,
    /// The line's speed in baud, as it is set on the panel.
    pub baud: u32,
}

/// What the panel has us show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lamp {
    /// Nothing.
    Dark,
    /// What most panels show for a refusal, or at rest.
    Red,
    /// What most panels show for an open door.
    Green,
    /// Amber.
    Amber,
    /// Blue.
    Blue,
    /// Any other colour.
    Other,
}

/// What is told of the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PanelEvent {
    /// The panel polls us.
    Online {
        /// In the Secure Channel with our own key.
        is_secure: bool,
    },
    /// It has not for some seconds, or its session broke.
    Offline,
    /// The end of an [`Emulation::present`].
    Presented {
        /// Whether the panel has fetched it.
        is_taken: bool,
    },
    /// The lamp.
    Lamp {
        /// Its colour.
        color: Lamp,
        /// For a moment, after which it shows what it showed before.
        is_temporary: bool,
    },
    /// The buzzer sounds so many times; 0: until further notice.
    Tones(u8),
    /// The panel has set our key: to be stored.
    Keyed(ReaderKey),
    /// A message in the panel's session that it did not make, or a proof of a key that was wrong.
    Forged,
}

enum Channel {
    Clear,
    Challenged { session: Box<Session<Cryptogrammed>>, is_install: bool },
    Secure { session: Box<Session<Secure>>, is_install: bool },
}

struct Waiting {
    card: CredentialKey,
    until: Mono,
}

/// What is answered.
struct Said {
    code: ReplyCode,
    data: Vec<u8>,
    /// The session ends with this.
    is_end: bool,
}

impl Said {
    const fn new(code: ReplyCode, data: Vec<u8>) -> Self {
        Self { code, data, is_end: false }
    }

    const fn ack() -> Self {
        Self::new(ReplyCode::Ack, Vec::new())
    }

    fn nak(error: NakErrorCode) -> Self {
        Self::new(ReplyCode::Nak, Nak::simple(error).encode().unwrap_or_default())
    }
}

/// The machine of one emulated reader.
pub struct Emulation {
    config: EmulationConfig,
    entropy: Entropy,
    inbox: Inbox,
    channel: Channel,
    install_until: Option<Mono>,
    /// The last command and what was answered, for its repeats.
    last: Option<(Vec<u8>, Vec<u8>)>,
    sqn: Sqn,
    heard: Mono,
    /// Nothing, or whether it is in the Secure Channel.
    online: Option<bool>,
    waiting: VecDeque<Waiting>,
    /// A card is on its way, and the panel has not gone on since.
    is_handed: bool,
    writes: VecDeque<Vec<u8>>,
    events: VecDeque<PanelEvent>,
    broken: u32,
}

impl Emulation {
    /// A reader that the panel has not spoken to yet. `entropy` gives sixteen random bytes from the operating system.
    pub fn new(
        config: EmulationConfig,
        entropy: impl FnMut() -> Option<[u8; 16]> + Send + 'static,
        now: Mono,
    ) -> Self {
        Self {
            config,
            entropy: Box::new(entropy),
            inbox: Inbox::default(),
            channel: Channel::Clear,
            install_until: None,
            last: None,
            sqn: Sqn::ZERO,
            heard: now,
            online: None,
            waiting: VecDeque::new(),
            is_handed: false,
            writes: VecDeque::new(),
            events: VecDeque::new(),
            broken: 0,
        }
    }

    /// One input at a time; then drain [`Emulation::poll`].
    pub fn handle(&mut self, input: Input<'_>, now: Mono) {
        // first: what is late is not handed out to whoever asks now
        while self.waiting.front().is_some_and(|waiting| now >= waiting.until) {
            self.waiting.pop_front();
            self.events.push_back(PanelEvent::Presented { is_taken: false });
        }
        match input {
            Input::Bytes(bytes) => {
                self.inbox.push(bytes);
                while let Some(frame) = self.inbox.next(&mut self.broken) {
                    self.receive(&frame, now);
                }
            }
            Input::Tick | Input::LineBack => {}
            Input::LineLost => self.lose(),
        }
        if self.online.is_some() && now.since(self.heard) >= OFFLINE_AFTER {
            self.lose();
        }
    }

    /// What is to be done now.
    pub fn poll(&mut self) -> Output<PanelEvent> {
        if let Some(bytes) = self.writes.pop_front() {
            return Output::Write(bytes);
        }
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        let silent = self.online.map(|_| self.heard + OFFLINE_AFTER);
        let late = self.waiting.front().map(|waiting| waiting.until);
        let wake = silent.into_iter().chain(late).min();
        Output::Wait(wake.unwrap_or(Mono::from_millis(u64::MAX)))
    }

    /// Holds a card to the panel's reader. Ends in one [`PanelEvent::Presented`].
    pub fn present(&mut self, card: CredentialKey, now: Mono) {
        if self.online.is_none() || self.waiting.len() >= MOST_CARDS {
            self.events.push_back(PanelEvent::Presented { is_taken: false });
        } else {
            self.waiting.push_back(Waiting { card, until: now + CARD_LIFE });
        }
    }

    /// Takes back the cards that the panel has not fetched; one that is on its way to it may be fetched all the same.
    pub fn withdraw(&mut self) {
        for _ in self.waiting.drain(..) {
            self.events.push_back(PanelEvent::Presented { is_taken: false });
        }
    }

    /// The panel may set our key with the public install key for `length`, at most [`LONGEST_KEYING`]; our own key is
    /// not used meanwhile.
    pub fn open_install(&mut self, length: Duration, now: Mono) {
        self.install_until = Some(now + length.min(LONGEST_KEYING));
        self.lose();
    }

    fn is_installing(&self, now: Mono) -> bool {
        self.install_until.is_some_and(|until| now < until)
    }

    // --- frames ---------------------------------------------------------------------------------------------------

    fn receive(&mut self, frame: &[u8], now: Mono) {
        if frame.get(1) != Some(&self.config.address) {
            return;
        }
        let Ok((parsed, _)) = ParsedPacket::parse(frame) else {
            self.misunderstood(frame);
            return;
        };
        let is_sealed = matches!(parsed.scb.map(|block| block.ty), Some(ScsType::Scs15 | ScsType::Scs17));
        if is_sealed && !matches!(self.channel, Channel::Secure { .. }) {
            // of a session from before this process: the panel goes on when it hears that there is none, whatever it counts
            self.forget();
            let said = Said { is_end: true, ..Said::nak(NakErrorCode::SecurityBlockTypeNotSupported) };
            self.answer(frame, &parsed, said);
            return;
        }
        if parsed.ctrl.sqn == Sqn::ZERO {
            self.forget();
        } else if let Some((asked, answered)) = &self.last
            && parsed.ctrl.sqn == self.sqn
        {
            if asked == frame {
                self.writes.push_back(answered.clone());
                return;
            }
            // another command with the number of the last: whoever counts wrongly starts over
            let said = Said { is_end: true, ..Said::nak(NakErrorCode::UnexpectedSequenceNumber) };
            self.answer(frame, &parsed, said);
            return;
        } else if parsed.ctrl.sqn != self.sqn.next() {
            let said = Said { is_end: true, ..Said::nak(NakErrorCode::UnexpectedSequenceNumber) };
            self.answer(frame, &parsed, said);
            return;
        }
        let said = match parsed.scb.map(|block| block.ty) {
            Some(ScsType::Scs11) if parsed.code == CommandCode::Chlng.as_byte() => {
                self.challenged(frame, &parsed, now);
                return;
            }
            Some(ScsType::Scs13) if parsed.code == CommandCode::SCrypt.as_byte() => {
                self.proved(frame, &parsed, now);
                return;
            }
            Some(ScsType::Scs15 | ScsType::Scs17) => self.sealed(frame, &parsed, now),
            None => self.clear(&parsed, now),
            Some(_) => Said::nak(NakErrorCode::SecurityBlockTypeNotSupported),
        };
        self.answer(frame, &parsed, said);
    }

    /// A whole frame whose inside is not OSDP's, such as the first poll of a panel that marks it as sealed and has no
    /// session yet. It goes on when it is told that there is none.
    fn misunderstood(&mut self, frame: &[u8]) {
        let control = frame.get(4).and_then(|byte| ControlByte::decode(*byte).ok());
        let (Some(control), Ok(from)) = (control, Address::reply(self.config.address)) else { return };
        self.forget();
        self.end_session();
        let said = Said::nak(NakErrorCode::EncryptedCommunicationRequired);
        let control = ControlByte::new(control.sqn, CtrlFlags::USE_CRC);
        let answer = PacketBuilder::plain(from, control, said.code.as_byte(), said.data).encode();
        self.send(frame, control.sqn, answer.ok());
    }

    /// A command in clear.
    fn clear(&mut self, parsed: &ParsedPacket<'_>, now: Mono) -> Said {
        let is_harmless =
            [CommandCode::Id, CommandCode::Cap].map(CommandCode::as_byte).contains(&parsed.code);
        let in_session = matches!(self.channel, Channel::Secure { .. });
        if in_session || !(is_harmless || self.config.may_be_plain) {
            return Said { is_end: true, ..Said::nak(NakErrorCode::EncryptedCommunicationRequired) };
        }
        if self.config.may_be_plain && parsed.code == CommandCode::Poll.as_byte() {
            self.alive(false, now);
        }
        self.obey(parsed.code, parsed.data, false)
    }

    /// A command in the Secure Channel.
    fn sealed(&mut self, frame: &[u8], parsed: &ParsedPacket<'_>, now: Mono) -> Said {
        let ended = || Said { is_end: true, ..Said::nak(NakErrorCode::EncryptedCommunicationRequired) };
        let Channel::Secure { session, is_install } = &mut self.channel else { return ended() };
        let is_install = *is_install;
        let Ok(data) = unseal(session, parsed, frame) else {
            self.events.push_back(PanelEvent::Forged);
            return ended();
        };
        if is_install && !self.is_installing(now) {
            return ended();
        }
        if !is_install {
            self.alive(true, now);
        }
        self.obey(parsed.code, &data, is_install)
    }

    fn alive(&mut self, is_secure: bool, now: Mono) {
        self.heard = now;
        if self.online.replace(is_secure) != Some(is_secure) {
            self.events.push_back(PanelEvent::Online { is_secure });
        }
    }

    /// Sends an answer, in the session where there is one, and keeps it for a repeat.
    fn answer(&mut self, frame: &[u8], parsed: &ParsedPacket<'_>, said: Said) {
        let Ok(from) = Address::reply(self.config.address) else { return };
        let (sqn, code) = (parsed.ctrl.sqn, said.code.as_byte());
        let sealed = match &mut self.channel {
            Channel::Secure { session, .. } if parsed.mac.is_some() && !lost_session(&said) => {
                seal(session, from, sqn, Direction::PdToAcu, !said.data.is_empty(), code, &said.data)
            }
            _ => {
                let flags = if parsed.ctrl.use_crc() { CtrlFlags::USE_CRC } else { CtrlFlags::empty() };
                PacketBuilder::plain(from, ControlByte::new(sqn, flags), code, said.data).encode()
            }
        };
        if said.is_end {
            self.end_session();
        }
        self.send(frame, sqn, sealed.ok());
    }

    fn send(&mut self, frame: &[u8], sqn: Sqn, answer: Option<Vec<u8>>) {
        let Some(answer) = answer else { return };
        self.sqn = sqn;
        self.last = Some((frame.to_vec(), answer.clone()));
        self.writes.push_back(answer);
    }

    fn end_session(&mut self) {
        self.channel = Channel::Clear;
        if self.online.take().is_some() {
            self.events.push_back(PanelEvent::Offline);
        }
    }

    /// The panel begins anew; it is online still, unless it stays silent.
    fn forget(&mut self) {
        if std::mem::take(&mut self.is_handed) {
            self.events.push_back(PanelEvent::Presented { is_taken: false });
        }
        self.channel = Channel::Clear;
        self.last = None;
        self.sqn = Sqn::ZERO;
    }

    fn lose(&mut self) {
        self.forget();
        self.inbox.clear();
        self.end_session();
        let lost = self.waiting.len();
        self.waiting.clear();
        self.events.extend(std::iter::repeat_n(PanelEvent::Presented { is_taken: false }, lost));
    }

    // --- the handshake (Annex D.4) --------------------------------------------------------------------------------

    fn challenged(&mut self, frame: &[u8], parsed: &ParsedPacket<'_>, now: Mono) {
        self.channel = Channel::Clear;
        let is_install = self.is_installing(now);
        let key = match &self.config.key {
            _ if is_install => Some(SCBK_D),
            // also when it asked for the public key, as panels do that have just set ours
            Some(key) => Some(*key.as_bytes()),
            None => None,
        };
        let ours = key.zip((self.entropy)()).zip(Chlng::decode(parsed.data).ok());
        let Some(((key, random), theirs)) = ours else {
            let said = Said::nak(NakErrorCode::SecurityBlockTypeNotSupported);
            return self.answer(frame, parsed, said);
        };
        let rnd_b: [u8; 8] = random.first_chunk().copied().unwrap_or_default();
        let keys = crypto::SessionKeys::derive(&key, &theirs.rnd_a);
        let proof = CCrypt {
            cuid: self.cuid(),
            rnd_b,
            client_cryptogram: crypto::client_cryptogram(&keys.s_enc, &theirs.rnd_a, &rnd_b),
        };
        let begun = Session::<Disconnected>::new(key).challenge(theirs.rnd_a).receive_ccrypt(&proof);
        let (Ok(session), Ok(data)) = (begun, proof.encode()) else { return };
        self.channel = Channel::Challenged { session: Box::new(session), is_install };
        let block = Scb::new(ScsType::Scs12, [u8::from(!is_install)]);
        self.shake(frame, parsed, block, ReplyCode::CCrypt, data);
    }

    fn proved(&mut self, frame: &[u8], parsed: &ParsedPacket<'_>, now: Mono) {
        let refuse = || Said::nak(NakErrorCode::EncryptedCommunicationRequired);
        let channel = std::mem::replace(&mut self.channel, Channel::Clear);
        let Channel::Challenged { session, is_install } = channel else {
            return self.answer(frame, parsed, refuse());
        };
        let proof = SCrypt::decode(parsed.data).ok();
        let is_right = proof
            .is_some_and(|proof| bool::from(proof.server_cryptogram.ct_eq(&session.server_cryptogram())));
        if !is_right {
            self.events.push_back(PanelEvent::Forged);
            return self.answer(frame, parsed, refuse());
        }
        let seed = session.initial_rmac();
        let Ok(session) = session.confirm_rmac_i(&seed) else { return };
        self.channel = Channel::Secure { session: Box::new(session), is_install };
        self.heard = now;
        self.shake(frame, parsed, Scb::new(ScsType::Scs14, [1]), ReplyCode::RMacI, seed.to_vec());
    }

    fn shake(&mut self, frame: &[u8], parsed: &ParsedPacket<'_>, block: Scb, code: ReplyCode, data: Vec<u8>) {
        let Ok(addr) = Address::reply(self.config.address) else { return };
        let ctrl = ControlByte::new(parsed.ctrl.sqn, CtrlFlags::USE_CRC | CtrlFlags::HAS_SCB);
        let answer = PacketBuilder { addr, ctrl, scb: Some(block), code: code.as_byte(), data }.encode();
        self.send(frame, parsed.ctrl.sqn, answer.ok());
    }

    /// The number that a panel may make our key from: vendor, model, version, serial (Annex D.4).
    fn cuid(&self) -> [u8; 8] {
        let Identity { vendor: [one, two, three], serial } = self.config.identity;
        let [a, b, c, d] = serial.to_le_bytes();
        [one, two, three, 1, a, b, c, d]
    }

    // --- commands -------------------------------------------------------------------------------------------------

    fn obey(&mut self, code: u8, data: &[u8], is_install: bool) -> Said {
        // the panel goes on: it has the card that it was handed
        if std::mem::take(&mut self.is_handed) {
            self.events.push_back(PanelEvent::Presented { is_taken: true });
        }
        let Ok(code) = CommandCode::from_byte(code) else {
            return Said::nak(NakErrorCode::UnknownCommandCode);
        };
        let Ok(command) = Command::decode(code, data) else {
            return Said::nak(NakErrorCode::CommandLengthError);
        };
        let said = match command {
            Command::Poll(_) => self.polled(),
            Command::Id(_) => PdId {
                vendor_oui: self.config.identity.vendor,
                model: 1,
                version: 1,
                serial: self.config.identity.serial,
                firmware: [0, 1, 0],
            }
            .encode()
            .map(|data| Said::new(ReplyCode::PdId, data)),
            Command::Cap(_) => capabilities().encode().map(|data| Said::new(ReplyCode::PdCap, data)),
            Command::LocalStatus(_) => {
                LStatR { tamper: 0, power: 0 }.encode().map(|data| Said::new(ReplyCode::LStatR, data))
            }
            Command::ReaderStatus(_) => Ok(Said::new(ReplyCode::RStatR, vec![0])),
            Command::Led(lamps) => {
                for lamp in &lamps.records {
                    self.lamp(lamp.temporary.control == 2, lamp.permanent.control == 1, lamp);
                }
                Ok(Said::ack())
            }
            Command::Buzzer(buzzer) => {
                if buzzer.tone == BuzzerTone::Default {
                    self.events.push_back(PanelEvent::Tones(buzzer.count));
                }
                Ok(Said::ack())
            }
            Command::Text(_) | Command::AcuRxSize(_) | Command::KeepActive(_) | Command::Abort(_) => {
                Ok(Said::ack())
            }
            // our address and speed are the administrator's to change: we answer what they stay
            Command::ComSet(_) => Com { address: self.config.address, baud: self.config.baud }
                .encode()
                .map(|data| Said::new(ReplyCode::Com, data)),
            Command::KeySet(set) => Ok(self.key_set(&set.key, is_install)),
            _ => Ok(Said::nak(NakErrorCode::UnknownCommandCode)),
        };
        said.unwrap_or_else(|_| Said::nak(NakErrorCode::UnableToProcessCommandRecord))
    }

    fn polled(&mut self) -> Result<Said, osdp::Error> {
        let Some(Waiting { card, .. }) = self.waiting.pop_front() else {
            return Ok(Said::ack());
        };
        self.is_handed = true;
        // format code 1: the bits as Wiegand has them, parity and all
        let raw =
            Raw { reader: 0, format_code: 1, bit_count: u16::from(card.bits()), bits: card.bytes().to_vec() };
        raw.encode().map(|data| Said::new(ReplyCode::Raw, data))
    }

    fn lamp(&mut self, is_temporary: bool, is_permanent: bool, record: &osdp::command::led::LedRecord) {
        if is_permanent {
            let color = color(record.permanent.on_color);
            self.events.push_back(PanelEvent::Lamp { color, is_temporary: false });
        }
        if is_temporary {
            let color = color(record.temporary.on_color);
            self.events.push_back(PanelEvent::Lamp { color, is_temporary: true });
        }
    }

    fn key_set(&mut self, key: &[u8], is_install: bool) -> Said {
        let key = <[u8; 16]>::try_from(key).ok().and_then(|key| ReaderKey::new(key).ok());
        match key.filter(|_| is_install) {
            Some(key) => {
                self.config.key = Some(key.clone());
                self.install_until = None;
                self.events.push_back(PanelEvent::Keyed(key));
                Said { is_end: true, ..Said::ack() }
            }
            None => Said::nak(NakErrorCode::UnableToProcessCommandRecord),
        }
    }
}

/// An answer that says so cannot be sealed: there is nothing to seal it with.
fn lost_session(said: &Said) -> bool {
    said.is_end && said.code == ReplyCode::Nak
}

const fn color(color: LedColor) -> Lamp {
    match color {
        LedColor::Black => Lamp::Dark,
        LedColor::Red => Lamp::Red,
        LedColor::Green => Lamp::Green,
        LedColor::Amber => Lamp::Amber,
        LedColor::Blue => Lamp::Blue,
        LedColor::Magenta | LedColor::Cyan | LedColor::White => Lamp::Other,
    }
}

/// Card bits, one lamp with all colours, a buzzer, CRC, AES-128, one reader.
fn capabilities() -> PdCap {
    let able = |code: FunctionCode, compliance, number_of| Capability {
        code: code.as_byte(),
        compliance,
        number_of,
    };
    PdCap::new(vec![
        able(FunctionCode::CardDataFormat, 1, 0),
        able(FunctionCode::LedControl, 4, 1),
        able(FunctionCode::AudibleOutput, 2, 1),
        able(FunctionCode::CheckCharacter, 1, 0),
        able(FunctionCode::CommunicationSecurity, 1, 1),
        able(FunctionCode::ReceiveBufferSize, 0xA0, 5),
        able(FunctionCode::Readers, 1, 1),
    ])
}

#[cfg(test)]
mod tests;
