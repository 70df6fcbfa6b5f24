//! One call from INVITE to the end (RFC 3261 with RFC 3311, 4028 and 6026): one that we make over a trunk or to a station
//! (with RFC 3262), or one that a door station makes to us (`asking`). Without IO: messages, wishes and time go in, bytes
//! and [`Event`]s come out.
//!
//! ```text
//!            1xx                2xx: ACK                BYE, limit, lost
//!  Calling ───────> Calling ───────────> Talking ──────────────────────> Ending ──> Over
//!     │                                                                    ^  BYE answered or 64 T1
//!     │ hang up, nobody takes it, no word at all                           │
//!     └───────────> Withdrawn (CANCEL once a 1xx came) ── 2xx: ACK, BYE ───┘
//!                       └── refusal, or 64 T1 ──> Over
//!
//!  Asked (they call us) ── we answer ──> Talking
//!     └── we refuse, their CANCEL, nobody takes it ──> Over, once their ACK is there or 64 T1 later
//! ```
//!
//! Invariants: `Ended` is told once, and nothing after it. What was answered and is not wanted is ended by BYE, whoever
//! answered and whenever. A leg is over 64 T1 after `Ended` at the latest, whatever the other side does or does not say.

mod answers;
mod asked;
mod asking;
mod session;

pub(crate) use answers::end_stray;
pub(crate) use asking::invitation;
pub use asking::{Accept, Refusal};

use crate::client::{Client, Tick};
use crate::dial::Number;
use crate::ground::{Ground, hop};
use crate::message::{Method, Request};
use crate::sdp::Encryption;
use crate::why::Why;
use klinke_model::time::Mono;
use session::Session;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How many hops a call may go at most (`Max-Forwards`, RFC 3261, section 8.1.1.6). One that is made because of another has what
/// that one has left ([`Incoming::hops`](crate::stations::Incoming::hops)): what goes round through us ends then.
pub const HOPS: u8 = 70;

/// Answers an offer that comes during the call (a re-INVITE): given its SDP, ours; `None` refuses it and the call goes on
/// as it was. Without an SDP the other side asks for an offer of ours.
pub type Reoffer = Arc<dyn Fn(Option<&str>) -> Option<String> + Send + Sync>;

/// The same as [`Reoffer`] for a trunk whose sound is encrypted: it is given how.
pub type EncryptedReoffer = Arc<dyn Fn(Encryption, Option<&str>) -> Option<String> + Send + Sync>;

/// Offer and answers of a call for a trunk whose sound is encrypted; each is given how.
#[derive(Clone)]
pub struct Encrypted {
    /// Our SDP.
    pub offer: Arc<dyn Fn(Encryption) -> String + Send + Sync>,
    /// What is said to offers during the call, as [`Reoffer`].
    pub reoffer: EncryptedReoffer,
}

/// A call that is to be made.
#[derive(Clone)]
pub struct Dial {
    /// Whom.
    pub to: Number,
    /// Our SDP.
    pub offer: String,
    /// How long it may ring.
    pub ring: Duration,
    /// How long it may last after the answer; then we end it.
    pub talk: Duration,
    /// How far it may go, as [`HOPS`].
    pub hops: u8,
    /// What is said to offers during the call.
    pub reoffer: Reoffer,
    /// Both again for trunks whose sound is encrypted; without it the call goes over all others only.
    pub encrypted: Option<Encrypted>,
}

/// A call that is to be made, as the wire names who calls whom.
pub(crate) struct Start {
    /// The value of `From`, without a tag.
    pub from: String,
    /// The value of `To`.
    pub to: String,
    /// Where it goes.
    pub uri: String,
    /// Our SDP.
    pub offer: String,
    /// How far it may go.
    pub hops: u8,
    pub terms: Terms,
}

/// What holds for a call whoever began it.
pub(crate) struct Terms {
    /// How long it may ring.
    pub ring: Duration,
    /// How long it may last after the answer.
    pub talk: Duration,
    pub reoffer: Reoffer,
}

impl std::fmt::Debug for Dial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dial(…)")
    }
}

/// What becomes of a leg.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// It rings, as far as the trunk knows. Sound before the answer is ignored.
    Ringing,
    /// Somebody, or something, took it.
    Answered {
        /// Their SDP.
        sdp: String,
    },
    /// The answer to an offer that we made because they asked for one.
    Changed {
        /// Their SDP.
        sdp: String,
    },
    /// They have our answer to their INVITE: the call stands on both sides.
    Acknowledged,
    /// An INFO of the other side, after the answer only.
    Info {
        /// Its content type.
        kind: String,
        /// Its body as it came.
        body: Vec<u8>,
    },
    /// It is over. The last event.
    Ended(Why),
}

