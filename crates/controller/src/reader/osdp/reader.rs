//! One reader on the bus, from its first frame to its last: what it is to be told next, and what its answers mean.
//!
//! It never sends by itself: the [bus](super::bus) gives it a turn ([`Reader::turn`]), and then an answer
//! ([`Reader::answer`]) or the lack of one ([`Reader::missed`]).

mod report;
mod way;

use super::bus::{BusEvent, KeyingError};
use super::channel::{Breach, Channel, Reply, SessionKey};
use super::key::ReaderKey;
use super::{Entropy, OFFLINE_AFTER, POLL_EVERY, SESSION_FRAMES, SESSION_LIFE, words};
use crate::reader::{Feedback, OfflineReason, ReaderAlarm, Reading};
use klinke_model::time::Mono;
use osdp::command::{Command, CommandCode, KeySet};
use osdp::packet::{Address, ParsedPacket, Sqn};
use osdp::reply::ReplyCode;
use std::collections::VecDeque;
use std::time::Duration;

/// What the configuration says of one reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderConfig {
    /// The number that its events carry.
    pub reader: u16,
    /// Its address on the bus, 0 to 126.
    pub address: u8,
    /// Why it may be believed.
    pub trust: Trust,
    /// Who it is, once that is known: from its first session on.
    pub identity: Option<Identity>,
}

/// Why a reader may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It has this key.
    Key(ReaderKey),
    /// It has no key yet, so it is not spoken to until a keying window is opened for it.
    None,
    /// It speaks in clear, and the administrator wants it all the same. Anybody at the line can read and copy
    /// cards and open what hangs on the reader.
    LegacyPlain,
}

/// What does not change on one device: vendor (IEEE OUI) and serial number, of PDID (OSDP v2.2 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The vendor's IEEE OUI.
    pub vendor: [u8; 3],
    /// The vendor's serial number.
    pub serial: u32,
}

/// Why no key was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyingFailure {
    /// The window was not opened.
    NotOpened(KeyingError),
    /// The window closed before the reader answered as a new one does.
    Expired,
    /// Another device answered than the one that the window was opened for.
    OtherReader,
    /// The reader did not take the key, or did not prove afterwards that it has it.
    NotTaken,
}

/// What came and was of no use, counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Turns without an answer in time.
    pub missed: u32,
    /// Whole frames that were not the answer that was awaited.
    pub stray: u32,
    /// Reports that could not be read, such as cards with an impossible number of bits.
    pub malformed: u32,
    /// Commands that the reader does not know.
    pub refused: u32,
    /// Frames that were not believed.
    pub forged: u32,
}

/// Where a reader is on its way from away to ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Greet,
    Challenge,
    Prove,
    Identify,
    /// The new key is made and not stored yet: nothing is said but polls, so that the session lives.
    AwaitStored,
    SetKey,
    ReadStatus,
    Ready,
}

/// A command on its way, repeated as it is until it is answered.
struct Sent {
    frame: Vec<u8>,
    sqn: Sqn,
    is_repeated: bool,
    /// Set when an output hangs on it: it is not repeated after this.
    release: Option<Release>,
}

#[derive(Clone, Copy)]
struct Release {
    output: u8,
    not_after: Mono,
}

struct Order {
    command: Command,
    not_after: Mono,
    release: Option<Release>,
}

/// A window in which a key may be set.
struct Keying {
    until: Mono,
    expected: Option<Identity>,
    /// Made, handed out, and not yet the reader's.
    key: Option<ReaderKey>,
}

