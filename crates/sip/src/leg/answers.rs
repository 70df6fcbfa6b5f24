//! What the other side says to our requests.

use super::session::Session;
use super::{Dialog, Event, Fork, Leg, Phase, is_bye, session};
use crate::client::Client;
use crate::ground::{Ground, hop};
use crate::message::{Method, Request, Response, address, split_list};
use crate::why::Why;
use klinke_model::time::Mono;
use std::time::Duration;

/// Phones behind one number, at most.
const FORKS: usize = 16;

impl Leg {
    pub(crate) fn response(&mut self, response: &Response, ground: &mut Ground, now: Mono) {
        if self.invite.as_ref().is_some_and(|invite| invite.is_for(response)) {
            return self.invite_answered(response, ground, now);
        }
        if let Some(at) = self.pending.iter().position(|client| client.is_for(response)) {
            if response.status < 200 {
                if let Some(client) = self.pending.get_mut(at) {
                    client.provisional();
                }
                return;
            }
            let client = self.pending.remove(at);
            self.pending_answered(&client, response, ground, now);
            return;
        }
        // the 200 to our re-INVITE again: its ACK was lost
        let number =
            response.headers.cseq().filter(|(_, method)| *method == "INVITE").map(|(number, _)| number);
        if let Some((_, ack)) = self.refresh_ack.as_ref().filter(|(of, _)| Some(*of) == number) {
            ground.send(ack.clone(), self.hop());
        }
    }

    fn invite_answered(&mut self, response: &Response, ground: &mut Ground, now: Mono) {
        match response.status {
            ..200 => {
                if !matches!(self.phase, Phase::Calling | Phase::Withdrawn { .. }) {
                    return;
                }
                if let Some(invite) = &mut self.invite {
                    invite.provisional();
                }
                self.silent_until = None;
                if self.phase == (Phase::Withdrawn { cancelled: false }) {
                    self.cancel(ground, now);
                } else if response.status > 100 {
                    self.early(response, ground, now);
                }
            }
            200..300 => self.accepted(response, ground, now),
            _ => self.refused(response, ground, now),
        }
    }

    /// A provisional response of one of the phones behind the number.
    fn early(&mut self, response: &Response, ground: &mut Ground, now: Mono) {
        if self.phase == Phase::Calling && matches!(response.status, 180 | 183) && !self.told_ringing {
            self.told_ringing = true;
            self.tell(Event::Ringing);
        }
        let headers = &response.headers;
        let tag = headers.tag("To").map(str::to_owned);
        if !self.forks.iter().any(|fork| fork.tag == tag) {
            if self.forks.len() >= FORKS {
                return;
            }
            self.forks.push(Fork { tag: tag.clone(), rseq: None, sdp: None });
        }
        let Some(fork) = self.forks.iter_mut().find(|fork| fork.tag == tag) else { return };
        let Some(rseq) = headers.number("RSeq").filter(|_| headers.has("Require", "100rel")) else { return };
        // in their order, each once (RFC 3262, section 4); a repetition is answered by ours
        if fork.rseq.is_some_and(|last| last.checked_add(1) != Some(rseq)) {
            return;
        }
        fork.rseq = Some(rseq);
        if let Some(sdp) = sdp(response) {
            fork.sdp = Some(sdp);
        }
        let Some(invite) = self.invite.as_ref().map(|invite| &invite.request) else { return };
        let number = invite.headers.cseq().map_or(1, |(number, _)| number);
        let dialog = dialog(response, &invite.uri);
        self.cseq += 1;
        let mut request = within(&dialog, &self.from, &self.call, self.cseq, Method::Prack);
        request.headers.push("RAck", format!("{rseq} {number} INVITE"));
        let client = ground.begin(request, now);
        self.pending.push(client);
    }

