//! What the other side asks within a call.

use super::session::{SHORTEST, Session, asked};
use super::{Event, Leg, Phase, Refusal, Unacknowledged};
use crate::ground::{ALLOW, Ground};
use crate::message::{Method, Request, Response, address, split_list};
use crate::why::Why;
use klinke_model::time::Mono;
use std::net::SocketAddr;

impl Leg {
    /// Whether a request is from somebody in this call: both tags, not the `Call-ID` alone.
    pub(super) fn is_of(&self, request: &Request) -> bool {
        let theirs = request.headers.tag("From");
        let known = self.dialog.as_ref().is_some_and(|dialog| dialog.tag.as_deref() == theirs)
            || self.forks.iter().any(|fork| fork.tag.as_deref() == theirs);
        known && request.headers.tag("To") == Some(self.tag.as_str())
    }

    /// Whether this is our own INVITE: somebody on the way sent it back to us (section 16.3, 482).
    pub(crate) fn comes_back(&self, request: &Request) -> bool {
        let headers = &request.headers;
        request.method == Method::Invite
            && headers.tag("To").is_none()
            && headers.tag("From") == Some(self.tag.as_str())
            && headers.get("Call-ID") == Some(self.call.as_str())
    }

    /// A request that is not a repetition.
    pub(crate) fn request(&mut self, request: &Request, from: SocketAddr, ground: &mut Ground, now: Mono) {
        if request.method == Method::Ack {
            return self.acknowledged(request, ground, now);
        }
        if self.cancels(request) {
            return self.cancelled(request, from, ground, now);
        }
        if self.comes_back(request) {
            return ground.reply(request, &Response::to(request, 482, None), from, now);
        }
        if !self.is_of(request) {
            return ground.reply(request, &Response::to(request, 481, None), from, now);
        }
        let number = request.headers.cseq().map(|(number, _)| number);
        // in their order (section 12.2.2); a CANCEL has the number of what it cancels
        if request.method != Method::Cancel {
            if number.is_none() || self.their_cseq >= number {
                return ground.reply(request, &Response::to(request, 500, None), from, now);
            }
            self.their_cseq = number;
        }
        let mut response = Response::to(request, 200, None);
        match request.method {
            Method::Bye => {
                ground.reply(request, &response, from, now);
                return self.they_hung_up(ground, now);
            }
            Method::Invite | Method::Update => return self.offered(request, from, ground, now),
            Method::Info if self.phase == Phase::Talking => {
                let kind = request.headers.get("Content-Type").unwrap_or_default().to_owned();
                self.tell(Event::Info { kind, body: request.body.clone() });
            }
            // what is pressed before the answer is heard by nobody; a re-INVITE is answered at once, so there is nothing to cancel
            Method::Info | Method::Cancel => {}
            Method::Options => response.headers.push("Allow", ALLOW),
            _ => {
                response = Response::to(request, 405, None);
                response.headers.push("Allow", ALLOW);
            }
        }
        ground.reply(request, &response, from, now);
    }

    fn they_hung_up(&mut self, ground: &mut Ground, now: Mono) {
        match self.phase {
            Phase::Talking => {
                self.tell_end(Why::TheyHungUp, ground, now);
                self.phase = Phase::Over;
                self.pending.retain(super::is_bye);
            }
            // who hangs up before the answer instead of cancelling (section 15.1.2)
            Phase::Asked => self.refuse_them(Refusal::Terminated, Why::TheyHungUp, ground, now),
            // both at once: ours is answered by itself
            Phase::Ending | Phase::Over | Phase::Calling | Phase::Withdrawn { .. } => {}
        }
    }