pub(super) struct Reader {
    config: ReaderConfig,
    address: Address,
    step: Step,
    channel: Channel,
    sqn: Sqn,
    sent: Option<Sent>,
    /// The command on its way, or the one before it, was sent more than once.
    was_repeated: bool,
    orders: VecDeque<Order>,
    keying: Option<Keying>,
    /// A key was set and has not been used yet.
    is_key_fresh: bool,
    /// When its next turn is.
    due: Mono,
    /// When its last turn began.
    began: Mono,
    heard: Mono,
    /// Turns without an answer, in a row.
    misses: u32,
    /// Ways to ready that failed, in a row.
    failures: u32,
    session_began: Mono,
    frames: u32,
    told: Option<bool>,
    /// What was told since it was online last.
    alarmed: Vec<ReaderAlarm>,
    tamper: bool,
    power: bool,
    losses: VecDeque<Mono>,
    faults: Faults,
}

/// What a frame was to a reader whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Not its answer; the answer may still come.
    Nothing,
    /// The turn is over.
    Answer,
}

/// What a reader shows after this is of no use to whoever stands there.
const FEEDBACK_LIFE: Duration = Duration::from_secs(2);
/// More would only be late.
const MOST_ORDERS: usize = 16;
/// Whoever is lost again before this waits longer each time: nobody makes us tell alarms by the second.
const STEADY_AFTER: Duration = Duration::from_secs(60);
/// So many losses within [`FLAPPING_WITHIN`] are more than an accident.
const FLAPPING_LOSSES: usize = 3;
const FLAPPING_WITHIN: Duration = Duration::from_secs(10 * 60);

impl Reader {
    pub(super) fn new(config: ReaderConfig, address: Address, now: Mono) -> Self {
        Self {
            config,
            address,
            step: Step::Greet,
            channel: Channel::Clear,
            sqn: Sqn::ZERO,
            sent: None,
            was_repeated: false,
            orders: VecDeque::new(),
            keying: None,
            is_key_fresh: false,
            due: now,
            began: now,
            heard: now,
            misses: 0,
            failures: 0,
            session_began: now,
            frames: 0,
            told: None,
            alarmed: Vec::new(),
            tamper: false,
            power: false,
            losses: VecDeque::new(),
            faults: Faults::default(),
        }
    }

    pub(super) const fn number(&self) -> u16 {
        self.config.reader
    }

    pub(super) const fn faults(&self) -> Faults {
        self.faults
    }

    /// When it wants its next turn; never, when it may not be spoken to.
    pub(super) fn due(&self) -> Option<Mono> {
        let may_speak = self.keying.is_some() || self.config.trust != Trust::None;
        may_speak.then_some(self.due)
    }

    // --- orders ---------------------------------------------------------------------------------------------------

    pub(super) fn show(&mut self, what: Feedback, now: Mono) {
        if self.told != Some(true) {
            return;
        }
        let not_after = now + FEEDBACK_LIFE;
        for command in words::feedback(what) {
            if self.orders.len() < MOST_ORDERS {
                self.orders.push_back(Order { command, not_after, release: None });
            }
        }
        self.hurry(now);
    }

    pub(super) fn release(
        &mut self,
        output: u8,
        hold: Duration,
        not_after: Mono,
        now: Mono,
        out: &mut VecDeque<BusEvent>,
    ) {
        let release = Release { output, not_after };
        if self.told != Some(true) || self.orders.len() >= MOST_ORDERS {
            self.released(release, false, out);
            return;
        }
        let command = words::release(output, hold);
        self.orders.push_front(Order { command, not_after, release: Some(release) });
        self.hurry(now);
    }

    /// The next turn at once, unless the reader is slow to answer.
    fn hurry(&mut self, now: Mono) {
        if self.misses == 0 {
            self.due = self.due.min(now);
        }
    }

    fn released(&self, release: Release, is_done: bool, out: &mut VecDeque<BusEvent>) {
        out.push_back(BusEvent::Released { reader: self.number(), output: release.output, is_done });
    }

    // --- keying ---------------------------------------------------------------------------------------------------

    pub(super) const fn is_keying(&self) -> bool {
        self.keying.is_some()
    }

    pub(super) fn has_no_key(&self) -> bool {
        self.config.trust == Trust::None
    }

    pub(super) fn open_keying(&mut self, expected: Option<Identity>, until: Mono, now: Mono) {
        self.keying = Some(Keying { until, expected: expected.or(self.config.identity), key: None });
        self.restart(now);
        self.failures = 0;
    }