impl std::fmt::Debug for Event {
    /// Without what is pressed or where sound goes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ringing => f.write_str("Ringing"),
            Self::Answered { .. } => f.write_str("Answered"),
            Self::Changed { .. } => f.write_str("Changed"),
            Self::Acknowledged => f.write_str("Acknowledged"),
            Self::Info { .. } => f.write_str("Info"),
            Self::Ended(why) => write!(f, "Ended({why:?})"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Calling,
    Withdrawn {
        cancelled: bool,
    },
    /// They call us, and wait for our answer.
    Asked,
    Talking,
    Ending,
    Over,
}

/// One of the phones behind a number, before the answer.
#[derive(Debug)]
struct Fork {
    tag: Option<String>,
    rseq: Option<u32>,
    /// An answer in a reliable provisional response counts; then the 200 may come without one (RFC 3262, section 5).
    sdp: Option<String>,
}

/// Who answered, and the way there.
#[derive(Debug)]
struct Dialog {
    /// The value of `To`, with their tag.
    to: String,
    tag: Option<String>,
    target: String,
    route: Vec<String>,
    /// Whether they take UPDATE.
    update: bool,
    /// Our ACK of their 200, for when that comes again.
    ack: Vec<u8>,
}

/// Our final answer to an INVITE of theirs that is not acknowledged yet.
#[derive(Debug)]
struct Unacknowledged {
    cseq: u32,
    bytes: Vec<u8>,
    /// A refusal: without an ACK there is nothing to hang up.
    refuses: bool,
    to: std::net::SocketAddr,
    /// Their ACK has the answer to our offer.
    offered: bool,
    again: Mono,
    pause: Duration,
    until: Mono,
}

pub(crate) struct Leg {
    call: String,
    tag: String,
    from: String,
    terms: Terms,
    phase: Phase,
    cseq: u32,
    their_cseq: Option<u32>,
    /// Our INVITE, if it is ours.
    invite: Option<Client>,
    /// Theirs, if we are called.
    asked: Option<asking::Asked>,
    forks: Vec<Fork>,
    dialog: Option<Dialog>,
    pending: Vec<Client>,
    unacknowledged: Option<Unacknowledged>,
    /// The ACK of the 200 to our last re-INVITE, by the number of its CSeq.
    refresh_ack: Option<(u32, Vec<u8>)>,
    session: Option<Session>,
    /// The shortest session interval that the other side takes, in seconds.
    min_interval: u32,
    /// Our SDP as it stands.
    sdp: String,
    told_ringing: bool,
    /// Somebody else has the call: a CANCEL says so.
    elsewhere: bool,
    silent_until: Option<Mono>,
    ring_until: Mono,
    talk_until: Option<Mono>,
    gone_at: Option<Mono>,
    events: VecDeque<Event>,
}

impl Leg {
    /// Begins: the INVITE is on its way.
    pub(crate) fn begin(start: Start, ground: &mut Ground, now: Mono) -> Self {
        let (call, tag) = (ground.tokens.fresh(), ground.tokens.fresh());
        let Start { from, to, uri, offer, hops, terms } = start;
        let from = format!("{from};tag={tag}");
        let mut headers = Ground::headers(&from, &to, &call, 1, Method::Invite);
        headers.set("Max-Forwards", hops.to_string());
        invite_headers(&mut headers, ground, session::USUAL, 90);
        let request = Request { method: Method::Invite, uri, headers, body: offer.clone().into_bytes() };
        let invite = ground.begin(request, now);
        // an eighth of the standard's patience: somebody stands at the door
        let silent_until = Some(now + ground.pace.longest());
        Self {
            invite: Some(invite),
            silent_until,
            ..Self::new(call, tag, from, Phase::Calling, offer, terms, now)
        }
    }

    fn new(
        call: String,
        tag: String,
        from: String,
        phase: Phase,
        sdp: String,
        terms: Terms,
        now: Mono,
    ) -> Self {
        Self {
            call,
            tag,
            from,
            phase,
            cseq: 1,
            their_cseq: None,
            invite: None,
            asked: None,
            forks: Vec::new(),
            dialog: None,
            pending: Vec::new(),
            unacknowledged: None,
            refresh_ack: None,
            session: None,
            min_interval: 90,
            sdp,
            told_ringing: false,
            elsewhere: false,
            silent_until: None,
            ring_until: now + terms.ring,
            talk_until: None,
            gone_at: None,
            terms,
            events: VecDeque::new(),
        }
    }