    fn accepted(&mut self, response: &Response, ground: &mut Ground, now: Mono) {
        let tag = response.headers.tag("To").map(str::to_owned);
        if let Some(dialog) = &self.dialog {
            if dialog.tag == tag {
                let ack = dialog.ack.clone();
                ground.send(ack, self.hop());
            } else {
                // another phone took it as well: the first has it (section 13.2.2.4)
                self.pending.push(end_stray(response, ground, now));
            }
            return;
        }
        if !matches!(self.phase, Phase::Calling | Phase::Withdrawn { .. }) {
            self.pending.push(end_stray(response, ground, now));
            return;
        }
        let Some(invite) = &mut self.invite else { return };
        // no more timers; it stays to know its answers by
        invite.provisional();
        self.silent_until = None;
        let mut dialog = dialog(response, &invite.request.uri);
        let ack = acknowledge(&dialog, &invite.request, ground);
        ground.send(ack.write(), hop(&ack));
        dialog.ack = ack.write();
        self.dialog = Some(dialog);
        if self.phase != Phase::Calling {
            // it crossed our CANCEL
            self.bye(ground, now);
            return;
        }
        let early = self.forks.iter_mut().find(|fork| fork.tag == tag).and_then(|fork| fork.sdp.take());
        self.phase = Phase::Talking;
        match sdp(response).or(early) {
            None => self.hang_up(Why::Broken, ground, now),
            Some(sdp) => {
                self.talk_until = Some(now + self.terms.talk);
                self.session_of(&response.headers, now);
                self.forks.clear();
                // PRACKs that still wait have served
                self.pending.retain(is_bye);
                self.tell(Event::Answered { sdp });
            }
        }
    }

    fn refused(&mut self, response: &Response, ground: &mut Ground, now: Mono) {
        if !matches!(self.phase, Phase::Calling | Phase::Withdrawn { .. }) {
            return;
        }
        let Some(invite) = &self.invite else { return };
        ground.acknowledge(invite, response, now);
        if self.phase == Phase::Calling {
            if let Some(again) = ground.answer(invite, response, self.cseq + 1, now) {
                self.cseq += 1;
                self.invite = Some(again);
                return;
            }
            let min = response.headers.number("Min-SE").filter(|min| *min > self.min_interval);
            if let Some(min) = min.filter(|_| response.status == 422) {
                self.min_interval = min;
                self.cseq += 1;
                let mut request = invite.request.clone();
                request.headers.set("CSeq", format!("{} INVITE", self.cseq));
                request.headers.set("Session-Expires", min.max(session::USUAL).to_string());
                request.headers.set("Min-SE", min.to_string());
                self.invite = Some(ground.begin(request, now));
                return;
            }
            self.tell_end(Why::of(response), ground, now);
        }
        self.pending.clear();
        self.phase = Phase::Over;
    }

    /// A final response to what is not the INVITE.
    fn pending_answered(&mut self, client: &Client, response: &Response, ground: &mut Ground, now: Mono) {
        let method = client.request.method;
        if method == Method::Invite {
            match response.status {
                ..300 => self.acknowledge_refresh(client, response, ground),
                _ => ground.acknowledge(client, response, now),
            }
        }
        if let Some(again) = ground.answer(client, response, self.cseq + 1, now) {
            self.cseq += 1;
            self.pending.push(again);
            return;
        }
        match (method, response.status) {
            (Method::Bye, _) => self.ended(),
            (Method::Cancel | Method::Prack, _) => {}
            // they do not know the call any more (section 12.2.1.2)
            (_, 408 | 481) => self.hang_up(Why::Lost, ground, now),
            (Method::Invite | Method::Update, 200..300) => {
                let before = self.session.take();
                self.session_of(&response.headers, now);
                // an answer without the header ends the timer only if there was none
                if self.session.is_none() && before.is_some() {
                    self.session = Some(Session::new(session::USUAL, true, now));
                }
            }
            // both sides asked at once: we, who own the Call-ID, wait 2.1 to 4 s (section 14.1)
            (Method::Invite | Method::Update, 491) => self.refresh_at(now + Duration::from_millis(2100)),
            (Method::Invite | Method::Update, 422) => {
                let min = response.headers.number("Min-SE").unwrap_or(session::USUAL);
                if min > self.min_interval {
                    self.min_interval = min;
                    self.refresh_at(now);
                }
            }
            _ => {}
        }
    }