    /// The key that was handed out is stored: now the reader may have it.
    pub(super) fn stored(&mut self, now: Mono) {
        if self.step == Step::AwaitStored {
            self.step = Step::SetKey;
            self.hurry(now);
        }
    }

    fn end_keying(&mut self, why: KeyingFailure, now: Mono, out: &mut VecDeque<BusEvent>) {
        self.keying = None;
        self.restart(now);
        out.push_back(BusEvent::KeyingFailed { reader: self.number(), why });
    }

    // --- turns ----------------------------------------------------------------------------------------------------

    /// The frame to send in this turn, if any.
    pub(super) fn turn(
        &mut self,
        now: Mono,
        entropy: &mut Entropy,
        out: &mut VecDeque<BusEvent>,
    ) -> Option<Vec<u8>> {
        if self.keying.as_ref().is_some_and(|keying| now >= keying.until) {
            self.end_keying(KeyingFailure::Expired, now, out);
            return None;
        }
        self.drop_late(now, out);
        let is_worn = now.since(self.session_began) >= SESSION_LIFE || self.frames >= SESSION_FRAMES;
        if self.sent.is_none() && self.step == Step::Ready && is_worn {
            self.restart(now);
        }
        self.began = now;
        if let Some(sent) = &mut self.sent {
            sent.is_repeated = true;
            self.was_repeated = true;
            return Some(sent.frame.clone());
        }
        let mut release = None;
        let frame = self.next_frame(&mut release, entropy);
        match frame {
            Some(frame) => {
                self.frames = self.frames.saturating_add(1);
                self.sent = Some(Sent { frame: frame.clone(), sqn: self.sqn, is_repeated: false, release });
                Some(frame)
            }
            // no randomness, or a frame that can not be: start over later
            None => {
                self.fail(now);
                None
            }
        }
    }

    /// Orders whose time is over are not carried out, and what was sent of them is not sent again.
    fn drop_late(&mut self, now: Mono, out: &mut VecDeque<BusEvent>) {
        for order in std::mem::take(&mut self.orders) {
            match order.release {
                _ if now <= order.not_after => self.orders.push_back(order),
                Some(release) => self.released(release, false, out),
                None => {}
            }
        }
        let late = self.sent.as_ref().and_then(|sent| sent.release).filter(|release| now > release.not_after);
        if let Some(release) = late {
            // the session cannot go on without this frame: begin a new one
            self.released(release, false, out);
            self.restart(now);
        }
    }

    fn next_frame(&mut self, release: &mut Option<Release>, entropy: &mut Entropy) -> Option<Vec<u8>> {
        let (to, sqn) = (self.address, self.sqn);
        let mut say = |code: CommandCode, data: &[u8]| self.channel.command(to, sqn, code.as_byte(), data);
        match self.step {
            Step::Greet | Step::Identify => say(CommandCode::Id, &[0]),
            Step::AwaitStored => say(CommandCode::Poll, &[]),
            Step::ReadStatus => say(CommandCode::LStat, &[]),
            Step::Challenge => {
                let key = self.session_key()?;
                let random = entropy()?;
                let half: [u8; 8] = random.first_chunk().copied()?;
                self.channel.challenge(to, sqn, &key, half)
            }
            Step::Prove => {
                let key = self.session_key()?;
                self.channel.prove(to, sqn, &key)
            }
            Step::SetKey => {
                let key = self.keying.as_ref().and_then(|keying| keying.key.as_ref())?;
                let data = KeySet::scbk(*key.as_bytes()).encode().ok()?;
                say(CommandCode::KeySet, &data)
            }
            Step::Ready => match self.orders.pop_front() {
                None => say(CommandCode::Poll, &[]),
                Some(order) => {
                    *release = order.release;
                    say(order.command.code(), &order.command.encode_data().ok()?)
                }
            },
        }
    }