    /// The `Call-ID`, by which messages find their leg.
    pub(crate) fn call(&self) -> &str {
        &self.call
    }

    /// Our tag, by which messages find their leg where many devices name their calls.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether it still goes on for both sides: it rings, or they talk.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self.phase, Phase::Calling | Phase::Asked | Phase::Talking)
    }

    /// Whether nothing is left of it.
    pub(crate) fn is_over(&self) -> bool {
        let nothing_waits = self.unacknowledged.is_none() && !self.pending.iter().any(is_bye);
        self.phase == Phase::Over && self.events.is_empty() && nothing_waits
    }

    pub(crate) fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Ends it, at whatever stage it is.
    pub(crate) fn hang_up(&mut self, why: Why, ground: &mut Ground, now: Mono) {
        match self.phase {
            Phase::Calling => {
                self.tell_end(why, ground, now);
                self.withdraw();
                // before the first word a CANCEL may overtake its INVITE (section 9.1)
                if self.invite.as_ref().is_some_and(|invite| invite.heard) {
                    self.cancel(ground, now);
                }
            }
            Phase::Asked => self.refuse_them(Refusal::Unavailable, why, ground, now),
            Phase::Talking => {
                if !self.ends_after_ack(why, ground, now) {
                    self.tell_end(why, ground, now);
                    self.bye(ground, now);
                }
            }
            Phase::Withdrawn { .. } | Phase::Ending | Phase::Over => {}
        }
    }

    /// Ends it because another phone took the call. Who only rang does not list it as missed (RFC 3326, section 2).
    pub(crate) fn completed_elsewhere(&mut self, ground: &mut Ground, now: Mono) {
        self.elsewhere = true;
        self.hang_up(Why::WeHungUp, ground, now);
    }

    /// Sends an INFO; nothing before the answer and after the end.
    pub(crate) fn info(&mut self, kind: &str, body: Vec<u8>, ground: &mut Ground, now: Mono) {
        if self.phase != Phase::Talking {
            return;
        }
        if let Some(mut request) = self.inside(Method::Info) {
            request.headers.push("Content-Type", kind);
            request.body = body;
            let client = ground.begin(request, now);
            self.pending.push(client);
        }
    }

    /// The way to the trunk broke: what waits for an answer on it gets none.
    pub(crate) fn way_lost(&mut self, ground: &mut Ground, now: Mono) {
        if self.phase == Phase::Calling {
            let why = if self.told_ringing { Why::Lost } else { Why::Unreachable };
            self.tell_end(why, ground, now);
            self.withdraw();
            self.silent_until = None;
        }
    }

    /// Wants it no more, and does not say it yet.
    fn withdraw(&mut self) {
        self.phase = Phase::Withdrawn { cancelled: false };
        if let Some(invite) = &mut self.invite {
            invite.fall_silent();
        }
    }

    fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn tell_end(&mut self, why: Why, ground: &Ground, now: Mono) {
        self.tell(Event::Ended(why));
        self.gone_at = Some(now + ground.pace.patience());
        (self.talk_until, self.session, self.unacknowledged, self.silent_until) = (None, None, None, None);
    }

    fn cancel(&mut self, ground: &mut Ground, now: Mono) {
        let Some(of) = self.invite.as_ref().map(|invite| &invite.request) else { return };
        let mut headers = crate::message::Headers::default();
        for name in ["Via", "Max-Forwards", "From", "To", "Call-ID"] {
            headers.push(name, of.headers.get(name).unwrap_or_default());
        }
        let number = of.headers.cseq().map_or(1, |(number, _)| number);
        headers.push("CSeq", format!("{number} CANCEL"));
        if self.elsewhere {
            headers.push("Reason", "SIP;cause=200;text=\"Call completed elsewhere\"");
        }
        let request = Request { method: Method::Cancel, uri: of.uri.clone(), headers, body: Vec::new() };
        let client = ground.begin_as_is(request, now);
        self.pending.push(client);
        self.phase = Phase::Withdrawn { cancelled: true };
    }

