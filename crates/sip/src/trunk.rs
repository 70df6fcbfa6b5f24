//! One trunk: its registration and its legs, and which message belongs to which. Without IO; `agent` is its shell.
//!
//! Invariants: a message for nobody changes nothing. Nobody is called from outside here: what comes without a call of ours
//! is refused, and learns nothing. Whoever answers a call that we no longer know is hung up on.

use crate::client::{Client, Tick};
use crate::ground::{ALLOW, Ground, Out, hop};
use crate::leg::{Dial, Event, Leg, Start, Terms, end_stray};
use crate::message::{self, Message, Method, Request, Response};
use crate::standing::{Standing, State};
use crate::why::Why;
use klinke_model::time::Mono;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// BYEs for calls that we no longer know, at a time.
const STRAYS: usize = 64;

pub(crate) struct Trunk {
    ground: Ground,
    domain: String,
    caller: String,
    standing: Standing,
    legs: BTreeMap<u64, Leg>,
    /// Which leg a `Call-ID` is of.
    calls: BTreeMap<String, u64>,
    strays: Vec<Client>,
    /// There is a way to the trunk, and `Ground` has its address.
    open: bool,
    wants_way: bool,
}

impl Trunk {
    /// `registers` is the address that is to be registered, where there is one.
    pub(crate) fn new(
        mut ground: Ground,
        domain: &str,
        caller: &str,
        registers: Option<String>,
        now: Mono,
    ) -> Self {
        let standing = Standing::new(domain, registers, &mut ground, now);
        Self {
            ground,
            domain: domain.to_owned(),
            caller: caller.to_owned(),
            standing,
            legs: BTreeMap::new(),
            calls: BTreeMap::new(),
            strays: Vec::new(),
            open: false,
            wants_way: true,
        }
    }

    /// There is a way: this is how we are named on it.
    pub(crate) fn way_opened(&mut self, via: String, contact: String, now: Mono) {
        (self.ground.via, self.ground.contact) = (via, contact);
        (self.open, self.wants_way) = (true, false);
        self.standing.restart(now);
    }

    /// Whether a way is wanted that is not there.
    pub(crate) fn wants_way(&self) -> bool {
        self.wants_way
    }

    pub(crate) fn state(&self) -> &State {
        &self.standing.state
    }

    /// Calls of which something is left, and hang-ups that wait for their answer.
    pub(crate) fn dialogs(&self) -> usize {
        self.legs.len() + self.strays.len()
    }

    pub(crate) fn call(&mut self, id: u64, dial: Dial, now: Mono) {
        let Self { caller, domain, .. } = &*self;
        let uri = format!("sip:{}@{domain};user=phone", dial.to.as_str());
        let start = Start {
            from: format!("<sip:{caller}@{domain}>"),
            to: format!("<{uri}>"),
            uri,
            offer: dial.offer,
            hops: dial.hops,
            terms: Terms { ring: dial.ring, talk: dial.talk, reoffer: dial.reoffer },
        };
        let leg = Leg::begin(start, &mut self.ground, now);
        self.calls.insert(leg.call().to_owned(), id);
        self.legs.insert(id, leg);
    }