    /// Which key the next session is made with; none for readers that speak in clear.
    fn session_key(&self) -> Option<SessionKey> {
        match &self.config.trust {
            _ if self.keying.is_some() => Some(SessionKey::Install),
            Trust::Key(key) => Some(SessionKey::Own(key.clone())),
            Trust::None | Trust::LegacyPlain => None,
        }
    }

    /// No answer came in time.
    pub(super) fn missed(&mut self, now: Mono, out: &mut VecDeque<BusEvent>) {
        self.faults.missed = self.faults.missed.saturating_add(1);
        self.misses = self.misses.saturating_add(1);
        let was_known = self.told == Some(true) || self.step != Step::Greet;
        if !was_known || now.since(self.heard) >= OFFLINE_AFTER {
            self.lose(OfflineReason::Silent, None, now, out);
            return;
        }
        // a command was lost on the way: at once; a reader that is off: not at the cost of the others
        self.due = now + if self.misses < 3 { Duration::ZERO } else { Duration::from_secs(1) };
    }

    /// A whole frame, whose check is right, within this reader's turn.
    pub(super) fn answer(
        &mut self,
        frame: &[u8],
        now: Mono,
        entropy: &mut Entropy,
        out: &mut VecDeque<BusEvent>,
    ) -> Heard {
        let Some((sqn, is_own, is_busy)) = self.envelope(frame) else { return self.stray() };
        let Some(sent) = &self.sent else { return self.stray() };
        if is_own && is_busy {
            // not carried out yet: the same again, a little later. Anybody can say so, so it is no sign of life.
            self.due = now + POLL_EVERY;
            if now.since(self.heard) >= OFFLINE_AFTER {
                self.lose(OfflineReason::Silent, None, now, out);
            }
            return Heard::Answer;
        }
        if !is_own || sqn != sent.sqn {
            return self.stray();
        }
        // a reader forgets its session as soon as it has a new key, some before they say so
        if self.step == Step::SetKey && is_clear_ack(frame) {
            self.channel = Channel::Clear;
        }
        let key = self.session_key().unwrap_or(SessionKey::Install);
        match self.channel.open(frame, &key) {
            Ok(reply) => self.accept(&reply, now, entropy, out),
            Err(breach) => self.distrust(breach, now, out),
        }
        Heard::Answer
    }

    /// Sequence number, whether it is from this reader, and whether it says that it is busy.
    fn envelope(&self, frame: &[u8]) -> Option<(Sqn, bool, bool)> {
        let (parsed, _) = ParsedPacket::parse(frame).ok()?;
        let is_own = parsed.addr.is_reply() && parsed.addr.pd_addr() == self.address.pd_addr();
        let is_busy = parsed.code == ReplyCode::Busy.as_byte() && parsed.scb.is_none();
        Some((parsed.ctrl.sqn, is_own && parsed.ctrl.use_crc(), is_busy))
    }

    fn stray(&mut self) -> Heard {
        self.faults.stray = self.faults.stray.saturating_add(1);
        Heard::Nothing
    }

    fn distrust(&mut self, breach: Breach, now: Mono, out: &mut VecDeque<BusEvent>) {
        self.faults.forged = self.faults.forged.saturating_add(1);
        if self.keying.is_some() {
            // it is not in its install mode yet, or not the one: the window stays open, nothing was given away
            self.fail(now);
            return;
        }
        if breach == Breach::Ended && self.was_repeated {
            // there are readers that take a repeat for a new command, find its MAC wrong, and end the session: an
            // answer was lost on the way or late, which is no alarm before it happens often
            if let Some(release) = self.sent.take().and_then(|sent| sent.release) {
                self.released(release, false, out);
            }
            self.restart(now);
            self.count_loss(now, out);
            return;
        }
        let alarm = match breach {
            Breach::Forged => ReaderAlarm::Forged,
            Breach::Ended => ReaderAlarm::SessionBroken,
            Breach::Refused => ReaderAlarm::NotSecure,
            Breach::WrongKey => ReaderAlarm::WrongKey,
            Breach::PublicKey => ReaderAlarm::Unkeyed,
        };
        self.lose(OfflineReason::NotTrusted, Some(alarm), now, out);
    }