    /// A re-INVITE or UPDATE: another offer, a refresh, or both.
    fn offered(&mut self, request: &Request, from: SocketAddr, ground: &mut Ground, now: Mono) {
        let refuse = |status: u16, ground: &mut Ground| {
            let mut response = Response::to(request, status, None);
            if status == 422 {
                response.headers.push("Min-SE", SHORTEST.to_string());
            }
            ground.reply(request, &response, from, now);
        };
        let ours_waits = self.pending.iter().any(|client| client.request.method == Method::Invite);
        if self.phase != Phase::Talking || ours_waits || self.unacknowledged.is_some() {
            return refuse(491, ground);
        }
        let session = asked(&request.headers);
        if session.as_ref().is_some_and(|(interval, _)| *interval < SHORTEST) {
            return refuse(422, ground);
        }
        let offer = match request.body.is_empty() {
            true => None,
            false => match std::str::from_utf8(&request.body) {
                Ok(offer) => Some(offer),
                Err(_) => return refuse(488, ground),
            },
        };
        let mut response = Response::to(request, 200, None);
        let invite = request.method == Method::Invite;
        // an UPDATE without a body only refreshes
        if invite || offer.is_some() {
            let Some(ours) = (self.terms.reoffer)(offer) else { return refuse(488, ground) };
            response.headers.push("Content-Type", "application/sdp");
            response.body = ours.clone().into_bytes();
            self.sdp = ours;
        }
        response.headers.push("Contact", ground.contact.as_str());
        response.headers.push("Allow", ALLOW);
        response.headers.push("Supported", "timer");
        self.grant_session(session, &mut response, now);
        let target = request.headers.get("Contact").and_then(|contact| address(split_list(contact).first()?));
        if let (Some(dialog), Some(target)) = (&mut self.dialog, target) {
            target.clone_into(&mut dialog.target);
        }
        if invite {
            self.unacknowledged = Some(Unacknowledged {
                cseq: request.headers.cseq().map_or(0, |(number, _)| number),
                bytes: Ground::response(&response, from).bytes,
                refuses: false,
                to: from,
                offered: offer.is_none(),
                again: now + ground.pace.t1,
                pause: ground.pace.t1,
                until: now + ground.pace.patience(),
            });
        }
        ground.reply(request, &response, from, now);
    }

    /// Agrees to the session timer that they ask for.
    pub(super) fn grant_session(
        &mut self,
        session: Option<(u32, Option<String>)>,
        response: &mut Response,
        now: Mono,
    ) {
        let Some((interval, refresher)) = session else { return };
        // who asks refreshes, unless they want us to; they are the uac of this request
        let ours = refresher.as_deref() == Some("uas");
        let refresher = if ours { "uas" } else { "uac" };
        response.headers.push("Session-Expires", format!("{interval};refresher={refresher}"));
        response.headers.push("Require", "timer");
        self.session = Some(Session::new(interval, ours, now));
    }

    fn acknowledged(&mut self, ack: &Request, ground: &mut Ground, now: Mono) {
        let number = ack.headers.cseq().map(|(number, _)| number);
        let is_for = |waits: &Unacknowledged| Some(waits.cseq) == number;
        if !self.is_of(ack) || !self.unacknowledged.as_ref().is_some_and(is_for) {
            return;
        }
        let Some(waits) = self.unacknowledged.take() else { return };
        let talks = self.phase == Phase::Talking;
        let offered = waits.offered && talks;
        if talks && self.asked.as_ref().and_then(|asked| asked.number()) == number {
            self.tell(Event::Acknowledged);
        }
        if let Some(sdp) = String::from_utf8(ack.body.clone()).ok().filter(|sdp| offered && !sdp.is_empty()) {
            self.tell(Event::Changed { sdp });
        }
        self.end_acknowledged(ground, now);
    }

    /// Our 200 is repeated until its ACK, over TCP too (section 13.3.1.4); a refusal over what loses (section 17.2.1).
    pub(super) fn tick_unacknowledged(&mut self, ground: &mut Ground, now: Mono) {
        let Some(waits) = &mut self.unacknowledged else { return };
        if now >= waits.until && waits.refuses {
            self.unacknowledged = None;
        } else if now >= waits.until {
            self.unacknowledged = None;
            self.end_acknowledged(ground, now);
            self.hang_up(Why::Lost, ground, now);
        } else if now >= waits.again {
            waits.pause = waits.pause.saturating_mul(2).min(ground.pace.longest());
            waits.again = now + waits.pause;
            ground.send(waits.bytes.clone(), Some(waits.to));
        }
    }
}