    fn bye(&mut self, ground: &mut Ground, now: Mono) {
        self.phase = Phase::Over;
        if let Some(request) = self.inside(Method::Bye) {
            // what else waits for an answer does so in vain
            self.pending.retain(is_bye);
            let client = ground.begin(request, now);
            self.pending.push(client);
            self.phase = Phase::Ending;
        }
    }

    /// A request within the dialog, with the next number.
    fn inside(&mut self, method: Method) -> Option<Request> {
        let dialog = self.dialog.as_ref()?;
        self.cseq += 1;
        let mut headers = Ground::headers(&self.from, &dialog.to, &self.call, self.cseq, method);
        for route in &dialog.route {
            headers.push("Route", route.as_str());
        }
        Some(Request { method, uri: dialog.target.clone(), headers, body: Vec::new() })
    }

    /// The next moment at which [`Self::tick`] has something to do.
    pub(crate) fn due(&self) -> Option<Mono> {
        let calling = matches!(self.phase, Phase::Calling | Phase::Withdrawn { .. });
        let times = [
            self.invite.as_ref().and_then(Client::due).filter(|_| calling),
            self.silent_until,
            matches!(self.phase, Phase::Calling | Phase::Asked).then_some(self.ring_until),
            self.talk_until,
            self.gone_at.filter(|_| self.phase != Phase::Over || !self.pending.is_empty()),
            self.session.as_ref().and_then(Session::due),
            self.unacknowledged.as_ref().map(|waits| waits.again.min(waits.until)),
        ];
        times.into_iter().flatten().chain(self.pending.iter().filter_map(Client::due)).min()
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, ground: &mut Ground, now: Mono) {
        let reached = |at: Option<Mono>| at.is_some_and(|at| now >= at);
        if matches!(self.phase, Phase::Calling | Phase::Withdrawn { .. }) {
            let hop = self.invite.as_ref().and_then(|invite| hop(&invite.request));
            match self.invite.as_mut().and_then(|invite| invite.tick(now)) {
                Some(Tick::Again(bytes)) => ground.send(bytes, hop),
                Some(Tick::TimedOut) => {
                    if self.phase == Phase::Calling {
                        self.tell_end(Why::Unreachable, ground, now);
                    }
                    self.phase = Phase::Over;
                }
                None => {}
            }
        }
        if reached(self.silent_until) {
            self.silent_until = None;
            self.hang_up(Why::Unreachable, ground, now);
        }
        if matches!(self.phase, Phase::Calling | Phase::Asked) && now >= self.ring_until {
            self.hang_up(Why::NoAnswer, ground, now);
        }
        if reached(self.talk_until) {
            self.hang_up(Why::Limit, ground, now);
        }
        self.tick_pending(ground, now);
        self.tick_unacknowledged(ground, now);
        self.tick_session(ground, now);
        if reached(self.gone_at) {
            self.phase = Phase::Over;
            self.pending.clear();
            self.unacknowledged = None;
        }
    }

    fn tick_pending(&mut self, ground: &mut Ground, now: Mono) {
        let mut lost = false;
        let mut at = 0;
        while let Some(client) = self.pending.get_mut(at) {
            match client.tick(now) {
                Some(Tick::Again(bytes)) => ground.send(bytes, hop(&client.request)),
                Some(Tick::TimedOut) => {
                    let client = self.pending.remove(at);
                    match client.request.method {
                        Method::Bye => self.ended(),
                        Method::Cancel | Method::Prack => {}
                        // whoever does not answer within a call is gone (section 12.2.1.2)
                        _ => lost = true,
                    }
                    continue;
                }
                None => {}
            }
            at += 1;
        }
        if lost {
            self.hang_up(Why::Lost, ground, now);
        }
    }

    /// A BYE is answered, or never will be.
    fn ended(&mut self) {
        if self.phase == Phase::Ending && !self.pending.iter().any(is_bye) {
            self.phase = Phase::Over;
        }
    }
}

fn is_bye(client: &Client) -> bool {
    client.request.method == Method::Bye
}

/// What every INVITE of ours tells.
fn invite_headers(headers: &mut crate::message::Headers, ground: &Ground, interval: u32, min: u32) {
    headers.push("Contact", ground.contact.as_str());
    headers.push("Allow", crate::ground::ALLOW);
    headers.push("Supported", "100rel, timer");
    headers.push("Session-Expires", interval.to_string());
    headers.push("Min-SE", min.to_string());
    headers.push("Content-Type", "application/sdp");
}