    fn accept(&mut self, reply: &Reply, now: Mono, entropy: &mut Entropy, out: &mut VecDeque<BusEvent>) {
        let sent = self.sent.take();
        self.was_repeated = sent.as_ref().is_some_and(|sent| sent.is_repeated);
        let release = sent.and_then(|sent| sent.release);
        self.sqn = self.sqn.next();
        self.misses = 0;
        self.heard = now;
        self.due = now;
        match self.step {
            Step::Greet => self.greeted(reply, now, out),
            Step::Challenge => self.step = Step::Prove,
            Step::Prove => self.step = Step::Identify,
            Step::Identify => self.identified(reply, now, entropy, out),
            Step::AwaitStored => self.due = self.began + POLL_EVERY,
            Step::SetKey => self.key_set(reply, now, out),
            Step::ReadStatus => self.status_read(reply, now, out),
            Step::Ready => {
                if now.since(self.session_began) >= STEADY_AFTER {
                    self.failures = 0;
                }
                if let Some(release) = release {
                    let is_done = reply.is(ReplyCode::Ack) || reply.is(ReplyCode::OStatR);
                    self.released(release, is_done, out);
                }
                self.due = if self.orders.is_empty() { self.began + POLL_EVERY } else { now };
                self.report(reply, now, out);
            }
        }
    }

    // --- losses ---------------------------------------------------------------------------------------------------

    /// Forgets the session and begins anew at the next turn, without telling: it may take as long as silence may.
    fn restart(&mut self, now: Mono) {
        self.channel = Channel::Clear;
        self.step = Step::Greet;
        self.sqn = Sqn::ZERO;
        self.sent = None;
        self.due = now;
    }

    /// Begins anew, later the more often it failed.
    fn fail(&mut self, now: Mono) {
        self.restart(now);
        let wait = Duration::from_millis(500).saturating_mul(2_u32.saturating_pow(self.failures));
        self.due = now + wait.min(Duration::from_secs(10));
        self.failures = self.failures.saturating_add(1);
    }

    pub(super) fn lose(
        &mut self,
        why: OfflineReason,
        alarm: Option<ReaderAlarm>,
        now: Mono,
        out: &mut VecDeque<BusEvent>,
    ) {
        if let Some(release) = self.sent.take().and_then(|sent| sent.release) {
            self.released(release, false, out);
        }
        for order in std::mem::take(&mut self.orders) {
            if let Some(release) = order.release {
                self.released(release, false, out);
            }
        }
        self.misses = 0;
        self.fail(now);
        let was_online = self.told.replace(false);
        if was_online != Some(false) {
            self.tell(Reading::Offline(why), out);
        }
        if let Some(alarm) = alarm.filter(|alarm| !self.alarmed.contains(alarm)) {
            self.alarmed.push(alarm);
            self.tell(Reading::Alarm(alarm), out);
        }
        if was_online == Some(true) {
            self.count_loss(now, out);
        }
    }

    fn count_loss(&mut self, now: Mono, out: &mut VecDeque<BusEvent>) {
        self.losses.retain(|loss| now.since(*loss) < FLAPPING_WITHIN);
        self.losses.push_back(now);
        if self.losses.len() >= FLAPPING_LOSSES {
            self.losses.clear();
            self.tell(Reading::Alarm(ReaderAlarm::Flapping), out);
        }
    }

    /// The line is there again.
    pub(super) fn line_is_back(&mut self, now: Mono) {
        self.failures = 0;
        self.due = now;
    }
}

fn is_clear_ack(frame: &[u8]) -> bool {
    let parsed = ParsedPacket::parse(frame);
    parsed.is_ok_and(|(parsed, _)| parsed.scb.is_none() && parsed.code == ReplyCode::Ack.as_byte())
}