    fn acknowledge_refresh(&mut self, client: &Client, response: &Response, ground: &mut Ground) {
        let Some(dialog) = &mut self.dialog else { return };
        // a re-INVITE refreshes the target
        if let Some(target) = response.headers.get("Contact").and_then(address) {
            target.clone_into(&mut dialog.target);
        }
        let ack = acknowledge(dialog, &client.request, ground);
        let number = client.request.headers.cseq().map_or(0, |(number, _)| number);
        ground.send(ack.write(), hop(&ack));
        self.refresh_ack = Some((number, ack.write()));
    }

    fn hop(&self) -> Option<std::net::SocketAddr> {
        let dialog = self.dialog.as_ref()?;
        hop(&within(dialog, &self.from, &self.call, 0, Method::Ack))
    }
}

/// The SDP of a response.
fn sdp(response: &Response) -> Option<String> {
    let kind = response.headers.get("Content-Type")?;
    let is = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/sdp"));
    let text = String::from_utf8(response.body.clone()).ok()?;
    (is && !text.trim().is_empty()).then_some(text)
}

/// The dialog that a response makes (section 12.1.2).
fn dialog(response: &Response, uri: &str) -> Dialog {
    let headers = &response.headers;
    let mut route: Vec<String> = headers.list("Record-Route").into_iter().map(str::to_owned).collect();
    route.reverse();
    let target = headers.get("Contact").and_then(|contact| address(split_list(contact).first()?));
    Dialog {
        to: headers.get("To").unwrap_or_default().to_owned(),
        tag: headers.tag("To").map(str::to_owned),
        // who sends no address is found where it was called
        target: target.unwrap_or(uri).to_owned(),
        route,
        update: headers.has("Allow", "UPDATE"),
        ack: Vec::new(),
    }
}

fn within(dialog: &Dialog, from: &str, call: &str, cseq: u32, method: Method) -> Request {
    let mut headers = Ground::headers(from, &dialog.to, call, cseq, method);
    for route in &dialog.route {
        headers.push("Route", route.as_str());
    }
    Request { method, uri: dialog.target.clone(), headers, body: Vec::new() }
}

/// The ACK of a 2xx: a request of its own, with the number and the credentials of the INVITE (section 13.2.2.4).
fn acknowledge(dialog: &Dialog, invite: &Request, ground: &mut Ground) -> Request {
    let of = &invite.headers;
    let number = of.cseq().map_or(1, |(number, _)| number);
    let from = of.get("From").unwrap_or_default();
    let mut ack = within(dialog, from, of.get("Call-ID").unwrap_or_default(), number, Method::Ack);
    let branch = ground.tokens.fresh();
    ack.headers.set("Via", format!("{};branch=z9hG4bK{branch};rport", ground.via));
    for name in ["Authorization", "Proxy-Authorization"] {
        for value in of.all(name) {
            ack.headers.push(name, value);
        }
    }
    ack
}

/// Ends what somebody took that nobody wants: acknowledges it and hangs up, from the response alone. The BYE is to be
/// watched until it is answered.
pub(crate) fn end_stray(response: &Response, ground: &mut Ground, now: Mono) -> Client {
    let headers = &response.headers;
    let from = headers.get("From").unwrap_or_default();
    let call = headers.get("Call-ID").unwrap_or_default();
    let number = headers.cseq().map_or(1, |(number, _)| number);
    let uri = headers.get("To").and_then(address).unwrap_or_default();
    let dialog = dialog(response, uri);
    let mut ack = within(&dialog, from, call, number, Method::Ack);
    let branch = ground.tokens.fresh();
    ack.headers.set("Via", format!("{};branch=z9hG4bK{branch};rport", ground.via));
    ground.send(ack.write(), hop(&ack));
    ground.begin(within(&dialog, from, call, number.saturating_add(1), Method::Bye), now)
}