    pub(crate) fn hang_up(&mut self, id: u64, now: Mono) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.hang_up(Why::WeHungUp, &mut self.ground, now);
        }
    }

    pub(crate) fn completed_elsewhere(&mut self, id: u64, now: Mono) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.completed_elsewhere(&mut self.ground, now);
        }
    }

    pub(crate) fn info(&mut self, id: u64, kind: &str, body: Vec<u8>, now: Mono) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.info(kind, body, &mut self.ground, now);
        }
    }

    /// Ends every call and takes the registration back.
    pub(crate) fn leave(&mut self, now: Mono) {
        for leg in self.legs.values_mut() {
            leg.hang_up(Why::WeHungUp, &mut self.ground, now);
        }
        self.standing.leave(&mut self.ground, now);
    }

    pub(crate) fn has_left(&self) -> bool {
        self.standing.has_left() && self.dialogs() == 0
    }

    /// A whole message from the trunk; `from` is where it came from.
    pub(crate) fn received(&mut self, bytes: &[u8], from: SocketAddr, now: Mono) {
        match message::read(bytes) {
            None => {}
            Some(Message::Response(response)) => self.response(&response, now),
            Some(Message::Request(request)) => self.request(&request, from, now),
        }
    }

    fn response(&mut self, response: &Response, now: Mono) {
        if self.standing.is_for(response) {
            return self.standing.response(response, &mut self.ground, now);
        }
        if self.ground.repeats_refusal(response) {
            return;
        }
        let id = response.headers.get("Call-ID").and_then(|call| self.calls.get(call)).copied();
        if let Some(leg) = id.and_then(|id| self.legs.get_mut(&id)) {
            return leg.response(response, &mut self.ground, now);
        }
        if response.status < 200 {
            return;
        }
        if let Some(at) = self.strays.iter().position(|client| client.is_for(response)) {
            self.strays.remove(at);
            return;
        }
        // somebody took a call after we gave it up and forgot it
        let invite = response.headers.cseq().is_some_and(|(_, method)| method == "INVITE");
        if response.status < 300 && invite && self.strays.len() < STRAYS {
            let bye = end_stray(response, &mut self.ground, now);
            self.strays.push(bye);
        }
    }

    fn request(&mut self, request: &Request, from: SocketAddr, now: Mono) {
        if request.method != Method::Ack && self.ground.repeats(request) {
            return;
        }
        let id = request.headers.get("Call-ID").and_then(|call| self.calls.get(call)).copied();
        if let Some(leg) = id.and_then(|id| self.legs.get_mut(&id)) {
            return leg.request(request, from, &mut self.ground, now);
        }
        let mut response = match request.method {
            Method::Ack => return,
            Method::Options => Response::to(request, 200, None),
            _ if request.headers.tag("To").is_some() => Response::to(request, 481, None),
            Method::Bye | Method::Cancel | Method::Info | Method::Update | Method::Prack => {
                Response::to(request, 481, None)
            }
            Method::Invite => Response::to(request, 403, None),
            Method::Register | Method::Other(_) => Response::to(request, 405, None),
        };
        if matches!(response.status, 200 | 405) {
            response.headers.push("Allow", ALLOW);
        }
        self.ground.reply(request, &response, from, now);
    }

    /// The way to the trunk broke, or there is none.
    pub(crate) fn way_lost(&mut self, now: Mono) {
        (self.open, self.wants_way) = (false, false);
        self.standing.way_lost(now);
        for leg in self.legs.values_mut() {
            leg.way_lost(&mut self.ground, now);
        }
    }

    /// The way was closed by us, while nothing hangs on it.
    pub(crate) fn way_closed(&mut self) {
        self.open = false;
    }

    pub(crate) fn due(&self) -> Option<Mono> {
        let legs = self.legs.values().filter_map(Leg::due);
        let standing = self.standing.due().filter(|_| !self.wants_way);
        legs.chain(standing).chain(self.strays.iter().filter_map(Client::due)).min()
    }

    pub(crate) fn tick(&mut self, now: Mono) {
        self.ground.forget(now);
        if self.open {
            self.standing.tick(&mut self.ground, now);
        } else if self.standing.due().is_some_and(|due| now >= due) {
            self.wants_way = true;
        }
        for leg in self.legs.values_mut() {
            leg.tick(&mut self.ground, now);
        }
        let ground = &mut self.ground;
        self.strays.retain_mut(|client| match client.tick(now) {
            Some(Tick::TimedOut) => false,
            Some(Tick::Again(bytes)) => {
                ground.send(bytes, hop(&client.request));
                true
            }
            None => true,
        });
    }

    /// What goes out next.
    pub(crate) fn out(&mut self) -> Option<Out> {
        self.ground.out.pop_front()
    }

    /// What became of a leg. To be asked until `None`: legs that are over are forgotten here.
    pub(crate) fn event(&mut self) -> Option<(u64, Event)> {
        let told = self.legs.iter_mut().find_map(|(id, leg)| Some((*id, leg.event()?)));
        if told.is_none() {
            let calls = &mut self.calls;
            self.legs.retain(|_, leg| {
                let over = leg.is_over();
                if over {
                    calls.remove(leg.call());
                }
                !over
            });
        }
        told
    }
}

#[cfg(test)]
mod histories;
#[cfg(test)]
#[path = "trunk/tests.rs"]
mod tests;
