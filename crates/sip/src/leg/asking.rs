//! A call that the other side makes to us (RFC 3261, sections 13.3 and 17.2.1): ringing, the picture before the answer,
//! answer, refusal, their CANCEL.
//!
//! Invariants: their INVITE gets one final answer, which is repeated until its ACK. Who was shown a description before the
//! answer is answered with the same one.

use super::session::{SHORTEST, asked};
use super::{Dialog, Leg, Phase, Reoffer, Terms, Unacknowledged};
use crate::ground::{ALLOW, Ground};
use crate::message::{Headers, Method, Request, Response, address, split_list};
use crate::why::Why;
use klinke_model::time::Mono;
use std::net::SocketAddr;
use std::time::Duration;

/// How a call is taken.
#[derive(Clone)]
pub struct Accept {
    /// Our SDP: the answer to their offer, or an offer where they made none; their answer then comes as
    /// [`Event::Changed`](super::Event::Changed). After [`ring`](crate::stations::Incoming::ring) with a description, that one goes out again.
    pub sdp: String,
    /// How long it may last from now on; then we end it.
    pub talk: Duration,
    /// What is said to offers during the call.
    pub reoffer: Reoffer,
}

/// Why a call is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What it rings is in use: 486.
    Busy,
    /// What was dialled is nothing: 404.
    NotFound,
    /// Nobody is there: 480.
    Unavailable,
    /// Somebody pressed "decline": 603.
    Declined,
    /// Their description has nothing that we could use: 488.
    NotAcceptable,
    /// They took it back: 487.
    Terminated,
}

impl Refusal {
    const fn status(self) -> u16 {
        match self {
            Self::Busy => 486,
            Self::NotFound => 404,
            Self::Unavailable => 480,
            Self::Declined => 603,
            Self::NotAcceptable => 488,
            Self::Terminated => 487,
        }
    }
}

/// Their INVITE, until it is answered for good.
pub(super) struct Asked {
    request: Request,
    from: SocketAddr,
    /// What they were shown before the answer.
    early: Option<String>,
}

impl Asked {
    /// The number of their INVITE.
    pub(super) fn number(&self) -> Option<u32> {
        self.request.headers.cseq().map(|(number, _)| number)
    }
}

/// What an INVITE asks for that we could not do: the final answer to it, where it is to be refused right away.
pub(crate) fn invitation(request: &Request, tag: &str) -> Result<Option<String>, Response> {
    let refuse = |status| Err(Response::to(request, status, Some(tag)));
    let required: Vec<&str> = request.headers.list("Require");
    let unknown: Vec<&str> =
        required.into_iter().filter(|option| !option.eq_ignore_ascii_case("timer")).collect();
    if !unknown.is_empty() {
        let mut response = Response::to(request, 420, Some(tag));
        response.headers.push("Unsupported", unknown.join(", "));
        return Err(response);
    }
    if asked(&request.headers).is_some_and(|(interval, _)| interval < SHORTEST) {
        let mut response = Response::to(request, 422, Some(tag));
        response.headers.push("Min-SE", SHORTEST.to_string());
        return Err(response);
    }
    if request.headers.tag("From").is_none() || their_address(&request.headers).is_none() {
        return refuse(400);
    }
    if request.body.is_empty() {
        return Ok(None);
    }
    let kind = request.headers.get("Content-Type").and_then(|kind| kind.split(';').next());
    let is = kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/sdp"));
    match std::str::from_utf8(&request.body) {
        Ok(offer) if is => Ok(Some(offer.to_owned())),
        _ => refuse(488),
    }
}

fn their_address(headers: &Headers) -> Option<&str> {
    address(split_list(headers.get("Contact")?).first()?)
}

impl Leg {
    /// Somebody calls us with an INVITE that [`invitation`] takes. They are told that it goes on (100), and wait for `ring`
    /// at most.
    pub(crate) fn asked(
        request: Request,
        from: SocketAddr,
        ring: Duration,
        ground: &mut Ground,
        now: Mono,
    ) -> Self {
        let tag = ground.tokens.fresh();
        let headers = &request.headers;
        let value = |name| headers.get(name).unwrap_or_default().to_owned();
        let dialog = Dialog {
            to: value("From"),
            tag: headers.tag("From").map(str::to_owned),
            target: their_address(headers).unwrap_or_default().to_owned(),
            // in the order of the request (section 12.1.1)
            route: headers.list("Record-Route").into_iter().map(str::to_owned).collect(),
            update: headers.has("Allow", "UPDATE"),
            ack: Vec::new(),
        };
        let (call, ours) = (value("Call-ID"), format!("{};tag={tag}", value("To")));
        let their_cseq = headers.cseq().map(|(number, _)| number);
        ground.reply(&request, &Response::to(&request, 100, None), from, now);
        // what holds after the answer comes with it
        let terms = Terms { ring, talk: Duration::ZERO, reoffer: std::sync::Arc::new(|_| None) };
        let asked = Some(Asked { request, from, early: None });
        let new = Self::new(call, tag, ours, Phase::Asked, String::new(), terms, now);
        // our own requests count from 1 by themselves
        Self { asked, dialog: Some(dialog), their_cseq, cseq: 0, ..new }
    }

    /// Whether this is the INVITE that began it, again.
    pub(crate) fn is_repeated(&self, invite: &Request) -> bool {
        self.call == invite.headers.get("Call-ID").unwrap_or_default()
            && self.dialog.as_ref().is_some_and(|dialog| dialog.tag.as_deref() == invite.headers.tag("From"))
            && self
                .asked
                .as_ref()
                .is_some_and(|asked| asked.request.headers.branch() == invite.headers.branch())
    }

    /// Whether this is the INVITE that began it, come here another way as well: a proxy between us forked it or sent it round
    /// (section 8.2.2.2).
    pub(crate) fn is_merged(&self, invite: &Request) -> bool {
        let number = |request: &Request| request.headers.cseq().map(|(number, _)| number);
        invite.method == Method::Invite
            && self.call == invite.headers.get("Call-ID").unwrap_or_default()
            && self.dialog.as_ref().is_some_and(|dialog| dialog.tag.as_deref() == invite.headers.tag("From"))
            && self.asked.as_ref().is_some_and(|asked| {
                number(&asked.request) == number(invite)
                    && asked.request.headers.branch() != invite.headers.branch()
            })
    }

    /// Whether this takes the call back: the same branch as its INVITE (section 9.2).
    pub(crate) fn cancels(&self, request: &Request) -> bool {
        request.method == Method::Cancel && self.is_repeated(request)
    }

    /// Tells that it rings (180), or shows our description before the answer (183), so that their picture can flow.
    pub(crate) fn ring(&mut self, early: Option<String>, ground: &mut Ground, now: Mono) {
        let Some(asked) = self.asked.as_mut().filter(|_| self.phase == Phase::Asked) else { return };
        let status = if early.is_some() { 183 } else { 180 };
        let mut response = Response::to(&asked.request, status, Some(&self.tag));
        response.headers.push("Contact", ground.contact.as_str());
        response.headers.push("Allow", ALLOW);
        // one description before the answer, not two
        if let Some(sdp) = early.filter(|_| asked.early.is_none()) {
            response.headers.push("Content-Type", "application/sdp");
            response.body = sdp.clone().into_bytes();
            asked.early = Some(sdp);
        }
        ground.reply(&asked.request, &response, asked.from, now);
    }

    /// Takes it.
    pub(crate) fn accept(&mut self, accept: Accept, ground: &mut Ground, now: Mono) {
        let Some(asked_) = self.asked.as_mut().filter(|_| self.phase == Phase::Asked) else { return };
        let mut response = Response::to(&asked_.request, 200, Some(&self.tag));
        let sdp = asked_.early.take().unwrap_or(accept.sdp);
        response.headers.push("Contact", ground.contact.as_str());
        response.headers.push("Allow", ALLOW);
        response.headers.push("Supported", "timer");
        response.headers.push("Content-Type", "application/sdp");
        response.body = sdp.clone().into_bytes();
        let (session, offered) = (asked(&asked_.request.headers), asked_.request.body.is_empty());
        let (request, from) = (asked_.request.clone(), asked_.from);
        self.grant_session(session, &mut response, now);
        self.sdp = sdp;
        self.terms.reoffer = accept.reoffer;
        self.talk_until = Some(now + accept.talk);
        self.phase = Phase::Talking;
        self.answer_them(&request, &response, (from, offered, false), ground, now);
    }

    /// Does not take it; `why` is what is told of it.
    pub(crate) fn refuse_them(&mut self, refusal: Refusal, why: Why, ground: &mut Ground, now: Mono) {
        let Some(asked) = self.asked.as_ref().filter(|_| self.phase == Phase::Asked) else { return };
        let response = Response::to(&asked.request, refusal.status(), Some(&self.tag));
        let (request, from) = (asked.request.clone(), asked.from);
        self.tell_end(why, ground, now);
        self.phase = Phase::Over;
        self.answer_them(&request, &response, (from, false, true), ground, now);
    }

    fn answer_them(
        &mut self,
        request: &Request,
        response: &Response,
        (to, offered, refuses): (SocketAddr, bool, bool),
        ground: &mut Ground,
        now: Mono,
    ) {
        ground.reply(request, response, to, now);
        let until = now + ground.pace.patience();
        self.unacknowledged = Some(Unacknowledged {
            cseq: request.headers.cseq().map_or(0, |(number, _)| number),
            bytes: Ground::response(response, to).bytes,
            refuses,
            to,
            offered,
            // a connection loses no refusal
            again: if refuses && ground.pace.reliable { until } else { now + ground.pace.t1 },
            pause: ground.pace.t1,
            until,
        });
    }

    /// Ends an answered call whose ACK is not there yet: the BYE has to wait for it (section 15). Whether it does.
    pub(super) fn ends_after_ack(&mut self, why: Why, ground: &Ground, now: Mono) -> bool {
        let first = self.asked.as_ref().and_then(Asked::number);
        let waits = self.unacknowledged.take_if(|waits| Some(waits.cseq) == first && !waits.refuses);
        if waits.is_none() {
            return false;
        }
        self.tell_end(why, ground, now);
        self.unacknowledged = waits;
        self.phase = Phase::Ending;
        true
    }

    /// Their ACK is there, or never will be: hangs up if that has waited for it.
    pub(super) fn end_acknowledged(&mut self, ground: &mut Ground, now: Mono) {
        if self.phase == Phase::Ending && !self.pending.iter().any(super::is_bye) {
            self.bye(ground, now);
        }
    }

    pub(super) fn cancelled(&mut self, cancel: &Request, from: SocketAddr, ground: &mut Ground, now: Mono) {
        ground.reply(cancel, &Response::to(cancel, 200, Some(&self.tag)), from, now);
        // after the answer there is nothing to cancel: they hang up by BYE
        self.refuse_them(Refusal::Terminated, Why::TheyHungUp, ground, now);
    }
}
